#include "names.hpp"

#include <array>
#include <random>
#include <string_view>

namespace ringside {
namespace {

constexpr std::array<std::string_view, 64> adjectives{
    "amber", "bold",   "brave",  "brisk",   "bright", "calm",   "clever",   "cosmic",
    "crisp", "daring", "deep",   "dusty",   "eager",  "early",  "electric", "fancy",
    "fast",  "fierce", "fleet",  "free",    "gentle", "giant",  "glad",     "golden",
    "grand", "happy",  "hidden", "humble",  "icy",    "jolly",  "keen",     "kind",
    "late",  "light",  "lively", "lucky",   "lunar",  "merry",  "mighty",   "misty",
    "neon",  "nimble", "noble",  "patient", "plucky", "polar",  "proud",    "quick",
    "quiet", "rapid",  "rare",   "royal",   "silent", "silver", "simple",   "sleepy",
    "solar", "steady", "sunny",  "swift",   "vivid",  "wild",   "wise",     "witty"};

constexpr std::array<std::string_view, 64> nouns{
    "arena",   "badger", "beacon", "bison",   "canyon",  "circuit", "comet",  "condor",
    "coral",   "cosmos", "coyote", "crane",   "crater",  "cricket", "cycle",  "delta",
    "desert",  "dragon", "eagle",  "ember",   "falcon",  "ferry",   "fjord",  "forest",
    "fox",     "galaxy", "garden", "geyser",  "glacier", "grid",    "harbor", "heron",
    "hornet",  "island", "jaguar", "lagoon",  "lantern", "lynx",    "magpie", "maple",
    "meadow",  "meteor", "moose",  "nebula",  "ocean",   "orbit",   "otter",  "owl",
    "panther", "pixel",  "planet", "prairie", "rabbit",  "raven",   "river",  "rocket",
    "salmon",  "signal", "summit", "tiger",   "trail",   "tundra",  "turtle", "walrus"};

}  // namespace

std::string made_up_name() {
    std::random_device device;
    std::uniform_int_distribution<std::size_t> pick(0, adjectives.size() - 1);
    return std::string(adjectives[pick(device)]) + "-" + std::string(nouns[pick(device)]);
}

}  // namespace ringside
