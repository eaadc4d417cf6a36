#include "ringside/net/games_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace ringside {

std::string_view state_name(std::uint8_t phase) noexcept {
    const bool known = phase <= static_cast<std::uint8_t>(Phase::finished);
    return known ? phase_name(static_cast<Phase>(phase)) : "unknown";
}

std::string games_json(std::span<const ListedGame> games, std::optional<bool> more) {
    using Json = nlohmann::ordered_json;
    auto list = Json::array();
    for (const ListedGame& game : games) {
        list.push_back({{"name", game.name},
                        {"type", game.type},
                        {"state", game.state},
                        {"players", game.players},
                        {"seats", game.seats},
                        {"spectators", game.spectators},
                        {"size", game.size},
                        {"age_s", game.age_s},
                        {"password", game.password}});
    }
    Json all{{"games", std::move(list)}};
    if (more) {
        all["more"] = *more;
    }
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ringside
