#include "resume_token.hpp"

#include <cerrno>

#include <sodium/crypto_generichash.h>
#include <sys/random.h>

#include "ringside/core/invariant.hpp"

namespace ringside {

ResumeToken make_resume_token() noexcept {
    ResumeToken token;
    ssize_t bytes = 0;
    do {
        bytes = ::getrandom(token.data(), token.size(), 0);  // so few bytes come all at once
    } while (bytes < 0 && errno == EINTR);
    invariant(bytes == static_cast<ssize_t>(token.size()), "the kernel gives random bytes");
    return token;
}

ResumeKey resume_key_of(Bytes token) noexcept {
    static_assert(resume_key_bytes >= crypto_generichash_BYTES_MIN);
    invariant(token.size() == resume_token_bytes, "judge a token before its key");
    ResumeKey key;
    crypto_generichash(reinterpret_cast<unsigned char*>(key.data()), key.size(),
                       reinterpret_cast<const unsigned char*>(token.data()), token.size(), nullptr,
                       0);
    return key;
}

}  // namespace ringside
