// The flight recorder: what is written is read, whatever the writer does meanwhile.

#include "ringside/ipc/flight_recorder.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/core/clock.hpp"
#include "ringside/ipc/happenings.hpp"

using namespace ringside;

namespace {

constexpr std::uint32_t capacity = 64;

struct Recorder {
    Recorder() { create_flight_recorder(region(), capacity); }
    MutableBytes region() noexcept {
        return std::as_writable_bytes(std::span(words)).first(flight_bytes(capacity));
    }
    FlightHeader& header() noexcept { return *reinterpret_cast<FlightHeader*>(words.data()); }
    alignas(cache_line_bytes) std::array<std::uint64_t, flight_bytes(capacity) / 8> words{};
};

FlightReader reader_of(Recorder& recorder) {
    auto reader = FlightReader::attach(recorder.region(), capacity, "test");
    REQUIRE(reader.has_value());
    return *reader;
}

}  // namespace

TEST_CASE("flight recorder: a reader gets each record once, in order, with its arguments",
          "[ipc][flight]") {
    Recorder recorder;
    FlightRecorder writer(recorder.region(), capacity);
    FlightReader reader = reader_of(recorder);
    std::vector<Happened> happened;
    CHECK(reader.read(happened) == 0);
    CHECK(happened.empty());
    const std::int64_t before_ns = monotonic_ns();
    writer.record(Happening::tick_begin, 1, 2, 3);
    writer.record(Happening::hang, ~std::uint64_t{0}, ~std::uint64_t{1}, ~std::uint32_t{2});
    const std::int64_t after_ns = monotonic_ns();
    CHECK(reader.read(happened) == 0);
    REQUIRE(happened.size() == 2);
    CHECK(happened[0].what == Happening::tick_begin);
    CHECK(happened[0].first == 1);
    CHECK(happened[0].second == 2);
    CHECK(happened[0].third == 3);
    CHECK(happened[1].what == Happening::hang);
    CHECK(happened[1].first == ~std::uint64_t{0});
    CHECK(happened[1].second == ~std::uint64_t{1});
    CHECK(happened[1].third == ~std::uint32_t{2});
    CHECK(happened[1].number == 1);
    CHECK(reader.read(happened) == 0);
    CHECK(happened.size() == 2);

    // The scale is as good as the two moments it goes through: some hundred nanoseconds.
    const FlightScale scale = reader.scale();
    constexpr std::int64_t slack_ns = 100'000;
    CHECK(scale.ns(happened[0].stamp) >= before_ns - slack_ns);
    CHECK(scale.ns(happened[0].stamp) <= scale.ns(happened[1].stamp));
    CHECK(scale.ns(happened[1].stamp) <= after_ns + slack_ns);
}

TEST_CASE("flight recorder: of more than it holds the newest are there, and the loss is told",
          "[ipc][flight]") {
    Recorder recorder;
    FlightRecorder writer(recorder.region(), capacity);
    FlightReader reader = reader_of(recorder);
    std::vector<Happened> happened;
    for (std::uint64_t i = 0; i < 3 * capacity; ++i) {
        writer.record(Happening::send, i, 0, 0);
    }
    const std::uint64_t lost = reader.read(happened);
    // The oldest place may be being overwritten, as far as a reader can know.
    CHECK(lost == 2 * capacity + 1);
    REQUIRE(happened.size() == capacity - 1);
    CHECK(happened.front().first == 2 * capacity + 1);
    CHECK(happened.back().first == 3 * capacity - 1);
}

TEST_CASE("flight recorder: a successor goes on where a dead writer stopped", "[ipc][flight]") {
    Recorder recorder;
    FlightRecorder(recorder.region(), capacity).record(Happening::tick_begin, 1, 0, 0);
    FlightRecorder(recorder.region(), capacity).record(Happening::tick_begin, 2, 0, 0);
    std::vector<Happened> happened;
    FlightReader reader = reader_of(recorder);
    CHECK(reader.read(happened) == 0);
    REQUIRE(happened.size() == 2);
    CHECK(happened[1].first == 2);
}

TEST_CASE("flight recorder: what is none is refused, foreign numbers do no harm", "[ipc][flight]") {
    Recorder recorder;
    SECTION("too small") {
        CHECK_FALSE(
            FlightReader::attach(recorder.region().first(100), capacity, "test").has_value());
    }
    SECTION("no magic") {
        recorder.header().magic.store(0);
        CHECK_FALSE(FlightReader::attach(recorder.region(), capacity, "test").has_value());
    }
    SECTION("another version") {
        recorder.header().layout_version = flight_layout_version + 1;
        const auto refused = FlightReader::attach(recorder.region(), capacity, "test");
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == std::errc::not_supported);
    }
    SECTION("another capacity") {
        recorder.header().capacity = 1u << 30;
        CHECK_FALSE(FlightReader::attach(recorder.region(), capacity, "test").has_value());
    }
    SECTION("stamps of any number") {
        const FlightScale scale = reader_of(recorder).scale();
        const std::uint64_t made = recorder.header().made.stamp;
        for (const std::uint64_t far : {std::uint64_t{1} << 40, (std::uint64_t{1} << 63) - 1}) {
            CHECK(scale.ns(made + far) > scale.ns(made));
            CHECK(scale.ns(made - far) < scale.ns(made));
        }
    }
    SECTION("a count that jumps, and kinds that do not exist") {
        FlightReader reader = reader_of(recorder);
        std::vector<Happened> happened;
        FlightRecorder(recorder.region(), capacity).record(static_cast<Happening>(999), 1, 0, 0);
        CHECK(reader.read(happened) == 0);
        CHECK(happened.empty());
        recorder.header().count.store(~std::uint64_t{0});
        (void)reader.read(happened);
        CHECK(happened.size() <= capacity);
        recorder.header().count.store(3);
        (void)reader.read(happened);
        CHECK(happened.size() <= 2 * capacity);
    }
}

TEST_CASE("flight recorder: what is read while it is overwritten is whole", "[ipc][flight]") {
    Recorder recorder;
    FlightRecorder writer(recorder.region(), capacity);
    std::atomic<bool> done{false};
    std::thread writes([&] {
        for (std::uint64_t i = 1; !done.load(std::memory_order_relaxed); ++i) {
            writer.record(Happening::send, i, ~i, static_cast<std::uint32_t>(i));
        }
    });
    FlightReader reader = reader_of(recorder);
    std::vector<Happened> happened;
    std::uint64_t read = 0;
    std::uint64_t lost = 0;
    std::uint64_t next = 0;
    bool whole = true;
    while (read < 20'000) {
        happened.clear();
        lost += reader.read(happened);
        read += happened.size();
        for (const Happened& each : happened) {
            whole = whole && each.first == each.number + 1 && each.second == ~each.first &&
                    each.third == static_cast<std::uint32_t>(each.first) && each.number >= next;
            next = each.number + 1;
        }
    }
    done.store(true, std::memory_order_relaxed);
    writes.join();
    CHECK(whole);
    CHECK(next <= read + lost);
}
