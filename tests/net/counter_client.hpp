#pragma once
// What tests of the front read from a counter game's snapshots.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <catch2/catch.hpp>

#include "counter_game.hpp"
#include "test_client.hpp"

namespace ringside::test {

constexpr std::uint8_t one = static_cast<std::uint8_t>(CounterInput::add_one);

inline CounterView view_of(const wire::Snapshot& snapshot) {
    CounterView view;
    REQUIRE(snapshot.view()->size() == sizeof view);
    std::memcpy(&view, snapshot.view()->data(), sizeof view);
    return view;
}

/// Reads on until a snapshot has the sum; returns how many snapshots that took.
inline std::size_t read_until_sum(TestClient& client, std::uint64_t sum) {
    for (std::size_t count = 1;; ++count) {
        if (view_of(client.expect<wire::Snapshot>()).sum >= sum) {
            return count;
        }
    }
}

}  // namespace ringside::test
