#pragma once
// Every limit that more than one place must agree on, with the relations between them.

#include <cstddef>
#include <cstdint>

namespace ringside {

// Words written by different processes never share a line of this size. Declared once: the
// compiler's own constant may change between two builds that share a segment.
inline constexpr std::size_t cache_line_bytes = 64;

// Fronts that one host can have at a time, embedders included. Each costs a game one 64-byte line
// and, from its first use of that game, one event ring.
inline constexpr std::uint32_t front_slots_max = 16;

inline constexpr std::uint32_t games_max_default = 4096;
inline constexpr std::uint32_t games_max_limit = 32768;  // Linux's pid_max here; the bitmap's size

inline constexpr std::uint32_t restores_per_second_default = 50;

inline constexpr std::uint32_t seats_max = 64;    // a roster's fixed part is sized by it
inline constexpr std::uint32_t answers_max = 64;  // unacknowledged join/leave answers per game

inline constexpr std::uint32_t game_name_bytes_max = 47;   // +1 for the terminating zero
inline constexpr std::uint32_t type_name_bytes_max = 23;   // +1
inline constexpr std::uint32_t size_label_bytes_max = 15;  // +1; "80x22"
inline constexpr std::uint32_t config_bytes_max = 256;
inline constexpr std::uint32_t join_parameters_bytes_max = 256;
inline constexpr std::uint32_t password_bytes_max = 64;  // of a private game
inline constexpr std::uint32_t input_bytes_max = 256;
inline constexpr std::uint32_t nickname_bytes_max = 24;

// The records of one front's events to one game: a power of two, chosen by the game type.
inline constexpr std::uint32_t event_ring_bytes_default = 8192;
inline constexpr std::uint32_t event_ring_bytes_min = 2048;
inline constexpr std::uint32_t event_ring_bytes_limit = 1024 * 1024;
inline constexpr std::uint32_t event_header_bytes = 16;
inline constexpr std::uint32_t resume_key_bytes = 16;
inline constexpr std::uint32_t resume_candidates_max = 8;
inline constexpr std::uint32_t event_body_bytes_max =
    resume_key_bytes + nickname_bytes_max + join_parameters_bytes_max;
static_assert(event_body_bytes_max >= resume_key_bytes + resume_candidates_max * 24,
              "a resume event fits where a join does");
inline constexpr std::uint32_t event_bytes_max = event_header_bytes + event_body_bytes_max;
static_assert(event_body_bytes_max >= input_bytes_max, "one bound covers all event bodies");
static_assert(event_bytes_max <= event_ring_bytes_min / 4,
              "the longest event is one that EventProducer::try_claim takes");

// A snapshot as published: header, roster, private state and view together.
inline constexpr std::uint32_t snapshot_bytes_limit = 256 * 1024;
inline constexpr std::uint32_t snapshots_in_ring_min = 4;

// What a game was told between two snapshots, for recorders: room for some hundred key presses.
inline constexpr std::uint32_t journal_bytes_max = 1024;
static_assert(journal_bytes_max % 8 == 0 && journal_bytes_max >= 2 * event_body_bytes_max);

// Wire protocol.
inline constexpr std::uint16_t port_default = 8766;
inline constexpr std::uint32_t client_message_bytes_max = 1024;
inline constexpr std::uint32_t host_message_bytes_max = 128 * 1024;
// A view or delta, whole: what is around it in a message is smaller than the rest.
inline constexpr std::uint32_t view_bytes_limit = host_message_bytes_max - 256 - 8 * seats_max;
inline constexpr std::uint32_t games_per_page_max = 100;
static_assert(client_message_bytes_max >= config_bytes_max + join_parameters_bytes_max +
                                              game_name_bytes_max + type_name_bytes_max +
                                              password_bytes_max + 2 * nickname_bytes_max + 208,
              "a Join with everything at its maximum must fit one message");

}  // namespace ringside
