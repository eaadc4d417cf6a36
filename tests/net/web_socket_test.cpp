// Conformance of what reads WebSockets: the cases of the Autobahn suite by their numbers, against
// a host that answers each message with itself. Every case is run as one piece, in pieces of 997
// bytes and (if it is not huge) byte by byte: however it is split, the answer is the same.

#include "net/web_socket.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "web_socket_frames.hpp"

using namespace ringside;
using test::client_frame;
using test::close_payload;
using test::Opcode;

namespace {

using Answers = std::vector<std::string>;

constexpr std::uint32_t message_bytes_max = 16 * 1024 * 1024;

std::string_view name_of(Opcode opcode) {
    switch (opcode) {
        case Opcode::continuation: return "continuation";
        case Opcode::text: return "text";
        case Opcode::binary: return "binary";
        case Opcode::close: return "close";
        case Opcode::ping: return "ping";
        case Opcode::pong: return "pong";
    }
    return "reserved";
}

/// A close is told by its code; of long payloads, only how long they are.
std::string describe(std::string_view name, const std::string& payload) {
    if (name == "close") {
        return payload.size() < 2
                   ? "close"
                   : "close " + std::to_string(static_cast<unsigned char>(payload[0]) << 8 |
                                               static_cast<unsigned char>(payload[1]));
    }
    return std::string(name) + " " +
           (payload.size() <= 200 ? payload : std::to_string(payload.size()) + " bytes");
}

/// What an echoing host sends. It ends with the close, after which nothing may come.
Answers answers_to(std::string_view sent, std::size_t piece_bytes) {
    WebSocketReader reader(message_bytes_max);
    Answers answers;
    const auto drain_replies = [&] {
        std::string replies;
        for (const std::byte each : reader.replies()) {
            replies += static_cast<char>(each);
        }
        while (const auto frame = test::take_host_frame(replies)) {
            REQUIRE(frame->final);
            answers.push_back(describe(name_of(frame->opcode), frame->payload));
        }
        REQUIRE(replies.empty());
    };
    while (!sent.empty() && !reader.ended()) {
        const std::string piece(sent.substr(0, piece_bytes));
        sent.remove_prefix(piece.size());
        reader.take(std::as_bytes(std::span(piece)), [&](Bytes message, bool text) {
            drain_replies();  // in the order in which they came
            answers.push_back(describe(
                text ? "text" : "binary",
                std::string(reinterpret_cast<const char*>(message.data()), message.size())));
        });
        drain_replies();
    }
    return answers;
}

struct Case {
    const char* number;
    std::string sent;
    Answers expected;
};

void check(const std::vector<Case>& cases) {
    for (const Case& each : cases) {
        INFO("case " << each.number);
        CHECK(answers_to(each.sent, each.sent.size()) == each.expected);
        CHECK(answers_to(each.sent, 997) == each.expected);
        if (each.sent.size() < 10'000) {
            CHECK(answers_to(each.sent, 1) == each.expected);
        }
    }
}

std::string text(std::string_view payload, bool final = true) {
    return client_frame(Opcode::text, payload, {.final = final});
}
std::string more(std::string_view payload, bool final = false) {
    return client_frame(Opcode::continuation, payload, {.final = final});
}
std::string ping(std::string_view payload = {}) {
    return client_frame(Opcode::ping, payload);
}
std::string close_with(unsigned code, std::string_view reason = {}) {
    return client_frame(Opcode::close, close_payload(code, reason));
}
std::string repeated(char character, std::size_t count) {
    return std::string(count, character);
}

const std::string normal_close = close_with(1000);

/// In `count` frames as equal as can be.
std::string fragmented(Opcode opcode, std::string_view payload, std::size_t fragment_bytes) {
    std::string frames;
    for (std::size_t at = 0; at == 0 || at < payload.size(); at += fragment_bytes) {
        frames += client_frame(at == 0 ? opcode : Opcode::continuation,
                               payload.substr(at, fragment_bytes),
                               {.final = at + fragment_bytes >= payload.size()});
    }
    return frames;
}

}  // namespace

TEST_CASE("web socket: Autobahn 1, framing", "[net][web_socket]") {
    std::vector<Case> cases;
    const std::size_t sizes[] = {0, 125, 126, 127, 128, 65'535, 65'536, 65'536};
    const char* text_numbers[] = {"1.1.1", "1.1.2", "1.1.3", "1.1.4",
                                  "1.1.5", "1.1.6", "1.1.7", "1.1.8"};
    const char* binary_numbers[] = {"1.2.1", "1.2.2", "1.2.3", "1.2.4",
                                    "1.2.5", "1.2.6", "1.2.7", "1.2.8"};
    for (std::size_t i = 0; i < std::size(sizes); ++i) {
        cases.push_back({text_numbers[i],
                         text(repeated('*', sizes[i])) + normal_close,
                         {describe("text", repeated('*', sizes[i])), "close 1000"}});
        cases.push_back({binary_numbers[i],
                         client_frame(Opcode::binary, repeated('\xfe', sizes[i])) + normal_close,
                         {describe("binary", repeated('\xfe', sizes[i])), "close 1000"}});
    }
    check(cases);
}

TEST_CASE("web socket: Autobahn 2, pings and pongs", "[net][web_socket]") {
    std::string ten_pings;
    Answers ten_pongs;
    for (int i = 0; i < 10; ++i) {
        const std::string payload = "payload-" + std::to_string(i);
        ten_pings += ping(payload);
        ten_pongs.push_back("pong " + payload);
    }
    const std::string bytes("\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
    check({
        {"2.1", ping(), {"pong "}},
        {"2.2", ping("Hello, world!"), {"pong Hello, world!"}},
        {"2.3", ping(bytes), {"pong " + bytes}},
        {"2.4", ping(repeated('\xfe', 125)), {"pong " + repeated('\xfe', 125)}},
        {"2.5", ping(repeated('\xfe', 126)), {"close 1002"}},
        {"2.6", ping(repeated('\xfe', 125)), {"pong " + repeated('\xfe', 125)}},
        {"2.7", client_frame(Opcode::pong) + normal_close, {"close 1000"}},
        {"2.8", client_frame(Opcode::pong, "unsolicited") + normal_close, {"close 1000"}},
        {"2.9", client_frame(Opcode::pong, "unsolicited") + ping("ping"), {"pong ping"}},
        {"2.10", ten_pings, ten_pongs},
        {"2.11", ten_pings, ten_pongs},
    });
}

TEST_CASE("web socket: Autobahn 3, reserved bits", "[net][web_socket]") {
    const auto with_bits = [](Opcode opcode, unsigned bits, std::string_view payload = {}) {
        return client_frame(opcode, payload, {.reserved_bits = bits});
    };
    check({
        {"3.1", with_bits(Opcode::text, 1, "small"), {"close 1002"}},
        {"3.2",
         text("small") + with_bits(Opcode::text, 2, "small") + ping(),
         {"text small", "close 1002"}},
        {"3.3",
         text("small") + with_bits(Opcode::text, 3, "small") + ping(),
         {"text small", "close 1002"}},
        {"3.4",
         text("small") + with_bits(Opcode::text, 4, "small") + ping(),
         {"text small", "close 1002"}},
        {"3.5", with_bits(Opcode::binary, 5, "\xff\xff"), {"close 1002"}},
        {"3.6", with_bits(Opcode::ping, 6, "ping"), {"close 1002"}},
        {"3.7", with_bits(Opcode::close, 7), {"close 1002"}},
    });
}

TEST_CASE("web socket: Autobahn 4, reserved opcodes", "[net][web_socket]") {
    const char* numbers[] = {"4.1.1", "4.1.2", "4.1.3", "4.1.4", "4.1.5",
                             "4.2.1", "4.2.2", "4.2.3", "4.2.4", "4.2.5"};
    const unsigned opcodes[] = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
    std::vector<Case> cases;
    for (std::size_t i = 0; i < std::size(opcodes); ++i) {
        const auto opcode = static_cast<Opcode>(opcodes[i]);
        const bool first = i % 5 < 2;  // as the suite has it: alone, or after a message
        cases.push_back(
            {numbers[i],
             (first ? "" : text("Hello, world!")) +
                 client_frame(opcode, i % 2 == 0 ? "" : "reserved") + ping(),
             first ? Answers{"close 1002"} : Answers{"text Hello, world!", "close 1002"}});
    }
    check(cases);
}

TEST_CASE("web socket: Autobahn 5, fragmentation", "[net][web_socket]") {
    const auto part = [](Opcode opcode, std::string_view payload, bool final) {
        return client_frame(opcode, payload, {.final = final});
    };
    const std::string two = text("fragment1", false) + more("fragment2", true);
    const std::string two_and_ping =
        text("fragment1", false) + ping("ping") + more("fragment2", true);
    const Answers both{"text fragment1fragment2"};
    const Answers both_and_pong{"pong ping", "text fragment1fragment2"};
    check({
        {"5.1", part(Opcode::ping, "fragment1", false) + more("fragment2", true), {"close 1002"}},
        {"5.2", part(Opcode::pong, "fragment1", false) + more("fragment2", true), {"close 1002"}},
        {"5.3", two, both},
        {"5.4", two, both},
        {"5.5", two, both},
        {"5.6", two_and_ping, both_and_pong},
        {"5.7", two_and_ping, both_and_pong},
        {"5.8", two_and_ping, both_and_pong},
        {"5.9", more("nothing to continue", true) + text("Hello", true), {"close 1002"}},
        {"5.10", more("nothing to continue", true) + text("Hello", true), {"close 1002"}},
        {"5.11", more("nothing to continue", true) + text("Hello", true), {"close 1002"}},
        {"5.12", more("nothing to continue", false) + text("Hello", true), {"close 1002"}},
        {"5.13", more("nothing to continue", false) + text("Hello", true), {"close 1002"}},
        {"5.14", more("nothing to continue", false) + text("Hello", true), {"close 1002"}},
        {"5.15",
         two + more("fragment3", false) + text("fragment4", true),
         {"text fragment1fragment2", "close 1002"}},
        {"5.16",
         more("fragment1", false) + text("fragment2", false) + more("fragment3", true),
         {"close 1002"}},
        {"5.17",
         more("fragment1", true) + text("fragment2", false) + more("fragment3", true),
         {"close 1002"}},
        {"5.18", text("fragment1", false) + text("fragment2", true), {"close 1002"}},
        {"5.19",
         text("1", false) + more("2") + ping("a") + more("3") + more("4") + ping("b") +
             more("5", true),
         {"pong a", "pong b", "text 12345"}},
        {"5.20",
         text("1", false) + more("2") + ping("a") + more("3") + more("4") + ping("b") +
             more("5", true),
         {"pong a", "pong b", "text 12345"}},
    });
}

TEST_CASE("web socket: Autobahn 6, UTF-8", "[net][web_socket]") {
    const std::string kosme =
        "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!";
    std::string cut_everywhere;
    for (std::size_t i = 0; i < kosme.size(); ++i) {
        cut_everywhere +=
            client_frame(i == 0 ? Opcode::text : Opcode::continuation,
                         std::string_view(kosme).substr(i, 1), {.final = i + 1 == kosme.size()});
    }
    const std::string greek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
    const std::string after_surrogate = greek + "\xed\xa0\x80" + "edited";
    check({
        {"6.1.1", text(""), {"text "}},
        {"6.1.2", text("", false) + more("") + more("", true), {"text "}},
        {"6.1.3", text("", false) + more("middle") + more("", true), {"text middle"}},
        {"6.2.1", text(kosme), {"text " + kosme}},
        {"6.2.2",
         text(kosme.substr(0, 12), false) + more(kosme.substr(12), true),
         {"text " + kosme}},
        {"6.2.3", cut_everywhere, {"text " + kosme}},
        {"6.2.4", text(greek), {"text " + greek}},
        {"6.3.1", text(after_surrogate), {"close 1007"}},
        {"6.3.2", fragmented(Opcode::text, after_surrogate, 1), {"close 1007"}},
        // 6.4: at the first wrong byte, not at the end of the message
        {"6.4.1", text(greek, false) + more("\xf4\x90\x80\x80"), {"close 1007"}},
        {"6.4.2", text(greek + "\xf4", false) + more("\x90"), {"close 1007"}},
        {"6.4.3", text(greek + "\xf4\x90\x80\x80", false), {"close 1007"}},
        {"6.4.4", text(greek + "\xf4\x90", false), {"close 1007"}},
    });
    const std::vector<std::pair<const char*, std::string>> valid{{"6.5.1", "\xce\xba"},
                                                                 {"6.5.2", "\xce\xba\xe1\xbd\xb9"},
                                                                 {"6.5.5", greek},
                                                                 {"6.6.2", "\xce\xba"},
                                                                 {"6.6.5", "\xce\xba\xe1\xbd\xb9"},
                                                                 {"6.6.7", greek.substr(0, 7)},
                                                                 {"6.6.9", greek.substr(0, 9)},
                                                                 {"6.6.11", greek},
                                                                 {"6.7.1", std::string(1, '\0')},
                                                                 {"6.7.2", "\xc2\x80"},
                                                                 {"6.7.3", "\xe0\xa0\x80"},
                                                                 {"6.7.4", "\xf0\x90\x80\x80"},
                                                                 {"6.9.1", "\x7f"},
                                                                 {"6.9.2", "\xdf\xbf"},
                                                                 {"6.9.3", "\xef\xbf\xbf"},
                                                                 {"6.9.4", "\xf4\x8f\xbf\xbf"},
                                                                 {"6.11.1", "\xed\x9f\xbf"},
                                                                 {"6.11.2", "\xee\x80\x80"},
                                                                 {"6.11.3", "\xef\xbf\xbd"},
                                                                 {"6.11.4", "\xf4\x8f\xbf\xbf"},
                                                                 {"6.22.1", "\xef\xbf\xbe"},
                                                                 {"6.22.2", "\xef\xbf\xbf"},
                                                                 {"6.22.3", "\xf0\x9f\xbf\xbe"},
                                                                 {"6.22.10", "\xf2\x9f\xbf\xbf"},
                                                                 {"6.22.34", "\xf4\x8f\xbf\xbf"},
                                                                 {"6.23.1", "\xef\xbf\xb9"},
                                                                 {"6.23.7", "\xef\xbf\xbf"}};
    const std::vector<std::pair<const char*, std::string>> invalid{
        {"6.6.1", "\xce"},
        {"6.6.3", "\xce\xba\xe1"},
        {"6.6.4", "\xce\xba\xe1\xbd"},
        {"6.6.6", "\xce\xba\xe1\xbd\xb9\xcf"},
        {"6.6.8", greek.substr(0, 8)},
        {"6.6.10", greek.substr(0, 10)},
        {"6.8.1", "\xf8\x88\x80\x80\x80"},
        {"6.8.2", "\xfc\x84\x80\x80\x80\x80"},
        {"6.10.1", "\xf7\xbf\xbf\xbf"},
        {"6.10.2", "\xfb\xbf\xbf\xbf\xbf"},
        {"6.10.3", "\xfd\xbf\xbf\xbf\xbf\xbf"},
        {"6.11.5", "\xf4\x90\x80\x80"},
        {"6.12.1", "\x80"},
        {"6.12.2", "\xbf"},
        {"6.12.3", "\x80\xbf"},
        {"6.12.8", "\x80\xbf\x80\xbf\x80\xbf\x80"},
        {"6.13.1", "\xc0 \xc1 \xc2 "},
        {"6.13.2", "\xe0 \xe1 "},
        {"6.13.3", "\xf0 \xf1 "},
        {"6.13.4", "\xf8 \xf9 "},
        {"6.13.5", "\xfc "},
        {"6.14.1", "\xc0"},
        {"6.14.2", "\xe0\x80"},
        {"6.14.3", "\xf0\x80\x80"},
        {"6.14.4", "\xf8\x80\x80\x80"},
        {"6.14.6", "\xdf"},
        {"6.14.7", "\xef\xbf"},
        {"6.14.8", "\xf7\xbf\xbf"},
        {"6.15.1", "\xc0\xe0\x80\xf0\x80\x80"},
        {"6.16.1", "\xfe"},
        {"6.16.2", "\xff"},
        {"6.16.3", "\xfe\xfe\xff\xff"},
        {"6.17.1", "\xc0\xaf"},
        {"6.17.2", "\xe0\x80\xaf"},
        {"6.17.3", "\xf0\x80\x80\xaf"},
        {"6.17.4", "\xf8\x80\x80\x80\xaf"},
        {"6.17.5", "\xfc\x80\x80\x80\x80\xaf"},
        {"6.18.1", "\xc1\xbf"},
        {"6.18.2", "\xe0\x9f\xbf"},
        {"6.18.3", "\xf0\x8f\xbf\xbf"},
        {"6.18.4", "\xf8\x87\xbf\xbf\xbf"},
        {"6.18.5", "\xfc\x83\xbf\xbf\xbf\xbf"},
        {"6.19.1", "\xc0\x80"},
        {"6.19.2", "\xe0\x80\x80"},
        {"6.19.3", "\xf0\x80\x80\x80"},
        {"6.20.1", "\xed\xa0\x80"},
        {"6.20.2", "\xed\xad\xbf"},
        {"6.20.3", "\xed\xae\x80"},
        {"6.20.4", "\xed\xaf\xbf"},
        {"6.20.5", "\xed\xb0\x80"},
        {"6.20.6", "\xed\xbe\x80"},
        {"6.20.7", "\xed\xbf\xbf"},
        {"6.21.1", "\xed\xa0\x80\xed\xb0\x80"},
        {"6.21.4", "\xed\xad\xbf\xed\xbf\xbf"},
        {"6.21.8", "\xed\xaf\xbf\xed\xbf\xbf"}};
    std::vector<Case> cases;
    for (const auto& [number, payload] : valid) {
        cases.push_back({number, text(payload), {"text " + payload}});
    }
    for (const auto& [number, payload] : invalid) {
        cases.push_back({number, text(payload), {"close 1007"}});
    }
    check(cases);
}

TEST_CASE("web socket: Autobahn 7, closing", "[net][web_socket]") {
    check({
        {"7.1.1", text("Hello World!") + normal_close, {"text Hello World!", "close 1000"}},
        {"7.1.2", normal_close + normal_close, {"close 1000"}},
        {"7.1.3", normal_close + ping(), {"close 1000"}},
        {"7.1.4", normal_close + text("Hello World!"), {"close 1000"}},
        {"7.1.5",
         text("fragment1", false) + normal_close + more("fragment2", true),
         {"close 1000"}},
        {"7.1.6",
         text(repeated('B', 262'144)) + text("Hello World!") + normal_close,
         {"text 262144 bytes", "text Hello World!", "close 1000"}},
        {"7.3.1", client_frame(Opcode::close), {"close"}},
        {"7.3.2", client_frame(Opcode::close, "a"), {"close 1002"}},
        {"7.3.3", close_with(1000), {"close 1000"}},
        {"7.3.4", close_with(1000, "Hello World!"), {"close 1000"}},
        {"7.3.5", close_with(1000, repeated('*', 123)), {"close 1000"}},
        {"7.3.6", close_with(1000, repeated('*', 124)), {"close 1002"}},
        {"7.5.1",
         close_with(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"),
         {"close 1007"}},
    });
    std::vector<Case> cases;
    for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u,
                                3000u, 3999u, 4000u, 4999u}) {
        cases.push_back({"7.7.*", close_with(code), {"close " + std::to_string(code)}});
    }
    for (const unsigned code :
         {0u, 999u, 1004u, 1005u, 1006u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u}) {
        cases.push_back({"7.9.*, 7.13.*", close_with(code), {"close 1002"}});
    }
    check(cases);
}

TEST_CASE("web socket: Autobahn 9 and 10, limits", "[net][web_socket]") {
    constexpr std::size_t megabyte = 1024 * 1024;
#ifdef RINGSIDE_SANITIZED  // which makes each byte cost many times as much
    constexpr std::size_t largest = megabyte;
#else
    constexpr std::size_t largest = 16 * megabyte;
#endif
    std::vector<Case> cases;
    for (const std::size_t bytes :
         {megabyte / 16, megabyte / 4, megabyte, 4 * megabyte, 8 * megabyte, 16 * megabyte}) {
        if (bytes > largest) {
            break;
        }
        const std::string payload = repeated('B', bytes);
        cases.push_back({"9.1.*", text(payload), {describe("text", payload)}});
        cases.push_back(
            {"9.2.*", client_frame(Opcode::binary, payload), {describe("binary", payload)}});
    }
    for (const std::size_t fragment_bytes : {64u, 256u, 1024u, 4096u, 16384u, 65536u}) {
        const std::string payload = repeated('B', std::min(largest, 4 * megabyte));
        cases.push_back({"9.3.*",
                         fragmented(Opcode::text, payload, fragment_bytes),
                         {describe("text", payload)}});
        cases.push_back({"9.4.*",
                         fragmented(Opcode::binary, payload, fragment_bytes),
                         {describe("binary", payload)}});
    }
    for (const std::size_t bytes : {0u, 16u, 64u, 256u, 1024u, 4096u, 16384u}) {
        std::string sent;
        Answers expected;
        for (int i = 0; i < 1000; ++i) {
            sent += client_frame(Opcode::binary, repeated('B', bytes));
            expected.push_back(describe("binary", repeated('B', bytes)));
        }
        cases.push_back({"9.7.*, 9.8.*", sent, expected});
    }
    cases.push_back(
        {"10.1.1", fragmented(Opcode::text, repeated('*', 65'536), 1300), {"text 65536 bytes"}});
    check(cases);
}

TEST_CASE("web socket: beyond the suite", "[net][web_socket]") {
    check({
        {"not masked", client_frame(Opcode::binary, "x", {.masked = false}), {"close 1002"}},
        {"too long",
         client_frame(Opcode::binary, repeated('B', message_bytes_max + 1)),
         {"close 1009"}},
        {"too long in fragments",
         fragmented(Opcode::binary, repeated('B', message_bytes_max + 1), message_bytes_max / 4),
         {"close 1009"}},
    });
    WebSocketReader reader(4);
    const std::string five = client_frame(Opcode::binary, "12345").substr(0, 2);
    int messages = 0;
    reader.take(std::as_bytes(std::span(five)), [&](Bytes, bool) { ++messages; });
    CHECK(messages == 0);  // refused by its length, which costs no memory
}

// They are held against the rate of messages: no message may count as one, however it is read.
TEST_CASE("web socket: frames that are no message are counted", "[net][web_socket]") {
    struct Sent {
        std::string bytes;
        std::uint32_t other_frames;
    };
    for (const auto& [bytes, other_frames] :
         {Sent{client_frame(Opcode::binary, "12345678"), 0}, Sent{ping("1"), 1},
          Sent{fragmented(Opcode::binary, "12345678", 3) + ping("2"), 3}}) {
        for (std::size_t piece_bytes = 1; piece_bytes <= bytes.size(); ++piece_bytes) {
            WebSocketReader reader(message_bytes_max);
            std::uint32_t counted = 0;
            for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
                const std::string piece = bytes.substr(at, piece_bytes);
                reader.take(std::as_bytes(std::span(piece)), [](Bytes, bool) {});
                const std::uint32_t frames = reader.other_frames();
                REQUIRE(frames <= other_frames);
                counted += frames;
            }
            REQUIRE(counted == other_frames);
        }
    }
}

TEST_CASE("web socket: frames that hosts send", "[net][web_socket]") {
    for (const std::size_t bytes : {0u, 1u, 125u, 126u, 65'535u, 65'536u, 100'000u}) {
        std::string frame;
        const WebSocketHeader header(bytes);
        for (const std::byte each : header.bytes()) {
            frame += static_cast<char>(each);
        }
        frame += repeated('x', bytes);
        const auto read = test::take_host_frame(frame);
        REQUIRE(read.has_value());
        CHECK(read->opcode == Opcode::binary);
        CHECK(read->final);
        CHECK(read->payload.size() == bytes);
        CHECK(frame.empty());
    }
    for (const std::size_t bytes : {0u, 123u, 124u, 1000u}) {
        std::string frame;
        for (const std::byte each : web_socket_close(4002, repeated('x', bytes))) {
            frame += static_cast<char>(each);
        }
        const auto read = test::take_host_frame(frame);
        REQUIRE(read.has_value());
        CHECK(read->payload ==
              close_payload(4002, repeated('x', std::min<std::size_t>(bytes, 123))));
    }
    // a reason is not cut inside a character
    const auto cut = web_socket_close(4002, repeated('x', 122) + "\xc3\xa4");
    CHECK(cut.size() == 2 + 2 + 122);
}
