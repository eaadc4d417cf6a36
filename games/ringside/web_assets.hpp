#pragma once
// The web client, bundled at build time (net/web/build.mjs).

#include "ringside/net/web_asset.hpp"

namespace ringside {

/// Empty in a build without it (-DRINGSIDE_WEB=OFF).
[[nodiscard]] WebAssets web_assets() noexcept;

}  // namespace ringside
