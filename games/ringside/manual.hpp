#pragma once
// Manual pages and shell completion, from the same table as the command line: what it takes, they
// say. Used when Ringside is built, not when it runs.

#include <string>

#include "option_table.hpp"

namespace ringside {

/// ringside(1): what the program is, and a list of its commands.
[[nodiscard]] std::string program_page(const std::string& version);

/// ringside-COMMAND(1).
[[nodiscard]] std::string command_page(const CommandRow& command, const std::string& version);

/// For bash-completion.
[[nodiscard]] std::string bash_completion();

}  // namespace ringside
