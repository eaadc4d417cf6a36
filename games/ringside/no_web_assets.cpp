#include "web_assets.hpp"

namespace ringside {

WebAssets web_assets() noexcept {
    return {};
}

}  // namespace ringside
