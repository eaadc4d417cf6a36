// The one translation unit with Catch2's implementation. Every run prints its seed; the environment
// variable RINGSIDE_RNG_SEED repeats a run (bazel-free-scripts/test --rng-seed sets it).

#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>
#include <random>

#include <catch2/catch.hpp>

int main(int argc, char** argv) {
    Catch::Session session;
    session.configData().rngSeed = std::random_device{}();
    if (const char* seed = std::getenv("RINGSIDE_RNG_SEED")) {
        session.configData().rngSeed = static_cast<unsigned>(std::strtoul(seed, nullptr, 10));
    }
    if (const int refused = session.applyCommandLine(argc, argv); refused != 0) {
        return refused;
    }
    std::printf("seed %u\n", session.configData().rngSeed);
    std::fflush(stdout);
    return session.run();
}
