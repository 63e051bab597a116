#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "api/iab_request.h"
#include "api/iab_signer.h"
#include "cdp/base/assert.h"
#include "cdp/base/ids.h"
#include "consent/base64.h"
#include "consent/sha256.h"

namespace api {
namespace {

constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kKeyBytes = 32;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string sha256(std::string_view text) {
    return std::string(consent::view(consent::sha256(text)));
}

std::optional<std::string> decoded(std::string_view signature) {
    if (signature.starts_with("0x")) signature.remove_prefix(2);
    auto bytes = cdp::from_hex(signature);
    if (!bytes || bytes->size() != kSignatureBytes) bytes = from_base64url(signature);
    if (!bytes || bytes->size() != kSignatureBytes) return std::nullopt;
    return bytes;
}

PrivateKey private_key(std::string_view seed) {
    CDP_ASSERT(seed.size() == kKeyBytes);
    PrivateKey key(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed), seed.size()),
        &EVP_PKEY_free);
    CDP_ASSERT(key != nullptr);
    return key;
}

std::string public_key_of(const PrivateKey& key) {
    std::string out(kKeyBytes, '\0');
    std::size_t size = out.size();
    CDP_ASSERT(EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(out.data()),
                                           &size) == 1);
    return out;
}

}  // namespace

std::string to_base64url(std::string_view bytes) {
    auto text = consent::to_base64(bytes);
    while (text.ends_with('=')) text.pop_back();
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string standard(text);
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    while (standard.size() % 4 != 0) standard.push_back('=');
    return consent::from_base64(standard);
}

std::string iab_digest(const IabRequest& request, std::string_view domain) {
    std::string text = request.version + request.request_id;
    text.append(domain).append(request.timestamp).append(request.value);
    return sha256(text);
}

bool is_iab_signature(std::string_view key, std::string_view digest, std::string_view signature) {
    const auto bytes = decoded(signature);
    if (!bytes || key.size() != kKeyBytes) return false;
    const Key known(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(key), key.size()),
        &EVP_PKEY_free);
    const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    return known && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, known.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(*bytes), bytes->size(), bytes_of(digest),
                            digest.size()) == 1;
}

IabSigner::IabSigner(std::string_view seed)
    : key_(private_key(seed)), public_key_(public_key_of(key_)) {}

std::string IabSigner::sign(std::string_view text) const {
    const auto digest = sha256(text);
    const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::string signature(kSignatureBytes, '\0');
    std::size_t size = signature.size();
    CDP_ASSERT(context != nullptr &&
               EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
               EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                              &size, bytes_of(digest), digest.size()) == 1);
    return "0x" + cdp::to_hex(signature);
}

}  // namespace api
