#include "ringside/tron_terminal/terminal.hpp"

#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <term.h>
#undef columns  // term.h makes each capability a macro

namespace ringside::tron {
namespace {

constexpr int escape_delay_ms = 25;  // long enough for an arrow key's bytes, too short to notice

// What signal handlers need; they may touch nothing but plain memory, write and tcsetattr.
struct Rescue {
    termios modes{};
    std::array<char, 256> leave{};  // the terminal's own strings: end full screen, show the cursor
    std::size_t leave_bytes = 0;
    int stop_read_fd = -1;
    int stop_write_fd = -1;
    SCREEN* screen = nullptr;
    sigset_t signals_before{};  // the mask, in which SIGWINCH arrives
};
Rescue rescue;

constexpr std::array stop_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array crash_signals{SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

void on_stop(int) {
    const int saved_errno = errno;
    static_cast<void>(!write(rescue.stop_write_fd, "!", 1));
    errno = saved_errno;
}

void on_crash(int signal) {
    static_cast<void>(!write(STDOUT_FILENO, rescue.leave.data(), rescue.leave_bytes));
    tcsetattr(STDIN_FILENO, TCSANOW, &rescue.modes);
    std::signal(signal, SIG_DFL);
    raise(signal);
}

void remember(const char* capability) {
    const char* text = tigetstr(capability);
    if (text == nullptr || text == reinterpret_cast<const char*>(-1)) {
        return;  // this terminal has no such string
    }
    // Of a delay mark, $<5>, only tputs could make a delay; a rescue goes without.
    for (std::string_view rest(text); !rest.empty();) {
        const std::size_t mark = rest.starts_with("$<") ? rest.find('>') : std::string_view::npos;
        if (mark != std::string_view::npos) {
            rest.remove_prefix(mark + 1);
        } else {
            if (rescue.leave_bytes < rescue.leave.size()) {
                rescue.leave[rescue.leave_bytes++] = rest.front();
            }
            rest.remove_prefix(1);
        }
    }
}

void catch_signals() {
    static std::array<std::byte, 65536> crash_stack;  // a stack that has overflowed is no use
    const stack_t stack{.ss_sp = crash_stack.data(), .ss_flags = 0, .ss_size = crash_stack.size()};
    sigaltstack(&stack, nullptr);
    struct sigaction action{};
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_stop;
    for (const int signal : stop_signals) {
        sigaction(signal, &action, nullptr);
    }
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK;
    for (const int signal : crash_signals) {
        sigaction(signal, &action, nullptr);
    }
}

// A resize between the last look at the keys and the wait would be seen with the next key only:
// SIGWINCH is let in by wait() and nowhere else.
void hold_resizes() {
    sigset_t resize;
    sigemptyset(&resize);
    sigaddset(&resize, SIGWINCH);
    sigprocmask(SIG_BLOCK, &resize, &rescue.signals_before);
}

void let_signals_go() {
    sigprocmask(SIG_SETMASK, &rescue.signals_before, nullptr);
    for (const int signal : stop_signals) {
        std::signal(signal, SIG_DFL);
    }
    for (const int signal : crash_signals) {
        std::signal(signal, SIG_DFL);
    }
}

// Box lines and arrows need UTF-8; C.UTF-8 is always there.
void choose_locale() {
    std::setlocale(LC_ALL, "");
    if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") {
        std::setlocale(LC_CTYPE, "C.UTF-8");
    }
}

// Colours that stay apart for colour-blind eyes, after Okabe and Ito; eight basic ones where the
// terminal has no more; none where it has none. -1 is the terminal's own: what must be read is in
// it, and the sixth player, because white is not seen on white.
void choose_colours() {
    if (!has_colors()) {
        return;
    }
    start_color();
    use_default_colors();
    constexpr std::array<short, colour_count> rich{-1, 75, 214, 36, 220, 175, -1, 244, -1};
    constexpr std::array<short, colour_count> basic{
        -1, COLOR_CYAN, COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_MAGENTA, -1, -1, -1};
    for (short pair = 1; pair < colour_count; ++pair) {
        const auto index = static_cast<std::size_t>(pair);
        init_pair(pair, COLORS >= 256 ? rich[index] : basic[index], -1);
    }
}

// Caps lock changes nothing.
std::optional<TerminalKey> meaning(int key) {
    switch (key >= 'A' && key <= 'Z' ? key - 'A' + 'a' : key) {
        case 'h':
        case 'a':
        case KEY_LEFT: return TerminalKey::left;
        case 'j':
        case 's':
        case KEY_DOWN: return TerminalKey::down;
        case 'k':
        case 'w':
        case KEY_UP: return TerminalKey::up;
        case 'l':
        case 'd':
        case KEY_RIGHT: return TerminalKey::right;
        case 'i': return TerminalKey::insert;
        case 27: return TerminalKey::escape;  // esc, and ctrl-[ is the same byte
        case 'b': return TerminalKey::more_bots;
        case 'x': return TerminalKey::fewer_bots;
        case ' ': return TerminalKey::pause;
        case 'q': return TerminalKey::quit;
        case KEY_RESIZE: return TerminalKey::resized;
        default: return TerminalKey::other;
    }
}

Typed typed_of(int key) {
    switch (key) {
        case KEY_UP: return {.key = Typed::Key::up};
        case KEY_DOWN: return {.key = Typed::Key::down};
        case KEY_LEFT: return {.key = Typed::Key::left};
        case KEY_RIGHT: return {.key = Typed::Key::right};
        case KEY_PPAGE: return {.key = Typed::Key::page_up};
        case KEY_NPAGE: return {.key = Typed::Key::page_down};
        case KEY_ENTER:
        case '\r':
        case '\n': return {.key = Typed::Key::enter};
        case KEY_BACKSPACE:
        case 127:
        case '\b': return {.key = Typed::Key::backspace};
        case 27: return {.key = Typed::Key::escape};
        case KEY_RESIZE: return {.key = Typed::Key::resized};
        default: break;
    }
    return key >= ' ' && key <= '~'
               ? Typed{.key = Typed::Key::character, .character = static_cast<char>(key)}
               : Typed{.key = Typed::Key::other};
}

}  // namespace

Terminal::Terminal() = default;

Result<std::unique_ptr<Terminal>> Terminal::open() {
    choose_locale();
    if (tcgetattr(STDIN_FILENO, &rescue.modes) != 0 || isatty(STDOUT_FILENO) != 1) {
        return errno_failure("this needs a terminal on standard input and output");
    }
    std::array<int, 2> stop{};
    if (pipe2(stop.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return errno_failure("cannot make a pipe");
    }
    rescue.screen = newterm(nullptr, stdout, stdin);
    if (rescue.screen == nullptr) {
        close(stop[0]);
        close(stop[1]);
        const char* name = std::getenv("TERM");
        return failure(std::errc::not_supported, std::string("cannot use a terminal of type '") +
                                                     (name != nullptr ? name : "") +
                                                     "'; set TERM, for example to xterm");
    }
    rescue.stop_read_fd = stop[0];
    rescue.stop_write_fd = stop[1];
    rescue.leave_bytes = 0;
    for (const char* capability : {"sgr0", "rmkx", "cnorm", "rmcup"}) {
        remember(capability);
    }
    catch_signals();
    hold_resizes();
    cbreak();
    noecho();
    nonl();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    set_escdelay(escape_delay_ms);
    curs_set(0);
    choose_colours();
    return std::unique_ptr<Terminal>(new Terminal);
}

Terminal::~Terminal() {
    endwin();
    delscreen(rescue.screen);
    let_signals_go();
    close(rescue.stop_read_fd);
    close(rescue.stop_write_fd);
}

ScreenSize Terminal::size() const {
    return {.columns = getmaxx(stdscr), .rows = getmaxy(stdscr)};
}

int Terminal::stop_fd() const noexcept {
    return rescue.stop_read_fd;
}

void Terminal::draw(const Canvas& screen) {
    erase();
    const ScreenSize size = screen.size();
    for (int row = 0; row < size.rows; ++row) {
        for (int column = 0; column < size.columns; ++column) {
            const ScreenCell& cell = screen.at(column, row);
            if (cell == ScreenCell{}) {
                continue;
            }
            const attr_t attributes =
                (cell.bold ? A_BOLD : A_NORMAL) | (cell.reverse ? A_REVERSE : A_NORMAL);
            const std::array<wchar_t, 2> glyph{static_cast<wchar_t>(cell.glyph), 0};
            cchar_t character;
            setcchar(&character, glyph.data(), attributes, static_cast<short>(cell.colour),
                     nullptr);
            mvadd_wch(row, column, &character);
        }
    }
    refresh();
}

bool Terminal::wait(std::span<pollfd> waited, int timeout_ms) const {
    const timespec timeout{.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1'000'000L};
    return ppoll(waited.data(), waited.size(), timeout_ms < 0 ? nullptr : &timeout,
                 &rescue.signals_before) >= 0 ||
           errno == EINTR;
}

std::optional<TerminalKey> Terminal::read_key() {
    const int key = getch();
    return key == ERR ? std::nullopt : meaning(key);
}

std::optional<Typed> Terminal::read_typed() {
    const int key = getch();
    return key == ERR ? std::nullopt : std::optional(typed_of(key));
}

}  // namespace ringside::tron
