#include "consent/sha256.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "cdp/base/assert.h"

namespace consent {

Sha256 sha256(std::string_view bytes) {
    Sha256 hash;
    unsigned int size = 0;
    // Fails only when OpenSSL was built or configured without SHA-256.
    CDP_ASSERT(EVP_Digest(bytes.data(), bytes.size(), hash.data(), &size, EVP_sha256(), nullptr) ==
               1);
    CDP_ASSERT(size == hash.size());
    return hash;
}

cdp::RecordId short_id(std::string_view bytes) {
    const auto hash = sha256(bytes);
    return cdp::RecordId::from(view(hash).substr(0, sizeof(cdp::RecordId)));
}

Sha256 random_salt() {
    Sha256 salt;
    CDP_ASSERT(RAND_bytes(salt.data(), static_cast<int>(salt.size())) == 1);
    return salt;
}

}  // namespace consent
