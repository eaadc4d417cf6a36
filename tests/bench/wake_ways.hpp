#pragma once
// Ways to sleep until another process says so: what a doorbell can be made of.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace ringside::bench {

/// Made before the fork; one process waits, the other wakes it, in turns.
class WakeWay {
public:
    virtual ~WakeWay() = default;
    virtual void announce() noexcept {}              // then wait() may block
    [[nodiscard]] virtual bool wait() noexcept = 0;  // false if the system refuses
    [[nodiscard]] virtual bool wake() noexcept = 0;
};

struct WakeKind {
    std::string_view name;
    std::unique_ptr<WakeWay> (*make)();
    bool spins = false;  // needs a CPU of its own
};

/// Ringside's doorbell first; without those that this kernel lacks.
[[nodiscard]] std::vector<WakeKind> wake_kinds();

}  // namespace ringside::bench
