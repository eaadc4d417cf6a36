#include "ringside/net/http_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <list>
#include <span>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.hpp"

#include "ringside/core/clock.hpp"

namespace ringside {
namespace {

constexpr std::size_t visitors_max = 16;              // more wait in the backlog
constexpr std::int64_t visit_ns_max = 5'000'000'000;  // from the accept to the last byte

/// One connection: reads a request, writes the answer, ends.
class Visitor {
public:
    explicit Visitor(int fd) : fd_(fd), deadline_ns_(monotonic_ns() + visit_ns_max) {}
    Visitor(const Visitor&) = delete;
    Visitor& operator=(const Visitor&) = delete;
    ~Visitor() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }

    [[nodiscard]] pollfd wanted() const noexcept {
        return {
            .fd = fd_, .events = static_cast<short>(out_.empty() ? POLLIN : POLLOUT), .revents = 0};
    }
    [[nodiscard]] std::int64_t deadline_ns() const noexcept { return deadline_ns_; }
    [[nodiscard]] bool done() const noexcept { return done_ || monotonic_ns() >= deadline_ns_; }

    void go_on(const HttpAnswer& answer) {
        if (out_.empty()) {
            read_some(answer);
        }
        if (!out_.empty()) {
            write_some();
        }
    }

private:
    void read_some(const HttpAnswer& answer) {
        std::array<std::byte, 4096> chunk;
        const ssize_t count = read(fd_, chunk.data(), chunk.size());
        if (count <= 0) {
            done_ = count == 0 || (errno != EAGAIN && errno != EINTR);
            return;
        }
        Bytes bytes = Bytes(chunk).first(static_cast<std::size_t>(count));
        HttpRequest request;
        switch (reader_.next(bytes, request)) {
            case HttpReader::Status::more: return;
            case HttpReader::Status::refused: respond(reader_.refusal(), {}, {}); return;
            case HttpReader::Status::request: break;
        }
        if (request.method == HttpMethod::other) {
            respond(HttpStatus::method_not_allowed, {}, {});
            return;
        }
        const HttpReply reply = answer(request.path, request.query);
        const bool found = !reply.content_type.empty();
        respond(found ? HttpStatus::ok : HttpStatus::not_found, request, reply);
    }

    void respond(HttpStatus status, const HttpRequest& request, const HttpReply& reply) {
        const std::string content =
            status == HttpStatus::ok ? reply.content : http_status_text(status);
        out_ = http_head(status,
                         status == HttpStatus::ok ? reply.content_type
                                                  : std::string_view("text/plain; charset=utf-8"),
                         content.size(), "Cache-Control: no-store\r\n", /*keep_alive=*/false);
        if (request.method != HttpMethod::head) {
            out_ += content;
        }
    }

    void write_some() {
        const ssize_t count =
            send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
        if (count < 0) {
            done_ = errno != EAGAIN && errno != EINTR;
            return;
        }
        written_ += static_cast<std::size_t>(count);
        if (written_ == out_.size()) {
            shutdown(fd_, SHUT_WR);
            done_ = true;
        }
    }

    int fd_;
    std::int64_t deadline_ns_;
    HttpReader reader_;
    std::string out_;
    std::size_t written_ = 0;
    bool done_ = false;
};

int wait_ms(const std::list<Visitor>& visitors) {
    if (visitors.empty()) {
        return -1;
    }
    const std::int64_t left_ns = visitors.front().deadline_ns() - monotonic_ns();
    return static_cast<int>(std::max<std::int64_t>(left_ns, 0) / 1'000'000) + 1;
}

}  // namespace

std::string_view http_query_value(std::string_view query, std::string_view name) noexcept {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
            return pair.substr(name.size() + 1);
        }
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
    }
    return {};
}

void serve_http(int listening_fd, int stop_fd, const HttpAnswer& answer) {
    std::list<Visitor> visitors;  // who came first stands first
    std::vector<pollfd> waited;
    for (;;) {
        waited.assign({{.fd = stop_fd, .events = POLLIN, .revents = 0},
                       {.fd = visitors.size() < visitors_max ? listening_fd : -1,
                        .events = POLLIN,
                        .revents = 0}});
        for (const Visitor& visitor : visitors) {
            waited.push_back(visitor.wanted());
        }
        if (poll(waited.data(), waited.size(), wait_ms(visitors)) < 0) {
            continue;  // EINTR
        }
        if (waited[0].revents != 0) {
            return;
        }
        auto looked_at = waited.begin() + 2;
        for (Visitor& visitor : visitors) {
            if ((looked_at++)->revents != 0) {
                visitor.go_on(answer);
            }
        }
        visitors.remove_if([](const Visitor& visitor) { return visitor.done(); });
        if (waited[1].revents != 0) {
            const int fd = accept4(listening_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd >= 0) {  // else it has gone again, or there is no descriptor: later
                visitors.emplace_back(fd);
            }
        }
    }
}

}  // namespace ringside
