#pragma once
// A small HTTP server for a process of its own: for those who watch a host, not for its clients. It
// sleeps in poll(2), answers GET and HEAD, one request a connection, and keeps a bounded number of
// bounded connections: who is slow is closed.

#include <functional>
#include <string>
#include <string_view>

namespace ringside {

/// What a path is answered with; an empty content_type: 404.
struct HttpReply {
    std::string content_type;
    std::string content;
};
using HttpAnswer = std::function<HttpReply(std::string_view path, std::string_view query)>;

/// The value of NAME in `a=1&b=2`; empty if there is none. Escapes stay as they are.
[[nodiscard]] std::string_view http_query_value(std::string_view query,
                                                std::string_view name) noexcept;

/// Serves until `stop_fd` reads as ended. The listening socket is non-blocking.
void serve_http(int listening_fd, int stop_fd, const HttpAnswer& answer);

}  // namespace ringside
