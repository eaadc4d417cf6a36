#pragma once
// Result<T>: the outcome of set-up work that can fail for reasons outside the program.
//
// An Error carries the code and one sentence: what was tried, with which value, and what cures it.
// No exception crosses a folder, a fork or the C ABI; normal outcomes (ring full, nothing new) are
// small enums, not Results.

#include <expected>
#include <string>
#include <system_error>
#include <utility>

namespace ringside {

struct Error {
    std::error_code code;
    std::string message;  // without the code's own text; text() joins both

    [[nodiscard]] std::string text() const;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> failure(std::error_code code, std::string message) {
    return std::unexpected(Error{code, std::move(message)});
}

[[nodiscard]] inline std::unexpected<Error> failure(std::errc code, std::string message) {
    return failure(std::make_error_code(code), std::move(message));
}

/// The Error for a system call that has just set errno.
[[nodiscard]] std::unexpected<Error> errno_failure(std::string message);

}  // namespace ringside
