#include "password_key.hpp"

#include <sodium/crypto_generichash.h>

namespace ringside {

PasswordKey password_key_of(std::string_view game, std::string_view password) noexcept {
    PasswordKey key{};
    if (password.empty()) {
        return key;
    }
    crypto_generichash_state state;
    const auto add = [&state](std::string_view text) {
        crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                  text.size());
    };
    crypto_generichash_init(&state, nullptr, 0, key.size());
    add(game);
    add(std::string_view("", 1));  // no name has it: where the name ends is unmistakable
    add(password);
    crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(key.data()), key.size());
    return key;
}

}  // namespace ringside
