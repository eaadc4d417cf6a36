#pragma once
// A recorded match in the terminal: pause, steps and speed.

#include "ringside/core/game.hpp"

namespace ringside {

/// Shows it until q is pressed. The Error: these bytes cannot be shown, or there is no terminal.
[[nodiscard]] Result<void> play_back(Bytes file);

}  // namespace ringside
