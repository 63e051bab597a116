#include "cdp/hash_kind.h"

#include <openssl/evp.h>

#include <array>

#include "cdp/base/assert.h"
#include "cdp/base/ids.h"

namespace cdp {
namespace {

const EVP_MD* digest_of(HashKind kind) {
    switch (kind) {
        case HashKind::md5: return EVP_md5();
        case HashKind::sha1: return EVP_sha1();
        case HashKind::sha256: return EVP_sha256();
    }
    CDP_ASSERT(false);
    return nullptr;
}

}  // namespace

std::string_view to_string(HashKind kind) {
    switch (kind) {
        case HashKind::md5: return "md5";
        case HashKind::sha1: return "sha1";
        case HashKind::sha256: return "sha256";
    }
    CDP_ASSERT(false);
    return "";
}

std::string hash_of(HashKind kind, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    CDP_ASSERT(
        EVP_Digest(text.data(), text.size(), bytes.data(), &size, digest_of(kind), nullptr) == 1);
    return to_hex({reinterpret_cast<const char*>(bytes.data()), size});
}

std::optional<std::string> read_hash(HashKind kind, std::string_view text) {
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != static_cast<std::size_t>(EVP_MD_get_size(digest_of(kind))))
        return std::nullopt;
    return to_hex(*bytes);
}

}  // namespace cdp
