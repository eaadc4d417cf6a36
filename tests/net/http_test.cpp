// Requests, however they arrive, and what is refused of them.

#include "net/http.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace ringside;

namespace {

struct Seen {
    std::vector<HttpRequest> requests;
    HttpStatus refusal = HttpStatus::none;
};

/// What is read from `text` when it comes in pieces of so many bytes.
Seen read_all(std::string_view text, std::size_t piece_bytes) {
    HttpReader reader;
    Seen seen;
    for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
        const std::string piece(text.substr(0, piece_bytes));
        Bytes bytes = std::as_bytes(std::span(piece));
        for (bool goes_on = true; goes_on;) {
            HttpRequest request;
            switch (reader.next(bytes, request)) {
                case HttpReader::Status::request: seen.requests.push_back(request); break;
                case HttpReader::Status::more:
                    REQUIRE(bytes.empty());
                    goes_on = false;
                    break;
                case HttpReader::Status::refused: seen.refusal = reader.refusal(); return seen;
            }
        }
    }
    return seen;
}

HttpStatus refusal_of(const std::string& text) {
    const Seen whole = read_all(text, text.size());
    CHECK(whole.requests.empty());
    CHECK(read_all(text, 1).refusal == whole.refusal);
    return whole.refusal;
}

}  // namespace

TEST_CASE("http: requests are cut out of a stream however it is split", "[net][http]") {
    const std::string text =
        "GET /g/some-game?a=1&b=2 HTTP/1.1\r\nHost: there:8766\r\nAccept-Encoding: br, gzip\r\n"
        "If-None-Match: \"abc\"\r\n\r\n"
        "HEAD / HTTP/1.0\r\n\r\n"
        "OPTIONS /x HTTP/1.1\r\nhost: h\r\nConnection: close\r\n\r\n"
        "GET /play HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        "Origin: http://h\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: x, ringside.v1\r\n\r\n";
    for (const std::size_t piece_bytes :
         {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{64}, text.size()}) {
        INFO("pieces of " << piece_bytes);
        const auto [requests, refusal] = read_all(text, piece_bytes);
        REQUIRE(refusal == HttpStatus::none);
        REQUIRE(requests.size() == 4);
        CHECK(requests[0].method == HttpMethod::get);
        CHECK(requests[0].path == "/g/some-game");
        CHECK(requests[0].query == "a=1&b=2");
        CHECK(requests[0].host == "there:8766");
        CHECK(requests[0].accepts_gzip);
        CHECK(requests[0].if_none_match == "\"abc\"");
        CHECK(requests[0].keep_alive);
        CHECK_FALSE(requests[0].upgrade);
        CHECK(requests[1].method == HttpMethod::head);
        CHECK_FALSE(requests[1].keep_alive);  // HTTP/1.0 closes
        CHECK(requests[2].method == HttpMethod::other);
        CHECK_FALSE(requests[2].keep_alive);
        CHECK(requests[3].upgrade);
        CHECK(requests[3].origin == "http://h");
        CHECK(requests[3].web_socket_key == "k");
        CHECK(requests[3].web_socket_version == "13");
        CHECK(requests[3].web_socket_protocols == "x, ringside.v1");
    }
}

TEST_CASE("http: what cannot be followed is refused", "[net][http]") {
    const std::string host = "Host: h\r\n";
    CHECK(refusal_of("GET / HTTP/1.1\r\n\r\n") == HttpStatus::bad_request);  // no Host
    CHECK(refusal_of("GET / HTTP/1.1\r\n" + host + host + "\r\n") == HttpStatus::bad_request);
    CHECK(refusal_of("GET http://h/ HTTP/1.1\r\n" + host + "\r\n") == HttpStatus::bad_request);
    CHECK(refusal_of("GET  / HTTP/1.1\r\n" + host + "\r\n") == HttpStatus::bad_request);
    CHECK(refusal_of("GET / HTTP/1.1\r\n" + host + "bad name: x\r\n\r\n") ==
          HttpStatus::bad_request);
    CHECK(refusal_of("GET / HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n") ==
          HttpStatus::bad_request);
    CHECK(refusal_of("GET / HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\n") ==
          HttpStatus::content_too_large);
    CHECK(refusal_of("GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n") ==
          HttpStatus::content_too_large);
    CHECK(refusal_of("POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\n") ==
          HttpStatus::method_not_allowed);
    CHECK(refusal_of("GET / HTTP/2.0\r\n" + host + "\r\n") == HttpStatus::version_not_supported);
    CHECK(refusal_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == HttpStatus::version_not_supported);
    CHECK(refusal_of("GET /" + std::string(http_head_bytes_max, 'a')) ==
          HttpStatus::head_too_large);
    CHECK(refusal_of("GET / HTTP/1.1\r\n" + host + "X: " + std::string(http_head_bytes_max, 'a')) ==
          HttpStatus::head_too_large);
}

TEST_CASE("http: the handshake's key", "[net][http]") {
    // RFC 6455, section 1.3
    CHECK(web_socket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(web_socket_accept("").empty());
    CHECK(web_socket_accept("dGhlIHNhbXBsZSBub25jZQ").empty());
    CHECK(web_socket_accept("dGhlIHNhbXBsZSBub25jZSE=").empty());  // 17 bytes
    CHECK(web_socket_accept("*GhlIHNhbXBsZSBub25jZQ==").empty());
}

TEST_CASE("http: lists", "[net][http]") {
    CHECK(http_list_has("gzip", "gzip"));
    CHECK(http_list_has("br , GZip;q=0.5", "gzip"));
    CHECK_FALSE(http_list_has("gzip;q=0", "gzip"));
    CHECK_FALSE(http_list_has("gzip;q=0.000, br", "gzip"));
    CHECK(http_list_has("gzip;q=0.001", "gzip"));
    CHECK_FALSE(http_list_has("gzipx, xgzip", "gzip"));
    CHECK_FALSE(http_list_has("", "gzip"));
    CHECK(http_list_has("\"a\",\"b\"", "\"b\""));
}

TEST_CASE("http: a response's head", "[net][http]") {
    const std::string head =
        http_head(HttpStatus::not_found, "text/plain", 14, "X-Own: 1\r\n", false);
    CHECK(head.starts_with("HTTP/1.1 404 Not Found\r\nDate: "));
    CHECK(
        head.ends_with("GMT\r\nContent-Type: text/plain\r\nContent-Length: 14\r\nX-Own: 1\r\n"
                       "Connection: close\r\n\r\n"));
    CHECK(http_head(HttpStatus::not_modified, {}, 0, {}, true).find("Content-Length") ==
          std::string::npos);
}
