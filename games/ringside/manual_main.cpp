// ringside-manual FOLDER: writes the manual pages, the completion for bash and the sample of a
// config file there. Runs when Ringside is built.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "manual.hpp"
#include "settings.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: ringside-manual FOLDER\n");
        return 2;
    }
    using namespace ringside;
    const std::filesystem::path folder = argv[1];
    const auto write = [&folder](const std::string& name, const std::string& text) {
        return static_cast<bool>(std::ofstream(folder / name) << text << std::flush);
    };
    bool written =
        write("ringside.1", program_page(RINGSIDE_VERSION)) &&
        write("ringside.bash", bash_completion()) &&
        write("ringside.toml",
              config_text([](const std::string&) { return std::vector<std::string>{}; }));
    for (const CommandRow& command : command_table()) {
        written = written && write("ringside-" + std::string(command.name) + ".1",
                                   command_page(command, RINGSIDE_VERSION));
    }
    return written ? 0 : 1;
}
