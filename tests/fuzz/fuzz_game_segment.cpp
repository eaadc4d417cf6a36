// A whole game segment that its game has rewritten, as a front maps and reads it: nothing of it is
// believed. The input is what the game changed: records of {u32 word, u64 value}, in a segment with
// an event ring in use and a snapshot published.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/front_link.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

namespace {

using namespace ringside;

struct Change {
    std::uint32_t word;
    std::uint64_t value;
};
constexpr std::size_t change_bytes = 12;

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::abort();
    }
    return std::move(*result);
}

std::size_t file_bytes = 0;  // of the segment; behind what make_segment() returns it is a hole

std::vector<std::byte> make_segment() {
    GameSegmentPlan wanted{};
    wanted.epoch = 1;
    wanted.tick_ns = 1'000'000;
    wanted.seats = 2;
    wanted.state_bytes_max = 16;
    wanted.view_bytes_max = 64;
    wanted.delta_bytes_max = 8;
    wanted.event_ring_bytes = event_ring_bytes_min;
    wanted.cpu = -1;
    std::strcpy(wanted.name, "fuzzed");
    const std::string path = "/dev/shm/ringside-fuzz-" + std::to_string(getpid());
    std::size_t used_bytes = 0;
    {
        const GameSegment segment =
            must(GameSegment::create(path, must(GameSegment::lay_out(wanted))));
        file_bytes = segment.layout().header.segment_bytes;
        used_bytes = segment.plan().event_rings_offset + segment.plan().event_ring_stride;
        create_event_ring(segment.event_ring(0), event_ring_bytes_min);
        SnapshotHeader header{};
        header.roster_entries = 1;
        header.roster_answers = 1;
        header.fronts = 1;
        header.state_bytes = 16;
        header.view_bytes = 64;
        std::array<std::byte, sizeof(SnapshotHeader) + sizeof(FrontMark) + sizeof(RosterEntry) +
                                  sizeof(RosterAnswer) + 16 + 64>
            snapshot{};
        std::memcpy(snapshot.data(), &header, sizeof(header));
        const Bytes payload(snapshot);
        must(SnapshotProducer::attach(segment.snapshot_ring())).publish({&payload, 1});
    }
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    std::filesystem::remove(path);
    const auto used = std::as_bytes(std::span(bytes)).first(used_bytes);
    return {used.begin(), used.end()};
}

std::uint64_t sum_of(Bytes bytes) {
    std::uint64_t sum = 0;
    for (const std::byte byte : bytes) {
        sum = sum * 31 + static_cast<std::uint64_t>(byte);
    }
    return sum;
}

/// What a front does with a game that it is told of. The sum keeps the reads alive.
std::uint64_t follow(const GameSegment& segment) {
    std::uint64_t sum = sum_of(std::as_bytes(std::span(&segment.plan(), 1)));
    auto reader = SnapshotReader::attach(segment.snapshot_ring());
    auto producer = attach_events(segment, 0);
    if (producer) {
        for (auto room = producer->try_claim(EventKind::input, event_bytes_max); !room.empty();
             room = producer->try_claim(EventKind::input, event_bytes_max)) {
            std::ranges::fill(room, std::byte{1});
            producer->publish();
        }
    }
    if (!reader) {
        return sum;
    }
    std::vector<std::uint64_t> copy((reader->payload_bytes_max() + 7) / 8);
    const MutableBytes out =
        std::as_writable_bytes(std::span(copy)).first(reader->payload_bytes_max());
    std::size_t bytes = 0;
    if (reader->read_newest(out, bytes) != SnapshotRead::record) {
        return sum;
    }
    if (const auto parts = parse_snapshot(Bytes(out).first(bytes))) {
        for (const Bytes part : {std::as_bytes(parts->fronts), std::as_bytes(parts->roster),
                                 std::as_bytes(parts->answers), parts->journal, parts->delta,
                                 parts->state, parts->view}) {
            sum += sum_of(part);
        }
    }
    return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
    static const std::vector<std::byte> base = make_segment();
    std::vector<std::byte> segment = base;
    for (; bytes >= change_bytes; data += change_bytes, bytes -= change_bytes) {
        Change change{};
        std::memcpy(&change.word, data, sizeof(change.word));
        std::memcpy(&change.value, data + sizeof(change.word), sizeof(change.value));
        std::memcpy(segment.data() + change.word % (segment.size() / 8) * 8, &change.value,
                    sizeof(change.value));
    }
    const int fd = memfd_create("fuzzed", MFD_CLOEXEC);
    if (fd < 0 || write(fd, segment.data(), segment.size()) != std::ssize(segment) ||
        ftruncate(fd, static_cast<off_t>(file_bytes)) != 0) {
        std::abort();
    }
    if (const auto opened = GameSegment::open(fd)) {
        volatile std::uint64_t sum = follow(*opened);
        static_cast<void>(sum);
    }
    close(fd);
    return 0;
}
