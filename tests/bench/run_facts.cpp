#include "run_facts.hpp"

#include <ctime>
#include <fstream>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace ringside::bench {
namespace {

std::string cpu_model() {
    std::ifstream cpus("/proc/cpuinfo");
    for (std::string line; std::getline(cpus, line);) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(": ") + 2);
        }
    }
    return "unknown";  // not every architecture names one
}

}  // namespace

RunFacts run_facts(int argc, char** argv) {
    RunFacts facts;
    for (int at = 0; at < argc; ++at) {
        const std::string word = argv[at];
        facts.command += at == 0 ? word.substr(word.rfind('/') + 1) : " " + word;
    }
    facts.date = fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)));
    utsname system{};
    ::uname(&system);
    facts.kernel = fmt::format("{} {} {}", system.sysname, system.release, system.machine);
    facts.cpu = cpu_model();
    facts.cpu_count = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
    facts.memory_mib = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) >>
                       20;
    return facts;
}

}  // namespace ringside::bench
