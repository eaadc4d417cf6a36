#pragma once
// Control packets: what fronts, nurseries and the supervisor say to each other, each packet one
// datagram of a SOCK_SEQPACKET pair. Both ends are the same binary, so this is no wire format.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "ringside/core/limits.hpp"
#include "ringside/ipc/event.hpp"

namespace ringside {

enum class ControlKind : std::uint32_t {
    // front → supervisor
    open = 1,
    sweep = 2,
    ready = 3,
    turned = 4,  // the answer to turn, with its number
    // supervisor → front
    opened = 10,
    failed = 11,
    stopping = 12,
    swept = 13,
    kick = 14,    // request: the session
    banned = 15,  // somebody: the host segment says whom
    turn = 16,    // request: a number, to be answered
    // supervisor → nursery (with the game segment's descriptor) and back
    fork = 20,
    forked = 21,
    // operator → supervisor, and back with its answer (operator_socket.hpp); request: kick's
    // session,
    // ban's address
    ask = 30,
};

struct ControlPacket {
    ControlKind kind{};
    std::uint32_t reason = 0;  // opened: RefuseReason. forked: errno of a fork that failed
    std::uint64_t request = 0;
    std::uint64_t creator = 0;  // open
    std::uint32_t game_slot = 0;
    std::uint32_t game_epoch = 0;
    std::uint32_t mode = 0;          // open: OpenMode. ask: OperatorRequest::What
    std::uint32_t known_ended = 0;   // open: game_slot and game_epoch name a game that has ended
    std::uint32_t front_epoch = 0;   // ready, to a front that was not forked
    std::int32_t pid = 0;            // forked
    std::uint32_t seconds = 0;       // ask: of a ban
    std::uint32_t created = 0;       // opened
    std::uint32_t config_bytes = 0;  // open
    std::uint32_t unlisted = 0;      // open: 1: a new game is not in lists
    std::uint32_t resuming = 0;      // open: 1: a seat, so the password is not asked for
    PasswordKey password{};          // open
    char name[game_name_bytes_max + 1] = {};
    char type[type_name_bytes_max + 1] = {};
    char text[256] = {};
    std::byte config[config_bytes_max] = {};
};
static_assert(std::is_trivially_copyable_v<ControlPacket>);

/// Copies at most capacity - 1 bytes and terminates.
void copy_text(char* to, std::size_t capacity, std::string_view text) noexcept;

enum class Sent : std::uint8_t { yes, full, gone };

/// Sends one packet, with a descriptor if fd ≥ 0. Never blocks when the socket does not.
[[nodiscard]] Sent send_packet(int socket, const ControlPacket& packet, int fd = -1) noexcept;

enum class Received : std::uint8_t { packet, nothing, gone };

/// Receives one packet; a descriptor that came with it goes to *fd (−1: none), or is closed when
/// fd is null.
[[nodiscard]] Received receive_packet(int socket, ControlPacket& packet,
                                      int* fd = nullptr) noexcept;

}  // namespace ringside
