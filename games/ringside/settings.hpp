#pragma once
// Where options of `serve` come from besides the command line: a config file and the environment.
// Both use the long names of the option table, so that there is one table for all three.

#include <functional>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "option_table.hpp"

#include "ringside/core/result.hpp"

namespace ringside {

/// Begins the names of environment variables: --games-max is RINGSIDE_SERVE_GAMES_MAX.
inline constexpr std::string_view environment_prefix = "RINGSIDE_SERVE_";

struct Setting {
    std::string name;  // of the option, without dashes
    std::vector<std::string> values;
};

struct SettingSource {
    std::string name;  // for refusals
    std::vector<Setting> settings;
};

/// Of TOML without sections, as CLI11 reads it. `name` is for refusals.
[[nodiscard]] Result<SettingSource> read_config(std::istream& text, std::string name);
[[nodiscard]] Result<SettingSource> read_config_file(const std::string& path);

/// Of an environment, such as `environ`; a list's values are separated by commas.
[[nodiscard]] Result<SettingSource> read_environment(char** environment);

/// As arguments of the command line.
[[nodiscard]] std::vector<std::string> as_arguments(const Setting& setting);

/// Whether two options say the same thing, so that only one source of them counts.
[[nodiscard]] bool same_choice(std::string_view name, std::string_view other);

/// The option's values as given; empty: not given.
using GivenValues = std::function<std::vector<std::string>(const std::string& flag)>;

/// A config file that says what was given. Everything else stands in it as a comment, with its
/// default.
[[nodiscard]] std::string config_text(const GivenValues& given);

/// The name without dashes by which files and the environment know an option; empty: they do not.
[[nodiscard]] std::string_view setting_name(const OptionRow& row);

/// " (did you mean 'games-max'?)", or nothing if no candidate is near.
[[nodiscard]] std::string suggestion(std::string_view name,
                                     const std::vector<std::string>& candidates);

}  // namespace ringside
