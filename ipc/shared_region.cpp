#include "ringside/ipc/shared_region.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/interprocess/mapped_region.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringside {
namespace {

namespace interprocess = boost::interprocess;

class FileDescriptor {
public:
    explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() {
        if (fd_ >= 0) {
            ::close(fd_);  // Linux frees the number even on EINTR: never twice
        }
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

// What mapped_region asks of a mappable object, for a descriptor that somebody else opened:
// file_mapping opens by path only, and can neither create exclusively nor take a passed descriptor.
class MappableDescriptor {
public:
    MappableDescriptor(int fd, interprocess::mode_t mode) noexcept : fd_(fd), mode_(mode) {}
    [[nodiscard]] interprocess::mapping_handle_t get_mapping_handle() const noexcept {
        return interprocess::ipcdetail::mapping_handle_from_file_handle(fd_);
    }
    [[nodiscard]] interprocess::mode_t get_mode() const noexcept { return mode_; }

private:
    int fd_;
    interprocess::mode_t mode_;
};

int open_retrying(const std::string& path, int flags, unsigned mode = 0) noexcept {
    int fd = -1;
    do {
        fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

// The error number, 0 on success: posix_fallocate() does not set errno.
int reserve_retrying(int fd, std::size_t offset, std::size_t bytes) noexcept {
    int error = 0;
    do {
        error = ::posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes));
    } while (error == EINTR);
    return error;
}

std::unexpected<Error> reserve_failure(int error, const std::string& path, std::size_t bytes) {
    std::error_code ignored;
    const auto folder = std::filesystem::path(path).parent_path();
    const auto space = std::filesystem::space(folder, ignored);
    const std::string room = ignored ? "an unknown number of" : fmt::format("{}", space.available);
    return failure(std::error_code(error, std::generic_category()),
                   fmt::format("segment '{}': {} bytes do not fit {}, where {} are free; remove "
                               "what old instances left there, enlarge it (mount -o "
                               "remount,size=...), or run fewer games",
                               path, bytes, folder.string(), room));
}

}  // namespace

class SharedRegion::Mapping {
public:
    explicit Mapping(interprocess::mapped_region&& region) noexcept : region_(std::move(region)) {}
    [[nodiscard]] MutableBytes bytes() const noexcept {
        return {static_cast<std::byte*>(region_.get_address()), region_.get_size()};
    }

    static Result<SharedRegion> map(int fd, Access access, const std::string& name);

private:
    interprocess::mapped_region region_;
};

SharedRegion::SharedRegion() noexcept = default;
SharedRegion::SharedRegion(SharedRegion&& other) noexcept
    : mapping_(std::move(other.mapping_)), bytes_(std::exchange(other.bytes_, {})) {}
SharedRegion& SharedRegion::operator=(SharedRegion&& other) noexcept {
    mapping_ = std::move(other.mapping_);
    bytes_ = std::exchange(other.bytes_, {});
    return *this;
}
SharedRegion::~SharedRegion() = default;
SharedRegion::SharedRegion(std::unique_ptr<Mapping> mapping) noexcept
    : mapping_(std::move(mapping)), bytes_(mapping_->bytes()) {}

Result<SharedRegion> SharedRegion::create(const CreateOptions& options) {
    const std::string& path = options.path;
    if (options.bytes_total == 0 || options.bytes_reserved > options.bytes_total) {
        return failure(std::errc::invalid_argument,
                       fmt::format("segment '{}': cannot reserve {} of {} bytes", path,
                                   options.bytes_reserved, options.bytes_total));
    }
    const FileDescriptor fd(open_retrying(path, O_RDWR | O_CREAT | O_EXCL, options.mode));
    if (fd.get() < 0) {
        return errno_failure(
            fmt::format("segment '{}': cannot be made; it must not exist and its "
                        "folder must be writable",
                        path));
    }
    auto region = [&]() -> Result<SharedRegion> {
        // The umask does not decide who may attach: the mode asked for does.
        if (::fchmod(fd.get(), options.mode) != 0) {
            return errno_failure(
                fmt::format("segment '{}': mode {:o} refused", path, options.mode));
        }
        int result = 0;
        do {
            result = ::ftruncate(fd.get(), static_cast<off_t>(options.bytes_total));
        } while (result != 0 && errno == EINTR);
        if (result != 0) {
            return errno_failure(fmt::format("segment '{}': cannot be {} bytes long; see ulimit -f",
                                             path, options.bytes_total));
        }
        if (options.bytes_reserved != 0) {
            if (const int error = reserve_retrying(fd.get(), 0, options.bytes_reserved)) {
                return reserve_failure(error, path, options.bytes_reserved);
            }
        }
        return Mapping::map(fd.get(), Access::read_write, path);
    }();
    if (!region) {
        ::unlink(path.c_str());  // ours: O_EXCL made it
    }
    return region;
}

Result<SharedRegion> SharedRegion::open(const std::string& path, Access access) {
    const FileDescriptor fd(open_retrying(path, access == Access::read_only ? O_RDONLY : O_RDWR));
    if (fd.get() < 0) {
        return errno_failure(
            fmt::format("segment '{}': cannot be opened; is its instance running, "
                        "and yours?",
                        path));
    }
    return Mapping::map(fd.get(), access, path);
}

Result<SharedRegion> SharedRegion::open(int fd, Access access) {
    // No number in the name: every game comes this way, and formatting one costs its first moments
    // eight page faults.
    return Mapping::map(fd, access, "passed by descriptor");
}

Result<void> SharedRegion::reserve(const std::string& path, std::size_t offset, std::size_t bytes) {
    const FileDescriptor fd(open_retrying(path, O_RDWR));
    struct stat file{};
    if (fd.get() < 0 || ::fstat(fd.get(), &file) != 0) {
        return errno_failure(
            fmt::format("segment '{}': cannot be opened to reserve {} bytes", path, bytes));
    }
    // posix_fallocate() would lengthen the file, behind the back of those who have mapped it.
    const auto file_bytes = static_cast<std::size_t>(file.st_size);
    if (bytes == 0 || offset > file_bytes || bytes > file_bytes - offset) {
        return failure(std::errc::invalid_argument,
                       fmt::format("segment '{}': cannot reserve {} bytes at {} of {}", path, bytes,
                                   offset, file_bytes));
    }
    if (const int error = reserve_retrying(fd.get(), offset, bytes)) {
        return reserve_failure(error, path, bytes);
    }
    return {};
}

Result<SharedRegion> SharedRegion::Mapping::map(int fd, Access access, const std::string& name) {
    const auto mode =
        access == Access::read_only ? interprocess::read_only : interprocess::read_write;
    struct stat file{};
    if (::fstat(fd, &file) != 0) {
        return errno_failure(fmt::format("segment '{}': not a file that can be mapped", name));
    }
    if (!S_ISREG(file.st_mode) || file.st_size == 0) {
        return failure(std::errc::invalid_argument,
                       fmt::format("segment '{}': not a file, or empty: its creator has not "
                                   "finished, or died",
                                   name));
    }
    const auto bytes = static_cast<std::size_t>(file.st_size);
    try {
        return SharedRegion(std::make_unique<Mapping>(
            interprocess::mapped_region(MappableDescriptor(fd, mode), mode, 0, bytes)));
    } catch (const interprocess::interprocess_exception& error) {
        return failure(
            std::error_code(static_cast<int>(error.get_native_error()), std::generic_category()),
            fmt::format("segment '{}': {} bytes cannot be mapped; see ulimit -v and "
                        "vm.max_map_count, and whether the descriptor may be written",
                        name, bytes));
    } catch (const std::bad_alloc&) {
        return failure(std::errc::not_enough_memory,
                       fmt::format("segment '{}': no memory to map it", name));
    }
}

}  // namespace ringside
