#include "ringside/ipc/recorder.hpp"

#include <cstring>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "instance.hpp"
#include "observe.hpp"

#include "ringside/core/recording.hpp"

namespace ringside {
namespace {

// Also one that has crashed and is being restored.
bool is_alive(const DirectoryRecord& record) {
    return record.state == static_cast<std::uint32_t>(GameState::running) ||
           record.state == static_cast<std::uint32_t>(GameState::starting);
}

}  // namespace

GameObserver::GameObserver(std::string instance_path, HostSegment host) noexcept
    : instance_path_(std::move(instance_path)), host_(std::move(host)) {}

Result<GameObserver> GameObserver::open(const std::string& root, const std::string& instance) {
    auto host = observe_host(root, instance);
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    return GameObserver(instance_path(root, instance), std::move(*host));
}

std::vector<ObservedGame> GameObserver::games() const {
    std::vector<ObservedGame> found;
    for (std::uint32_t slot = 0; slot < host_.games().size(); ++slot) {
        DirectoryRecord record;
        if (host_.games()[slot].read(record) && is_alive(record)) {
            const GameId id{.slot = slot, .epoch = record.epoch};
            found.push_back({.id = id,
                             .name = {record.name, strnlen(record.name, sizeof(record.name))},
                             .segment_path = game_segment_path(instance_path_, id),
                             .has_password = record.has_password != 0});
        }
    }
    return found;
}

Recorder::Recorder(GameSegment segment, SnapshotReader reader, Extent extent)
    : segment_(std::move(segment)),
      reader_(std::move(reader)),
      extent_(extent),
      copy_((reader_.payload_bytes_max() + 7) / 8) {}

Result<Recorder> Recorder::open(const std::string& segment_path, Extent extent) {
    auto segment = GameSegment::open(segment_path, Access::read_only);
    if (!segment) {
        return std::unexpected(std::move(segment.error()));
    }
    auto reader = SnapshotReader::attach(segment->snapshot_ring());
    if (!reader) {
        return std::unexpected(std::move(reader.error()));
    }
    return Recorder(std::move(*segment), std::move(*reader), extent);
}

Recorder::State Recorder::record(std::vector<std::byte>& file) {
    const MutableBytes out =
        std::as_writable_bytes(std::span(copy_)).first(reader_.payload_bytes_max());
    for (;;) {
        std::size_t bytes = 0;
        SnapshotRead read = reader_.read_next(out, bytes);
        const bool missed_some = read == SnapshotRead::lapped;
        if (missed_some) {
            read = reader_.read_newest(out, bytes);
        }
        if (read == SnapshotRead::nothing || read == SnapshotRead::lapped) {
            return State::goes_on;
        }
        const auto parts = read == SnapshotRead::record
                               ? parse_snapshot(std::as_bytes(std::span(copy_)).first(bytes))
                               : std::nullopt;
        if (!parts) {
            return State::damaged;
        }
        if (recording_ || begins_with(*parts)) {
            write_frame(file, *parts, missed_some);
            recording_ = true;
        }
        if (const State state = after(*parts); state != State::goes_on) {
            if (std::exchange(recording_, false)) {
                recording::append_end(file, static_cast<std::uint8_t>(parts->header.end_reason));
            }
            return state;
        }
    }
}

bool Recorder::begins_with(const SnapshotParts& parts) const noexcept {
    const auto phase = static_cast<Phase>(parts.header.phase);
    return extent_ == Extent::all || phase == Phase::countdown || phase == Phase::running;
}

Recorder::State Recorder::after(const SnapshotParts& parts) noexcept {
    if ((parts.header.flags & snapshot_ended) != 0) {
        return State::ended;
    }
    const auto phase = static_cast<Phase>(parts.header.phase);
    played_ = phase == Phase::running || (played_ && recording_);
    if (extent_ == Extent::all || !recording_ || phase == Phase::countdown ||
        phase == Phase::running) {
        return State::goes_on;
    }
    return played_ ? State::match_over : State::no_match;
}

void Recorder::write_start(std::vector<std::byte>& file) const {
    const GameSegmentPlan& plan = segment_.plan();
    recording::append_start(file, {.game = plan.name,
                                   .game_type = plan.type,
                                   .config = Bytes(plan.config).first(plan.config_bytes),
                                   .seed = plan.seed,
                                   .tick_ns = static_cast<std::uint64_t>(plan.tick_ns),
                                   .recorded_at_s = std::time(nullptr)});
}

void Recorder::write_frame(std::vector<std::byte>& file, const SnapshotParts& parts,
                           bool missed_some) {
    const bool first = !recording_;
    const bool gap =
        (!first && missed_some) || (!first && (parts.header.flags & snapshot_journal_cut) != 0);
    if (first) {
        frames_ = 0;
        gaps_ = 0;
        nicknames_.assign(segment_.plan().seats, {});
        write_start(file);
    } else if (!gap && parts.journal.empty()) {
        return;  // of sessions, not of the game
    }
    recording::FrameFacts frame{.tick = parts.header.tick,
                                .journal = parts.journal,
                                .delta = parts.delta,
                                .view = parts.view,
                                .checksum = recording::checksum(parts.state, parts.view)};
    recording::KeyFacts key{.state = parts.state, .seats = {}, .gap = gap};
    if (first || gap) {
        for (const RosterEntry& entry : parts.roster) {
            key.seats.push_back(entry.seat);
        }
        frame.journal = {};
        frame.delta = {};
        frame.key = &key;
    }
    if (note_nicknames(parts.roster)) {
        frame.nicknames = nicknames_;
    }
    recording::append_frame(file, frame);
    ++frames_;
    gaps_ += gap ? 1 : 0;
    tick_ = parts.header.tick;
}

/// Whether they are others than in the frame before.
bool Recorder::note_nicknames(std::span<const RosterEntry> roster) {
    std::vector<Nickname> now(nicknames_.size());
    for (const RosterEntry& entry : roster) {
        if (entry.seat < now.size()) {
            now[entry.seat] = nickname_of(text_of(entry.nickname));  // foreign
        }
    }
    return std::exchange(nicknames_, now) != now;
}

}  // namespace ringside
