#include "instance.hpp"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ringside/core/game_name.hpp"

namespace ringside {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = "lock";

Result<void> make_directory(const std::string& path) {
    if (mkdir(path.c_str(), 0700) == 0) {
        return {};
    }
    if (errno != EEXIST) {
        return errno_failure(fmt::format("cannot make the instance directory {}", path));
    }
    struct stat found{};
    if (lstat(path.c_str(), &found) != 0) {
        return errno_failure(fmt::format("cannot look at {}", path));
    }
    if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid()) {
        return failure(
            std::errc::permission_denied,
            fmt::format("{} is not a directory of this user; choose another --instance", path));
    }
    return {};
}

// Whether the locked file is still the one in the directory: its host may have removed it between
// our open and our lock.
bool is_current(int lock_fd, const std::string& lock_path) {
    struct stat held{};
    struct stat named{};
    return fstat(lock_fd, &held) == 0 && stat(lock_path.c_str(), &named) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

std::optional<GameId> game_of(const std::string& file_name) {
    GameId id;
    int end = 0;
    if (std::sscanf(file_name.c_str(), "game-%" SCNu32 "-%" SCNu32 "%n", &id.slot, &id.epoch,
                    &end) != 2 ||
        static_cast<std::size_t>(end) != file_name.size()) {
        return std::nullopt;
    }
    return id;
}

template <class Keep>
void remove_all_from(const std::string& path, Keep keep) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(path, ignored)) {
        const std::string name = entry.path().filename();
        if (name != lock_name && !keep(name)) {
            fs::remove_all(entry.path(), ignored);
        }
    }
}

}  // namespace

std::string instance_path(const std::string& root, const std::string& name) {
    return fmt::format("{}/ringside-{}", root, name);
}

std::string host_segment_path(const std::string& instance_path) {
    return instance_path + "/host";
}

std::string doorbell_segment_path(const std::string& instance_path) {
    return instance_path + "/doorbells";
}

std::string game_segment_path(const std::string& instance_path, GameId game) {
    return fmt::format("{}/game-{}-{}", instance_path, game.slot, game.epoch);
}

std::string supervisor_flight_path(const std::string& instance_path) {
    return instance_path + "/flight-supervisor";
}

std::string front_flight_path(const std::string& instance_path, std::uint32_t front_slot) {
    return fmt::format("{}/flight-front-{}", instance_path, front_slot);
}

Instance::Instance(std::string path, int lock_fd) noexcept
    : path_(std::move(path)), lock_fd_(lock_fd) {}

Instance::Instance(Instance&& other) noexcept
    : path_(std::move(other.path_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

Instance& Instance::operator=(Instance&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(lock_fd_, other.lock_fd_);
    return *this;
}

Instance::~Instance() {
    if (lock_fd_ >= 0) {
        if (const auto games = games_in(path_); games && games->empty()) {
            std::error_code ignored;
            fs::remove_all(path_, ignored);
        }
        close(lock_fd_);  // whoever waits for it finds, by is_current(), that the file has gone
    }
}

Result<std::vector<GameId>> games_in(const std::string& instance_path) {
    std::vector<GameId> found;
    std::error_code error;
    fs::directory_iterator entry(instance_path, error);
    while (!error && entry != fs::directory_iterator()) {
        if (const auto id = game_of(entry->path().filename())) {
            found.push_back(*id);
        }
        entry.increment(error);
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return failure(error, fmt::format("cannot list the games in {}", instance_path));
    }
    std::ranges::sort(found, {}, &GameId::slot);
    return found;
}

void Instance::remove_all() const {
    remove_all_from(path_, [](const std::string&) { return false; });
}

void Instance::remove_all_but_games() const {
    remove_all_from(path_, [](const std::string& name) { return game_of(name).has_value(); });
}

void Instance::forget() noexcept {
    close(std::exchange(lock_fd_, -1));
}

Result<Instance> Instance::claim(const std::string& root, const std::string& name, int lock_fd) {
    if (!is_game_name(name)) {
        return failure(std::errc::invalid_argument,
                       fmt::format("instance name '{}' refused: like {}", name, game_name_rule));
    }
    const std::string path = instance_path(root, name);
    const std::string lock_path = path + "/" + lock_name;
    if (lock_fd >= 0 && is_current(lock_fd, lock_path)) {
        return Instance(path, lock_fd);
    }
    for (;;) {
        if (auto made = make_directory(path); !made) {
            return std::unexpected(std::move(made.error()));
        }
        lock_fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (lock_fd < 0 && errno == ENOENT) {
            continue;  // its host has just removed the directory
        }
        if (lock_fd < 0) {
            return errno_failure(fmt::format("cannot open {}", lock_path));
        }
        if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
            close(lock_fd);
            return failure(std::errc::device_or_resource_busy,
                           fmt::format("a host named '{}' is running already; stop it, or choose "
                                       "another name with --instance",
                                       name));
        }
        if (!is_current(lock_fd, lock_path)) {
            close(lock_fd);
            continue;
        }
        return Instance(path, lock_fd);
    }
}

}  // namespace ringside
