#pragma once
// What ps, top, htop and perf call this process.

#include <string>

namespace ringside {

/// At the start of main: the command line's own memory may be written over, which is where ps looks
/// for a name of any length. Without it names are cut to 15 bytes everywhere.
void give_title_room(char** argv);

/// This process's name: its first 15 bytes for the kernel (comm, as perf and top show it), all of
/// it for ps and htop, as far as the command line and environment had room. Keeps the environment.
void name_process(const std::string& name) noexcept;

}  // namespace ringside
