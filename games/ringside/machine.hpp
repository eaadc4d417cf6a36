#pragma once
// Machine: what a machine says of itself in /proc and /sys. Below any root: this machine's own, or
// a copy of another's.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringside {

class Machine {
public:
    explicit Machine(std::filesystem::path root);

    /// What a file holds, without spaces at its ends. Nothing: there is none to be read.
    [[nodiscard]] std::optional<std::string> text(std::string_view path) const;

    /// The number that a file begins with.
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view path) const;

    /// What follows `key` and a colon on its line of a file, as in /proc/meminfo.
    [[nodiscard]] std::optional<std::string> field(std::string_view path,
                                                   std::string_view key) const;

    /// The names in a directory, in order; none if there is no such directory.
    [[nodiscard]] std::vector<std::string> entries(std::string_view path) const;

private:
    [[nodiscard]] std::filesystem::path at(std::string_view path) const;

    std::filesystem::path root_;
};

/// Of "4915 kB" or "4915": the number in front. Nothing: there is none.
[[nodiscard]] std::optional<std::uint64_t> leading_number(std::string_view text);

/// What a "1,3-5" lists; what is none is left out.
[[nodiscard]] std::vector<std::uint32_t> cpus_of(std::string_view list);

}  // namespace ringside
