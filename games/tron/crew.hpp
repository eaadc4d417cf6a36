#pragma once
// Crew: the bots that fill seats of a match, inside its game. They see what every player sees and
// press keys before each step, so that a match with bots is still a function of its config, seed
// and events.

#include <array>
#include <cstdint>
#include <optional>

#include "match.hpp"

#include "ringside/tron/bot.hpp"

namespace ringside::tron {

class Crew {
public:
    [[nodiscard]] bool has(std::uint8_t number) const noexcept { return bot(number).has_value(); }
    [[nodiscard]] std::uint32_t count() const noexcept;
    /// A bit for each of their numbers, from the lowest for number 1.
    [[nodiscard]] std::uint8_t numbers() const noexcept;

    /// A bot joins the match. Requires neither in_progress() nor full().
    void add(Match& match);
    /// The last of them leaves, if there is one; its seat is free then.
    void remove_one(Match& match);

    /// What they do before a step. Between races they are ready as soon as a round may begin: not
    /// at once after one, so that its result stays to be seen until a player asks for the next.
    void act(Match& match);
    /// Whether act() would change nothing until an event.
    [[nodiscard]] bool idle(const Match& match) const noexcept;

    /// For a saved match, by number; and from one.
    [[nodiscard]] std::optional<Bot::Memory> memory(std::uint8_t number) const noexcept;
    void restore(std::uint8_t number, const Bot::Memory& memory);

private:
    [[nodiscard]] const std::optional<Bot>& bot(std::uint8_t number) const noexcept {
        return bots_[number - 1u];
    }
    void look(const Match& match);

    std::array<std::optional<Bot>, seats_limit> bots_;  // by number - 1
    View seen_;
};

}  // namespace ringside::tron
