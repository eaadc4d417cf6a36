#pragma once
// The log of a host: one line an event, on standard error. Normal outcomes (ring full, a client
// that goes) are counted, not logged.

#include <string_view>

namespace ringside {

/// As syslog(3) numbers them: what is more urgent is less.
enum class LogLevel : int {
    error = 3,    // something is lost: a game, a host
    warning = 4,  // something died, hung or was refused, and goes on
    notice = 5,   // an order was carried out
    info = 6,     // a game was made or has ended
};

/// Leaves out what is less urgent. Processes forked from now on do the same.
void set_log_level(LogLevel least_urgent) noexcept;

/// Whether standard error is the journal's, as JOURNAL_STREAM says: then each line begins with its
/// level, <4>, as sd-daemon(3) has it.
void find_journal() noexcept;

/// Standard error is somebody else's from now on, who knows nothing of levels.
void forget_journal() noexcept;

/// Writes "who: text" as one line, at once; control characters are replaced. It may be from several
/// processes: lines do not mix.
void log(LogLevel level, std::string_view text, std::string_view who = "ringside");

}  // namespace ringside
