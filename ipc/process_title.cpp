#include "ringside/ipc/process_title.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <span>
#include <string>

#include <sys/prctl.h>
#include <unistd.h>

namespace ringside {
namespace {

// The strings of argv and, behind them, of the environment: the kernel laid them out in one piece.
// Empty until give_title_room().
std::span<char> title_room;

}  // namespace

void give_title_room(char** argv) {
    if (argv[0] == nullptr) {
        return;
    }
    char* end = argv[0];
    for (char** each = argv; *each != nullptr && *each == end; ++each) {
        end += std::strlen(*each) + 1;
    }
    // The environment stays readable from a copy, which is never freed: who has asked for a
    // variable may keep the pointer, also when the variable is changed.
    static auto& copies = *new std::deque<std::string>;
    for (char** each = environ; *each != nullptr && *each == end; ++each) {
        std::string& copy = copies.emplace_back(*each);
        *each = copy.data();
        end += copy.size() + 1;
    }
    title_room = {argv[0], end};
}

void name_process(const std::string& name) noexcept {
    prctl(PR_SET_NAME, name.c_str());
    if (title_room.empty()) {
        return;
    }
    // A title that runs into the environment's room is shown whole: the kernel looks for its end
    // there once the last byte of the arguments is not 0.
    const std::size_t bytes = std::min(name.size(), title_room.size() - 1);
    std::memcpy(title_room.data(), name.data(), bytes);
    std::memset(title_room.data() + bytes, 0, title_room.size() - bytes);
}

}  // namespace ringside
