#pragma once
// verified_copy: foreign bytes as a table of tron.fbs, or nothing.
//
// FlatBuffers' scalars are loaded at their natural alignment, which bytes out of a ring or a frame
// need not have; so the bytes are judged, and read, in an aligned copy where they lie askew.

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"

namespace ringside::tron {

template <class Root>
class VerifiedCopy {
public:
    explicit VerifiedCopy(Bytes bytes) {
        if (bytes.empty() || bytes.size() > snapshot_bytes_limit) {
            return;
        }
        if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment != 0) {
            copy_.resize((bytes.size() + alignment - 1) / alignment);
            std::memcpy(copy_.data(), bytes.data(), bytes.size());
            bytes = Bytes(std::as_bytes(std::span(copy_))).first(bytes.size());
        }
        const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
        // One table, and its vectors: anything deeper is not ours.
        flatbuffers::Verifier verifier(data, bytes.size(), depth_max, tables_max);
        if (verifier.template VerifyBuffer<Root>(nullptr)) {
            root_ = flatbuffers::GetRoot<Root>(data);
        }
    }

    VerifiedCopy(const VerifiedCopy&) = delete;  // root_ may point into copy_
    VerifiedCopy& operator=(const VerifiedCopy&) = delete;

    explicit operator bool() const noexcept { return root_ != nullptr; }
    const Root* operator->() const noexcept { return root_; }

private:
    static constexpr std::size_t alignment = sizeof(std::uint64_t);
    static constexpr flatbuffers::uoffset_t depth_max = 4;
    static constexpr flatbuffers::uoffset_t tables_max = 2;

    std::vector<std::uint64_t> copy_;
    const Root* root_ = nullptr;
};

}  // namespace ringside::tron
