#include "ringside/ipc/shared_region.hpp"

#include <cerrno>
#include <utility>

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace ringside {
namespace {

namespace bi = boost::interprocess;

// What Boost.Interprocess wants of something to map: for a descriptor that has no path to it.
class DescriptorMapping {
public:
    DescriptorMapping(int fd, bi::mode_t mode) noexcept : fd_(fd), mode_(mode) {}
    [[nodiscard]] bi::mapping_handle_t get_mapping_handle() const noexcept {
        return bi::ipcdetail::mapping_handle_from_file_handle(fd_);
    }
    [[nodiscard]] bi::mode_t get_mode() const noexcept { return mode_; }

private:
    int fd_;
    bi::mode_t mode_;
};

// A descriptor that is closed at the end of the block.
class OwnedFd {
public:
    explicit OwnedFd(int fd) noexcept : fd_(fd) {}
    OwnedFd(const OwnedFd&) = delete;
    OwnedFd& operator=(const OwnedFd&) = delete;
    ~OwnedFd() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

int open_retrying(const std::string& path, int flags, unsigned mode = 0) {
    int fd = -1;
    do {
        fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

Result<void> reserve_pages(int fd, const std::string& path, std::size_t offset, std::size_t bytes) {
    int code = 0;
    do {
        code = posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes));
    } while (code == EINTR);
    if (code != 0) {
        return failure(
            std::error_code(code, std::generic_category()),
            fmt::format("segment '{}': {} bytes do not fit its file system; make it larger "
                        "(mount -o remount,size=… /dev/shm), or run fewer games",
                        path, bytes));
    }
    return {};
}

}  // namespace

class SharedRegion::Mapping {
public:
    explicit Mapping(bi::mapped_region mapped) : region(std::move(mapped)) {}
    bi::mapped_region region;
};

SharedRegion::SharedRegion() noexcept = default;
SharedRegion::SharedRegion(SharedRegion&&) noexcept = default;
SharedRegion& SharedRegion::operator=(SharedRegion&&) noexcept = default;
SharedRegion::~SharedRegion() = default;

SharedRegion::SharedRegion(std::unique_ptr<Mapping> mapping) noexcept
    : mapping_(std::move(mapping)) {}

MutableBytes SharedRegion::bytes() const noexcept {
    if (!mapping_) {
        return {};
    }
    return {static_cast<std::byte*>(mapping_->region.get_address()), mapping_->region.get_size()};
}

Result<SharedRegion> SharedRegion::open(int fd, Access access) {
    const bi::mode_t mode = access == Access::read_only ? bi::read_only : bi::read_write;
    try {
        return SharedRegion(
            std::make_unique<Mapping>(bi::mapped_region(DescriptorMapping(fd, mode), mode)));
    } catch (const bi::interprocess_exception& thrown) {
        return failure(std::error_code(thrown.get_native_error(), std::generic_category()),
                       fmt::format("cannot map descriptor {}", fd));
    } catch (const std::bad_alloc&) {
        return failure(std::errc::not_enough_memory, fmt::format("cannot map descriptor {}", fd));
    }
}

Result<SharedRegion> SharedRegion::open(const std::string& path, Access access) {
    const OwnedFd fd(open_retrying(path, access == Access::read_only ? O_RDONLY : O_RDWR));
    if (fd.get() < 0) {
        return errno_failure(fmt::format("cannot open segment '{}'", path));
    }
    auto region = open(fd.get(), access);
    if (!region) {
        region.error().message = fmt::format("cannot map segment '{}'", path);
    }
    return region;
}

Result<SharedRegion> SharedRegion::create(const CreateOptions& options) {
    const OwnedFd fd(open_retrying(options.path, O_RDWR | O_CREAT | O_EXCL, options.mode));
    if (fd.get() < 0) {
        return errno_failure(fmt::format("cannot make segment '{}'", options.path));
    }
    Result<SharedRegion> region;
    if (ftruncate(fd.get(), static_cast<off_t>(options.bytes_total)) != 0) {
        region = errno_failure(fmt::format("segment '{}': cannot size it to {} bytes", options.path,
                                           options.bytes_total));
    } else if (auto reserved = reserve_pages(fd.get(), options.path, 0, options.bytes_reserved);
               !reserved) {
        region = std::unexpected(std::move(reserved.error()));
    } else {
        region = open(fd.get(), Access::read_write);
    }
    if (!region) {
        unlink(options.path.c_str());  // a failed create leaves no file
    }
    return region;
}

Result<void> SharedRegion::reserve(const std::string& path, std::size_t offset, std::size_t bytes) {
    const OwnedFd fd(open_retrying(path, O_RDWR));
    if (fd.get() < 0) {
        return errno_failure(fmt::format("cannot open segment '{}'", path));
    }
    return reserve_pages(fd.get(), path, offset, bytes);
}

}  // namespace ringside
