#include "process.hpp"

#include <sys/prctl.h>
#include <unistd.h>

namespace ringside {

bool die_with(pid_t parent_pid, int signal) noexcept {
    prctl(PR_SET_PDEATHSIG, signal);
    return getppid() == parent_pid;  // after the prctl: a parent that died before it is noticed too
}

void name_process(const std::string& name) noexcept {
    prctl(PR_SET_NAME, name.c_str());
}

}  // namespace ringside
