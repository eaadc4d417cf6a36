#include "settings.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <numeric>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

// What is asked of one run, not of a host.
constexpr std::array<std::string_view, 4> only_typed{"config", "print-config", "check", "fresh"};

const OptionRow* find_setting(std::string_view name) {
    for (const OptionRow& row : option_table()) {
        if (!name.empty() && setting_name(row) == name) {
            return &row;
        }
    }
    return nullptr;
}

bool is_list(const OptionRow& row) {
    return std::holds_alternative<std::vector<std::string> RawOptions::*>(row.target);
}

std::vector<std::string> setting_names() {
    std::vector<std::string> names;
    for (const OptionRow& row : option_table()) {
        if (const std::string_view name = setting_name(row); !name.empty()) {
            names.emplace_back(name);
        }
    }
    return names;
}

/// How many letters must be added, left out or replaced to make one of the other.
std::size_t edits(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::unexpected<Error> refused(const std::string& source, std::string what) {
    return failure(std::error_code{}, fmt::format("{}: {}", source, std::move(what)));
}

Result<void> add(SettingSource& source, const CLI::ConfigItem& item) {
    if (!item.parents.empty()) {
        return refused(source.name, fmt::format("[{}]: there are no sections; leave the line out",
                                                item.parents.front()));
    }
    if (find_setting(item.name) == nullptr) {
        return refused(source.name, fmt::format("'{}' is no option of serve{}", item.name,
                                                suggestion(item.name, setting_names())));
    }
    if (std::ranges::find(source.settings, item.name, &Setting::name) != source.settings.end()) {
        return refused(source.name, fmt::format("'{}' is there twice", item.name));
    }
    for (const std::string& value : item.inputs) {
        if (value.starts_with('"') || value.starts_with('\'')) {
            return refused(source.name,
                           fmt::format("{}: a quote that does not end before the line or a '#' "
                                       "does",
                                       item.name));
        }
    }
    if (item.inputs != std::vector<std::string>{""}) {  // which leaves the default
        source.settings.push_back({.name = item.name, .values = item.inputs});
    }
    return {};
}

std::string variable_name(std::string_view setting) {
    std::string name(environment_prefix);
    for (const char letter : setting) {
        name += letter == '-' ? '_' : static_cast<char>(std::toupper(letter));
    }
    return name;
}

std::string default_text(const OptionRow& row) {
    const RawOptions defaults;
    if (std::holds_alternative<bool RawOptions::*>(row.target)) {
        return "false";
    }
    if (const auto* number = std::get_if<Number>(&row.target)) {
        return fmt::format("{}", defaults.*number->target);
    }
    if (const auto* text = std::get_if<std::string RawOptions::*>(&row.target)) {
        return CLI::detail::convert_arg_for_ini(defaults.**text);
    }
    return "[]";
}

std::string value_text(const OptionRow& row, const std::vector<std::string>& values) {
    if (!is_list(row)) {
        return CLI::detail::convert_arg_for_ini(values.back());
    }
    std::vector<std::string> quoted;
    for (const std::string& value : values) {
        quoted.push_back(CLI::detail::convert_arg_for_ini(value));
    }
    return fmt::format("[{}]", fmt::join(quoted, ", "));
}

}  // namespace

std::string_view setting_name(const OptionRow& row) {
    const std::size_t dashes = row.names.find("--");
    if ((row.commands & on_serve) == 0 || dashes == row.names.npos) {
        return {};
    }
    const std::size_t end = row.names.find(',', dashes);
    const std::string_view name =
        row.names.substr(dashes + 2, end == row.names.npos ? end : end - dashes - 2);
    return std::ranges::find(only_typed, name) == only_typed.end() ? name : std::string_view();
}

Result<SettingSource> read_config(std::istream& text, std::string name) {
    SettingSource source{.name = std::move(name), .settings = {}};
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(text)) {
        if (auto added = add(source, item); !added) {
            return std::unexpected(std::move(added.error()));
        }
    }
    return source;
}

Result<SettingSource> read_config_file(const std::string& path) {
    std::ifstream file(path);
    return file ? read_config(file, path) : refused(path, "cannot be read");
}

Result<SettingSource> read_environment(char** environment) {
    SettingSource source{.name = "the environment", .settings = {}};
    std::vector<std::pair<std::string, const OptionRow*>> known;
    for (const std::string& name : setting_names()) {
        known.emplace_back(variable_name(name), find_setting(name));
    }
    for (; *environment != nullptr; ++environment) {
        const std::string_view entry = *environment;
        const std::string_view name = entry.substr(0, entry.find('='));
        if (!name.starts_with(environment_prefix) || name.size() == entry.size()) {
            continue;
        }
        const auto found = std::ranges::find(
            known, name, [](const auto& row) { return std::string_view(row.first); });
        if (found == known.end()) {
            std::vector<std::string> names;
            for (const auto& [candidate, row] : known) {
                names.push_back(candidate);
            }
            return refused(source.name, fmt::format("{} stands for no option of serve{}", name,
                                                    suggestion(name, names)));
        }
        const std::string value(entry.substr(name.size() + 1));
        if (value.empty()) {  // which leaves the default
            continue;
        }
        source.settings.push_back({.name = std::string(setting_name(*found->second)),
                                   .values = is_list(*found->second)
                                                 ? CLI::detail::split(value, ',')
                                                 : std::vector<std::string>{value}});
    }
    return source;
}

std::vector<std::string> as_arguments(const Setting& setting) {
    std::vector<std::string> arguments;
    for (const std::string& value : setting.values) {
        arguments.push_back(fmt::format("--{}={}", setting.name, value));
    }
    return arguments;
}

bool same_choice(std::string_view name, std::string_view other) {
    const auto choice = [](std::string_view option) {
        return option == "port" ? "listen" : option;
    };
    return choice(name) == choice(other);
}

std::string config_text(const GivenValues& given) {
    std::string text =
        "# Options of `ringside serve --config FILE`. What begins with '#' is not set: it is the "
        "default.\n";
    for (const OptionRow& row : option_table()) {
        const std::string_view name = setting_name(row);
        if (name.empty()) {
            continue;
        }
        const std::vector<std::string> values = given(fmt::format("--{}", name));
        text += fmt::format("\n# {}\n", help_text(row));
        text += values.empty() ? fmt::format("#{} = {}\n", name, default_text(row))
                               : fmt::format("{} = {}\n", name, value_text(row, values));
    }
    return text;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates) {
    const auto nearest = std::ranges::min_element(
        candidates, {}, [name](std::string_view candidate) { return edits(name, candidate); });
    if (nearest == candidates.end() || edits(name, *nearest) > 1 + name.size() / 4) {
        return {};
    }
    return fmt::format(" (did you mean '{}'?)", *nearest);
}

}  // namespace ringside
