#include "output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace ringside {

Result<OutputFile> OutputFile::create(const std::string& path) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return errno_failure(fmt::format("cannot make the file '{}'", path));
    }
    return OutputFile(path, fd);
}

OutputFile::OutputFile(std::string path, int fd) noexcept : path_(std::move(path)), fd_(fd) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_) {}

OutputFile::~OutputFile() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

Result<void> OutputFile::append(Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t written = write(fd_, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return errno_failure(
                fmt::format("cannot write to '{}'; what is in it can be replayed", path_));
        }
        const auto taken = static_cast<std::size_t>(std::max<ssize_t>(written, 0));
        bytes = bytes.subspan(taken);
        bytes_ += taken;
    }
    return {};
}

}  // namespace ringside
