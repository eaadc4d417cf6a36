#pragma once
// What a figure is worth nothing without: where, when and how it was taken.

#include <cstdint>
#include <string>

namespace ringside::bench {

struct RunFacts {
    std::string command;  // as typed, and thus whether it was only a smoke run
    std::string date;     // UTC
    std::string kernel;
    std::string cpu;
    std::uint32_t cpu_count = 0;
    std::uint64_t memory_mib = 0;
};

/// Of this process.
[[nodiscard]] RunFacts run_facts(int argc, char** argv);

}  // namespace ringside::bench
