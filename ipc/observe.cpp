#include "observe.hpp"

#include <utility>

#include <fmt/format.h>

#include "instance.hpp"

#include "ringside/core/game_name.hpp"

namespace ringside {

Result<void> judge_instance_name(const std::string& instance) {
    if (!is_game_name(instance)) {
        return failure(
            std::errc::invalid_argument,
            fmt::format("instance name '{}' refused: like {}", instance, game_name_rule));
    }
    return {};
}

std::unexpected<Error> no_host(const std::string& instance) {
    return failure(
        std::errc::no_such_process,
        fmt::format("no host named '{}' is running here; name another with --instance", instance));
}

Result<HostSegment> observe_host(const std::string& root, const std::string& instance) {
    if (auto judged = judge_instance_name(instance); !judged) {
        return std::unexpected(std::move(judged.error()));
    }
    auto host =
        HostSegment::open(host_segment_path(instance_path(root, instance)), Access::read_only);
    if (!host && host.error().code == std::errc::no_such_file_or_directory) {
        return no_host(instance);
    }
    return host;
}

}  // namespace ringside
