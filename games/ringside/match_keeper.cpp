#include "match_keeper.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>

#include "output_file.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/log.hpp"
#include "ringside/ipc/recorder.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view finished_suffix = ".replay";
constexpr std::string_view unfinished_suffix = ".part";

// A match begins with a countdown, so a game is found in time; a tick of 10 ms is followed in time
// because a ring holds many snapshots.
constexpr int look_for_games_ms = 100;
constexpr int turn_ms = 10;
constexpr std::int64_t prune_ns = 10'000'000'000;
constexpr std::int64_t complain_ns = 60'000'000'000;

constexpr std::int64_t write_ns = 1'000'000'000;  // a keeper that is killed loses so much
constexpr std::uint64_t match_bytes_max = 64 * 1024 * 1024;

/// One game, and the recording of its present match, if there is one.
struct Kept {
    Recorder recorder;
    std::string game;
    std::string segment_path;
    bool is_private = false;
    std::vector<std::byte> pending{};
    std::optional<OutputFile> file{};
    std::int64_t next_write_ns = 0;
    bool given_up = false;  // this match: it cannot be written, or is too long
};

class MatchKeeper {
public:
    MatchKeeper(const KeepOptions& options, GameObserver observer)
        : options_(options), observer_(std::move(observer)) {}

    void run(int stop_fd);

private:
    using Games = std::map<std::pair<std::uint32_t, std::uint32_t>, Kept>;

    void finish_what_was_left();
    void look_for_games();
    void follow(Kept& game);
    void write(Kept& game);
    void finish(Kept& game);
    void discard(Kept& game);
    void prune();
    void complain(const std::string& text);

    const KeepOptions& options_;
    GameObserver observer_;
    Games games_;
    std::int64_t next_prune_ns_ = 0;
    std::int64_t next_complaint_ns_ = 0;
};

// Once more after the order to stop: all that was played counts.
void MatchKeeper::run(int stop_fd) {
    finish_what_was_left();
    std::int64_t next_look_ns = 0;
    for (bool stopped = false; !stopped;) {
        pollfd stop{.fd = stop_fd, .events = POLLIN, .revents = 0};
        stopped = poll(&stop, 1, games_.empty() ? look_for_games_ms : turn_ms) > 0;
        if (stopped || monotonic_ns() >= next_look_ns) {
            look_for_games();
            next_look_ns = monotonic_ns() + std::int64_t{look_for_games_ms} * 1'000'000;
        }
        for (auto& [id, game] : games_) {
            follow(game);
        }
        if (monotonic_ns() >= next_prune_ns_) {
            prune();
            next_prune_ns_ = monotonic_ns() + prune_ns;
        }
    }
    for (auto& [id, game] : games_) {
        finish(game);
    }
}

/// By a keeper that was killed: as far as they go they are good.
void MatchKeeper::finish_what_was_left() {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(options_.folder, ignored)) {
        if (entry.path().extension() == unfinished_suffix) {
            fs::rename(entry.path(), fs::path(entry.path()).replace_extension(finished_suffix),
                       ignored);
        }
    }
}

void MatchKeeper::look_for_games() {
    Games still_there;
    for (ObservedGame& found : observer_.games()) {
        const std::pair id{found.id.slot, found.id.epoch};
        if (auto known = games_.extract(id)) {
            still_there.insert(std::move(known));
            continue;
        }
        auto recorder = Recorder::open(found.segment_path, Recorder::Extent::matches);
        if (recorder) {  // else it is gone meanwhile, or not ready yet
            still_there.emplace(id, Kept{.recorder = std::move(*recorder),
                                         .game = std::move(found.name),
                                         .segment_path = std::move(found.segment_path),
                                         .is_private = found.has_password});
        }
    }
    for (auto& [id, unlisted] : games_) {
        // A list leaves out what is being written in this moment; a game that is over has no file.
        std::error_code ignored;
        const bool is_over = !fs::exists(unlisted.segment_path, ignored);
        follow(unlisted);
        if (is_over) {
            finish(unlisted);
        } else {
            still_there.emplace(id, std::move(unlisted));
        }
    }
    games_ = std::move(still_there);
}

void MatchKeeper::follow(Kept& game) {
    for (;;) {
        const Recorder::State state = game.recorder.record(game.pending);
        if (state == Recorder::State::no_match) {
            discard(game);
        } else if (state == Recorder::State::goes_on) {
            if (!game.file || monotonic_ns() >= game.next_write_ns) {
                write(game);
            }
            return;
        } else {
            finish(game);
        }
        if (state == Recorder::State::ended || state == Recorder::State::damaged) {
            return;
        }
    }
}

void MatchKeeper::write(Kept& game) {
    game.next_write_ns = monotonic_ns() + write_ns;
    if (game.given_up || game.pending.empty()) {
        game.pending.clear();
        return;
    }
    const auto failed = [&](const std::string& text) {
        complain(text);
        game.given_up = true;
        game.pending.clear();
    };
    if (!game.file) {
        const std::string begin = fmt::format("{}/{}.{:%Y%m%dT%H%M%SZ}", options_.folder, game.game,
                                              fmt::gmtime(std::time(nullptr)));
        std::string name = begin;
        for (int another = 2; fs::exists(name + std::string(finished_suffix)) ||
                              fs::exists(name + std::string(unfinished_suffix));
             ++another) {
            name = fmt::format("{}-{}", begin, another);
        }
        auto file = OutputFile::create(name + std::string(unfinished_suffix));
        if (!file) {
            return failed(file.error().text());
        }
        game.file.emplace(std::move(*file));
    }
    if (auto written = game.file->append(game.pending); !written) {
        return failed(written.error().text());
    }
    if (game.file->bytes() > match_bytes_max) {
        return failed(fmt::format("'{}' has reached {} bytes; the rest of it is not recorded",
                                  game.file->path(), match_bytes_max));
    }
    game.pending.clear();
}

void MatchKeeper::finish(Kept& game) {
    write(game);
    game.given_up = false;
    if (!game.file) {
        return;
    }
    const fs::path unfinished = game.file->path();
    const fs::path finished = fs::path(unfinished).replace_extension(finished_suffix);
    game.file.reset();
    std::error_code error;
    fs::rename(unfinished, finished, error);
    if (!error && !game.is_private) {  // one link takes another's place in one step
        const std::string link =
            fmt::format("{}/{}{}", newest_folder(options_.folder), game.game, finished_suffix);
        const std::string next = link + std::string(unfinished_suffix);
        fs::remove(next, error);
        fs::create_symlink(fs::path("..") / finished.filename(), next, error);
        if (!error) {
            fs::rename(next, link, error);
        }
    }
    if (error) {
        complain(fmt::format("cannot finish '{}': {}", finished.string(), error.message()));
    }
}

void MatchKeeper::discard(Kept& game) {
    game.pending.clear();
    game.given_up = false;
    if (game.file) {
        std::error_code ignored;
        fs::remove(game.file->path(), ignored);
        game.file.reset();
    }
}

void MatchKeeper::prune() {
    struct File {
        fs::path path;
        fs::file_time_type written;
        std::uint64_t bytes = 0;
    };
    std::vector<File> files;
    std::uint64_t all_bytes = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(options_.folder, error)) {
        if (entry.path().extension() == finished_suffix) {
            files.push_back({entry.path(), entry.last_write_time(error), entry.file_size(error)});
            all_bytes += files.back().bytes;
        }
    }
    std::ranges::sort(files, {}, &File::written);
    const auto oldest = fs::file_time_type::clock::now() - options_.age_max;
    bool removed = false;
    for (const File& file : files) {
        if (all_bytes <= options_.bytes_max && file.written >= oldest) {
            break;
        }
        fs::remove(file.path, error);
        all_bytes -= file.bytes;
        removed = true;
    }
    if (!removed) {
        return;
    }
    for (const auto& entry : fs::directory_iterator(newest_folder(options_.folder), error)) {
        if (!fs::exists(entry.path(), error)) {
            fs::remove(entry.path(), error);
        }
    }
}

void MatchKeeper::complain(const std::string& text) {
    if (monotonic_ns() >= next_complaint_ns_) {
        next_complaint_ns_ = monotonic_ns() + complain_ns;
        log(LogLevel::warning, "not recorded: " + text);
    }
}

}  // namespace

Result<void> make_folder(const std::string& folder) {
    std::error_code error;
    fs::create_directories(newest_folder(folder), error);
    if (error) {
        return failure(error, fmt::format("cannot make the folder '{}'", newest_folder(folder)));
    }
    const std::string probe = folder + "/.writable" + std::string(unfinished_suffix);
    fs::remove(probe, error);
    auto file = OutputFile::create(probe);
    fs::remove(probe, error);
    return file ? Result<void>{} : std::unexpected(file.error());
}

std::string newest_folder(const std::string& folder) {
    return folder + "/newest";
}

int keep_matches(const KeepOptions& options, const std::string& instance, int stop_fd) {
    auto observer = GameObserver::open(HostOptions{}.root, instance);
    if (!observer) {
        log(LogLevel::error, "not recorded: " + observer.error().text());
        return 1;
    }
    MatchKeeper(options, std::move(*observer)).run(stop_fd);
    return 0;
}

}  // namespace ringside
