#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "storage/keyring.h"
#include "storage/store.h"

// The one seam through which personal data reaches the store: identifiers become keyed tokens,
// values are sealed under the key of their subject. A subject is one identifier. Destroying its key
// makes every value sealed under it unreadable.
namespace storage {

// The key of one subject, unwrapped. Wiped when it dies.
class SubjectKey {
public:
    SubjectKey() = default;
    explicit SubjectKey(const SecretKey& key) : key_(key) {}
    SubjectKey(const SubjectKey&) = default;
    SubjectKey& operator=(const SubjectKey&) = default;
    ~SubjectKey();

    const SecretKey& bytes() const { return key_; }

private:
    SecretKey key_{};
};

// Safe to use from many threads.
class Vault {
public:
    explicit Vault(Keyring keyring);
    ~Vault();
    Vault(const Vault&) = delete;
    Vault& operator=(const Vault&) = delete;

    // BLAKE2b-128 under the token key over (length-prefixed type, normal form).
    cdp::Token token(std::string_view type, std::string_view normal_form) const;
    // The same under the rank key.
    cdp::Rank rank(std::string_view type, std::string_view normal_form) const;
    // BLAKE2b-128 under the token key over (domain, text): event ids, trait names, idempotency
    // keys.
    template <typename IdType>
    IdType hash(std::string_view domain, std::string_view text) const {
        return IdType::from(hash_bytes(domain, text).view());
    }
    // What is stored of an access key.
    cdp::Token access_key_hash(std::string_view key) const;

    // A key of the server itself, the same for as long as its keyring lives: for what clients keep
    // for us and hand back. `name` says what it is for; no two names have the same.
    SubjectKey own_key(std::string_view name) const;

    // What signs the ledger; none in a keyring that was made before there was one.
    const std::optional<LedgerKey>& ledger_key() const { return keyring_.ledger; }
    // What the data folder is called in public.
    const Tenant& tenant() const { return tenant_; }

    // The subject's key, from the bounded cache or the store; nullopt when the subject has none.
    cdp::Result<std::optional<SubjectKey>> find(const Snapshot& snapshot,
                                                const cdp::Token& subject) const;
    // The same, but makes a fresh key and writes it (wrapped under the current epoch) into
    // `transaction` when there is none. The key enters the cache only by a later find.
    cdp::Result<SubjectKey> find_or_make(Transaction& transaction, const cdp::Token& subject) const;

    // XChaCha20-Poly1305 with a random nonce; `context` (the row's key) is authenticated, so a
    // value moved to another row does not open. Layout: u8 format 1, nonce 24, ciphertext, tag 16.
    static std::string seal(const SubjectKey& key, std::string_view context,
                            std::string_view plain);
    // Error corruption when the bytes were changed, cut, or belong elsewhere.
    static cdp::Result<std::string> open(const SubjectKey& key, std::string_view context,
                                         std::string_view sealed);

    // Forgets cached keys of a subject whose key was destroyed.
    void forget(const cdp::Token& subject) const;

private:
    cdp::Token hash_bytes(std::string_view domain, std::string_view text) const;

    struct Cache;
    Keyring keyring_;
    Tenant tenant_;
    std::unique_ptr<Cache> cache_;
};

}  // namespace storage
