#include "ringside/core/game_name.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "ringside/core/limits.hpp"

using ringside::game_name_bytes_max;
using ringside::is_game_name;

TEST_CASE("game name: letters, digits, '-', '_' and '.' make one", "[core][game_name]") {
    const std::string name =
        GENERATE("a", "Z", "7", "brave-otter", "a_b.c-d", "9lives", "a.", "a-");
    CAPTURE(name);
    REQUIRE(is_game_name(name));
}

TEST_CASE("game name: what could mean something elsewhere is refused", "[core][game_name]") {
    const std::string name = GENERATE(as<std::string>{}, "", ".", "..", ".hidden", "-option", "_x",
                                      "a b", "a/b", "../x", "a\n", "a\x1b[2J", "a%2f", "\xc3\xa4",
                                      "a\"", "a;b", "a:b", std::string("a\0b", 3));
    CAPTURE(name);
    REQUIRE_FALSE(is_game_name(name));
}

TEST_CASE("game name: every byte but its alphabet is refused", "[core][game_name]") {
    const std::string alphabet =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        CAPTURE(byte);
        REQUIRE(is_game_name(std::string("a") + c) == (alphabet.find(c) != std::string::npos));
    }
}

TEST_CASE("game name: has a largest length", "[core][game_name]") {
    REQUIRE(is_game_name(std::string(game_name_bytes_max, 'a')));
    REQUIRE_FALSE(is_game_name(std::string(game_name_bytes_max + 1, 'a')));
}
