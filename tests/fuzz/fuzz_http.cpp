// Any bytes from a browser: the requests read from them are the same however they are split. What
// will be refused may be refused before its end has come. The first byte chooses how to split.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "net/http.hpp"

namespace {

using namespace ringside;

struct Seen {
    std::vector<std::string> requests;
    HttpStatus refusal = HttpStatus::none;
};

Seen read_all(Bytes rest, std::size_t step) {
    HttpReader reader;
    Seen seen;
    while (!rest.empty()) {
        const Bytes piece = rest.first(std::min(step, rest.size()));
        rest = rest.subspan(piece.size());
        const std::vector<std::byte> copy(piece.begin(), piece.end());
        Bytes left(copy);
        for (bool goes_on = true; goes_on;) {
            HttpRequest request;
            switch (reader.next(left, request)) {
                case HttpReader::Status::request:
                    (void)http_list_has(request.web_socket_protocols, "ringside.v1");
                    seen.requests.push_back(request.path + "?" + request.query + " " +
                                            request.host + " " + request.origin +
                                            web_socket_accept(request.web_socket_key));
                    break;
                case HttpReader::Status::more:
                    if (!left.empty()) {
                        std::abort();
                    }
                    goes_on = false;
                    break;
                case HttpReader::Status::refused: seen.refusal = reader.refusal(); return seen;
            }
        }
    }
    return seen;
}

bool agree(const Seen& left, const Seen& right) {
    const bool one_waits = left.refusal == HttpStatus::none || right.refusal == HttpStatus::none;
    return left.requests == right.requests && (one_waits || left.refusal == right.refusal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
    if (bytes == 0) {
        return 0;
    }
    const Bytes all = std::as_bytes(std::span(data + 1, bytes - 1));
    if (!agree(read_all(all, 1 + data[0]), read_all(all, std::max<std::size_t>(all.size(), 1)))) {
        std::abort();
    }
    return 0;
}
