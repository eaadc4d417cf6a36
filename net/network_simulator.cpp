#include "network_simulator.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/game.hpp"

namespace ringside {
namespace {

constexpr std::size_t piece_bytes_max = 1448;  // a TCP segment's, on Ethernet
// On one way of a connection; then it is not read. A piece of one byte takes some 100.
constexpr std::size_t carried_bytes_max = 65'536;
constexpr std::size_t pieces_max = 4'096;
constexpr std::size_t links_batch = 64;
constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();
// Linux adds this to the round trip before it sends a segment again (TCP_RTO_MIN; RFC 6298: 1 s).
constexpr std::int64_t retransmission_ns_min = 200'000'000;

/// How the pipe tells of a connection.
struct LinkEnds {
    int client_fd;
    int front_fd;
};

/// How long pieces are on their way.
class Network {
public:
    explicit Network(const NetworkConditions& conditions)
        : delay_ns_(std::chrono::nanoseconds(conditions.delay).count()),
          jitter_ns_(std::chrono::nanoseconds(conditions.jitter).count()),
          lost_(conditions.stall_percent / 100) {}

    [[nodiscard]] std::int64_t piece_ns() {
        const std::int64_t on_the_way_ns =
            delay_ns_ + std::uniform_int_distribution(-jitter_ns_, jitter_ns_)(random_);
        return on_the_way_ns + (lost_(random_) ? retransmission_ns() : 0);
    }
    [[nodiscard]] std::int64_t retransmission_ns() const noexcept {
        return retransmission_ns_min + 2 * delay_ns_;
    }

private:
    std::int64_t delay_ns_;
    std::int64_t jitter_ns_;
    std::bernoulli_distribution lost_;
    std::mt19937 random_{std::random_device{}()};
};

/// One way of a connection.
class Way {
public:
    Way(int from_fd, int to_fd) noexcept : from_fd_(from_fd), to_fd_(to_fd) {}

    [[nodiscard]] bool reads() const noexcept {
        return !ended_ && carried_bytes_ < carried_bytes_max && pieces_.size() < pieces_max;
    }
    /// Whether it waits for room in the receiver's socket.
    [[nodiscard]] bool writes(std::int64_t now_ns) const noexcept {
        return !pieces_.empty() && pieces_.front().due_ns <= now_ns;
    }
    [[nodiscard]] std::int64_t due_ns() const noexcept {
        return pieces_.empty() ? never_ns : pieces_.front().due_ns;
    }
    /// Its end has been told.
    [[nodiscard]] bool done() const noexcept { return shut_; }

    /// Takes in what has come and gives out what is due. False: the connection is broken.
    [[nodiscard]] bool carry(Network& network, std::int64_t now_ns) {
        while (reads()) {
            std::array<std::byte, piece_bytes_max> bytes;
            const ssize_t count = ::recv(from_fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
            if (count < 0) {
                if (errno != EAGAIN && errno != EINTR) {
                    return false;
                }
                break;
            }
            last_due_ns_ = std::max(last_due_ns_, now_ns + network.piece_ns());
            ended_ = count == 0;
            pieces_.push_back({.due_ns = last_due_ns_,
                               .bytes = {bytes.begin(), bytes.begin() + count}});  // none: the end
            carried_bytes_ += static_cast<std::size_t>(count);
        }
        while (writes(now_ns)) {
            Piece& piece = pieces_.front();
            const Bytes rest = Bytes(piece.bytes).subspan(piece.sent_bytes);
            const ssize_t sent = rest.empty() ? 0
                                              : ::send(to_fd_, rest.data(), rest.size(),
                                                       MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent < 0) {
                return errno == EAGAIN || errno == EINTR;
            }
            piece.sent_bytes += static_cast<std::size_t>(sent);
            carried_bytes_ -= static_cast<std::size_t>(sent);
            if (piece.sent_bytes == piece.bytes.size()) {
                pieces_.pop_front();
            }
        }
        if (ended_ && pieces_.empty() && !std::exchange(shut_, true)) {
            ::shutdown(to_fd_, SHUT_WR);  // fails only if the peer has gone
        }
        return true;
    }

private:
    struct Piece {
        std::int64_t due_ns;
        std::vector<std::byte> bytes;
        std::size_t sent_bytes = 0;
    };

    int from_fd_;
    int to_fd_;
    std::deque<Piece> pieces_;
    std::size_t carried_bytes_ = 0;
    std::int64_t last_due_ns_ = 0;
    bool ended_ = false;  // nothing more will come
    bool shut_ = false;
};

class Link {
public:
    explicit Link(LinkEnds ends)
        : ends_(ends), in_(ends.client_fd, ends.front_fd), out_(ends.front_fd, ends.client_fd) {}
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() {
        ::close(ends_.client_fd);
        ::close(ends_.front_fd);
    }

    /// False: it is over.
    [[nodiscard]] bool carry(Network& network, std::int64_t now_ns) {
        return in_.carry(network, now_ns) && out_.carry(network, now_ns) &&
               !(in_.done() && out_.done());
    }
    /// What poll() is to wait for.
    void add_to(std::vector<pollfd>& polled, std::int64_t now_ns) const {
        const auto events = [now_ns](const Way& reads, const Way& writes) {
            return static_cast<short>((reads.reads() ? POLLIN : 0) |
                                      (writes.writes(now_ns) ? POLLOUT : 0));
        };
        // A socket that hung up is reported always; with nothing to ask for, it is left out.
        for (const auto& [fd, wanted] : {std::pair(ends_.client_fd, events(in_, out_)),
                                         std::pair(ends_.front_fd, events(out_, in_))}) {
            polled.push_back({.fd = wanted == 0 ? -1 : fd, .events = wanted, .revents = 0});
        }
    }
    [[nodiscard]] std::int64_t due_ns() const noexcept {
        return std::min(in_.due_ns(), out_.due_ns());
    }

private:
    LinkEnds ends_;
    Way in_;
    Way out_;
};

/// The thread: until the pipe is closed, and what was on its way then has arrived.
void simulate(const NetworkConditions& conditions, int links_fd) {
    Network network(conditions);
    std::vector<std::unique_ptr<Link>> links;
    std::vector<pollfd> polled;
    std::int64_t end_ns = never_ns;
    for (std::int64_t now_ns = monotonic_ns(); now_ns < end_ns; now_ns = monotonic_ns()) {
        if (end_ns == never_ns) {
            std::array<LinkEnds, links_batch> batch;
            const ssize_t count = ::read(links_fd, batch.data(), sizeof batch);
            for (std::size_t i = 0;
                 count > 0 && i < static_cast<std::size_t>(count) / sizeof(LinkEnds); ++i) {
                links.push_back(std::make_unique<Link>(batch[i]));
            }
            if (count == 0) {
                end_ns = now_ns + network.retransmission_ns();
            }
        }
        std::erase_if(links, [&](const auto& link) { return !link->carry(network, now_ns); });
        if (end_ns != never_ns && links.empty()) {
            break;
        }
        polled.assign(1,
                      {.fd = end_ns == never_ns ? links_fd : -1, .events = POLLIN, .revents = 0});
        std::int64_t wake_ns = end_ns;
        for (const auto& link : links) {
            link->add_to(polled, now_ns);
            if (link->due_ns() > now_ns) {  // else it waits for room
                wake_ns = std::min(wake_ns, link->due_ns());
            }
        }
        const std::int64_t wait_ns = wake_ns - now_ns;
        const timespec wait{.tv_sec = wait_ns / 1'000'000'000, .tv_nsec = wait_ns % 1'000'000'000};
        ::ppoll(polled.data(), polled.size(), wake_ns == never_ns ? nullptr : &wait, nullptr);
    }
    ::close(links_fd);
}

}  // namespace

Result<NetworkSimulator> NetworkSimulator::start(const NetworkConditions& conditions) {
    std::array<int, 2> pipe_fds;
    if (::pipe2(pipe_fds.data(), O_CLOEXEC) != 0) {
        return errno_failure("network simulator: no pipe to its thread");
    }
    ::fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);  // a pipe's own end takes it
    try {
        std::thread thread(simulate, conditions, pipe_fds[0]);
        ::pthread_setname_np(thread.native_handle(), "simulator");
        return NetworkSimulator(pipe_fds[1], std::move(thread));
    } catch (const std::system_error& error) {
        ::close(pipe_fds[0]);
        ::close(pipe_fds[1]);
        return failure(error.code(), "network simulator: no thread");
    }
}

NetworkSimulator::NetworkSimulator(NetworkSimulator&& other) noexcept
    : links_fd_(std::exchange(other.links_fd_, -1)), thread_(std::move(other.thread_)) {}

NetworkSimulator::~NetworkSimulator() {
    if (thread_.joinable()) {
        ::close(links_fd_);
        thread_.join();
    }
}

int NetworkSimulator::connect(int client_fd) noexcept {
    std::array<int, 2> pair;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        ::close(client_fd);
        return -1;
    }
    // As little as a TCP socket with TCP_NOTSENT_LOWAT would take, or all is history on arrival.
    const int buffer_bytes = 16 * 1024;
    (void)::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    const LinkEnds ends{.client_fd = client_fd, .front_fd = pair[1]};
    if (::write(links_fd_, &ends, sizeof ends) != sizeof ends) {  // blocks while the thread is late
        for (const int fd : {pair[0], pair[1], client_fd}) {
            ::close(fd);
        }
        return -1;
    }
    return pair[0];
}

}  // namespace ringside
