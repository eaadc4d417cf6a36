#pragma once
// Program: a run of the real `ringside`, as a shell would start it, and what it left behind.
//
// Whatever happens to a test, what it started ends: a Program stops its process when it goes out of
// scope, and the kernel does when the test itself is killed.

#include <chrono>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/types.h>

namespace ringside::test {

// How long a test waits for what should happen at once. Generous, because no test asserts that
// something is fast: a sanitizer's build on a busy machine is slow.
inline constexpr std::chrono::seconds patience{60};

/// Looks again and again until the condition holds; false when it never did.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
    constexpr int look_again_ms = 20;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        poll(nullptr, 0, look_again_ms);
    }
    return true;
}

class Program {
public:
    /// Starts it with standard input at its end, standard output in a pipe.
    explicit Program(const std::vector<std::string>& arguments);
    /// Starts another program.
    Program(const std::string& path, const std::vector<std::string>& arguments);
    Program(Program&& other) noexcept;
    Program& operator=(Program&&) = delete;
    ~Program();

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// The first line of standard output, without its end; empty when it ended without one.
    [[nodiscard]] std::string first_line();

    void signal(int number) const;

    /// Waits until it has ended. Returns its exit code, or -N when signal N killed it.
    int wait();

    [[nodiscard]] const std::string& output() const noexcept { return output_; }
    [[nodiscard]] std::string errors() const;  // all it wrote to standard error so far

private:
    enum class Until { line, end };
    void read(Until until);

    pid_t pid_ = -1;
    int pid_fd_ = -1;
    int output_fd_ = -1;
    int errors_fd_ = -1;
    bool ended_ = false;
    int exit_code_ = 0;
    std::string output_;
};

struct Outcome {
    int exit_code = 0;
    std::string output;
    std::string errors;
};

/// Runs it to its end.
[[nodiscard]] Outcome run(const std::vector<std::string>& arguments);
[[nodiscard]] Outcome run_program(const std::string& path,
                                  const std::vector<std::string>& arguments);

/// The last line of a text, without its end.
[[nodiscard]] std::string last_line(std::string text);

/// The first object of a test. At the test's end, when all else is gone, it checks that nothing is
/// left: no process of the programs started, however far down, and nothing in /dev/shm.
class NothingLeft {
public:
    NothingLeft();
    NothingLeft(const NothingLeft&) = delete;
    NothingLeft& operator=(const NothingLeft&) = delete;
    ~NothingLeft();
};

/// Orphans that have ended: those of thousands of hosts would be all processes there can be.
void reap_orphans();

/// The directory of an instance in /dev/shm.
[[nodiscard]] std::string instance_directory(const std::string& instance);

/// Begins the names of all instances of this process.
[[nodiscard]] std::string instance_prefix();

}  // namespace ringside::test
