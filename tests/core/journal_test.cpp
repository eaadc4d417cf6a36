#include "ringside/core/journal.hpp"

#include <cstring>
#include <deque>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/core/random.hpp"

using namespace ringside;

namespace {

std::vector<std::byte> random_body(Random& random, std::uint32_t bytes_max) {
    std::vector<std::byte> body(random.below(bytes_max + 1));
    for (std::byte& byte : body) {
        byte = static_cast<std::byte>(random.next());
    }
    return body;
}

/// Counts what it is told; seats joiners in order, three at most.
class Told : public Game {
public:
    explicit Told(std::vector<std::string>& log) : log_(log) {}
    JoinAnswer on_join(Bytes parameters) override {
        log_.push_back("join " + std::to_string(parameters.size()));
        if (seats_ == 3) {
            return {.reason = RefuseReason::full};
        }
        return {.seat = Seat{seats_++}};
    }
    void on_leave(Seat seat) override { log_.push_back("leave " + std::to_string(value(seat))); }
    void on_input(Seat seat, Bytes input) override {
        log_.push_back("input " + std::to_string(value(seat)) + " " + std::to_string(input.size()));
    }
    void tick(Tick tick) override { log_.push_back("tick " + std::to_string(value(tick))); }
    bool idle() const override { return false; }
    bool ended() const override { return false; }
    GameStatus status() const override { return {}; }
    std::size_t save(MutableBytes) const override { return 0; }
    std::size_t view(MutableBytes) override { return 0; }

private:
    std::vector<std::string>& log_;
    std::uint8_t seats_ = 0;
};

}  // namespace

TEST_CASE("journal: gives back every call, or says that it is not whole", "[core][journal]") {
    Random random(Catch::rngSeed());
    Journal journal;
    for (int round = 0; round < 500; ++round) {
        journal.clear();
        REQUIRE(journal.is_whole());
        std::deque<std::vector<std::byte>> bodies;
        std::vector<Call> added;
        for (std::uint32_t more = random.below(40); more != 0; --more) {
            bodies.push_back(random_body(random, random.below(2) == 0 ? 3 : 256));
            const Call call{.kind = static_cast<CallKind>(1 + random.below(4)),
                            .seat = static_cast<std::uint8_t>(random.next()),
                            .body = bodies.back()};
            journal.add(call);
            if (journal.is_whole()) {
                added.push_back(call);
            }
        }
        const Bytes padded = journal.padded();
        REQUIRE(padded.size() % 8 == 0);
        REQUIRE(padded.size() <= journal_bytes_max);
        for (const std::byte byte : padded.subspan(journal.bytes())) {
            REQUIRE(byte == std::byte{});
        }
        std::vector<Call> calls;
        REQUIRE(parse_journal(padded.first(journal.bytes()), calls));
        REQUIRE(calls.size() == added.size());
        for (std::size_t i = 0; i < calls.size(); ++i) {
            REQUIRE(calls[i].kind == added[i].kind);
            REQUIRE(calls[i].seat == added[i].seat);
            REQUIRE(std::ranges::equal(calls[i].body, added[i].body));
        }
    }
}

TEST_CASE("journal: what is none is refused", "[core][journal]") {
    std::vector<Call> calls;
    const auto parse = [&](std::vector<int> numbers) {
        std::vector<std::byte> bytes;
        for (const int number : numbers) {
            bytes.push_back(static_cast<std::byte>(number));
        }
        return parse_journal(bytes, calls);
    };
    REQUIRE(parse({}));
    REQUIRE(parse({4, 255, 0, 0}));
    REQUIRE_FALSE(parse({4, 255, 0}));
    REQUIRE_FALSE(parse({0, 0, 0, 0}));
    REQUIRE_FALSE(parse({5, 0, 0, 0}));
    REQUIRE(parse({3, 1, 1, 0, 7}));
    REQUIRE_FALSE(parse({3, 1, 2, 0, 7}));
    REQUIRE_FALSE(parse({3, 1, 0, 1, 7}));
}

TEST_CASE("journal: a replica is told the same, and nothing that cannot have been",
          "[core][journal]") {
    std::vector<std::string> log;
    Replica replica(std::make_unique<Told>(log), 41, {});
    const std::byte key{7};
    const auto told = [&](std::initializer_list<Call> calls) {
        Journal journal;
        for (const Call& call : calls) {
            journal.add(call);
        }
        return replica.tell(journal.padded().first(journal.bytes())).has_value();
    };
    REQUIRE(told({{.kind = CallKind::join, .seat = 0, .body = {}},
                  {.kind = CallKind::tick, .seat = no_seat, .body = {}},
                  {.kind = CallKind::input, .seat = 0, .body = {&key, 1}},
                  {.kind = CallKind::leave, .seat = 0, .body = {}},
                  {.kind = CallKind::tick, .seat = no_seat, .body = {}}}));
    REQUIRE(log ==
            std::vector<std::string>{"join 0", "tick 42", "input 0 1", "leave 0", "tick 43"});
    REQUIRE(replica.tick() == 43);
    log.clear();
    REQUIRE_FALSE(told({{.kind = CallKind::input, .seat = 0, .body = {}}}));  // has left
    REQUIRE_FALSE(told({{.kind = CallKind::leave, .seat = 200, .body = {}}}));
    REQUIRE(log.empty());
    REQUIRE_FALSE(told({{.kind = CallKind::join, .seat = no_seat, .body = {}}}));  // is given one
}
