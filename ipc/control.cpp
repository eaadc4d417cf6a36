#include "control.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

namespace ringside {

void copy_text(char* to, std::size_t capacity, std::string_view text) noexcept {
    const std::size_t bytes = std::min(text.size(), capacity - 1);
    std::memcpy(to, text.data(), bytes);
    std::memset(to + bytes, 0, capacity - bytes);
}

Sent send_packet(int socket, const ControlPacket& packet, int fd) noexcept {
    iovec bytes{const_cast<ControlPacket*>(&packet), sizeof(packet)};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &fd, sizeof(int));
    }
    for (;;) {
        if (sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) {
            return Sent::yes;
        }
        if (errno == EINTR) {
            continue;
        }
        // ENOBUFS and ETOOMANYREFS: the kernel is short of memory or descriptors in flight.
        return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS ? Sent::full
                                                                            : Sent::gone;
    }
}

Received receive_packet(int socket, ControlPacket& packet, int* fd) noexcept {
    iovec bytes{&packet, sizeof(packet)};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    ssize_t received = 0;
    do {
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0) {
        return errno == EAGAIN ? Received::nothing : Received::gone;
    }
    int passed = -1;
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message);
        header != nullptr && header->cmsg_type == SCM_RIGHTS) {
        std::memcpy(&passed, CMSG_DATA(header), sizeof(int));
    }
    if (fd != nullptr) {
        *fd = passed;
    } else if (passed >= 0) {
        close(passed);
    }
    return received == static_cast<ssize_t>(sizeof(packet)) ? Received::packet : Received::gone;
}

}  // namespace ringside
