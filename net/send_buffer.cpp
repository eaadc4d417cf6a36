#include "send_buffer.hpp"

#include "web_socket.hpp"

namespace ringside {
namespace {

// What a burst leaves behind: 1,024 buffers of common size, none of the rare large ones.
constexpr std::size_t free_buffers_max = 1024;
constexpr std::size_t kept_bytes_max = 16 * 1024;

}  // namespace

void BufferRef::reset() noexcept {
    if (SendBuffer* buffer = std::exchange(buffer_, nullptr);
        buffer != nullptr && --buffer->references == 0) {
        buffer->pool->give_back(buffer);
    }
}

SendBuffer& SendBufferPool::take() {
    if (free_.empty()) {
        free_.push_back(std::make_unique<SendBuffer>());
        free_.back()->pool = this;
    }
    SendBuffer* buffer = free_.back().release();
    free_.pop_back();
    return *buffer;
}

BufferRef SendBufferPool::take_message(Bytes message) {
    BufferRef taken = take_raw(WebSocketHeader(message.size()).bytes());
    SendBuffer& buffer = *taken.buffer_;
    buffer.header_bytes = static_cast<std::uint32_t>(buffer.bytes.size());
    buffer.bytes.insert(buffer.bytes.end(), message.begin(), message.end());
    return taken;
}

BufferRef SendBufferPool::take_raw(Bytes bytes) {
    SendBuffer& buffer = take();
    buffer.bytes.assign(bytes.begin(), bytes.end());
    buffer.header_bytes = 0;
    return BufferRef(&buffer);
}

void SendBufferPool::give_back(SendBuffer* buffer) noexcept {
    std::unique_ptr<SendBuffer> owner(buffer);
    if (free_.size() < free_buffers_max && buffer->bytes.capacity() <= kept_bytes_max) {
        free_.push_back(std::move(owner));
    }
}

}  // namespace ringside
