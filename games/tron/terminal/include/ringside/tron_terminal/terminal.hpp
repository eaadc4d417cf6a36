#pragma once
// Terminal: the player's terminal in full-screen mode, by ncursesw, which sends only what changed.
//
// It is restored whatever happens: by the destructor, and by the handlers of crash signals. There
// is at most one.

#include <memory>
#include <optional>
#include <span>

#include <poll.h>

#include "ringside/core/result.hpp"
#include "ringside/tron_terminal/layout.hpp"

namespace ringside::tron {

enum class TerminalKey : std::uint8_t {
    left,
    down,
    up,
    right,
    insert,
    escape,
    more_bots,
    fewer_bots,
    pause,
    quit,
    resized,
    other
};

/// A key by what is on it, for screens where letters are letters.
struct Typed {
    enum class Key : std::uint8_t {
        character,
        up,
        down,
        left,
        right,
        page_up,
        page_down,
        enter,
        backspace,
        escape,
        resized,  // the terminal was
        other
    };
    Key key = Key::other;
    char character = 0;  // printable ASCII
};

class Terminal {
public:
    /// Takes over standard input and output.
    [[nodiscard]] static Result<std::unique_ptr<Terminal>> open();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal();

    [[nodiscard]] ScreenSize size() const;
    void draw(const Canvas& screen);

    /// The next key typed, or nothing.
    [[nodiscard]] std::optional<TerminalKey> read_key();

    [[nodiscard]] std::optional<Typed> read_typed();

    /// poll(2) (timeout in ms; -1: none), which a resize ends too: read_key() and read_typed() then
    /// say so. False when it failed; nothing is said about the descriptors after a signal.
    [[nodiscard]] bool wait(std::span<pollfd> waited, int timeout_ms) const;

    /// Readable once SIGINT, SIGTERM, SIGHUP or SIGQUIT came.
    [[nodiscard]] int stop_fd() const noexcept;

private:
    Terminal();
};

}  // namespace ringside::tron
