#include "ringside/core/result.hpp"

#include <cerrno>

#include <catch2/catch.hpp>

using ringside::Error;

TEST_CASE("error: the text joins what was tried and what the system said", "[core][result]") {
    errno = ENOENT;
    const Error error = ringside::errno_failure("cannot open 'a'").error();
    REQUIRE(error.code == std::errc::no_such_file_or_directory);
    REQUIRE(error.text() == "cannot open 'a': No such file or directory");
}

TEST_CASE("error: without a code the text is the message alone", "[core][result]") {
    REQUIRE(Error{.code = {}, .message = "no"}.text() == "no");
}

TEST_CASE("result: a failure converts to a Result of any type", "[core][result]") {
    const ringside::Result<int> result =
        ringside::failure(std::errc::file_exists, "segment 'a' exists");
    REQUIRE_FALSE(result.has_value());
    REQUIRE(result.error().code == std::errc::file_exists);
}
