#include "ringside/core/nickname.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "ringside/core/printable.hpp"
#include "ringside/core/random.hpp"

using namespace ringside;

namespace {

std::string shown(std::string_view text) {
    const Nickname nickname = nickname_of(text);
    return std::string(text_of(nickname));
}

}  // namespace

TEST_CASE("nickname: what can be shown is kept", "[core][nickname]") {
    CHECK(shown("") == "");
    CHECK(shown("   ") == "");
    CHECK(shown("Anna") == "Anna");
    CHECK(shown("  Anna \t Lena  ") == "Anna ? Lena");
    CHECK(shown("Anna   Lena") == "Anna Lena");
    CHECK(shown("Zo\u00eb") == "Zo\u00eb");
    CHECK(shown("\x1b[31mred") == "?[31mred");
    CHECK(shown("\xff\xfe") == "??");
    CHECK(shown("a\u202eb\u061cc\u2067d") == "a?b?c?d");  // the direction of writing
    CHECK(shown("A\u200bn\u2060n\u00ad\ufe0fa\ufeff\U000e0041") == "Anna");
    CHECK(shown("\u3164\u115f\u200d") == "");
    CHECK(shown("\u2003\u2800Anna\u2009\u202f\u205fLena\u1680") == "Anna Lena");
    CHECK(shown(std::string(100, 'x')) == std::string(24, 'x'));
    CHECK(shown(std::string(23, 'x') + "\u00eb") == std::string(23, 'x'));  // not half of it
    CHECK(shown(std::string(23, 'x') + " y") == std::string(23, 'x'));
    CHECK(shown("\U0001f680\U0001f680\U0001f680\U0001f680\U0001f680\U0001f680\U0001f680").size() ==
          24);
}

TEST_CASE("nickname: any bytes give one that stays what it is", "[core][nickname]") {
    Random random(Catch::rngSeed());
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random.below(40), ' ');
        for (char& byte : text) {
            byte = static_cast<char>(random.next());
        }
        const std::string name = shown(text);
        REQUIRE(is_utf8(name));
        REQUIRE(printable(name) == name);
        REQUIRE(name.size() <= nickname_bytes_max);
        REQUIRE(shown(name) == name);
    }
}
