#include "ringside/core/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace ringside {

void invariant_failed(const char* why, std::source_location where) noexcept {
    std::fprintf(stderr, "ringside: invariant violated at %s:%u: %s\n", where.file_name(),
                 static_cast<unsigned>(where.line()), why);
    std::abort();
}

}  // namespace ringside
