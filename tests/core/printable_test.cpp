#include "ringside/core/printable.hpp"

#include <random>

#include <catch2/catch.hpp>

using ringside::is_utf8;
using ringside::printable;

TEST_CASE("printable: text stays as it is", "[core][printable]") {
    REQUIRE(printable("") == "");
    REQUIRE(printable("the game is full") == "the game is full");
    REQUIRE(printable("Zoë → 10 € 🏍") == "Zoë → 10 € 🏍");
}

TEST_CASE("printable: nothing that moves a cursor comes through", "[core][printable]") {
    REQUIRE(printable("\x1b[2J") == "?[2J");
    REQUIRE(printable("a\r\nb\tc\x7f") == "a??b?c?");
    REQUIRE(printable("\xc2\x9b"
                      "31m") == "?31m");        // C1's own "ESC ["
    REQUIRE(printable("\xe2\x80\xae") == "?");  // right-to-left override
}

TEST_CASE("printable: bytes that are not UTF-8 become question marks", "[core][printable]") {
    REQUIRE(printable("\xff") == "?");
    REQUIRE(printable("a\xc3") == "a?");               // cut short
    REQUIRE(printable("\xc0\x9b") == "??");            // an over-long escape
    REQUIRE(printable("\xe0\x80\x9b") == "???");       // likewise
    REQUIRE(printable("\xed\xa0\x80") == "???");       // a surrogate
    REQUIRE(printable("\xf4\x90\x80\x80") == "????");  // beyond Unicode
}

TEST_CASE("printable: whatever comes in, no control byte comes out", "[core][printable]") {
    std::mt19937 random(static_cast<std::mt19937::result_type>(Catch::rngSeed()));
    for (int round = 0; round < 2000; ++round) {
        std::string text(random() % 40, ' ');
        for (char& c : text) {
            c = static_cast<char>(random());
        }
        for (const char c : printable(text)) {
            REQUIRE(static_cast<unsigned char>(c) >= 0x20);
            REQUIRE(c != 0x7f);
        }
        REQUIRE(printable(printable(text)) == printable(text));
    }
}

TEST_CASE("printable: what is UTF-8 and what is not", "[core][printable]") {
    CHECK(is_utf8(""));
    CHECK(is_utf8("plain"));
    CHECK(is_utf8("\x1b[2J"));  // well-formed, though nothing for a terminal
    CHECK(is_utf8("\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    CHECK_FALSE(is_utf8("\x80"));
    CHECK_FALSE(is_utf8("a\xc3"));
    CHECK_FALSE(is_utf8("\xc0\xaf"));
    CHECK_FALSE(is_utf8("\xed\xa0\x80"));
    CHECK_FALSE(is_utf8("\xf4\x90\x80\x80"));
}
