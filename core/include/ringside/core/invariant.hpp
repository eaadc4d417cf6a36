#pragma once
// invariant: what must hold unless this program itself has a bug.
//
// On in every build. A violation writes one line to standard error and aborts: the supervisor
// restores a game and restarts a front, which is safer than going on. Bytes from another process
// or a client are never judged by it: they are checked and counted.

#include <source_location>

namespace ringside {

[[noreturn]] void invariant_failed(const char* why, std::source_location where) noexcept;

inline void invariant(bool holds, const char* why,
                      std::source_location where = std::source_location::current()) noexcept {
    if (!holds) [[unlikely]] {
        invariant_failed(why, where);
    }
}

}  // namespace ringside
