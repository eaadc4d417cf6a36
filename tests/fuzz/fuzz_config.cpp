// A config file, as somebody hands it to `ringside serve --config`: it is refused by what is wrong
// in it, or becomes arguments, each once.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
    using namespace ringside;
    std::istringstream text(std::string(reinterpret_cast<const char*>(data), bytes));
    const auto source = read_config(text, "a file");
    if (!source) {
        if (!source.error().message.starts_with("a file: ")) {
            std::abort();  // a refusal says where
        }
        return 0;
    }
    for (const Setting& setting : source->settings) {
        const auto arguments = as_arguments(setting);
        if (std::ranges::count(source->settings, setting.name, &Setting::name) != 1 ||
            !std::ranges::all_of(arguments, [&](const std::string& argument) {
                return argument.starts_with("--" + setting.name);
            })) {
            std::abort();
        }
    }
    return 0;
}
