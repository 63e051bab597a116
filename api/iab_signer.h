#pragma once

#include <string>
#include <string_view>

#include "api/certificate.h"

namespace api {

// Ed25519, as the IAB's protocol signs: over the SHA-256 of a text. Safe to use from many threads.
class IabSigner {
public:
    // Of 32 bytes, which are not kept.
    explicit IabSigner(std::string_view seed);

    // 0x and hexadecimal.
    std::string sign(std::string_view text) const;
    // Its 32 bytes.
    const std::string& public_key() const { return public_key_; }

private:
    const PrivateKey key_;
    const std::string public_key_;
};

}  // namespace api
