#pragma once
// FrontServer: one front's state, and what it does with what arrives. The loop that drives it is
// run() in front.cpp; its work lies in
//   front_bytes.cpp       bytes of clients, and those that wait for room
//   front_web.cpp         HTTP and WebSockets, for browsers
//   front_replays.cpp     files of recorded matches, for them too
//   front_clients.cpp     their messages
//   front_membership.cpp  joining, watching, leaving; what the supervisor answers
//   front_news.cpp        snapshots of games
//   front_lists.cpp       lists of games
//   front_upkeep.cpp      accepting, deadlines, ending

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connection.hpp"
#include "followed_games.hpp"
#include "host_messages.hpp"
#include "network_simulator.hpp"
#include "ring_loop.hpp"

#include "ringside/core/wire.hpp"
#include "ringside/ipc/front_link.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/net/front.hpp"

namespace ringside::wire {
struct Hello;
struct Join;
struct Watch;
struct Resume;
struct Input;
struct List;
struct Seen;
}  // namespace ringside::wire

namespace ringside {

inline constexpr const char* banned_text = "nobody is let in from your address for now";

[[nodiscard]] inline std::int64_t ns(std::chrono::milliseconds duration) noexcept {
    return std::chrono::nanoseconds(duration).count();
}

class FrontServer {
public:
    FrontServer(RingLoop, FrontLink, const std::vector<int>& listening_fds, const FrontOptions&,
                bool futexes, std::optional<NetworkSimulator> network);

    FrontServer(const FrontServer&) = delete;
    FrontServer& operator=(const FrontServer&) = delete;

    // The phases of a turn, in the order of run().
    void sleep();
    void take_completions();
    void take_control();
    void retry();
    void publish();
    void take_news();
    void keep_deadlines();
    void close_unused();

    void start();
    [[nodiscard]] bool finished() const noexcept;
    [[nodiscard]] int exit_code() const noexcept { return supervisor_gone_ ? 1 : 0; }

private:
    enum class Handled : std::uint8_t {
        done,
        later,  // back-pressure: the same message again, and nothing behind it before
    };

    struct Listener {
        int fd = -1;
        bool armed = false;
        std::int64_t waiting_since_ns = 0;  // a connection that others might take; 0: none
    };

    // front_upkeep.cpp
    void arm_accept(std::uint32_t listener) noexcept;
    void arm_accepts() noexcept;
    [[nodiscard]] bool has_its_share() noexcept;
    [[nodiscard]] bool is_left_waiting(Listener& listener) const noexcept;
    void take_what_is_left() noexcept;
    void count_connections() noexcept;
    void accepted(const Completion&);
    void welcome_socket(int fd);
    void received(const Completion&);
    void peer_ended(Connection&);
    void sent(const Completion&);
    void settle(Connection&);
    void check_deadlines(Connection&);
    void stop();
    [[nodiscard]] std::int64_t next_deadline_ns() const noexcept;
    void arm_bell() noexcept;
    void count_turn() noexcept;

    // front_bytes.cpp
    void take_bytes(Connection&, Bytes);
    void take_frames(Connection&, Bytes);
    void stall(Connection&, Bytes frame, Bytes rest);
    void hold(Connection&, Bytes);
    void resume(Connection&);
    void take_stranger(Connection&, Bytes rest);

    // front_web.cpp
    struct Response {
        HttpStatus status = HttpStatus::ok;
        std::string_view content_type = "text/plain; charset=utf-8";
        std::string headers;
        std::string content;  // with neither: the status in words
        BufferRef shared_content;
    };
    [[nodiscard]] static Response refusal_response(wire::ErrorCode, const std::string& text);
    void begin_http(Connection&, Bytes);
    void take_http(Connection&, Bytes);
    void answer(Connection&, const HttpRequest&);
    void admit_forwarded(Connection&, const HttpRequest&);
    void answer_page(Connection&, const HttpRequest&);
    void ask_for_games(Connection&, const HttpRequest&);
    void answer_games(Connection&, const HostMessages::Page&);
    void respond(Connection&, const HttpRequest&, Response);
    void answered_later(Connection&);
    void respond_asset(Connection&, const HttpRequest&, const WebAsset&);
    void make_asset_buffers();
    [[nodiscard]] bool is_allowed_origin(std::string_view origin) const noexcept;
    void upgrade(Connection&, const HttpRequest&);
    void take_web_socket(Connection&, Bytes);
    void take_web_socket_message(Connection&, Bytes message, bool text);

    // front_replays.cpp
    /// A file on its way to who asked for it, who may be gone when it has been read.
    enum class ReplayWish : std::uint8_t { file, whether_there_is_one };
    struct FileRead {
        ReplayWish wish{};
        std::string path;
        int fd = -1;
        std::vector<std::byte> bytes;
        std::size_t read_bytes = 0;
        std::uint32_t connection_index = 0;
        std::uint32_t connection_generation = 0;
    };
    void ask_for_replay(Connection&, const HttpRequest&, std::string_view game, ReplayWish);
    void answer_replay(Connection&, const HttpRequest&, ReplayWish, Bytes recording);
    void file_completed(const Completion&);
    [[nodiscard]] bool opened(FileRead&, std::int32_t result);
    void answer_file(const FileRead&);

    // front_clients.cpp
    bool within_rate(Connection&) noexcept;
    Handled take_message(Connection&, Bytes frame);
    Handled take_hello(Connection&, const wire::Hello&);
    Handled take_join(Connection&, const wire::Join&);
    Handled take_watch(Connection&, const wire::Watch&);
    Handled take_resume(Connection&, const wire::Resume&);
    Handled take_leave(Connection&);
    Handled take_input(Connection&, const wire::Input&);
    Handled take_list(Connection&, const wire::List&);
    static Handled take_seen(const Connection&, const wire::Seen&);
    void say(Connection&, BufferRef);
    void fail(Connection&, wire::ErrorCode, const std::string& text);
    BufferRef last_words(Connection&, wire::ErrorCode, const std::string& text);
    [[nodiscard]] std::string rate_text() const;
    void close(Connection&, FrontStatistic why);
    void retry_later(Connection&);

    // front_membership.cpp
    [[nodiscard]] bool is_limited(PeerAddress) const noexcept;
    void admit(Connection&, PeerAddress);
    void turn_away(Connection&, wire::ErrorCode, std::string text);
    [[nodiscard]] bool floods(PeerAddress) const;
    void forget_peer(PeerAddress);
    void show(const Connection&) noexcept;
    void kick(SessionId);
    void close_banned();
    void throw_out(Connection&, wire::ErrorCode, const std::string& text);
    void begin(Connection&, JoinWish);
    void ask(Connection&);
    void ask_again(Connection&, GameId ended);
    void opened(const OpenAnswer&);
    FollowedGame* follow(GameId, Connection&);
    void watch(Connection&, FollowedGame&);
    void enter(Connection&);
    void refuse(Connection&, RefuseReason, const std::string& text);
    void leave(Connection&, LeaveReason, const std::string& text);
    void detach(Connection&);
    void end_session(Connection&);
    FollowedGame* game_of(const Connection&) noexcept;

    // front_news.cpp
    void read_news(FollowedGame&);
    void apply_snapshot(FollowedGame&, const SnapshotParts&);
    void note_nicknames(FollowedGame&, const SnapshotParts&);
    void tell_players(Connection&, const FollowedGame&);
    void settle_joins(FollowedGame&, const SnapshotParts&);
    void settle_answers(FollowedGame&, const SnapshotParts&);
    void broadcast(FollowedGame&, const SnapshotParts&);
    std::span<const RosterEntry> changed_inputs(const FollowedGame&, std::span<const RosterEntry>);
    static void note_inputs(FollowedGame&, std::span<const RosterEntry>);
    void finish(FollowedGame&, LeaveReason);
    void give_up(FollowedGame&, const std::string& why);
    const std::vector<std::uint32_t>& copy_of(const std::vector<std::uint32_t>& connections);

    // front_lists.cpp
    void wish_list(Connection&, Session::ListWish);
    void answer_lists();
    void read_directory(std::int64_t swept_ns);
    void answer_list(Connection&);

    FrontLink link_;
    FrontStatistics statistics_;            // before what counts in it
    std::optional<SessionTable> sessions_;  // for observers; without memory for it, they see none
    FrontOptions options_;
    bool futexes_;                             // io_uring waits on them and wakes them
    std::optional<NetworkSimulator> network_;  // between clients and us
    std::vector<Listener> listeners_;
    HostMessages messages_;  // before what holds its buffers
    struct AssetBuffers {
        BufferRef plain;
        BufferRef gzip;
    };
    std::unordered_map<std::uint32_t, FileRead> file_reads_;
    std::uint32_t file_reads_begun_ = 0;
    std::vector<AssetBuffers> asset_buffers_;  // one each of options_.web_assets
    Connections connections_;
    FollowedGames games_;

    std::int64_t now_ns_ = 0;  // read once a turn
    std::int64_t spin_until_ns_ = 0;
    std::int64_t next_sweep_ns_ = 0;
    std::int64_t next_check_ns_ = 0;
    std::int64_t stop_deadline_ns_ = 0;
    std::int64_t next_stranger_log_ns_ = 0;
    std::uint64_t strangers_unlogged_ = 0;
    std::uint64_t requests_ = 0;
    std::uint32_t sessions_made_ = 0;
    std::uint32_t sessions_open_ = 0;
    bool bell_armed_ = false;
    bool control_ready_ = true;
    bool accept_paused_ = false;  // the kernel refused one
    bool accept_held_ = false;    // it is the other fronts' turn
    bool retry_due_ = false;
    bool stopping_ = false;
    bool supervisor_gone_ = false;

    std::vector<std::uint32_t> retries_;   // connections with something refused for lack of room
    std::vector<std::uint32_t> retrying_;  // the ones of this turn
    std::unordered_map<PeerAddress, std::uint32_t> connections_from_;  // those that are limited
    std::vector<std::byte> resumed_;      // bytes of the connection being resumed
    std::vector<std::uint32_t> visited_;  // see copy_of()
    std::vector<RosterEntry> changed_inputs_;
    std::vector<Nickname> nicknames_;      // of the snapshot being looked at
    std::vector<std::uint64_t> snapshot_;  // the copy being looked at; 8-aligned
    std::vector<std::uint32_t> lists_waiting_;
    bool sweep_requested_ = false;
    std::int64_t directory_ns_ = -1;          // swept_ns of directory_
    std::vector<DirectoryRecord> directory_;  // by name

    RingLoop loop_;  // last, so that it goes first: the kernel reads messages until then
};

}  // namespace ringside
