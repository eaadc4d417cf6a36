#include "play.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "reasons.hpp"
#include "view_follower.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/nickname.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/net/client.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron_terminal/terminal.hpp"

namespace ringside {
namespace {

constexpr std::chrono::milliseconds answer_timeout{10'000};
constexpr int reconnect_every_ms = 250;

std::optional<tron::Key> key_byte(tron::TerminalKey key) {
    switch (key) {
        case tron::TerminalKey::left: return tron::Key::left;
        case tron::TerminalKey::down: return tron::Key::down;
        case tron::TerminalKey::up: return tron::Key::up;
        case tron::TerminalKey::right: return tron::Key::right;
        case tron::TerminalKey::insert: return tron::Key::insert;
        case tron::TerminalKey::escape: return tron::Key::escape;
        case tron::TerminalKey::more_bots:
        case tron::TerminalKey::fewer_bots:
        case tron::TerminalKey::pause:
        case tron::TerminalKey::quit:
        case tron::TerminalKey::resized:
        case tron::TerminalKey::other: break;
    }
    return std::nullopt;
}

// How a game went for this player, when it is over.
struct Outcome {
    int exit_code = 0;
    std::string sentence;  // may be empty
};

class Play {
public:
    Play(const PlayOptions& options, Client client)
        : options_(options), client_(std::move(client)) {}

    /// Asks for a seat (or to watch) and waits for the answer, still in the plain terminal.
    std::optional<Outcome> enter();

    /// The game itself, in full screen.
    Outcome play(tron::Terminal& terminal);

private:
    void ask();
    void take_players(const wire::Players& players);
    std::optional<Outcome> on_message(const wire::FromHost& message);
    std::optional<Outcome> drain_messages();
    std::optional<Outcome> lose(const Error& error);
    std::optional<Outcome> reconnect();
    bool drain_keys(tron::Terminal& terminal);  // false: quit
    void press(tron::TerminalKey key);
    void ask_for_bot(bool more);
    void draw(tron::Terminal& terminal) const;
    void configure(const flatbuffers::Vector<std::uint8_t>* config);

    const PlayOptions& options_;
    Client client_;
    bool entered_ = false;
    bool connected_ = true;  // or trying to be: messages may come
    std::string lost_;       // why the connection was; empty: it is not
    std::int64_t next_attempt_ns_ = 0;
    std::uint8_t own_number_ = 0;
    std::uint8_t seats_ = 1;
    std::vector<std::string> nicknames_;  // by seat
    ViewFollower follower_;
    bool has_view_ = false;
    bool input_dropped_ = false;  // and no key pressed since
    bool changed_ = false;
};

void Play::ask() {
    if (options_.role == PlayRole::spectator) {
        return client_.watch(options_.game, options_.password);
    }
    const tron::Config config{
        .width = options_.width, .height = options_.height, .seats = options_.seats};
    client_.join({.game = options_.game,
                  .type = {},
                  .config = tron::encode_config(config),
                  .parameters = {},
                  .password = options_.password,
                  .unlisted = options_.unlisted,
                  .nickname = options_.nickname});
}

void Play::configure(const flatbuffers::Vector<std::uint8_t>* config) {
    if (config != nullptr) {
        const auto decoded =
            tron::decode_config(std::as_bytes(std::span(config->data(), config->size())));
        seats_ = decoded ? decoded->seats : seats_;
    }
}

void Play::take_players(const wire::Players& players) {
    nicknames_.assign(tron::seats_limit, {});
    for (const wire::Player* player : *players.players()) {
        if (player->seat() < nicknames_.size()) {
            nicknames_[player->seat()] = text_of(nickname_of(player->nickname()->string_view()));
        }
    }
    changed_ = true;
}

std::optional<Outcome> Play::on_message(const wire::FromHost& message) {
    if (const auto* joined = message.message_as_Joined()) {
        for (std::uint8_t bot = 0; !entered_ && bot < options_.bots; ++bot) {
            ask_for_bot(true);
        }
        entered_ = true;
        lost_.clear();
        own_number_ = static_cast<std::uint8_t>(joined->seat() + 1);
        configure(joined->config());
    } else if (const auto* watching = message.message_as_Watching()) {
        entered_ = true;
        lost_.clear();
        configure(watching->config());
    } else if (const auto* refused = message.message_as_Refused()) {
        return Outcome{1, refusal(*refused)};
    } else if (const auto* left = message.message_as_Left()) {
        const auto reason = static_cast<LeaveReason>(left->reason());
        const bool regular = reason == LeaveReason::left || reason == LeaveReason::game_ended;
        return Outcome{regular ? 0 : 1, farewell(*left)};
    } else if (const auto* players = message.message_as_Players()) {
        take_players(*players);
    } else if (const auto* notice = message.message_as_Notice()) {
        input_dropped_ |=
            notice->code() == static_cast<std::uint16_t>(wire::NoticeCode::input_dropped);
        changed_ = true;
    } else {
        switch (follower_.take(message)) {
            case ViewFollower::Took::view: has_view_ = changed_ = true; break;
            case ViewFollower::Took::nothing: break;
            case ViewFollower::Took::damaged:
                return Outcome{1, "the host sent a view that is none"};
        }
    }
    return std::nullopt;
}

std::optional<Outcome> Play::enter() {
    ask();
    while (!entered_) {
        const auto message = client_.receive(answer_timeout);
        if (!message) {
            return Outcome{1, printable(message.error().text())};
        }
        if (*message == nullptr) {
            return Outcome{1, fmt::format("no answer from {}; is it a Ringside host?",
                                          options_.endpoint.text())};
        }
        if (auto outcome = on_message(**message)) {
            return outcome;
        }
    }
    return std::nullopt;
}

std::optional<Outcome> Play::drain_messages() {
    for (;;) {
        const auto message = client_.try_receive();
        if (!message) {
            return lose(message.error());
        }
        if (*message == nullptr) {
            return std::nullopt;
        }
        if (auto outcome = on_message(**message)) {
            return outcome;
        }
    }
}

/// A front that died is replaced within milliseconds; the seat is there for longer.
std::optional<Outcome> Play::lose(const Error& error) {
    if (lost_.empty()) {
        lost_ = "connection lost: " + printable(error.text());
        changed_ = true;
    }
    connected_ = false;
    return reconnect();
}

std::optional<Outcome> Play::reconnect() {
    if (!client_.can_reconnect()) {
        return Outcome{1, lost_};
    }
    const std::int64_t now_ns = monotonic_ns();
    if (now_ns >= next_attempt_ns_) {
        next_attempt_ns_ = now_ns + std::int64_t{reconnect_every_ms} * 1'000'000;
        connected_ = client_.reconnect().has_value();
    }
    return std::nullopt;
}

bool Play::drain_keys(tron::Terminal& terminal) {
    while (const auto key = terminal.read_key()) {
        if (*key == tron::TerminalKey::quit) {
            return false;
        }
        changed_ |= *key == tron::TerminalKey::resized;
        if (options_.role == PlayRole::player) {
            press(*key);
        }
    }
    return true;
}

void Play::press(tron::TerminalKey key) {
    if (key == tron::TerminalKey::more_bots || key == tron::TerminalKey::fewer_bots) {
        ask_for_bot(key == tron::TerminalKey::more_bots);
    } else if (const auto byte = key_byte(key)) {
        input_dropped_ = false;
        client_.input(std::as_bytes(std::span(&*byte, 1)));
    }
}

void Play::ask_for_bot(bool more) {
    const std::array wish{tron::bot_marker, std::byte{more}};
    client_.input(wish);
}

void Play::draw(tron::Terminal& terminal) const {
    const tron::Scene scene{.view = follower_.view(),
                            .game = options_.game,
                            .seats = seats_,
                            .own_number = own_number_,
                            .invitation = options_.invitation,
                            .reconnecting = !lost_.empty(),
                            .input_dropped = input_dropped_,
                            .nicknames = nicknames_};
    terminal.draw(tron::lay_out(scene, terminal.size()));
}

Outcome Play::play(tron::Terminal& terminal) {
    for (;;) {
        if (auto outcome = connected_ ? drain_messages() : reconnect()) {
            return *outcome;
        }
        if (!drain_keys(terminal)) {
            client_.leave();
            return {};
        }
        if (std::exchange(changed_, false) && has_view_) {
            draw(terminal);
        }
        std::array<pollfd, 3> waited{
            pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
            pollfd{.fd = terminal.stop_fd(), .events = POLLIN, .revents = 0},
            pollfd{.fd = connected_ ? client_.fd() : -1,
                   .events = static_cast<short>(POLLIN | (client_.wants_write() ? POLLOUT : 0)),
                   .revents = 0}};
        if (!terminal.wait(waited, connected_ ? -1 : reconnect_every_ms)) {
            return {1, "cannot wait for keys"};
        }
        if ((waited[1].revents & POLLIN) != 0) {
            client_.leave();
            return {};
        }
        if ((waited[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
            return {1, "the terminal has gone"};
        }
        client_.flush();
    }
}

Outcome enter_and_play(const PlayOptions& options) {
    auto client = Client::connect(options.endpoint, Deltas::yes);
    if (!client) {
        return {1, printable(client.error().text())};
    }
    Play play(options, std::move(*client));
    if (auto outcome = play.enter()) {
        return *outcome;
    }
    auto terminal = tron::Terminal::open();
    if (!terminal) {
        return {1, terminal.error().text()};
    }
    return play.play(**terminal);
}

}  // namespace

int run_play(const PlayOptions& options) {
    const Outcome outcome = enter_and_play(options);
    if (!outcome.sentence.empty()) {
        fmt::print(stderr, "{}{}\n", outcome.exit_code == 0 ? "" : "ringside: ", outcome.sentence);
    }
    return outcome.exit_code;
}

}  // namespace ringside
