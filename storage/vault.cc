#include "storage/vault.h"

#include <sodium.h>

#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cdp/base/assert.h"
#include "cdp/base/bytes.h"
#include "storage/epochs.h"
#include "storage/key.h"

namespace storage {
namespace {

constexpr std::uint8_t kSealFormat = 1;
constexpr std::uint8_t kWrapFormat = 1;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceBytes == 24 && kTagBytes == 16);
constexpr std::size_t kWrapHead = 1 + sizeof(std::uint32_t);

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

// Fresh random bytes, each given out once. The system is asked for many at a time: one question
// costs a third of what sealing a small value does.
void fill_nonce(unsigned char* nonce) {
    struct Pool {
        std::array<unsigned char, 128 * kNonceBytes> bytes = {};
        std::size_t used = 128 * kNonceBytes;
    };
    thread_local Pool pool;
    if (pool.used == pool.bytes.size()) {
        randombytes_buf(pool.bytes.data(), pool.bytes.size());
        pool.used = 0;
    }
    std::memcpy(nonce, pool.bytes.data() + pool.used, kNonceBytes);
    pool.used += kNonceBytes;
}

// Appends nonce, ciphertext and tag to `out`.
void encrypt(std::string& out, const SecretKey& key, std::string_view context,
             std::string_view plain) {
    const auto start = out.size();
    out.resize(start + kNonceBytes + plain.size() + kTagBytes);
    unsigned char* const nonce = bytes_of(out) + start;
    fill_nonce(nonce);
    unsigned long long size = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + kNonceBytes, &size, bytes_of(plain),
                                               plain.size(), bytes_of(context), context.size(),
                                               nullptr, nonce, key.data());
}

// `box` is nonce, ciphertext and tag; `out` has room for the plain text. False when it does not
// open.
bool decrypt(unsigned char* out, const SecretKey& key, std::string_view context,
             std::string_view box) {
    if (box.size() < kNonceBytes + kTagBytes) return false;
    const auto sealed = box.substr(kNonceBytes);
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               out, nullptr, nullptr, bytes_of(sealed), sealed.size(), bytes_of(context),
               context.size(), bytes_of(box), key.data()) == 0;
}

cdp::Error unreadable(std::string_view detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "sealed_value_damaged",
            .message = "A sealed value cannot be opened.",
            .detail = std::string(detail)};
}

template <typename IdType>
IdType keyed_hash(const SecretKey& key, std::string_view message) {
    IdType id;
    crypto_generichash(id.bytes.data(), id.bytes.size(), bytes_of(message), message.size(),
                       key.data(), key.size());
    return id;
}

// No two (type, normal form) give the same bytes, and none gives those of domain_message(): a type
// is far shorter than 16 MB, so its length starts with a zero.
std::string identifier_message(std::string_view type, std::string_view normal_form) {
    return cdp::ByteWriter().bytes(type).raw(normal_form).take();
}

std::string domain_message(std::string_view domain, std::string_view text) {
    return cdp::ByteWriter().u8(1).bytes(domain).raw(text).take();
}

std::string subject_row(const cdp::Token& subject) {
    return KeyWriter(Space::subject_key, subject).str();
}

using EpochKeys = std::map<std::uint32_t, SecretKey>;

// A row of Space::subject_key: u8 format, u32 epoch, nonce 24, ciphertext 32, tag 16.
std::string wrap(const EpochKeys& epochs, std::string_view row_key, const SubjectKey& key) {
    const auto& [epoch, epoch_key] = *epochs.rbegin();
    std::string row;
    row.reserve(kWrapHead + kNonceBytes + key.bytes().size() + kTagBytes);
    row.append(cdp::ByteWriter().u8(kWrapFormat).u32(epoch).str());
    const auto& plain = key.bytes();
    encrypt(row, epoch_key, row_key, {reinterpret_cast<const char*>(plain.data()), plain.size()});
    return row;
}

// The row's epoch is one of these, or later.
cdp::Result<SubjectKey> unwrap_with(const EpochKeys& epochs, std::string_view row_key,
                                    std::string_view row) {
    const auto epoch_key = epochs.find(wrapping_epoch_of(row));
    // Never taken for a destroyed one: an old copy of the keyring must not look like erasure.
    if (epoch_key == epochs.end())
        return unreadable("the keyring lacks the epoch of a subject's key");
    SecretKey plain;
    if (!decrypt(plain.data(), epoch_key->second, row_key, row.substr(kWrapHead)))
        return unreadable("a subject's key does not unwrap");
    const SubjectKey key(plain);
    sodium_memzero(plain.data(), plain.size());
    return key;
}

}  // namespace

std::uint32_t wrapping_epoch_of(std::string_view row) {
    cdp::ByteReader in(row);
    const auto format = in.u8();
    const auto epoch = in.u32();
    const bool whole = in.rest().size() == kNonceBytes + sizeof(SecretKey) + kTagBytes;
    return format == kWrapFormat && whole ? epoch : 0;
}

SubjectKey::~SubjectKey() {
    sodium_memzero(key_.data(), key_.size());
}

// Two generations to a shard: when the young one is full the old one goes, and a hit in the old one
// makes young again. So what is used stays, without a list to keep in order.
struct Vault::Cache {
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kGeneration = 256 * 1024 / kShards / 2;

    struct Shard {
        std::mutex mutex;  // all of this shard
        std::unordered_map<cdp::Token, SubjectKey> young;
        std::unordered_map<cdp::Token, SubjectKey> old;
        // A slow reader of an old snapshot must not bring a destroyed key back, nor may it stand
        // where its successor belongs. 16 bytes for each erased subject until the process ends.
        std::unordered_set<cdp::Token> forgotten;

        void keep(const cdp::Token& subject, const SubjectKey& key) {
            if (young.size() >= kGeneration) {
                old = std::move(young);
                young.clear();
            }
            young.insert_or_assign(subject, key);
        }
    };

    // By a byte that the tables, which hash by the first eight, do not use.
    Shard& shard(const cdp::Token& subject) { return shards[subject.bytes[15] % kShards]; }

    std::optional<SubjectKey> find(const cdp::Token& subject) {
        Shard& in = shard(subject);
        const std::lock_guard lock(in.mutex);
        if (const auto found = in.young.find(subject); found != in.young.end())
            return found->second;
        const auto found = in.old.find(subject);
        if (found == in.old.end()) return std::nullopt;
        const SubjectKey key = found->second;
        in.old.erase(found);
        in.keep(subject, key);
        return key;
    }

    void add(const cdp::Token& subject, const SubjectKey& key) {
        Shard& in = shard(subject);
        const std::lock_guard lock(in.mutex);
        if (!in.forgotten.contains(subject)) in.keep(subject, key);
    }

    bool forgot(const cdp::Token& subject) {
        Shard& in = shard(subject);
        const std::lock_guard lock(in.mutex);
        return in.forgotten.contains(subject);
    }

    void forget(const cdp::Token& subject) {
        Shard& in = shard(subject);
        const std::lock_guard lock(in.mutex);
        in.young.erase(subject);
        in.old.erase(subject);
        in.forgotten.insert(subject);
    }

    std::array<Shard, kShards> shards;
};

// What may change while others use the vault; replaced as a whole.
struct Vault::Changing {
    explicit Changing(const Keyring& keyring, const Store* the_store = nullptr)
        : epochs(keyring.epochs), ledger(keyring.ledger), store(the_store) {
        CDP_ASSERT(!epochs.empty());
    }
    ~Changing() {
        for (auto& [epoch, key] : epochs) sodium_memzero(key.data(), key.size());
        if (ledger) sodium_memzero(ledger->seed.data(), ledger->seed.size());
    }
    Changing(const Changing&) = delete;
    Changing& operator=(const Changing&) = delete;

    EpochKeys epochs;
    std::optional<LedgerKey> ledger;
    const Store* store;  // nullptr: nothing has changed yet
};

Vault::Vault(Keyring keyring)
    : keyring_(std::move(keyring)),
      changing_(std::make_shared<const Changing>(keyring_)),
      tenant_(keyring_.tenant()),
      cache_(std::make_unique<Cache>()) {
    CDP_ASSERT(sodium_init() >= 0);
    keyring_.wipe_changing();
}

Vault::~Vault() = default;

std::optional<LedgerKey> Vault::ledger_key() const {
    return changing_.load()->ledger;
}

void Vault::adopt(const Keyring& changed, const Store& store) {
    CDP_ASSERT(changed.fingerprint == keyring_.fingerprint);
    changing_.store(std::make_shared<const Changing>(changed, &store));
}

cdp::Token Vault::token(std::string_view type, std::string_view normal_form) const {
    return keyed_hash<cdp::Token>(keyring_.token_key, identifier_message(type, normal_form));
}

cdp::Rank Vault::rank(std::string_view type, std::string_view normal_form) const {
    return keyed_hash<cdp::Rank>(keyring_.rank_key, identifier_message(type, normal_form));
}

cdp::Token Vault::hash_bytes(std::string_view domain, std::string_view text) const {
    return keyed_hash<cdp::Token>(keyring_.token_key, domain_message(domain, text));
}

cdp::Token Vault::access_key_hash(std::string_view key) const {
    return keyed_hash<cdp::Token>(keyring_.secret_key, key);
}

// Of another length than an access key's hash, and so never equal to the beginning of one: BLAKE2b
// hashes the length too.
SubjectKey Vault::own_key(std::string_view name) const {
    SecretKey bytes;
    crypto_generichash(bytes.data(), bytes.size(), bytes_of(name), name.size(),
                       keyring_.secret_key.data(), keyring_.secret_key.size());
    const SubjectKey key(bytes);
    sodium_memzero(bytes.data(), bytes.size());
    return key;
}

cdp::Result<std::optional<SubjectKey>> Vault::find(const Snapshot& snapshot,
                                                   const cdp::Token& subject) const {
    if (auto cached = cache_->find(subject)) return cached;
    const auto row_key = subject_row(subject);
    const auto row = CDP_TRY(snapshot.get(row_key));
    if (!row) return std::optional<SubjectKey>{};
    auto key = CDP_TRY(unwrap(row_key, *row));
    if (key) cache_->add(subject, *key);
    return key;
}

cdp::Result<SubjectKey> Vault::find_or_make(Transaction& transaction,
                                            const cdp::Token& subject) const {
    if (const auto cached = cache_->find(subject)) return *cached;
    // Not from the cache: reading the row is what makes two makers of one key conflict, and a maker
    // conflict with an eraser.
    const auto row_key = subject_row(subject);
    if (const auto row = CDP_TRY(transaction.get(row_key)))
        if (const auto key = CDP_TRY(unwrap(row_key, *row))) return *key;

    SecretKey fresh;
    randombytes_buf(fresh.data(), fresh.size());
    const SubjectKey key(fresh);
    sodium_memzero(fresh.data(), fresh.size());
    // Before the epoch is taken: what begins a later one is committed after it is to be had here.
    transaction.watch(epochs_row());
    transaction.put(row_key, wrap(changing_.load()->epochs, row_key, key));
    return key;
}

cdp::Result<Rewrapped> Vault::rewrap(std::string_view row_key, std::string_view row) const {
    const auto epoch = wrapping_epoch_of(row);
    if (epoch == 0) return unreadable("a subject's key has another form");
    const auto changing = changing_.load();
    const auto& epochs = changing->epochs;
    if (epoch == epochs.rbegin()->first) return Rewrapped{};
    if (epoch < epochs.begin()->first) return Rewrapped{.state = Rewrapped::State::gone};
    const auto key = CDP_TRY(unwrap_with(epochs, row_key, row));
    return Rewrapped{.state = Rewrapped::State::rewrapped, .row = wrap(epochs, row_key, key)};
}

cdp::Result<bool> Vault::same_key(std::string_view row_key, std::string_view one,
                                  std::string_view other) const {
    const auto changing = changing_.load();
    const auto lowest = changing->epochs.begin()->first;
    for (const auto row : {one, other}) {
        const auto epoch = wrapping_epoch_of(row);
        if (epoch == 0) return unreadable("a subject's key has another form");
        if (epoch < lowest) return false;
    }
    const auto first = CDP_TRY(unwrap_with(changing->epochs, row_key, one));
    const auto second = CDP_TRY(unwrap_with(changing->epochs, row_key, other));
    return sodium_memcmp(first.bytes().data(), second.bytes().data(), sizeof(SecretKey)) == 0;
}

// nullopt when the key's epoch has been destroyed, and the key with it. Of an epoch that ended
// while the reader's snapshot was held the row of today counts, unless the subject was erased: who
// has its token again has another key.
cdp::Result<std::optional<SubjectKey>> Vault::unwrap(std::string_view row_key,
                                                     std::string_view row) const {
    const auto epoch = wrapping_epoch_of(row);
    if (epoch == 0) return unreadable("a subject's key has another form");
    const auto changing = changing_.load();
    if (epoch >= changing->epochs.begin()->first)
        return std::optional(CDP_TRY(unwrap_with(changing->epochs, row_key, row)));
    constexpr std::size_t kSubjectAt = kGroupBytes - sizeof(cdp::Token);
    if (!changing->store || cache_->forgot(cdp::Token::from(row_key.substr(kSubjectAt))))
        return std::optional<SubjectKey>{};
    const auto today = CDP_TRY(changing->store->snapshot()->get(row_key));
    if (!today || wrapping_epoch_of(*today) <= epoch) return std::optional<SubjectKey>{};
    return unwrap(row_key, *today);
}

std::string Vault::seal(const SubjectKey& key, std::string_view context, std::string_view plain) {
    std::string sealed;
    sealed.reserve(1 + kNonceBytes + plain.size() + kTagBytes);
    sealed.push_back(static_cast<char>(kSealFormat));
    encrypt(sealed, key.bytes(), context, plain);
    return sealed;
}

cdp::Result<std::string> Vault::open(const SubjectKey& key, std::string_view context,
                                     std::string_view sealed) {
    constexpr std::size_t kOverhead = 1 + kNonceBytes + kTagBytes;
    if (sealed.size() < kOverhead || static_cast<std::uint8_t>(sealed[0]) != kSealFormat)
        return unreadable("a sealed value has another form");
    std::string plain(sealed.size() - kOverhead, '\0');
    if (!decrypt(bytes_of(plain), key.bytes(), context, sealed.substr(1)))
        return unreadable("a sealed value does not open");
    return plain;
}

void Vault::forget(const cdp::Token& subject) const {
    cache_->forget(subject);
}

}  // namespace storage
