#include "machine.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

namespace fs = std::filesystem;

namespace ringside {
namespace {

constexpr std::string_view spaces = " \t\n";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(spaces);
    return first == text.npos ? std::string_view()
                              : text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

std::optional<std::string> whole_file(const fs::path& path) {
    std::ifstream file(path);
    if (!file) {
        return std::nullopt;
    }
    std::string text{std::istreambuf_iterator<char>(file), {}};
    return file.bad() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

Machine::Machine(fs::path root) : root_(std::move(root)) {}

fs::path Machine::at(std::string_view path) const {
    return root_ / fs::path(path).relative_path();
}

std::optional<std::string> Machine::text(std::string_view path) const {
    const auto found = whole_file(at(path));
    return found ? std::optional(std::string(trimmed(*found))) : std::nullopt;
}

std::optional<std::uint64_t> Machine::number(std::string_view path) const {
    const auto found = text(path);
    return found ? leading_number(*found) : std::nullopt;
}

std::optional<std::string> Machine::field(std::string_view path, std::string_view key) const {
    std::ifstream file(at(path));
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':') {
            return std::string(trimmed(std::string_view(line).substr(key.size() + 1)));
        }
    }
    return std::nullopt;
}

std::vector<std::string> Machine::entries(std::string_view path) const {
    std::vector<std::string> names;
    std::error_code failed;
    for (fs::directory_iterator next(at(path), failed), end; !failed && next != end;
         next.increment(failed)) {
        names.push_back(next->path().filename());
    }
    std::ranges::sort(names);
    return names;
}

std::optional<std::uint64_t> leading_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    return code == std::errc{} ? std::optional(number) : std::nullopt;
}

std::vector<std::uint32_t> cpus_of(std::string_view list) {
    constexpr std::uint64_t cpus_max = 8192;  // the most that Linux can be built for
    std::vector<std::uint32_t> cpus;
    while (!list.empty()) {
        const std::string_view entry = list.substr(0, list.find(','));
        const std::size_t dash = entry.find('-');
        const auto first = leading_number(entry);
        const auto last = dash == entry.npos ? first : leading_number(entry.substr(dash + 1));
        if (first && last) {
            for (std::uint64_t cpu = *first; cpu <= std::min(*last, cpus_max); ++cpu) {
                cpus.push_back(static_cast<std::uint32_t>(cpu));
            }
        }
        list.remove_prefix(std::min(entry.size() + 1, list.size()));
    }
    return cpus;
}

}  // namespace ringside
