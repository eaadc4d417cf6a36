// Stands in for libFuzzer where a fuzz target is built without it: `target FOLDER [RUNS]` replays
// every file of the corpus, then RUNS inputs made from them by random mutations. Finds little that
// libFuzzer would not, but runs in every `test`, with every compiler and sanitizer.
//
// The seed is printed; the environment variable RINGSIDE_RNG_SEED repeats a run. An input that the
// target refuses by abort() is printed in hexadecimal. One that does not return within the
// watchdog's time is a failure like a crash. How long the slowest input took is printed.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr unsigned watchdog_s = 240;  // for all runs together; CTest gives a test 300

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        paths.push_back(entry.path());
    }
    std::ranges::sort(paths);  // a seed must mean the same run on every file system
    std::vector<Input> corpus;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

class Mutator {
public:
    explicit Mutator(std::uint32_t seed) : random_(seed) {}

    Input mutated(const std::vector<Input>& corpus) {
        Input input = corpus[below(corpus.size())];
        for (std::size_t changes = 1 + below(8); changes > 0; --changes) {
            change(input, corpus[below(corpus.size())]);
        }
        return input;
    }

private:
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

    void change(Input& input, const Input& other) {
        const auto at = static_cast<std::ptrdiff_t>(below(input.size() + 1));
        switch (below(6)) {  // half the changes touch one byte
            case 0: input.insert(input.begin() + at, static_cast<std::uint8_t>(random_())); break;
            case 1: input.resize(static_cast<std::size_t>(at)); break;
            case 2: append_tail(input, other); break;
            default:
                if (at < std::ssize(input)) {
                    change_byte(input, at);
                }
        }
    }

    void change_byte(Input& input, std::ptrdiff_t at) {
        auto& byte = input[static_cast<std::size_t>(at)];
        switch (below(3)) {
            case 0: byte = static_cast<std::uint8_t>(byte ^ (1u << below(8))); break;
            case 1: byte = interesting[below(std::size(interesting))]; break;
            default: input.erase(input.begin() + at);
        }
    }

    void append_tail(Input& input, const Input& other) {
        const std::size_t from = below(other.size() + 1);
        if (input.size() + other.size() - from <= input_bytes_max) {
            input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from),
                         other.end());
        }
    }

    static constexpr std::size_t input_bytes_max = std::size_t{1} << 18;
    static constexpr std::uint8_t interesting[] = {0, 1, 4, 0x7f, 0x80, 0xff};

    std::mt19937_64 random_;
};

std::uint32_t chosen_seed() {
    const char* seed = std::getenv("RINGSIDE_RNG_SEED");
    return seed != nullptr ? static_cast<std::uint32_t>(std::strtoul(seed, nullptr, 10))
                           : std::random_device{}();
}

// An exact-size heap block, so that AddressSanitizer sees a read one byte past the end.
const Input* running = nullptr;

/// How long that took.
std::chrono::nanoseconds run(const Input& input) {
    const Input exact(input.begin(), input.end());
    running = &exact;
    const auto begin = std::chrono::steady_clock::now();
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
    return std::chrono::steady_clock::now() - begin;
}

/// The slowest input's time at best, of a few runs: what it costs, and not what else the machine
/// did meanwhile.
class Slowest {
public:
    void run_and_note(const Input& input) {
        auto time = run(input);
        for (int more = 1; more < runs && time > time_; ++more) {
            time = std::min(time, run(input));
        }
        time_ = std::max(time_, time);
    }
    [[nodiscard]] double us() const {
        return std::chrono::duration<double, std::micro>(time_).count();
    }

    static constexpr int runs = 5;

private:
    std::chrono::nanoseconds time_{};
};

/// The process has seen its end coming by itself, in our own code: printing is safe enough.
void print_input(int /*signal*/) {
    std::fputs("input: ", stderr);
    for (const std::uint8_t byte : *running) {
        std::fprintf(stderr, "%02x", byte);
    }
    std::fputs("\n", stderr);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER [RUNS]\n", argv[0]);
        return 2;
    }
    const std::uint32_t seed = chosen_seed();
    const unsigned long runs = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 200'000;
    std::printf("seed %u\n", seed);
    std::fflush(stdout);
    alarm(watchdog_s);
    std::signal(SIGABRT, print_input);

    const std::vector<Input> corpus = read_corpus(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "no file in the corpus '%s'\n", argv[1]);
        return 1;
    }
    Slowest slowest;
    for (const Input& input : corpus) {
        slowest.run_and_note(input);
    }
    Mutator mutator(seed);
    for (unsigned long i = 0; i < runs; ++i) {
        slowest.run_and_note(mutator.mutated(corpus));
    }
    std::printf(
        "%zu corpus files, %lu mutations; the slowest input took %.1f us, the best of %d runs\n",
        corpus.size(), runs, slowest.us(), Slowest::runs);
    return 0;
}
