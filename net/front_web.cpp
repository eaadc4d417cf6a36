// FrontServer: HTTP, and the way from it to WebSockets. What is in a WebSocket's messages are the
// frames that others send as they are, and from there on all clients are alike.

#include <algorithm>
#include <cstring>
#include <utility>

#include "front_server.hpp"

#include "ringside/core/game_name.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/wire_generated.h"
#include "ringside/net/games_json.hpp"
#include "ringside/net/http_server.hpp"

namespace ringside {
namespace {

constexpr std::int64_t keep_alive_ns = 30'000'000'000;  // between a response and the next request

constexpr int retry_after_s = 5;  // places come free when matches end

constexpr std::string_view common_headers =
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n";
constexpr std::string_view never_stored = "Cache-Control: no-store\r\n";
// A page runs our own script alone, and speaks with nobody but the host it came from.
constexpr std::string_view page_headers =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n";
constexpr std::string_view no_client_text =
    "This is a Ringside game host, built without its web client (-DRINGSIDE_WEB=OFF).\n"
    "Play from a terminal: ringside play -A <host> -P <port>\n";
constexpr std::string_view game_path_prefix = "/g/";
constexpr std::string_view replay_path_prefix = "/r/";        // the page that shows it
constexpr std::string_view replay_file_prefix = "/replays/";  // the recording itself

/// The name behind the prefix; empty: it is another path.
std::string_view game_in(std::string_view path, std::string_view prefix) noexcept {
    const bool names = path.starts_with(prefix) && is_game_name(path.substr(prefix.size()));
    return names ? path.substr(prefix.size()) : std::string_view{};
}

/// "https://host:1" and the like → "host:1".
std::string_view without_scheme(std::string_view origin) noexcept {
    const std::size_t mark = origin.find("://");
    return mark == std::string_view::npos ? std::string_view{} : origin.substr(mark + 3);
}

ListedGame listed_game_of(const DirectoryRecord& record, std::int64_t now_ns) {
    const auto text_of = [](const auto& characters) {
        return std::string(characters, ::strnlen(characters, sizeof characters));
    };
    const std::int64_t age_ns = std::max<std::int64_t>(0, now_ns - record.created_ns);
    return {.name = text_of(record.name),
            .type = text_of(record.type),
            .state = state_name(record.phase),
            .players = record.players,
            .seats = record.seats,
            .spectators = static_cast<std::uint32_t>(record.spectators),
            .size = text_of(record.size_label),
            .age_s = static_cast<std::uint64_t>(age_ns) / 1'000'000'000,
            .password = record.has_password != 0};
}

}  // namespace

// ---- requests ----------------------------------------------------------------------------------

void FrontServer::begin_http(Connection& connection, Bytes bytes) {
    connection.http = std::make_unique<HttpReader>();
    const auto prefix = connection.parser.prefix();  // was taken for the length of a frame
    take_http(connection, prefix);
    take_bytes(connection, bytes);
}

void FrontServer::take_http(Connection& connection, Bytes bytes) {
    while (connection.open() && connection.http) {
        if (connection.request) {
            hold(connection, bytes);  // one at a time: the list it asked for is being made
            return;
        }
        HttpRequest request;
        switch (connection.http->next(bytes, request)) {
            case HttpReader::Status::request: answer(connection, request); break;
            case HttpReader::Status::more: return;
            case HttpReader::Status::refused:
                respond(connection, {}, {.status = connection.http->refusal()});
                return;
        }
    }
    if (connection.web_socket) {
        take_bytes(connection, bytes);
    }
}

void FrontServer::answer(Connection& connection, const HttpRequest& request) {
    connection.heard_ns = now_ns_;
    if (!connection.refusal) {
        admit_forwarded(connection, request);
    }
    if (connection.refusal) {
        HttpRequest last = request;
        last.keep_alive = false;
        respond(connection, last,
                refusal_response(connection.refusal->code, connection.refusal->text));
    } else if (!within_rate(connection)) {
        respond(connection, {}, {.status = HttpStatus::too_many_requests});
    } else if (request.method == HttpMethod::other) {
        respond(connection, request, {.status = HttpStatus::method_not_allowed});
    } else if (request.path == "/play") {
        upgrade(connection, request);
    } else if (request.path == "/games") {
        ask_for_games(connection, request);
    } else if (const auto game = game_in(request.path, replay_file_prefix); !game.empty()) {
        ask_for_replay(connection, request, game, ReplayWish::file);
    } else if (request.path == "/replays" &&
               is_game_name(http_query_value(request.query, "game"))) {
        ask_for_replay(connection, request, http_query_value(request.query, "game"),
                       ReplayWish::whether_there_is_one);
    } else if (request.path == "/healthz") {
        respond(connection, request, {.headers = std::string(never_stored), .content = "ok\n"});
    } else {
        answer_page(connection, request);
    }
}

/// A proxy's connections are its clients', one after the other.
void FrontServer::admit_forwarded(Connection& connection, const HttpRequest& request) {
    const bool is_proxy = std::ranges::any_of(options_.trusted_proxies, [&](const auto& range) {
        return range.contains(connection.proxy);
    });
    if (!is_proxy) {
        return;
    }
    const PeerAddress peer =
        forwarded_peer(request.forwarded_for, options_.trusted_proxies).value_or(connection.proxy);
    if (peer != connection.peer) {
        admit(connection, peer);
    }
}

void FrontServer::answer_page(Connection& connection, const HttpRequest& request) {
    std::string_view path = request.path;
    if (!game_in(path, game_path_prefix).empty() || !game_in(path, replay_path_prefix).empty()) {
        path = "/";
    }
    const auto asset = std::ranges::find(options_.web_assets, path, &WebAsset::path);
    if (asset != options_.web_assets.end()) {
        respond_asset(connection, request, *asset);
    } else if (path == "/" && options_.web_assets.empty()) {
        respond(connection, request,
                {.headers = std::string(never_stored), .content = std::string(no_client_text)});
    } else {
        respond(connection, request, {.status = HttpStatus::not_found});
    }
}

void FrontServer::respond_asset(Connection& connection, const HttpRequest& request,
                                const WebAsset& asset) {
    std::string headers = "Vary: Accept-Encoding\r\nETag: ";
    headers += asset.entity_tag;
    headers += asset.immutable ? "\r\nCache-Control: public, max-age=31536000, immutable\r\n"
                               : "\r\nCache-Control: no-cache\r\n";
    headers += page_headers;
    if (request.if_none_match == "*" || http_list_has(request.if_none_match, asset.entity_tag)) {
        respond(connection, request,
                {.status = HttpStatus::not_modified, .headers = std::move(headers)});
        return;
    }
    const bool gzip = request.accepts_gzip && !asset.gzip.empty();
    if (gzip) {
        headers += "Content-Encoding: gzip\r\n";
    }
    const auto index = static_cast<std::size_t>(&asset - options_.web_assets.data());
    respond(connection, request,
            {.content_type = asset.content_type,
             .headers = std::move(headers),
             .shared_content = gzip ? asset_buffers_[index].gzip : asset_buffers_[index].plain});
}

void FrontServer::make_asset_buffers() {
    for (const WebAsset& asset : options_.web_assets) {
        asset_buffers_.push_back(
            {.plain = messages_.raw(asset.content), .gzip = messages_.raw(asset.gzip)});
    }
}

// ---- GET /games --------------------------------------------------------------------------------

void FrontServer::ask_for_games(Connection& connection, const HttpRequest& request) {
    const std::string_view after = http_query_value(request.query, "after");
    const std::string_view prefix = http_query_value(request.query, "prefix");
    if ((!after.empty() && !is_game_name(after)) || (!prefix.empty() && !is_game_name(prefix))) {
        respond(connection, request,
                {.status = HttpStatus::bad_request, .content = std::string(game_name_rule) + "\n"});
        return;
    }
    connection.request = std::make_unique<HttpRequest>(request);
    wish_list(connection, {.prefix = std::string(prefix),
                           .after = std::string(after),
                           .limit = games_per_page_max,
                           .asked_ns = now_ns_});
}

void FrontServer::answer_games(Connection& connection, const HostMessages::Page& page) {
    std::vector<ListedGame> games;
    for (const DirectoryRecord& record : page.games) {
        games.push_back(listed_game_of(record, page.now_ns));
    }
    const auto request = std::exchange(connection.request, nullptr);
    std::string headers(never_stored);
    if (is_allowed_origin(request->origin)) {
        headers += "Access-Control-Allow-Origin: " + request->origin + "\r\nVary: Origin\r\n";
    }
    respond(connection, *request,
            {.content_type = "application/json",
             .headers = std::move(headers),
             .content = games_json(games, page.more) + "\n"});
    answered_later(connection);
}

/// What it has sent meanwhile comes next.
void FrontServer::answered_later(Connection& connection) {
    if (!connection.pending.empty()) {
        retry_later(connection);
        retry_due_ = true;
    }
}

// ---- responses ---------------------------------------------------------------------------------

/// What an Error says, to who speaks HTTP.
FrontServer::Response FrontServer::refusal_response(wire::ErrorCode code, const std::string& text) {
    Response response{.headers = std::string(never_stored), .content = text + "\n"};
    if (code == wire::ErrorCode::banned) {
        response.status = HttpStatus::forbidden;
    } else {
        response.status = HttpStatus::service_unavailable;
        response.headers += "Retry-After: " + std::to_string(retry_after_s) + "\r\n";
    }
    return response;
}

void FrontServer::respond(Connection& connection, const HttpRequest& request, Response response) {
    const bool keep_alive = request.keep_alive && !stopping_;
    if (response.content.empty() && !response.shared_content) {
        response.content = http_status_text(response.status);
    }
    const std::size_t content_bytes =
        response.shared_content ? response.shared_content.bytes().size() : response.content.size();
    response.headers += common_headers;
    if (response.status == HttpStatus::method_not_allowed) {
        response.headers += "Allow: GET, HEAD\r\n";
    }
    std::string head = http_head(response.status, response.content_type, content_bytes,
                                 response.headers, keep_alive);
    const bool has_content =
        request.method != HttpMethod::head && response.status != HttpStatus::not_modified;
    if (has_content && !response.shared_content) {
        head += response.content;
    }
    std::vector<BufferRef> parts{messages_.raw(head)};
    if (has_content && response.shared_content) {
        parts.push_back(response.shared_content);
    }
    connection.deadline_ns = now_ns_ + keep_alive_ns;
    if (!keep_alive) {
        BufferRef last = std::move(parts.back());
        parts.pop_back();
        for (BufferRef& part : parts) {
            static_cast<void>(connections_.queue(connection, std::move(part), now_ns_));
        }
        connections_.fail(connection, FrontStatistic::closes_web, std::move(last), now_ns_);
        return;
    }
    for (BufferRef& part : parts) {
        if (!connections_.queue(connection, std::move(part), now_ns_)) {
            // It asks and asks, and reads no answer.
            connections_.close(connection, FrontStatistic::closes_too_slow);
            return;
        }
    }
}

// ---- WebSockets --------------------------------------------------------------------------------

/// Whether a page from there may do here what our own may.
bool FrontServer::is_allowed_origin(std::string_view origin) const noexcept {
    return std::ranges::any_of(options_.allowed_origins, [&](const std::string& allowed) {
        return allowed == "*" || allowed == origin;
    });
}

void FrontServer::upgrade(Connection& connection, const HttpRequest& request) {
    const auto refuse_with = [&](HttpStatus status, std::string text, std::string headers = {}) {
        respond(connection, request,
                {.status = status, .headers = std::move(headers), .content = std::move(text)});
    };
    const std::string accept = web_socket_accept(request.web_socket_key);
    const bool own_page = request.origin.empty() || without_scheme(request.origin) == request.host;
    if (!request.upgrade || request.web_socket_version != "13") {
        refuse_with(HttpStatus::upgrade_required, "a WebSocket of version 13 is spoken here\n",
                    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
    } else if (accept.empty()) {
        refuse_with(HttpStatus::bad_request, "Sec-WebSocket-Key is not 16 bytes in base 64\n");
    } else if (!own_page && !is_allowed_origin(request.origin)) {
        refuse_with(HttpStatus::forbidden,
                    "pages of other origins need this host's leave (serve --allow-origin)\n");
    } else if (!http_list_has(request.web_socket_protocols, web_socket_protocol)) {
        refuse_with(HttpStatus::bad_request,
                    "the subprotocol spoken here is " + std::string(web_socket_protocol) + "\n");
    } else {
        const std::string headers =
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: " +
            accept + "\r\nSec-WebSocket-Protocol: " + std::string(web_socket_protocol) + "\r\n";
        const std::string head = http_head(HttpStatus::switching_protocols, {}, 0, headers, true);
        connection.http.reset();
        connection.web_socket =
            std::make_unique<WebSocketReader>(client_message_bytes_max + frame_prefix_bytes);
        connection.deadline_ns = now_ns_ + ns(options_.handshake_timeout);  // for Hello
        say(connection, messages_.raw(head));
    }
}

void FrontServer::take_web_socket(Connection& connection, Bytes bytes) {
    WebSocketReader& reader = *connection.web_socket;
    reader.take(bytes, [&](Bytes message, bool text) {
        if (connection.open()) {
            take_web_socket_message(connection, message, text);
        }
    });
    for (std::uint32_t frames = reader.other_frames(); frames > 0 && connection.open(); --frames) {
        if (!within_rate(connection)) {
            fail(connection, wire::ErrorCode::rate, rate_text());
        }
    }
    const std::vector<std::byte> replies = reader.replies();
    if (!connection.open() || replies.empty()) {
        return;
    }
    if (reader.ended()) {
        end_session(connection);
        connections_.fail(connection, FrontStatistic::closes_client, messages_.raw(replies),
                          now_ns_);
    } else {
        say(connection, messages_.raw(replies));
    }
}

void FrontServer::take_web_socket_message(Connection& connection, Bytes message, bool text) {
    if (text) {
        end_session(connection);
        connections_.fail(
            connection, FrontStatistic::closes_malformed,
            messages_.raw(web_socket_close(static_cast<std::uint16_t>(CloseCode::unsupported_data),
                                           "messages are binary")),
            now_ns_);
    } else if (!is_one_frame(message)) {
        fail(connection, wire::ErrorCode::malformed,
             "a message of a WebSocket is one frame, its length first");
    } else if (connection.stalled) {
        hold(connection, message);
    } else {
        take_frames(connection, message);
    }
}

}  // namespace ringside
