#pragma once
// A real host of counter games without a network, and a front's view of one game, for tests.

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <time.h>
#include <unistd.h>

#include "counter_game.hpp"

#include "ringside/ipc/local_host.hpp"
#include "ringside/ipc/snapshot.hpp"

namespace ringside::test {

inline const std::array<const GameType*, 1> types{&counter_type()};

inline std::string unique_instance() {
    static int count = 0;
    return "test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

inline LocalHost start_host(HostOptions options = {}) {
    options.instance = unique_instance();
    options.games_max = std::min(options.games_max, 64u);
    auto host = LocalHost::start(options, types);
    if (!host) {
        FAIL(host.error().text());
    }
    return std::move(*host);
}

/// One front's view of one game: the newest snapshot, copied.
class Follower {
public:
    Follower(LocalHost& host, GameId id) : host_(host), link_(open(host, id)) {
        link_.set_following(true);
        copy_.resize((link_.snapshots().payload_bytes_max() + 7) / 8);
    }

    void send(EventKind kind, std::uint32_t session, std::uint32_t number = 0,
              std::vector<std::uint8_t> body = {}) {
        const auto bytes = std::as_bytes(std::span(body));
        write(kind, session, number,
              kind == EventKind::join ? join_body({.key = key_of(session), .nickname = {}}, bytes)
                                      : std::vector(bytes.begin(), bytes.end()));
    }
    void resume(std::uint32_t session, std::uint32_t old_session, const ResumeKey& old_key) {
        const std::array<ResumeCandidate, 2> candidates{
            ResumeCandidate{.session = value(id_of(99)), .key = old_key},  // never let in
            ResumeCandidate{.session = value(id_of(old_session)), .key = old_key}};
        write(EventKind::resume, session, 0, resume_body(key_of(session), candidates));
    }
    void input(std::uint32_t session, std::uint32_t number, CounterInput what) {
        send(EventKind::input, session, number, {static_cast<std::uint8_t>(what)});
    }

    /// Waits, on the doorbell, for a snapshot that satisfies. CTest's timeout is the watchdog.
    void until(const std::function<bool(const SnapshotParts&)>& satisfies) {
        BellWord& bell = host_.front().bell();
        for (;;) {
            announce_sleep(bell);
            if (read() && satisfies(*parts_)) {
                stay_awake(bell);
                return;
            }
            wait_until(bell, 10'000'000 + now());
        }
    }

    const SnapshotParts& parts() const { return *parts_; }
    CounterView view() const {
        CounterView view;
        REQUIRE(parts_->view.size() == sizeof(view));
        std::memcpy(&view, parts_->view.data(), sizeof(view));
        return view;
    }
    const RosterEntry* entry(std::uint32_t session) const {
        for (const RosterEntry& found : parts_->roster) {
            if (found.session == value(id_of(session))) {
                return &found;
            }
        }
        return nullptr;
    }
    bool applied(std::uint32_t session, std::uint32_t number) const {
        return entry(session) != nullptr && entry(session)->last_input >= number;
    }
    GameLink& link() { return link_; }

    static SessionId id_of(std::uint32_t session) { return make_session_id(0, 1, session); }
    static ResumeKey key_of(std::uint32_t session) {
        ResumeKey key{};
        key.back() = static_cast<std::byte>(session);
        return key;
    }

    void write(EventKind kind, std::uint32_t session, std::uint32_t number,
               const std::vector<std::byte>& body) {
        const EventHeader header{
            .session = value(id_of(session)), .input_number = number, .body_bytes = 0};
        REQUIRE(link_.try_write(kind, header, body));
        link_.publish();
    }

private:
    static GameLink open(LocalHost& host, GameId id) {
        auto link = host.front().open_game(id);
        if (!link) {
            FAIL(link.error().text());
        }
        return std::move(*link);
    }
    static std::int64_t now() {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
    }
    bool read() {
        std::size_t bytes = 0;
        if (link_.snapshots().read_newest(std::as_writable_bytes(std::span(copy_)), bytes) ==
            SnapshotRead::record) {
            parts_ = parse_snapshot(std::as_bytes(std::span(copy_)).first(bytes));
        }
        return parts_.has_value();
    }

    LocalHost& host_;
    GameLink link_;
    std::vector<std::uint64_t> copy_;
    std::optional<SnapshotParts> parts_;
};

inline OpenAnswer open_game(LocalHost& host, const std::string& name,
                            OpenMode mode = OpenMode::find_or_create) {
    return host.open(
        {.request = 7, .name = name, .type = "", .mode = mode, .config = {}, .known_ended = {}});
}

inline pid_t pid_of(LocalHost& host, GameId id) {
    DirectoryRecord record;
    // A record without a pid means that the nursery's answer is under way.
    while (!host.front().host().games()[id.slot].read(record) || record.pid == 0) {
    }
    return record.pid;
}

inline bool instance_exists(const std::string& name) {
    return std::filesystem::exists("/dev/shm/ringside-" + name);
}

}  // namespace ringside::test
