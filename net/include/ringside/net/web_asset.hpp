#pragma once
// WebAsset: one file of the web client, as a host serves it from memory.

#include <span>
#include <string_view>

#include "ringside/core/game.hpp"

namespace ringside {

struct WebAsset {
    std::string_view path;  // "/" is the page, also of every /g/NAME and /r/NAME
    std::string_view content_type;
    std::string_view entity_tag;  // quotes included
    bool immutable = false;       // its path changes with its content
    Bytes content;
    Bytes gzip;  // the same, compressed; empty: that would not be smaller
};

using WebAssets = std::span<const WebAsset>;

}  // namespace ringside
