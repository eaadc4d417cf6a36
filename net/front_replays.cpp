// FrontServer: recorded matches, read from files without ever waiting for a disk.

#include <string>
#include <utility>

#include <sys/stat.h>

#include "front_server.hpp"

namespace ringside {
namespace {

constexpr std::size_t replay_bytes_max = 16 * 1024 * 1024;  // longer ones are for the file's owner
constexpr std::size_t reads_max = 32;                       // at once

}  // namespace

void FrontServer::ask_for_replay(Connection& connection, const HttpRequest& request,
                                 std::string_view game, ReplayWish wish) {
    if (options_.replays_folder.empty()) {
        answer_replay(connection, request, wish, {});
        return;
    }
    if (file_reads_.size() >= reads_max) {
        respond(connection, request, {.status = HttpStatus::service_unavailable});
        return;
    }
    connection.request = std::make_unique<HttpRequest>(request);
    const std::uint32_t id = ++file_reads_begun_;
    FileRead& read = file_reads_[id];
    read = {.wish = wish,
            .path = options_.replays_folder + "/" + std::string(game) + ".replay",
            .bytes = {},
            .connection_index = connection.index,
            .connection_generation = connection.generation};
    loop_.open(read.path.c_str(), {.operation = Operation::file, .index = id});
}

void FrontServer::file_completed(const Completion& completion) {
    FileRead& read = file_reads_.at(completion.token.index);
    bool more = false;
    if (read.fd < 0) {
        more = opened(read, completion.result);
    } else if (completion.result > 0) {
        read.read_bytes += static_cast<std::size_t>(completion.result);
        more = read.read_bytes < read.bytes.size();
    } else {
        read.bytes.clear();  // it cannot be read, or has become shorter
    }
    if (more) {
        loop_.read(read.fd, MutableBytes(read.bytes).subspan(read.read_bytes), read.read_bytes,
                   completion.token);
        return;
    }
    if (read.fd >= 0) {
        loop_.close(read.fd);
    }
    answer_file(read);
    file_reads_.erase(completion.token.index);
}

/// Whether it is to be read.
bool FrontServer::opened(FileRead& read, std::int32_t result) {
    if (result < 0) {
        return false;
    }
    read.fd = result;
    struct stat file{};
    const bool readable = ::fstat(read.fd, &file) == 0 && S_ISREG(file.st_mode) &&
                          file.st_size > 0 &&
                          static_cast<std::size_t>(file.st_size) <= replay_bytes_max;
    read.bytes.resize(readable ? static_cast<std::size_t>(file.st_size) : 0);
    return readable && read.wish == ReplayWish::file;
}

void FrontServer::answer_file(const FileRead& read) {
    Connection* connection = connections_.find(
        {.generation = read.connection_generation, .index = read.connection_index});
    if (connection == nullptr || !connection->open() || !connection->request) {
        return;  // it has gone
    }
    const auto request = std::exchange(connection->request, nullptr);
    answer_replay(*connection, *request, read.wish, read.bytes);
    answered_later(*connection);
}

/// `recording`: empty if there is none.
void FrontServer::answer_replay(Connection& connection, const HttpRequest& request, ReplayWish wish,
                                Bytes recording) {
    const std::string never_stored = "Cache-Control: no-store\r\n";
    if (wish == ReplayWish::whether_there_is_one) {
        respond(
            connection, request,
            {.content_type = "application/json",
             .headers = never_stored,
             .content = recording.empty() ? "{\"recorded\":false}\n" : "{\"recorded\":true}\n"});
    } else if (recording.empty()) {
        respond(connection, request, {.status = HttpStatus::not_found});
    } else {
        respond(connection, request,
                {.content_type = "application/octet-stream",
                 .headers = never_stored,
                 .shared_content = messages_.raw(recording)});
    }
}

}  // namespace ringside
