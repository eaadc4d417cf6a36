#include "ringside/ipc/front_link.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "control.hpp"
#include "instance.hpp"

#include "ringside/ipc/happenings.hpp"

namespace ringside {

namespace {

std::vector<std::byte> joined_bytes(Bytes head, Bytes rest) {
    std::vector<std::byte> body(head.begin(), head.end());
    body.insert(body.end(), rest.begin(), rest.end());
    return body;
}

}  // namespace

std::vector<std::byte> join_body(const JoinHead& head, Bytes parameters) {
    return joined_bytes(std::as_bytes(std::span(&head, 1)), parameters);
}

std::vector<std::byte> resume_body(const ResumeKey& key,
                                   std::span<const ResumeCandidate> candidates) {
    return joined_bytes(key, std::as_bytes(candidates));
}

// ---- GameLink ----------------------------------------------------------------------------------

GameLink::GameLink(GameId id, std::uint32_t front_slot, GameSegment segment, EventProducer events,
                   SnapshotReader snapshots) noexcept
    : id_(id),
      front_slot_(front_slot),
      segment_(std::move(segment)),
      events_(std::move(events)),
      snapshots_(std::move(snapshots)) {}

bool GameLink::try_write(EventKind kind, EventHeader header, Bytes body) noexcept {
    header.body_bytes = static_cast<std::uint32_t>(body.size());
    const auto room =
        events_.try_claim(kind, static_cast<std::uint32_t>(sizeof(EventHeader) + body.size()));
    if (room.empty()) {
        return false;
    }
    std::memcpy(room.data(), &header, sizeof(header));
    if (!body.empty()) {
        std::memcpy(room.data() + sizeof(header), body.data(), body.size());
    }
    unpublished_ = true;
    return true;
}

void GameLink::publish() noexcept {
    if (BellWord* bell = publish_without_wake()) {
        wake(*bell);
    }
}

BellWord* GameLink::publish_without_wake() noexcept {
    if (!std::exchange(unpublished_, false)) {
        return nullptr;
    }
    events_.publish();
    happened::event_published(game_key(id_), events_.position(), 0);
    BellWord& bell = segment_.layout().bell;
    if (!take_announcement(bell)) {
        return nullptr;
    }
    happened::wake(game_key(id_), 0, 0);
    return &bell;
}

void GameLink::set_following(bool following) noexcept {
    segment_.layout().front[front_slot_].following.store(
        following ? 1 : 0, std::memory_order_relaxed);  // a hint; the sweep covers the gap
}

void GameLink::set_watchers(std::uint32_t watchers) noexcept {
    segment_.layout().front[front_slot_].watchers.store(watchers,
                                                        std::memory_order_relaxed);  // a statistic
}

void GameLink::acknowledge(std::uint64_t answer_number) noexcept {
    segment_.layout().front[front_slot_].answers_seen.store(
        answer_number, std::memory_order_relaxed);  // only grows; carries nothing else
}

// ---- FrontLink ---------------------------------------------------------------------------------

FrontLink::FrontLink(FrontHandle handle, HostSegment host, DoorbellSegment doorbells) noexcept
    : handle_(std::move(handle)), host_(std::move(host)), doorbells_(std::move(doorbells)) {}

FrontLink::FrontLink(FrontLink&& other) noexcept
    : handle_(other.handle_),
      host_(std::move(other.host_)),
      doorbells_(std::move(other.doorbells_)) {
    other.handle_.control_fd = -1;
}

FrontLink& FrontLink::operator=(FrontLink&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(host_, other.host_);
    std::swap(doorbells_, other.doorbells_);
    return *this;
}

FrontLink::~FrontLink() {
    if (handle_.control_fd >= 0) {
        close(handle_.control_fd);
    }
}

Result<FrontLink> FrontLink::attach(const FrontHandle& handle) {
    auto host = HostSegment::open(host_segment_path(handle.instance_path), Access::read_write);
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    auto doorbells = DoorbellSegment::open(doorbell_segment_path(handle.instance_path));
    if (!doorbells) {
        return std::unexpected(std::move(doorbells.error()));
    }
    return FrontLink(handle, std::move(*host), std::move(*doorbells));
}

bool FrontLink::request_open(const OpenRequest& request) noexcept {
    ControlPacket packet{.kind = ControlKind::open, .request = request.request};
    copy_text(packet.name, sizeof(packet.name), request.name);
    copy_text(packet.type, sizeof(packet.type), request.type);
    packet.mode = static_cast<std::uint32_t>(request.mode);
    packet.creator = request.creator;
    packet.password = request.password;
    packet.unlisted = request.unlisted ? 1 : 0;
    packet.resuming = request.resuming ? 1 : 0;
    packet.config_bytes =
        static_cast<std::uint32_t>(std::min(request.config.size(), sizeof(packet.config)));
    std::copy_n(request.config.begin(), packet.config_bytes, packet.config);
    if (request.known_ended) {
        packet.known_ended = 1;
        packet.game_slot = request.known_ended->slot;
        packet.game_epoch = request.known_ended->epoch;
    }
    // A supervisor that is gone is seen by receive(), and ends this process anyway.
    return send_packet(handle_.control_fd, packet) != Sent::full;
}

bool FrontLink::request_sweep() noexcept {
    return send_packet(handle_.control_fd, {.kind = ControlKind::sweep}) != Sent::full;
}

void FrontLink::report_ready() noexcept {
    // The first packet on an empty socket: it cannot be full.
    static_cast<void>(send_packet(handle_.control_fd, {.kind = ControlKind::ready}));
}

std::optional<ControlMessage> FrontLink::receive() {
    ControlPacket packet;
    for (;;) {
        switch (receive_packet(handle_.control_fd, packet)) {
            case Received::nothing: return std::nullopt;
            case Received::gone: return SupervisorGone{};
            case Received::packet: break;
        }
        const GameId game{packet.game_slot, packet.game_epoch};
        switch (packet.kind) {
            case ControlKind::opened:
                return OpenAnswer{.request = packet.request,
                                  .refused = static_cast<RefuseReason>(packet.reason),
                                  .text = packet.text,
                                  .game = game,
                                  .created = packet.created != 0};
            case ControlKind::failed: return GameFailed{.game = game, .text = packet.text};
            case ControlKind::stopping: return HostStopping{};
            case ControlKind::swept: return DirectorySwept{};
            case ControlKind::kick: return SessionKicked{SessionId{packet.request}};
            case ControlKind::banned: return AddressBanned{};
            case ControlKind::turn:
                // One that does not fit is asked for again.
                static_cast<void>(send_packet(
                    handle_.control_fd, {.kind = ControlKind::turned, .request = packet.request}));
                break;
            default: break;  // nothing else is sent to a front
        }
    }
}

Result<EventProducer> attach_events(const GameSegment& segment, std::uint32_t front_slot) {
    auto events = EventProducer::attach(segment.event_ring(front_slot));
    // The game can write there too: a smaller ring would have no room for the longest event.
    if (events && events->payload_bytes_max() != segment.plan().event_ring_bytes / 4) {
        return failure(std::errc::bad_message, "the game has damaged its event ring");
    }
    return events;
}

Result<GameLink> FrontLink::open_game(GameId id) {
    const std::string path = game_segment_path(handle_.instance_path, id);
    auto segment = GameSegment::open(path);
    if (!segment) {
        return std::unexpected(std::move(segment.error()));
    }
    const MutableBytes region = segment->event_ring(handle_.slot);
    const std::uint64_t bit = std::uint64_t{1} << handle_.slot;
    GameSegmentLayout& layout = segment->layout();
    // The bit, not the ring's magic, says that the ring's pages are reserved: reading a magic in a
    // page that is not would take one.
    if ((layout.fronts.active.load(std::memory_order_acquire) & bit) == 0) {  // ACTIVE
        const auto offset =
            static_cast<std::size_t>(region.data() - reinterpret_cast<std::byte*>(&layout));
        if (auto reserved = SharedRegion::reserve(path, offset, region.size()); !reserved) {
            return std::unexpected(std::move(reserved.error()));
        }
        create_event_ring(region, segment->plan().event_ring_bytes);
        layout.fronts.active.fetch_or(bit, std::memory_order_release);  // ACTIVE: carries the ring
    }
    auto events = attach_events(*segment, handle_.slot);
    if (!events) {
        return std::unexpected(std::move(events.error()));
    }
    auto snapshots = SnapshotReader::attach(segment->snapshot_ring());
    if (!snapshots) {
        return std::unexpected(std::move(snapshots.error()));
    }
    return GameLink(id, handle_.slot, std::move(*segment), std::move(*events),
                    std::move(*snapshots));
}

}  // namespace ringside
