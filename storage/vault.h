#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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

// What the row of a wrapped key becomes.
struct Rewrapped {
    enum class State { current, rewrapped, gone };  // gone: its epoch has ended, and it with it
    State state = State::current;
    std::string row = {};  // of a rewrapped one
};

// The epoch that a row of Space::subject_key is wrapped under; 0: the row cannot be read.
std::uint32_t wrapping_epoch_of(std::string_view row);

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

    // What signs the ledger now; none in a keyring that was made before there was one.
    std::optional<LedgerKey> ledger_key() const;
    // What the data folder is called in public.
    const Tenant& tenant() const { return tenant_; }

    // The subject's key, from the bounded cache or the store; nullopt when the subject has none.
    cdp::Result<std::optional<SubjectKey>> find(const Snapshot& snapshot,
                                                const cdp::Token& subject) const;
    // The same, but makes a fresh key and writes it (wrapped under the current epoch) into
    // `transaction` when there is none, which then conflicts with the beginning of another epoch.
    // The key enters the cache only by a later find.
    cdp::Result<SubjectKey> find_or_make(Transaction& transaction, const cdp::Token& subject) const;

    // From now on wraps under the keyring's highest epoch and signs with its ledger key; the other
    // keys must be the same. Epochs that it lacks have ended: no row of `store`, which must outlive
    // the vault's use, is under them. Who still reads an older snapshot is given the key as the
    // store has it now.
    void adopt(const Keyring& changed, const Store& store);

    // The row of a wrapped key under the current epoch; the key itself stays. Errors as of find.
    cdp::Result<Rewrapped> rewrap(std::string_view row_key, std::string_view row) const;
    // Both rows wrap one key. False also when either is gone.
    cdp::Result<bool> same_key(std::string_view row_key, std::string_view one,
                               std::string_view other) const;

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

    cdp::Result<std::optional<SubjectKey>> unwrap(std::string_view row_key,
                                                  std::string_view row) const;

    struct Cache;
    struct Changing;
    Keyring keyring_;  // without what changes
    std::atomic<std::shared_ptr<const Changing>> changing_;
    Tenant tenant_;
    std::unique_ptr<Cache> cache_;
};

}  // namespace storage
