#pragma once
// SendBuffer: one encoded message, shared by every connection it is being sent to.
//
// Reference counted (plain counters: a front is one thread) and pooled, so that a snapshot costs
// one encoding whatever the number of its readers, and no allocation once the pool is warm. A
// message has the header of a WebSocket frame in front of it, which others are not sent: so those
// in browsers and those in terminals share the buffer.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ringside/core/game.hpp"

namespace ringside {

class SendBufferPool;

struct SendBuffer {
    std::vector<std::byte> bytes;
    std::uint32_t header_bytes = 0;  // at its start, for WebSockets only
    std::uint32_t references = 0;
    SendBufferPool* pool = nullptr;
};

class BufferRef {
public:
    BufferRef() noexcept = default;
    explicit BufferRef(SendBuffer* buffer) noexcept : buffer_(buffer) { ++buffer_->references; }
    BufferRef(const BufferRef& other) noexcept : buffer_(other.buffer_) {
        if (buffer_ != nullptr) {
            ++buffer_->references;
        }
    }
    BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
    BufferRef& operator=(BufferRef other) noexcept {
        std::swap(buffer_, other.buffer_);
        return *this;
    }
    ~BufferRef() { reset(); }

    void reset() noexcept;
    [[nodiscard]] Bytes bytes() const noexcept {
        return Bytes(buffer_->bytes).subspan(buffer_->header_bytes);
    }
    /// A whole WebSocket frame, or raw bytes.
    [[nodiscard]] Bytes web_socket_bytes() const noexcept { return buffer_->bytes; }
    [[nodiscard]] explicit operator bool() const noexcept { return buffer_ != nullptr; }

private:
    friend class SendBufferPool;
    SendBuffer* buffer_ = nullptr;
};

/// Must outlive its buffers.
class SendBufferPool {
public:
    SendBufferPool() = default;
    SendBufferPool(const SendBufferPool&) = delete;
    SendBufferPool& operator=(const SendBufferPool&) = delete;

    /// A buffer with a copy of a message.
    [[nodiscard]] BufferRef take_message(Bytes message);
    /// A buffer with a copy of bytes that everybody is sent as they are.
    [[nodiscard]] BufferRef take_raw(Bytes bytes);

private:
    friend class BufferRef;
    SendBuffer& take();
    void give_back(SendBuffer*) noexcept;

    std::vector<std::unique_ptr<SendBuffer>> free_;
};

}  // namespace ringside
