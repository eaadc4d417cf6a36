// Out of anything: while a game is made, every system call of supervisor, nursery and front that
// can fail for want of something fails once, each in its turn. The one request may be refused, and
// nothing else happens.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_facts.hpp"
#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

/// What a call says when there is no more of what it asks for.
std::optional<int> shortage(std::uint64_t call) {
    static const std::map<std::uint64_t, int> errors{
        {SYS_openat, EMFILE},   {SYS_open, ENFILE},      {SYS_memfd_create, EMFILE},
        {SYS_mmap, ENOMEM},     {SYS_mprotect, ENOMEM},  {SYS_mremap, ENOMEM},
        {SYS_brk, ENOMEM},      {SYS_fallocate, ENOSPC}, {SYS_ftruncate, ENOSPC},
        {SYS_sendmsg, ENOBUFS}, {SYS_clone, EAGAIN},     {SYS_clone3, EAGAIN},
        {SYS_fork, EAGAIN},     {SYS_vfork, EAGAIN},
    };
    const auto found = errors.find(call);
    return found == errors.end() ? std::nullopt : std::optional(found->second);
}

/// While it lives, the nth such call of a process fails. All requests of a tracer must come from
/// one thread, so it has one.
class FailingCall {
public:
    FailingCall(pid_t pid, unsigned nth) : pid_(pid), nth_(nth), thread_([this] { trace(); }) {
        while (!attached_) {
            std::this_thread::yield();
        }
    }
    FailingCall(const FailingCall&) = delete;
    FailingCall& operator=(const FailingCall&) = delete;
    ~FailingCall() {
        stop_ = true;
        thread_.join();
    }

    /// The call that failed, if it came to that.
    [[nodiscard]] std::optional<std::uint64_t> failed() const {
        return failed_ == none ? std::nullopt : std::optional(failed_.load());
    }

private:
    static constexpr std::uint64_t none = ~std::uint64_t{0};

    void trace() {
        ptrace(PTRACE_SEIZE, pid_, nullptr, PTRACE_O_TRACESYSGOOD);
        ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr);
        int fail_with = 0;  // at its exit
        for (;;) {
            int status = 0;
            const pid_t stopped = waitpid(pid_, &status, __WALL | WNOHANG);
            if (stopped < 0 || (stopped == pid_ && !WIFSTOPPED(status))) {
                break;  // it has died, which the test will see
            }
            if (stopped == 0) {
                if (stop_) {
                    ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr);
                }
                usleep(20);
                continue;
            }
            if (stop_ && fail_with == 0) {
                ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
                break;
            }
            int signal_number = 0;
            if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
                at_call(fail_with);
            } else if (status >> 16 == 0) {
                signal_number = WSTOPSIG(status);  // its own: goes on to it
            }
            ptrace(PTRACE_SYSCALL, pid_, nullptr, signal_number);
            attached_ = true;
        }
        attached_ = true;
    }

    void at_call(int& fail_with) {
        __ptrace_syscall_info info{};
        ptrace(PTRACE_GET_SYSCALL_INFO, pid_, sizeof(info), &info);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
            const auto error = shortage(info.entry.nr);
            if (error && failed_ == none && ++seen_ == nth_) {
                failed_ = info.entry.nr;
                fail_with = *error;
                // In its place one that every filter lets through.
                ptrace(PTRACE_POKEUSER, pid_, offsetof(user, regs.orig_rax), long{SYS_getpid});
            }
        } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && fail_with != 0) {
            ptrace(PTRACE_POKEUSER, pid_, offsetof(user, regs.rax), -static_cast<long>(fail_with));
            fail_with = 0;
        }
    }

    pid_t pid_;
    unsigned nth_;
    unsigned seen_ = 0;
    std::atomic<bool> attached_ = false;
    std::atomic<bool> stop_ = false;
    std::atomic<std::uint64_t> failed_ = none;
    std::thread thread_;
};

}  // namespace

TEST_CASE("exhaustion: each call that fails while a game is made costs no more than that game",
          "[e2e][exhaustion]") {
    const NothingLeft nothing_left;
    ServedHost host({"--resume-grace", "0"});
    const pid_t pid = host.program().pid();
    const std::string process = GENERATE("supervisor", "nursery/tron", "front/0");
    const pid_t target = process == "supervisor" ? pid : host.process(process);
    Player other(host.endpoint());
    REQUIRE(other.join("going-on", {.seats = 2}).seat == 0u);
    {
        Player first(host.endpoint());  // what is made once is there from here on
        REQUIRE(first.join("first", {.seats = 2}).seat == 0u);
    }
    const auto only_that_one = [&] { return list_games(host.port()).size() == 1; };
    REQUIRE(eventually(only_that_one));
    REQUIRE(eventually([&] { return host.find_game_process("first") == 0; }));
    const Footprint before = footprint_of(pid, host.instance());

    unsigned failed = 0;
    unsigned refused = 0;
    for (unsigned nth = 1;; ++nth) {
        std::optional<std::uint64_t> call;
        {
            // Two, for what is still to be done for one when it is answered.
            Player players[]{Player(host.endpoint()), Player(host.endpoint())};
            const FailingCall failing(target, nth);
            for (Player& player : players) {
                const auto answer =
                    player.join("game-" + std::to_string(&player - players), {.seats = 2});
                INFO(process << ", call " << nth << " (number " << failing.failed().value_or(0)
                             << "): " << answer.text);
                if (!answer.seat) {
                    ++refused;
                    CHECK(answer.reason == RefuseReason::no_room);
                    CHECK_FALSE(answer.text.empty());
                }
            }
            call = failing.failed();
        }
        Player again(host.endpoint());  // whatever it was, it is over
        for (const char* name : {"game-0", "game-1"}) {
            CHECK(again.join(name, {.seats = 2}).seat.has_value());
            again.leave();
            CHECK(again.left() == LeaveReason::left);
        }
        if (!call) {
            break;
        }
        ++failed;
        CHECK(eventually(only_that_one));
    }
    std::printf("%s: %u calls failed, %u games refused\n", process.c_str(), failed, refused);
    CHECK(failed >= 2);
    Footprint after;
    const auto as_before = [&] {
        after = footprint_of(pid, host.instance());
        return after.processes == before.processes && after.descriptors == before.descriptors &&
               after.files == before.files;
    };
    const bool nothing_kept = eventually(as_before);
    INFO(process << ": " << after.processes << " processes, " << before.processes << " before; "
                 << after.descriptors << " descriptors, " << before.descriptors << "; "
                 << after.files << " files, " << before.files);
    CHECK(nothing_kept);
    if (process != "supervisor") {
        CHECK(host.process(process) == target);
    }
    other.press(tron::Key::insert);
    watch_until(other, [&](const tron::View&) { return other.applied() == 1; });
    CHECK(host.stop() == 0);
}
