#include "ringside/tron/config.hpp"

#include <fmt/format.h>

#include "schema_read.hpp"

#include "ringside/tron/tron_generated.h"
#include "ringside/tron/types.hpp"

namespace ringside::tron {
namespace {

std::vector<std::byte> bytes_of(const flatbuffers::FlatBufferBuilder& builder) {
    const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
    return {begin, begin + builder.GetSize()};
}

std::string out_of_range(std::string_view name, std::uint32_t value, std::uint32_t low,
                         std::uint32_t high) {
    return fmt::format("tron: {} {} is outside {} to {}", name, value, low, high);
}

/// What is wrong with it; empty when nothing is.
std::string judge(const Config& config) {
    const std::uint32_t width_low = config.replay ? 1 : width_min;
    const std::uint32_t height_low = config.replay ? 1 : height_min;
    if (config.width < width_low || config.width > cells_max / height_low) {
        return out_of_range("width", config.width, width_low, cells_max / height_low);
    }
    if (config.height < height_low || config.height > cells_max / width_low) {
        return out_of_range("height", config.height, height_low, cells_max / width_low);
    }
    if (const std::uint32_t cells = std::uint32_t{config.width} * config.height;
        cells > cells_max) {
        return fmt::format("tron: {}x{} has {} cells, more than {}", config.width, config.height,
                           cells, cells_max);
    }
    if (config.seats < 1 || config.seats > seats_limit) {
        return out_of_range("seats", config.seats, 1, seats_limit);
    }
    if (config.tick_ms < tick_ms_min || config.tick_ms > tick_ms_max) {
        return out_of_range("tick_ms", config.tick_ms, tick_ms_min, tick_ms_max);
    }
    return {};
}

}  // namespace

std::vector<std::byte> encode_config(const Config& config) {
    flatbuffers::FlatBufferBuilder builder(128);
    builder.Finish(schema::CreateConfig(builder, config.width, config.height, config.seats,
                                        config.tick_ms, config.replay));
    return bytes_of(builder);
}

Result<Config> decode_config(Bytes bytes) {
    Config config;
    if (bytes.empty()) {
        return config;
    }
    const VerifiedCopy<schema::Config> root(bytes);
    if (!root) {
        return failure(std::errc::invalid_argument,
                       fmt::format("tron: these {} config bytes are no tron config", bytes.size()));
    }
    config = {.width = root->width(),
              .height = root->height(),
              .seats = root->seats(),
              .tick_ms = root->tick_ms(),
              .replay = root->replay()};
    if (auto wrong = judge(config); !wrong.empty()) {
        return failure(std::errc::invalid_argument, std::move(wrong));
    }
    return config;
}

std::vector<std::byte> encode_join_parameters(Screen screen) {
    flatbuffers::FlatBufferBuilder builder(64);
    builder.Finish(schema::CreateJoinParameters(builder, screen.width, screen.height));
    return bytes_of(builder);
}

Screen decode_join_parameters(Bytes bytes) noexcept {
    const VerifiedCopy<schema::JoinParameters> root(bytes);
    if (!root) {
        return {};
    }
    return {.width = root->width(), .height = root->height()};
}

}  // namespace ringside::tron
