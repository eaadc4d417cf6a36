#include "cpu_list.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sched.h>

namespace ringside {
namespace {

std::optional<int> number_of(std::string_view text) {
    int number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = code == std::errc{} && end == text.data() + text.size();
    return whole && number >= 0 && number < CPU_SETSIZE ? std::optional(number) : std::nullopt;
}

/// "3" or "2-5".
std::optional<std::pair<int, int>> range_of(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto first = number_of(text.substr(0, dash));
    const auto last = dash == text.npos ? first : number_of(text.substr(dash + 1));
    return first && last && *first <= *last ? std::optional(std::pair(*first, *last))
                                            : std::nullopt;
}

}  // namespace

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        return errno_failure("cannot ask which CPUs there are");
    }
    std::vector<int> cpus;
    for (bool more = !text.empty(); more;) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const auto range = range_of(text.substr(0, comma));
        if (!range) {
            return failure(std::errc::invalid_argument,
                           fmt::format("'{}' is no CPU or range of CPUs, such as 0 or 2-3",
                                       text.substr(0, comma)));
        }
        for (int cpu = range->first; cpu <= range->second; ++cpu) {
            if (!CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) {
                return failure(std::errc::invalid_argument,
                               fmt::format("CPU {} is none that this process may use; see "
                                           "`taskset -cp $$`",
                                           cpu));
            }
            if (std::ranges::find(cpus, cpu) != cpus.end()) {
                return failure(std::errc::invalid_argument,
                               fmt::format("CPU {} is there twice; name each once", cpu));
            }
            cpus.push_back(cpu);
        }
        more = comma < text.size();  // then even nothing behind it is an entry, and refused
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return cpus;
}

}  // namespace ringside
