#include "consent/ed25519.h"

#include <sodium.h>

namespace consent {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool is_ed25519_key(std::string_view bytes) {
    return bytes.size() == crypto_sign_PUBLICKEYBYTES &&
           crypto_core_ed25519_is_valid_point(bytes_of(bytes)) == 1;
}

bool ed25519_holds(std::string_view key, std::string_view text, std::string_view signature) {
    return key.size() == crypto_sign_PUBLICKEYBYTES && signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(bytes_of(signature), bytes_of(text), text.size(),
                                       bytes_of(key)) == 0;
}

}  // namespace consent
