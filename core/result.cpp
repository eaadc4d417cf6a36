#include "ringside/core/result.hpp"

#include <cerrno>

namespace ringside {

std::string Error::text() const {
    return code ? message + ": " + code.message() : message;
}

std::unexpected<Error> errno_failure(std::string message) {
    return failure(std::error_code(errno, std::generic_category()), std::move(message));
}

}  // namespace ringside
