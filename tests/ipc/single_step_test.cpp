// Death at every instruction: a process is stepped by ptrace through what it does to shared memory.
// After each step that changed a byte there, recovery runs on a copy, which is as good as after
// every step: the same bytes recover in the same way. Then it is done again, once for each store
// and each system call, and the process killed right behind it, with recovery on the real thing.
//
// Mutants, which do the steps in a wrong order, must be caught in the same way.

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counter_game.hpp"
#include "ipc/game_loop.hpp"
#include "ipc/instance.hpp"
#include "ipc/predecessor.hpp"
#include "ring_memory.hpp"

#include "ringside/ipc/event.hpp"
#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"
#include "ringside/ipc/shared_record.hpp"
#include "ringside/ipc/shared_region.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

using namespace ringside;
using namespace ringside::test;

#ifndef RINGSIDE_SANITIZED  // their instrumentation is ten times the instructions, and not ours

namespace {

/// What is stepped through, and how to judge what it leaves behind.
struct Scenario {
    const char* name;
    std::function<void()> prepare;        // before each run of the role
    std::function<void()> role;           // in the child; allocates nothing of the test's
    std::function<void()> begin = [] {};  // in the child, before it is stepped
    /// What the role may change, for comparison.
    std::function<std::vector<std::byte>()> shared;
    /// Recovery on these bytes; false: something is torn, lost or doubled.
    std::function<bool(std::vector<std::byte> copy)> recovers;
    /// The same on the real thing, when the process is dead.
    std::function<bool()> recovers_in_place;
};

struct Outcome {
    std::size_t instructions = 0;
    std::size_t stores = 0;
    std::size_t calls = 0;
    std::size_t kills = 0;
    std::size_t violations = 0;
};

/// One execution of an instruction, of those that have this address the count-th.
struct Execution {
    unsigned long long address;
    std::size_t count;
};

class Stepped {
public:
    explicit Stepped(const Scenario& scenario) : pid_(fork()) {
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            scenario.begin();
            ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
            raise(SIGSTOP);
            scenario.role();
            raise(SIGSTOP);
            _exit(0);
        }
        REQUIRE(wait_for_stop() == SIGSTOP);
    }
    Stepped(const Stepped&) = delete;
    Stepped& operator=(const Stepped&) = delete;
    ~Stepped() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }

    /// One instruction. False: the role is done.
    bool step() {
        REQUIRE(ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) == 0);
        return wait_for_stop() == SIGTRAP;
    }

    /// The address of the next instruction.
    [[nodiscard]] unsigned long long address() const {
        user_regs_struct registers{};
        REQUIRE(ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) == 0);
        return registers.rip;
    }

    [[nodiscard]] bool is_call(unsigned long long address) const {
        constexpr long syscall_instruction = 0x050f;
        return (ptrace(PTRACE_PEEKTEXT, pid_, address, nullptr) & 0xffff) == syscall_instruction;
    }

    /// At once, and right behind that execution of an instruction.
    void run_behind(const Execution& execution) {
        for (std::size_t hits = 0; hits < execution.count; ++hits) {
            run_to(execution.address);
            REQUIRE(step());
        }
    }

    /// Out of the function whose first instruction is the next.
    void run_to_return() {
        user_regs_struct registers{};
        REQUIRE(ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) == 0);
        run_to(
            static_cast<unsigned long long>(ptrace(PTRACE_PEEKDATA, pid_, registers.rsp, nullptr)));
    }

private:
    /// At full speed, by a breakpoint.
    void run_to(unsigned long long address) {
        constexpr long breakpoint = 0xcc;
        const long word = ptrace(PTRACE_PEEKTEXT, pid_, address, nullptr);
        ptrace(PTRACE_POKETEXT, pid_, address, (word & ~0xffL) | breakpoint);
        REQUIRE(ptrace(PTRACE_CONT, pid_, nullptr, nullptr) == 0);
        REQUIRE(wait_for_stop() == SIGTRAP);
        user_regs_struct registers{};
        REQUIRE(ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) == 0);
        REQUIRE(--registers.rip == address);
        REQUIRE(ptrace(PTRACE_SETREGS, pid_, nullptr, &registers) == 0);
        ptrace(PTRACE_POKETEXT, pid_, address, word);
    }

    int wait_for_stop() const {
        int status = 0;
        REQUIRE(waitpid(pid_, &status, 0) == pid_);
        INFO("wait status " << status);
        REQUIRE(WIFSTOPPED(status));
        return WSTOPSIG(status);
    }

    pid_t pid_;
};

/// Whether the kernel's own code is there, which reads clocks and writes nothing. It begins again
/// whenever the kernel has moved them meanwhile, so that a process that is stepped through it
/// slowly would never come out.
bool is_in_vdso(unsigned long long address) {
    static const auto range = [] {
        std::pair<unsigned long long, unsigned long long> found{};
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);) {
            if (line.ends_with("[vdso]")) {
                std::sscanf(line.c_str(), "%llx-%llx", &found.first, &found.second);
            }
        }
        return found;
    }();
    return address >= range.first && address < range.second;
}

/// Every step to the role's end, recovery on a copy wherever something has changed.
void step_through(const Scenario& scenario, Outcome& outcome, std::vector<Execution>& kill_behind) {
    scenario.prepare();
    std::vector<std::byte> before = scenario.shared();
    std::unordered_map<unsigned long long, std::size_t> executions;
    Stepped process(scenario);
    for (;;) {
        const auto address = process.address();
        if (is_in_vdso(address)) {
            process.run_to_return();
            continue;
        }
        const Execution execution{.address = address, .count = ++executions[address]};
        const bool is_call = process.is_call(address);
        if (!process.step()) {
            return;
        }
        ++outcome.instructions;
        std::vector<std::byte> now = scenario.shared();
        const bool changed = now != before;
        outcome.stores += changed && !is_call ? 1u : 0u;
        outcome.calls += is_call ? 1u : 0u;
        if (changed || is_call) {
            kill_behind.push_back(execution);
        }
        if (changed) {
            outcome.violations += scenario.recovers(now) ? 0u : 1u;
            before = std::move(now);
        }
    }
}

Outcome die_everywhere(const Scenario& scenario) {
    Outcome outcome;
    std::vector<Execution> kill_behind;
    step_through(scenario, outcome, kill_behind);
    for (const Execution& execution : kill_behind) {
        scenario.prepare();
        {
            Stepped process(scenario);
            process.run_behind(execution);
        }
        ++outcome.kills;
        outcome.violations += scenario.recovers_in_place() ? 0u : 1u;
    }
    std::printf("%s: %zu instructions, %zu stores, %zu system calls, %zu kills: %zu violations\n",
                scenario.name, outcome.instructions, outcome.stores, outcome.calls, outcome.kills,
                outcome.violations);
    return outcome;
}

void expect_survived(const Scenario& scenario, std::size_t stores_min) {
    const Outcome outcome = die_everywhere(scenario);
    INFO(scenario.name);
    CHECK(outcome.violations == 0);
    CHECK(outcome.stores >= stores_min);
    CHECK(outcome.kills >= outcome.stores);
}

void expect_caught(const Scenario& mutant) {
    INFO(mutant.name);
    CHECK(die_everywhere(mutant).violations > 0);
}

std::vector<std::byte> bytes_of(const SharedMemory& memory) {
    return {memory.bytes().begin(), memory.bytes().end()};
}

/// A scenario whose shared bytes are one piece of memory.
Scenario in_memory(const char* name, const SharedMemory& memory, std::function<void()> make,
                   std::function<void()> role, std::function<bool(MutableBytes)> recovers) {
    return {.name = name,
            .prepare =
                [&memory, make] {
                    std::ranges::fill(memory.bytes(), std::byte{});
                    make();
                },
            .role = std::move(role),
            .shared = [&memory] { return bytes_of(memory); },
            .recovers =
                [recovers](const std::vector<std::byte>& copy) {
                    const ExactMemory own(copy.size());
                    std::ranges::copy(copy, own.bytes().begin());
                    return recovers(own.bytes());
                },
            .recovers_in_place = [&memory, recovers] { return recovers(memory.bytes()); }};
}

// ---- events ------------------------------------------------------------------------------------

constexpr std::uint32_t event_capacity = 512;
constexpr std::size_t event_count = 8;
constexpr std::uint64_t first_position = event_capacity - 72;  // the second record wraps

std::uint64_t event_value(std::size_t number) {
    return 0x0101'0101'0101'0101u * (number + 1);
}

/// A payload of four words, all the same.
void fill_event(std::span<std::byte> room, std::size_t number) {
    for (std::size_t offset = 0; offset < room.size(); offset += 8) {
        const std::uint64_t word = event_value(number);
        std::memcpy(room.data() + offset, &word, sizeof(word));
    }
}
constexpr std::uint32_t event_payload_bytes = 32;

/// The number of the event, if it is whole.
std::optional<std::size_t> number_of(Bytes payload) {
    std::array<std::uint64_t, event_payload_bytes / 8> words{};
    if (payload.size() != sizeof(words)) {
        return std::nullopt;
    }
    std::memcpy(words.data(), payload.data(), sizeof(words));
    for (std::size_t number = 0; number <= event_count; ++number) {
        if (std::ranges::all_of(words, [&](std::uint64_t w) { return w == event_value(number); })) {
            return number;
        }
    }
    return std::nullopt;
}

void publish_event(EventProducer& producer, std::size_t number) {
    fill_event(producer.try_claim(EventKind::input, event_payload_bytes), number);
    producer.publish();
}

/// Whole events from 0 on without a gap, and a successor of the producer goes on behind them.
bool events_recover(MutableBytes region) {
    auto consumer = EventConsumer::attach(region, first_position);
    auto producer = EventProducer::attach(region);
    if (!consumer || !producer) {
        return false;
    }
    EventRecord record;
    std::size_t seen = 0;
    for (Peek peeked; (peeked = consumer->peek(record)) != Peek::empty; consumer->advance()) {
        if (peeked == Peek::damaged || number_of(record.payload) != seen) {
            return false;
        }
        ++seen;
    }
    publish_event(*producer, event_count);
    return consumer->peek(record) == Peek::record && number_of(record.payload) == event_count;
}

// ---- a game's turn -----------------------------------------------------------------------------

constexpr std::uint32_t snapshot_capacity = 512;

struct TurnState {
    std::uint64_t sum = 0;
    std::uint64_t events = 0;
    std::uint64_t position = first_position;
    std::uint64_t check = 0;  // of the three before

    void seal() { check = ~(sum ^ events ^ position); }
    [[nodiscard]] bool is_whole() const { return check == ~(sum ^ events ^ position); }
};

MutableBytes event_part(MutableBytes memory) {
    return memory.first(event_ring_region_bytes(event_capacity));
}
MutableBytes snapshot_part(MutableBytes memory) {
    return memory.subspan(event_ring_region_bytes(event_capacity));
}

void publish_state(SnapshotProducer& snapshots, TurnState state) {
    state.seal();
    const Bytes payload = std::as_bytes(std::span(&state, 1));
    snapshots.publish({&payload, 1});
}

std::optional<TurnState> newest_state(MutableBytes memory) {
    auto reader = SnapshotReader::attach(snapshot_part(memory));
    std::vector<std::byte> out(reader ? reader->payload_bytes_max() : 0);
    std::size_t bytes = 0;
    TurnState state;
    if (!reader || reader->read_newest(out, bytes) != SnapshotRead::record ||
        bytes != sizeof(state)) {
        return std::nullopt;
    }
    std::memcpy(&state, out.data(), sizeof(state));
    return state.is_whole() ? std::optional(state) : std::nullopt;
}

void apply(EventConsumer& events, TurnState& state, std::size_t count) {
    EventRecord record;
    while (count > 0 && events.peek(record) == Peek::record) {
        state.sum += *number_of(record.payload) + 1;
        ++state.events;
        events.advance();
        state.position = events.position();
        --count;
    }
}

void make_turn(MutableBytes memory) {
    create_event_ring(event_part(memory), event_capacity, first_position);
    create_snapshot_ring(snapshot_part(memory), snapshot_capacity);
    auto producer = EventProducer::attach(event_part(memory)).value();
    for (std::size_t number = 0; number < event_count; ++number) {
        publish_event(producer, number);
    }
    auto snapshots = SnapshotProducer::attach(snapshot_part(memory)).value();
    publish_state(snapshots, {});
}

/// Apply, publish, release; twice. A mutant turns the last two round.
void take_turns(MutableBytes memory, bool release_first) {
    TurnState state;
    auto events = EventConsumer::attach(event_part(memory), first_position).value();
    auto snapshots = SnapshotProducer::attach(snapshot_part(memory)).value();
    for (int turn = 0; turn < 2; ++turn) {
        apply(events, state, 3);
        if (release_first) {
            events.release();
        }
        publish_state(snapshots, state);
        events.release();
    }
}

/// Going on from the newest snapshot every event is applied exactly once.
bool turn_recovers(MutableBytes memory) {
    auto state = newest_state(memory);
    if (!state) {
        return false;
    }
    auto events = EventConsumer::attach(event_part(memory), state->position);
    if (!events) {
        return false;
    }
    apply(*events, *state, event_count);
    return state->events == event_count && state->sum == event_count * (event_count + 1) / 2;
}

// ---- snapshots ---------------------------------------------------------------------------------

constexpr std::size_t snapshot_count = 6;

/// As many words as its number says, all the same.
std::size_t fill_snapshot(std::span<std::byte> out, std::uint64_t number) {
    const std::size_t bytes = 8 * (1 + number * 3 % 7);
    for (std::size_t offset = 0; offset < bytes; offset += 8) {
        std::memcpy(out.data() + offset, &number, sizeof(number));
    }
    return bytes;
}

std::optional<std::uint64_t> snapshot_number(Bytes payload) {
    std::uint64_t number = 0;
    std::array<std::byte, 64> expected{};
    std::memcpy(&number, payload.data(), sizeof(number));
    const std::size_t bytes = fill_snapshot(expected, number);
    return payload.size() == bytes && std::ranges::equal(payload, Bytes(expected).first(bytes))
               ? std::optional(number)
               : std::nullopt;
}

void publish_numbered(SnapshotProducer& producer, std::uint64_t number) {
    std::array<std::byte, 64> room{};
    const Bytes payload = Bytes(room).first(fill_snapshot(room, number));
    producer.publish({&payload, 1});
}

bool snapshots_recover(MutableBytes region) {
    auto reader = SnapshotReader::attach(region);
    auto producer = SnapshotProducer::attach(region);
    if (!reader || !producer) {
        return false;
    }
    std::vector<std::byte> out(reader->payload_bytes_max());
    std::size_t bytes = 0;
    const auto newest = [&]() -> std::optional<std::uint64_t> {
        return reader->read_newest(out, bytes) == SnapshotRead::record
                   ? snapshot_number(Bytes(out).first(bytes))
                   : std::nullopt;
    };
    const auto number = newest();
    if (!number || *number < 1 || *number > snapshot_count) {
        return false;
    }
    publish_numbered(*producer, snapshot_count + 1);
    return newest() == snapshot_count + 1;
}

// ---- a directory's record ----------------------------------------------------------------------

struct Row {
    std::array<std::uint64_t, 4> words{};
};
using RowRecord = SharedRecord<Row>;

RowRecord& record_in(MutableBytes memory) {
    return *reinterpret_cast<RowRecord*>(memory.data());
}

bool record_recovers(MutableBytes memory) {
    Row row;
    RowRecord& record = record_in(memory);
    if (record.read(row) &&
        !std::ranges::all_of(row.words, [&](std::uint64_t word) { return word == row.words[0]; })) {
        return false;
    }
    const Row next{{9, 9, 9, 9}};
    record.write(next);  // by whoever writes it after the dead one
    return record.read(row) && row.words == next.words;
}

}  // namespace

TEST_CASE("every instruction: publishing events", "[ipc][single_step]") {
    const SharedMemory memory(event_ring_region_bytes(event_capacity));
    const MutableBytes region = memory.bytes();
    const auto make = [region] { create_event_ring(region, event_capacity, first_position); };
    expect_survived(in_memory(
                        "publishing events", memory, make,
                        [region] {
                            auto producer = EventProducer::attach(region).value();
                            for (std::size_t number = 0; number < event_count; ++number) {
                                publish_event(producer, number);
                            }
                        },
                        events_recover),
                    event_count * 5);
    expect_caught(in_memory(
        "mutant: published before it is written", memory, make,
        [region] {
            auto producer = EventProducer::attach(region).value();
            const auto room = producer.try_claim(EventKind::input, event_payload_bytes);
            producer.publish();
            fill_event(room, 0);
        },
        events_recover));
    expect_caught(in_memory(
        "mutant: a record that wraps", memory, make,
        [region] {
            auto producer = EventProducer::attach(region).value();
            publish_event(producer, 0);
            // Where only 32 bytes are left: a header and three words, and the fourth at the start.
            auto& header = *reinterpret_cast<EventRingHeader*>(region.data());
            std::byte* records = region.data() + sizeof(header);
            const std::uint64_t at = producer.position();
            const EventRecordHeader record{event_payload_bytes,
                                           static_cast<std::uint32_t>(EventKind::input)};
            std::memcpy(records + (at & (event_capacity - 1)), &record, sizeof(record));
            for (std::uint64_t offset = 8; offset <= event_payload_bytes; offset += 8) {
                const std::uint64_t word = event_value(1);
                std::memcpy(records + ((at + offset) & (event_capacity - 1)), &word, sizeof(word));
            }
            header.tail_position.store(at + 8 + event_payload_bytes, std::memory_order_release);
        },
        events_recover));
}

TEST_CASE("every instruction: a game applies, publishes and releases", "[ipc][single_step]") {
    const SharedMemory memory(event_ring_region_bytes(event_capacity) +
                              snapshot_ring_region_bytes(snapshot_capacity));
    const MutableBytes region = memory.bytes();
    const auto make = [region] { make_turn(region); };
    expect_survived(in_memory(
                        "a game's turns", memory, make,
                        [region] { take_turns(region, /*release_first=*/false); }, turn_recovers),
                    10);
    expect_caught(in_memory(
        "mutant: released before it is published", memory, make,
        [region] { take_turns(region, /*release_first=*/true); }, turn_recovers));
}

TEST_CASE("every instruction: publishing snapshots", "[ipc][single_step]") {
    const SharedMemory memory(snapshot_ring_region_bytes(snapshot_capacity));
    const MutableBytes region = memory.bytes();
    const auto make = [region] {
        create_snapshot_ring(region, snapshot_capacity, snapshot_capacity - 64);
        auto producer = SnapshotProducer::attach(region).value();
        publish_numbered(producer, 1);
    };
    expect_survived(in_memory(
                        "publishing snapshots", memory, make,
                        [region] {
                            auto producer = SnapshotProducer::attach(region).value();
                            for (std::uint64_t number = 2; number <= snapshot_count; ++number) {
                                publish_numbered(producer, number);
                            }
                        },
                        snapshots_recover),
                    snapshot_count * 4);
    expect_caught(in_memory(
        "mutant: a snapshot announced before it is written", memory, make,
        [region] {
            auto& header = *reinterpret_cast<SnapshotRingHeader*>(region.data());
            const std::uint64_t newest = header.newest_position.load();
            auto producer = SnapshotProducer::attach(region).value();
            publish_numbered(producer, 2);
            const std::uint64_t next = header.newest_position.load();
            header.newest_position.store(next + (next - newest));  // where the third will be
            publish_numbered(producer, 3);
        },
        snapshots_recover));
}

TEST_CASE("every instruction: writing a record of the directory", "[ipc][single_step]") {
    const SharedMemory memory(sizeof(RowRecord));
    const MutableBytes region = memory.bytes();
    expect_survived(
        in_memory(
            "a directory's record", memory, [region] { record_in(region).write({{1, 1, 1, 1}}); },
            [region] {
                record_in(region).write({{2, 2, 2, 2}});
                record_in(region).write({{3, 3, 3, 3}});
            },
            record_recovers),
        12);
    expect_caught(in_memory(
        "mutant: a record without its version", memory,
        [region] { record_in(region).write({{1, 1, 1, 1}}); },
        [region] {
            auto* words = reinterpret_cast<volatile std::uint64_t*>(region.data());
            for (int i = 1; i <= 4; ++i) {
                words[i] = 2;
            }
        },
        record_recovers));
}

namespace {

/// A game in lockstep with the test: its segment, with one front's events in its ring.
class SteppedGame {
public:
    SteppedGame() {
        GameSegmentPlan wanted{};
        wanted.epoch = 1;
        wanted.tick_ns = 1'000'000;
        // No clock decides: on a slow machine stepping may take any time. A recovery that lost
        // events waits for ever, and the test's own time limit tells.
        wanted.idle_timeout_ns = 0;
        wanted.pacing = static_cast<std::uint32_t>(Pacing::lockstep);
        wanted.seats = 4;
        wanted.state_bytes_max = 1;
        wanted.view_bytes_max = sizeof(CounterView);
        wanted.delta_bytes_max = sizeof(CounterDelta);
        wanted.event_ring_bytes = event_ring_bytes_min;
        wanted.cpu = -1;
        std::strcpy(wanted.name, "stepped");
        std::strcpy(wanted.type, "counter");
        plan_ = GameSegment::lay_out(wanted).value();
        used_bytes_ = plan_.event_rings_offset + plan_.event_ring_stride;
        doorbells_ = DoorbellSegment::create(folder_ + "-doorbells", 1).value();
    }
    SteppedGame(const SteppedGame&) = delete;
    SteppedGame& operator=(const SteppedGame&) = delete;
    ~SteppedGame() {
        for (const char* name : {"-doorbells", "-game", "-copy"}) {
            std::filesystem::remove(folder_ + name);
        }
    }

    /// Anew, with everything written and nothing read.
    void make() {
        std::filesystem::remove(folder_ + "-game");
        const auto segment = GameSegment::create(folder_ + "-game", plan_).value();
        REQUIRE(SharedRegion::reserve(folder_ + "-game", plan_.event_rings_offset,
                                      plan_.event_ring_stride));
        create_event_ring(segment.event_ring(0), plan_.event_ring_bytes);
        segment.layout().fronts.active.store(1, std::memory_order_release);
        auto events = EventProducer::attach(segment.event_ring(0)).value();
        const auto write = [&](EventKind kind, std::uint32_t number, std::vector<std::byte> body) {
            const EventHeader header{.session = session,
                                     .input_number = number,
                                     .body_bytes = static_cast<std::uint32_t>(body.size())};
            const auto room =
                events.try_claim(kind, static_cast<std::uint32_t>(sizeof(header) + body.size()));
            REQUIRE_FALSE(room.empty());
            std::memcpy(room.data(), &header, sizeof(header));
            std::ranges::copy(body, room.begin() + sizeof(header));
        };
        write(EventKind::join, 0, join_body({}, {}));
        for (std::uint32_t number = 1; number <= inputs; ++number) {
            write(EventKind::input, number, {static_cast<std::byte>(CounterInput::add_one)});
            write(EventKind::step, 0, {});
        }
        write(EventKind::input, inputs, {std::byte{1}});  // sent again
        write(EventKind::input, inputs + 1, {static_cast<std::byte>(CounterInput::end)});
        events.publish();
        seen_ = SharedRegion::open(folder_ + "-game", Access::read_only).value();
    }

    [[nodiscard]] std::vector<std::byte> bytes() const {
        const auto used = seen_.bytes().first(used_bytes_);
        return {used.begin(), used.end()};
    }

    void start() { loop_.emplace(started("-game")); }
    void run() { loop_->run(); }

    /// A successor on the segment itself, and one on a copy of it.
    [[nodiscard]] bool recovers() const { return comes_to_its_end("-game"); }
    [[nodiscard]] bool recovers(const std::vector<std::byte>& copy) const {
        std::filesystem::remove(folder_ + "-copy");
        const auto segment = GameSegment::create(folder_ + "-copy", plan_).value();
        REQUIRE(SharedRegion::reserve(folder_ + "-copy", plan_.event_rings_offset,
                                      plan_.event_ring_stride));
        std::memcpy(reinterpret_cast<std::byte*>(&segment.layout()), copy.data(), copy.size());
        return comes_to_its_end("-copy");
    }

private:
    static constexpr std::uint32_t inputs = 3;
    static constexpr std::uint64_t session = value(make_session_id(0, 1, 1));

    [[nodiscard]] GameLoop started(const char* name) const {
        WakeFds no_fds;
        no_fds.fill(-1);
        auto segment = GameSegment::open(folder_ + name).value();
        auto doorbells = DoorbellSegment::open(folder_ + "-doorbells").value();
        return GameLoop::start(std::move(segment), std::move(doorbells), counter_type(), no_fds)
            .value();
    }

    /// As its supervisor would: a game whose last snapshot says that it has ended is not gone on
    /// with.
    [[nodiscard]] bool comes_to_its_end(const char* name) const {
        if (!has_ended(name)) {
            started(name).run();
        }
        CounterView view;
        RosterEntry entry;
        return has_ended(name, &view, &entry) && view.joins == 1 && view.players == 1 &&
               view.sum == inputs + static_cast<std::uint64_t>(CounterInput::end) &&
               view.ticks == inputs && entry.session == session && entry.last_input == inputs + 1;
    }

    [[nodiscard]] bool has_ended(const char* name, CounterView* view = nullptr,
                                 RosterEntry* entry = nullptr) const {
        const auto segment = GameSegment::open(folder_ + name).value();
        auto reader = SnapshotReader::attach(segment.snapshot_ring()).value();
        std::vector<std::uint64_t> copy(reader.payload_bytes_max() / 8 + 1);
        const auto all = std::as_writable_bytes(std::span(copy));
        std::size_t bytes = 0;
        if (reader.read_newest(all, bytes) != SnapshotRead::record) {
            return false;
        }
        const auto parts = parse_snapshot(all.first(bytes));
        if (!parts || (parts->header.flags & snapshot_ended) == 0 ||
            parts->view.size() != sizeof(CounterView) || parts->roster.size() != 1) {
            return false;
        }
        if (view != nullptr) {
            std::memcpy(view, parts->view.data(), sizeof(*view));
            *entry = parts->roster[0];
        }
        return true;
    }

    std::string folder_ = "/dev/shm/ringside-step-" + std::to_string(getpid());
    GameSegmentPlan plan_{};
    std::size_t used_bytes_ = 0;
    std::optional<DoorbellSegment> doorbells_;
    SharedRegion seen_;
    std::optional<GameLoop> loop_;
};

}  // namespace

// Not what a loop like its own does, but the loop itself, with a real game: joins, inputs, one of
// them twice, steps, the end.
TEST_CASE("every instruction: a whole game in its loop", "[ipc][single_step]") {
    SteppedGame game;
    expect_survived(
        {.name = "a game's loop",
         .prepare = [&] { game.make(); },
         .role = [&] { game.run(); },
         .begin = [&] { game.start(); },
         .shared = [&] { return game.bytes(); },
         .recovers = [&](const std::vector<std::byte>& copy) { return game.recovers(copy); },
         .recovers_in_place = [&] { return game.recovers(); }},
        100);
}

TEST_CASE("every instruction: making a game's segment", "[ipc][single_step]") {
    const std::string name = "step-test-" + std::to_string(getpid());
    const std::array<const GameType*, 1> types{&counter_type()};
    auto instance = Instance::claim("/dev/shm", name);
    REQUIRE(instance.has_value());
    const std::string path = game_segment_path(instance->path(), {3, 1});
    GameSegmentPlan wanted{};
    wanted.slot = 3;
    wanted.epoch = 1;
    wanted.tick_ns = 1'000'000;
    wanted.seats = 4;
    wanted.state_bytes_max = 64;
    wanted.view_bytes_max = 64;
    wanted.event_ring_bytes = event_ring_bytes_min;
    wanted.cpu = -1;
    std::strcpy(wanted.name, "half-made");
    std::strcpy(wanted.type, "counter");
    const GameSegmentPlan plan = GameSegment::lay_out(wanted).value();
    const auto read_file = [&path] {
        std::vector<std::byte> bytes;
        if (std::FILE* file = std::fopen(path.c_str(), "rb")) {
            bytes.resize(16 * 1024);  // all that is ever written is there
            bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
            std::fclose(file);
        }
        return bytes;
    };
    // Either nobody takes it for a segment, or it is whole.
    const auto is_all_or_nothing = [&] {
        const auto segment = GameSegment::open(path);
        if (!segment) {
            return segment.error().code != std::errc::not_supported;
        }
        return std::memcmp(&segment->plan(), &plan, sizeof(plan)) == 0 &&
               SnapshotProducer::attach(segment->snapshot_ring()).has_value();
    };
    const Scenario making{
        .name = "making a segment",
        .prepare = [&] { instance->remove_all(); },
        .role = [&] { static_cast<void>(GameSegment::create(path, plan)); },
        .shared = read_file,
        .recovers = [&](const std::vector<std::byte>&) { return is_all_or_nothing(); },
        .recovers_in_place =
            [&] {
                const bool sound = is_all_or_nothing();
                const bool whole = GameSegment::open(path).has_value();
                const auto left = take_over(*instance, 64, types);
                return sound && left.has_value() && left->games.size() == (whole ? 1u : 0u) &&
                       games_in(instance->path()).value().size() == left->games.size();
            }};
    expect_survived(making, 10);
    Scenario mutant = making;
    mutant.name = "mutant: a segment that is ready before it is made";
    mutant.role = [&] {
        auto region = SharedRegion::create(
            {.path = path,
             .bytes_total =
                 plan.event_rings_offset + std::size_t{front_slots_max} * plan.event_ring_stride,
             .bytes_reserved = plan.event_rings_offset});
        auto* layout = new (region->bytes().data()) GameSegmentLayout{};
        layout->header.layout_version = game_segment_layout_version;
        layout->header.segment_bytes = region->bytes().size();
        layout->header.magic.store(game_segment_magic, std::memory_order_release);
        layout->header.plan = plan;
    };
    expect_caught(mutant);
    instance->remove_all();
}

#endif
