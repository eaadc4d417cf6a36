#include "http.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>

namespace ringside {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t web_socket_key_bytes = 16;
constexpr std::size_t web_socket_key_characters = 24;
constexpr std::string_view web_socket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string_view reason_of(HttpStatus status) noexcept {
    switch (status) {
        case HttpStatus::none: break;
        case HttpStatus::switching_protocols: return "Switching Protocols";
        case HttpStatus::ok: return "OK";
        case HttpStatus::not_modified: return "Not Modified";
        case HttpStatus::bad_request: return "Bad Request";
        case HttpStatus::forbidden: return "Forbidden";
        case HttpStatus::not_found: return "Not Found";
        case HttpStatus::method_not_allowed: return "Method Not Allowed";
        case HttpStatus::content_too_large: return "Content Too Large";
        case HttpStatus::upgrade_required: return "Upgrade Required";
        case HttpStatus::too_many_requests: return "Too Many Requests";
        case HttpStatus::head_too_large: return "Request Header Fields Too Large";
        case HttpStatus::service_unavailable: return "Service Unavailable";
        case HttpStatus::version_not_supported: return "HTTP Version Not Supported";
    }
    return "";
}

std::string text_of(beast::string_view text) {
    return {text.data(), text.size()};
}

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t");
    return first == std::string_view::npos
               ? std::string_view{}
               : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 32> text{};
    return {text.data(),
            std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

}  // namespace

struct HttpReader::Parser : http::request_parser<http::empty_body> {
    Parser() {
        header_limit(http_head_bytes_max);
        body_limit(0);
        eager(false);
    }
};

HttpReader::HttpReader() = default;
HttpReader::~HttpReader() = default;

HttpReader::Status HttpReader::refuse(HttpStatus status) noexcept {
    refusal_ = status;
    return Status::refused;
}

/// Beast takes whole lines only, so the start of one is kept until its end has come.
HttpReader::Status HttpReader::next(Bytes& bytes, HttpRequest& request) {
    if (refusal_ != HttpStatus::none) {
        return Status::refused;
    }
    if (line_.empty()) {
        const Status status = read(bytes, request);
        if (status == Status::more) {
            line_.assign(bytes.begin(), bytes.end());
            bytes = {};
        }
        return status;
    }
    line_.insert(line_.end(), bytes.begin(), bytes.end());
    Bytes rest(line_);
    const Status status = read(rest, request);
    if (status == Status::more) {
        line_.erase(line_.begin(), line_.end() - static_cast<std::ptrdiff_t>(rest.size()));
        bytes = {};
        return status;
    }
    bytes = bytes.last(std::min(bytes.size(), rest.size()));
    line_.clear();
    return status;
}

HttpReader::Status HttpReader::read(Bytes& bytes, HttpRequest& request) {
    if (!parser_) {
        parser_ = std::make_unique<Parser>();
    }
    beast::error_code error;
    const std::size_t taken =
        parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error == http::error::need_more) {
        bytes = bytes.subspan(taken);
        return Status::more;
    }
    if (error == http::error::header_limit) {
        return refuse(HttpStatus::head_too_large);
    }
    if (error == http::error::bad_version) {
        return refuse(HttpStatus::version_not_supported);
    }
    const bool beyond_limit = error == http::error::body_limit;
    if (error && !beyond_limit) {
        return refuse(HttpStatus::bad_request);
    }
    const bool has_body =
        beyond_limit || parser_->chunked() || parser_->content_length().value_or(0) != 0;
    const auto& head = parser_->get();
    const bool reads = head.method() == http::verb::get || head.method() == http::verb::head;
    if (has_body) {
        return refuse(reads ? HttpStatus::content_too_large : HttpStatus::method_not_allowed);
    }
    const beast::string_view target = head.target();
    const bool needs_host = head.version() >= 11;
    if (target.empty() || target.front() != '/' || head.count(http::field::host) > 1 ||
        (needs_host && head.count(http::field::host) == 0)) {
        return refuse(HttpStatus::bad_request);
    }
    const std::size_t mark = std::min(target.find('?'), target.size());
    request = {};
    request.method = !reads                             ? HttpMethod::other
                     : head.method() == http::verb::get ? HttpMethod::get
                                                        : HttpMethod::head;
    request.path = text_of(target.substr(0, mark));
    request.query = text_of(target.substr(std::min(mark + 1, target.size())));
    request.keep_alive = parser_->keep_alive();
    request.upgrade = parser_->upgrade() &&
                      http_list_has(text_of(head[http::field::upgrade]), "websocket") &&
                      head.method() == http::verb::get && head.version() >= 11;
    request.accepts_gzip = http_list_has(text_of(head[http::field::accept_encoding]), "gzip");
    request.host = text_of(head[http::field::host]);
    request.origin = text_of(head[http::field::origin]);
    const auto forwarded = head.equal_range("X-Forwarded-For");
    for (auto field = forwarded.first; field != forwarded.second; ++field) {
        request.forwarded_for += request.forwarded_for.empty() ? "" : ",";
        request.forwarded_for += text_of(field->value());
    }
    request.if_none_match = text_of(head[http::field::if_none_match]);
    request.web_socket_key = text_of(head[http::field::sec_websocket_key]);
    request.web_socket_version = text_of(head[http::field::sec_websocket_version]);
    request.web_socket_protocols = text_of(head[http::field::sec_websocket_protocol]);
    bytes = bytes.subspan(taken);
    parser_.reset();
    return Status::request;
}

std::string http_status_text(HttpStatus status) {
    return fmt::format("{} {}\n", static_cast<int>(status), reason_of(status));
}

std::string http_head(HttpStatus status, std::string_view content_type, std::size_t content_bytes,
                      std::string_view headers, bool keep_alive) {
    std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", static_cast<int>(status),
                                   reason_of(status), http_date());
    if (!content_type.empty()) {
        head += fmt::format("Content-Type: {}\r\n", content_type);
    }
    if (status != HttpStatus::switching_protocols && status != HttpStatus::not_modified) {
        head += fmt::format("Content-Length: {}\r\n", content_bytes);
    }
    head += headers;
    if (!keep_alive) {
        head += "Connection: close\r\n";
    }
    return head + "\r\n";
}

std::string web_socket_accept(std::string_view key) {
    base64_decode_ctx decoder;
    base64_decode_init(&decoder);
    std::array<std::uint8_t, BASE64_DECODE_LENGTH(web_socket_key_characters)> nonce{};
    std::size_t nonce_bytes = nonce.size();
    if (key.size() != web_socket_key_characters ||
        base64_decode_update(&decoder, &nonce_bytes, nonce.data(), key.size(), key.data()) == 0 ||
        base64_decode_final(&decoder) == 0 || nonce_bytes != web_socket_key_bytes) {
        return {};
    }
    sha1_ctx hash;
    sha1_init(&hash);
    for (const std::string_view part : {key, web_socket_guid}) {
        sha1_update(&hash, part.size(), reinterpret_cast<const std::uint8_t*>(part.data()));
    }
    std::array<std::uint8_t, SHA1_DIGEST_SIZE> digest{};
    sha1_digest(&hash, digest.size(), digest.data());
    std::string accept(BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE), '\0');
    base64_encode_raw(accept.data(), digest.size(), digest.data());
    return accept;
}

bool http_list_has(std::string_view list, std::string_view name) noexcept {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::string_view item = list.substr(0, comma);
        const std::string_view own_name = trimmed(item.substr(0, item.find(';')));
        // "gzip;q=0" says that it is not wanted
        const bool refused =
            item.find("q=0") != std::string_view::npos &&
            item.find_first_of("123456789", item.find("q=0")) == std::string_view::npos;
        if (!refused &&
            beast::iequals({own_name.data(), own_name.size()}, {name.data(), name.size()})) {
            return true;
        }
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

}  // namespace ringside
