// What a tracer finds in the program: probes as documented, names, frame pointers, a build id.

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "program.hpp"

#include "ringside/ipc/happenings.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

std::string output_of(const std::string& program, const std::vector<std::string>& arguments) {
    const Outcome outcome = run_program(program, arguments);
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    return outcome.output;
}

/// "first, second, third" by name, of the table in docs/probes.md.
std::map<std::string, std::string> documented() {
    std::ifstream file(RINGSIDE_SOURCE "/docs/probes.md");
    REQUIRE(file);
    std::map<std::string, std::string> probes;
    for (std::string line; std::getline(file, line) && line != "## Scripts";) {
        if (!line.starts_with("| `")) {
            continue;
        }
        std::istringstream cells(line.substr(2));
        std::string name;
        std::string process;
        std::string arguments;
        std::getline(cells, name, '|');
        std::getline(cells, process, '|');
        std::getline(cells, arguments, '|');
        probes[name.substr(1, name.rfind('`') - 1)] =
            arguments.substr(1, arguments.find_last_not_of(' '));
    }
    return probes;
}

/// The widths of the arguments of each place of a probe, of the notes in the program.
std::multimap<std::string, std::string> noted() {
    std::istringstream notes(output_of("readelf", {"--notes", "--wide", RINGSIDE_PROGRAM}));
    std::multimap<std::string, std::string> probes;
    std::string provider;
    std::string name;
    for (std::string line; std::getline(notes, line);) {
        const auto after = [&line](std::string_view label) {
            const auto at = line.find(label);
            return at == std::string::npos ? std::string() : line.substr(at + label.size());
        };
        if (const auto found = after("Provider: "); !found.empty()) {
            provider = found;
        } else if (const auto named = after("Name: "); !named.empty()) {
            name = named;
        } else if (line.find("Arguments: ") != std::string::npos && provider == "ringside") {
            std::istringstream arguments(after("Arguments: "));
            std::string widths;
            for (std::string argument; arguments >> argument;) {
                widths += argument.substr(0, argument.find('@')) + ' ';
            }
            probes.emplace(name, widths);
        }
    }
    return probes;
}

}  // namespace

TEST_CASE("probes: the program has those that are documented, and no others", "[e2e][probes]") {
    const auto in_docs = documented();
    REQUIRE(in_docs.size() >= 20);
    std::set<std::string> in_program;
    for (const auto& [name, widths] : noted()) {
        CAPTURE(name);
        in_program.insert(name);
        CHECK(in_docs.contains(name));
        CHECK(widths == "8 8 4 ");
    }
    for (const auto& [name, arguments] : in_docs) {
        CAPTURE(name);
        CHECK(in_program.contains(name));
    }
    CHECK(happening_count == in_docs.size());
    for (const HappeningNames& names : happening_names) {
        const auto found = in_docs.find(std::string(names.name));
        REQUIRE(found != in_docs.end());
        CHECK(found->second == std::string(names.first) + ", " + std::string(names.second) + ", " +
                                   std::string(names.third));
    }
}

#ifndef RINGSIDE_SANITIZED
TEST_CASE("probes: the program has a build id, symbols and frame pointers", "[e2e][probes]") {
    CHECK(output_of("readelf", {"--notes", RINGSIDE_PROGRAM}).find("Build ID: ") !=
          std::string::npos);
    CHECK(output_of("readelf", {"--sections", "--wide", RINGSIDE_PROGRAM}).find(".symtab") !=
          std::string::npos);
#if defined(__x86_64__)
    for (const char* function :
         {"_ZN8ringside8GameLoop3runEv", "_ZN8ringside11FrontServer9take_newsEv",
          "_ZN8ringside11FrontServer5sleepEv"}) {
        CAPTURE(function);
        const std::string code = output_of("objdump", {std::string("--disassemble=") + function,
                                                       "--no-show-raw-insn", RINGSIDE_PROGRAM});
        CHECK(code.find("%rsp,%rbp") != std::string::npos);
    }
#endif
}
#endif
