#include "ringside/net/network_conditions.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

constexpr double delay_ms_max = 10'000;
constexpr double stall_percent_max = 50;

/// A number followed by its unit; negative: it is none.
double amount(std::string_view text, std::string_view unit) noexcept {
    if (!text.ends_with(unit)) {
        return -1;
    }
    text.remove_suffix(unit.size());
    double number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() && std::isfinite(number)
               ? number
               : -1;
}

std::unexpected<Error> refusal(std::string_view part, std::string_view why) {
    return failure(std::errc::invalid_argument,
                   fmt::format("'{}': {}; give it as in delay=80ms,jitter=20ms,stall=1%",
                               printable(part), why));
}

}  // namespace

Result<NetworkConditions> parse_network_conditions(std::string_view text) {
    double delay_ms = -1;
    double jitter_ms = -1;
    double stall_percent = -1;
    const std::string_view whole = text;
    for (bool more = true; more;) {
        const std::size_t comma = text.find(',');
        const std::string_view part = text.substr(0, comma);
        more = comma != std::string_view::npos;
        text.remove_prefix(more ? comma + 1 : text.size());

        const std::size_t equals = std::min(part.find('='), part.size());
        const std::string_view name = part.substr(0, equals);
        double* const value = name == "delay"    ? &delay_ms
                              : name == "jitter" ? &jitter_ms
                              : name == "stall"  ? &stall_percent
                                                 : nullptr;
        if (value == nullptr || equals == part.size()) {
            return refusal(part, "not delay, jitter or stall");
        }
        if (*value >= 0) {
            return refusal(part, "it was given before");
        }
        *value = amount(part.substr(equals + 1), value == &stall_percent ? "%" : "ms");
        const double most = value == &stall_percent ? stall_percent_max : delay_ms_max;
        if (*value < 0 || *value > most) {
            return refusal(part, value == &stall_percent ? "a stall is 0% to 50%"
                                                         : "a time is 0ms to 10000ms");
        }
    }
    if (jitter_ms > std::max(delay_ms, 0.0)) {
        return refusal(whole, "jitter is at most the delay");
    }
    const auto whole_ms = [](double ms) {
        return std::chrono::milliseconds(static_cast<std::int64_t>(std::max(ms, 0.0)));
    };
    return NetworkConditions{.delay = whole_ms(delay_ms),
                             .jitter = whole_ms(jitter_ms),
                             .stall_percent = std::max(stall_percent, 0.0)};
}

}  // namespace ringside
