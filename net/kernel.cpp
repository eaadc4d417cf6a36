// check_kernel: whether this kernel's io_uring has what the front is built on, and if not, why.

#include <cerrno>
#include <fstream>
#include <memory>
#include <string>

#include <liburing.h>
#include <sys/utsname.h>

#include "ring_loop.hpp"

#include "ringside/net/front.hpp"

namespace ringside {
namespace {

std::string running_kernel() {
    utsname name{};
    return ::uname(&name) == 0 ? std::string("Linux ") + name.release : "this kernel";
}

/// kernel.io_uring_disabled: 0 for everybody, 1 for a group and root, 2 for nobody; -1: no such.
int disabled_setting() {
    std::ifstream file("/proc/sys/kernel/io_uring_disabled");
    int setting = -1;
    return file >> setting ? setting : -1;
}

Error explained(int result) {
    if (result == -ENOSYS) {
        return {io_error(result), running_kernel() + " has no io_uring; Ringside needs Linux 6.1"};
    }
    if (result == -EPERM && disabled_setting() > 0) {
        return {io_error(result),
                "io_uring is switched off here: sysctl kernel.io_uring_disabled "
                "is " +
                    std::to_string(disabled_setting()) +
                    "; set it to 0, or start the host as root if it is 1"};
    }
    if (result == -EPERM || result == -EACCES) {
        return {io_error(result),
                "io_uring is forbidden here, as in many containers: allow "
                "io_uring_setup, io_uring_enter and io_uring_register in the "
                "seccomp profile"};
    }
    if (result == -EINVAL) {
        return {io_error(result), running_kernel() +
                                      " has no IORING_SETUP_DEFER_TASKRUN; Ringside "
                                      "needs Linux 6.1"};
    }
    if (result == -ENOMEM) {
        return {io_error(result), "io_uring: not enough locked memory; raise `ulimit -l`"};
    }
    return {io_error(result), "io_uring cannot be set up on " + running_kernel()};
}

}  // namespace

Result<KernelFeatures> check_kernel() {
    io_uring ring{};
    // DEFER_TASKRUN came with 6.1, later than multishot receive (6.0) and accept (5.19), so a
    // kernel that has it has those too.
    const int result = io_uring_queue_init(
        8, &ring,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN);
    if (result < 0) {
        return std::unexpected(explained(result));
    }
    io_uring_probe* probe = io_uring_get_probe_ring(&ring);
    // A newer kernel lists operations that liburing's enum ends before: those it supports only.
    const bool futexes = probe != nullptr && io_uring_opcode_supported(probe, op_futex_wait) != 0 &&
                         io_uring_opcode_supported(probe, op_futex_wake) != 0;
    io_uring_free_probe(probe);
    io_uring_queue_exit(&ring);
    return KernelFeatures{.futexes = futexes};
}

}  // namespace ringside
