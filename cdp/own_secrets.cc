#include "cdp/own_secrets.h"

#include <openssl/crypto.h>

#include "cdp/facts.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr char kFormat = 1;
// Longer than any we hand out.
constexpr std::size_t kSealedTextMax = 8 * 1024;
constexpr std::string_view kDomain = "own secret";

using SecretId = Id<struct OwnSecretTag>;

void wipe(std::string& text) {
    OPENSSL_cleanse(text.data(), text.size());
}

Result<std::string> opened(const storage::Vault& vault, const std::string& key,
                           std::string_view sealed) {
    auto plain = CDP_TRY(storage::Vault::open(vault.own_key(kDomain), key, sealed));
    if (plain.empty() || plain.front() != kFormat) return damaged("a secret of the server's own");
    auto secret = plain.substr(1);
    wipe(plain);
    return secret;
}

}  // namespace

std::string OwnSecrets::seal(std::string_view name, std::string_view text) const {
    return to_hex(storage::Vault::seal(vault_.own_key(name), std::string_view{}, text));
}

std::optional<std::string> OwnSecrets::open(std::string_view name, std::string_view sealed) const {
    if (sealed.size() > kSealedTextMax) return std::nullopt;
    const auto bytes = from_hex(sealed);
    if (!bytes) return std::nullopt;
    const auto plain = storage::Vault::open(vault_.own_key(name), std::string_view{}, *bytes);
    return plain ? std::optional(*plain) : std::nullopt;
}

std::string OwnSecrets::hash(std::string_view domain, std::string_view text) const {
    return to_hex(vault_.hash<SecretId>(domain, text).view());
}

Result<std::string> OwnSecrets::find_or_make(std::string_view name, const Make& make) const {
    const auto key = storage::KeyWriter(storage::Space::meta, SecretId::from("secrets of ours."))
                         .id(vault_.hash<SecretId>(kDomain, name))
                         .str();
    for (;;) {
        const auto snapshot = store_.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        if (const auto sealed = CDP_TRY(transaction.get(key))) return opened(vault_, key, *sealed);
        auto secret = CDP_TRY(make());
        auto plain = kFormat + secret;
        transaction.put(key, storage::Vault::seal(vault_.own_key(kDomain), key, plain));
        wipe(plain);
        const auto outcome = storage::commit_and_wait(store_, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return secret;
        if (outcome.state != storage::CommitState::conflict) return outcome.error;
    }
}

}  // namespace cdp
