#include "ringside/ipc/shared_region.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using ringside::Access;
using ringside::SharedRegion;

namespace {

// A folder of its own in shared memory, gone afterwards.
class Folder {
public:
    Folder() { REQUIRE(::mkdtemp(name_) != nullptr); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(name_); }
    std::string file(const std::string& name) const { return std::string(name_) + "/" + name; }

private:
    char name_[64] = "/dev/shm/ringside-test-XXXXXX";
};

std::size_t pages_bytes(const std::string& path) {
    struct stat file{};
    REQUIRE(::stat(path.c_str(), &file) == 0);
    return static_cast<std::size_t>(file.st_blocks) * 512;
}

}  // namespace

TEST_CASE("shared region: what one maps another sees", "[ipc][shared_region]") {
    const Folder folder;
    const auto path = folder.file("segment");
    auto created =
        SharedRegion::create({.path = path, .bytes_total = 65536, .bytes_reserved = 8192});
    REQUIRE(created);
    REQUIRE(created->bytes().size() == 65536);
    REQUIRE(created->bytes()[65535] == std::byte{0});
    created->bytes()[100] = std::byte{42};

    SECTION("by path, read-only") {
        const auto opened = SharedRegion::open(path, Access::read_only);
        REQUIRE(opened);
        REQUIRE(opened->bytes().size() == 65536);
        REQUIRE(opened->bytes()[100] == std::byte{42});
    }
    SECTION("by descriptor, which stays open") {
        const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        const auto opened = SharedRegion::open(fd, Access::read_write);
        REQUIRE(opened);
        opened->bytes()[101] = std::byte{43};
        REQUIRE(created->bytes()[101] == std::byte{43});
        REQUIRE(::close(fd) == 0);
    }
    SECTION("but not for writing through a read-only descriptor") {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        const auto opened = SharedRegion::open(fd, Access::read_write);
        REQUIRE_FALSE(opened);
        REQUIRE(opened.error().code == std::errc::permission_denied);
        REQUIRE(::close(fd) == 0);
    }
    SECTION("after a move, and after the file is gone") {
        SharedRegion moved = std::move(*created);
        REQUIRE(created->bytes().empty());
        std::filesystem::remove(path);
        REQUIRE(moved.bytes()[100] == std::byte{42});
        moved = SharedRegion();
        REQUIRE(moved.bytes().empty());
    }
}

TEST_CASE("shared region: reserves what was asked for and no more", "[ipc][shared_region]") {
    const Folder folder;
    const auto path = folder.file("segment");
    const auto region =
        SharedRegion::create({.path = path, .bytes_total = 1 << 20, .bytes_reserved = 16384});
    REQUIRE(region);
    REQUIRE(pages_bytes(path) == 16384);
    REQUIRE(SharedRegion::reserve(path, 65536, 8192));
    REQUIRE(pages_bytes(path) == 16384 + 8192);

    SECTION("never beyond the file's end") {
        REQUIRE_FALSE(SharedRegion::reserve(path, (1 << 20) - 4096, 8192));
        REQUIRE_FALSE(SharedRegion::reserve(path, ~std::size_t{0} - 4095, 8192));
        REQUIRE(std::filesystem::file_size(path) == 1 << 20);
    }
    SECTION("never in a file that is not there") {
        REQUIRE(SharedRegion::reserve(folder.file("none"), 0, 4096).error().code ==
                std::errc::no_such_file_or_directory);
    }
}

TEST_CASE("shared region: the mode is what was asked for", "[ipc][shared_region]") {
    const Folder folder;
    const auto path = folder.file("segment");
    const auto region = SharedRegion::create(
        {.path = path, .bytes_total = 4096, .bytes_reserved = 0, .mode = 0664});
    REQUIRE(region);
    struct stat file{};
    REQUIRE(::stat(path.c_str(), &file) == 0);
    REQUIRE((file.st_mode & 0777) == 0664);
}

TEST_CASE("shared region: a failure says what was tried", "[ipc][shared_region]") {
    const Folder folder;
    const auto path = folder.file("segment");
    SECTION("more than the file system holds, and leaves no file") {
        const std::size_t huge = std::size_t{1} << 45;
        const auto region =
            SharedRegion::create({.path = path, .bytes_total = huge, .bytes_reserved = huge});
        REQUIRE_FALSE(region);
        REQUIRE(region.error().code == std::errc::no_space_on_device);
        REQUIRE(region.error().message.find(path) != std::string::npos);
        REQUIRE(region.error().message.find(std::to_string(huge)) != std::string::npos);
        REQUIRE(region.error().message.find("remount") != std::string::npos);
        REQUIRE_FALSE(std::filesystem::exists(path));
    }
    SECTION("more reserved than there is") {
        REQUIRE_FALSE(
            SharedRegion::create({.path = path, .bytes_total = 4096, .bytes_reserved = 8192}));
        REQUIRE_FALSE(std::filesystem::exists(path));
    }
    SECTION("a file that exists, which stays") {
        REQUIRE(SharedRegion::create({.path = path, .bytes_total = 4096, .bytes_reserved = 0}));
        const auto again =
            SharedRegion::create({.path = path, .bytes_total = 4096, .bytes_reserved = 0});
        REQUIRE(again.error().code == std::errc::file_exists);
        REQUIRE(std::filesystem::exists(path));
    }
    SECTION("no such file") {
        const auto region = SharedRegion::open(path, Access::read_only);
        REQUIRE(region.error().code == std::errc::no_such_file_or_directory);
        REQUIRE(region.error().message.find(path) != std::string::npos);
    }
    SECTION("an empty file") {
        ::close(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
        REQUIRE(SharedRegion::open(path, Access::read_write).error().code ==
                std::errc::invalid_argument);
    }
    SECTION("not a descriptor") {
        REQUIRE(SharedRegion::open(-1, Access::read_only).error().code ==
                std::errc::bad_file_descriptor);
    }
}
