#pragma once
// HTTP/1.1, as far as a front speaks it: requests without a body, judged and cut out of what
// arrives; heads of responses. Nothing here does I/O.
// Source  RFC 9110, RFC 9112; the WebSocket handshake: RFC 6455, section 4.2.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ringside/core/game.hpp"

namespace ringside {

inline constexpr std::size_t http_head_bytes_max = 8 * 1024;

enum class HttpMethod : std::uint8_t { get, head, other };

struct HttpRequest {
    HttpMethod method = HttpMethod::other;
    std::string path;   // as it came, up to the question mark
    std::string query;  // behind it
    bool keep_alive = false;
    bool accepts_gzip = false;
    bool upgrade = false;  // to a WebSocket
    std::string host;
    std::string origin;              // empty: not a browser's script
    std::string forwarded_for;       // X-Forwarded-For, all of them: who wrote it is not known
    std::string if_none_match;       // an entity tag, or several
    std::string web_socket_key;      // all Sec-WebSocket-… without their prefix
    std::string web_socket_version;  //
    std::string web_socket_protocols;
};

enum class HttpStatus : std::uint16_t {
    none = 0,
    switching_protocols = 101,
    ok = 200,
    not_modified = 304,
    bad_request = 400,
    forbidden = 403,
    not_found = 404,
    method_not_allowed = 405,
    content_too_large = 413,
    upgrade_required = 426,
    too_many_requests = 429,
    head_too_large = 431,
    service_unavailable = 503,
    version_not_supported = 505,
};

/// Cuts a stream into requests, however it was split on its way.
class HttpReader {
public:
    HttpReader();
    ~HttpReader();

    enum class Status : std::uint8_t {
        request,
        more,     // everything is consumed; the rest has not come yet
        refused,  // see refusal(); the stream cannot be followed any more
    };
    /// Takes from the front of `bytes` up to the end of the next request.
    [[nodiscard]] Status next(Bytes& bytes, HttpRequest& request);
    [[nodiscard]] HttpStatus refusal() const noexcept { return refusal_; }

private:
    struct Parser;
    Status read(Bytes& bytes, HttpRequest& request);
    Status refuse(HttpStatus) noexcept;

    std::unique_ptr<Parser> parser_;
    std::vector<std::byte> line_;  // as far as it has come
    HttpStatus refusal_ = HttpStatus::none;
};

/// "404 Not Found\n", for people.
[[nodiscard]] std::string http_status_text(HttpStatus status);

/// The head of a response. `headers`: lines, each with its CRLF.
[[nodiscard]] std::string http_head(HttpStatus status, std::string_view content_type,
                                    std::size_t content_bytes, std::string_view headers,
                                    bool keep_alive);

/// Sec-WebSocket-Accept; empty when the key is none: not 16 bytes in base 64.
[[nodiscard]] std::string web_socket_accept(std::string_view key);

/// Whether a list as in `a, b;q=1, c` names it, whatever its case.
[[nodiscard]] bool http_list_has(std::string_view list, std::string_view name) noexcept;

}  // namespace ringside
