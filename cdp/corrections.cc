#include "cdp/corrections.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/json_normal.h"
#include "cdp/trait_rows.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::KeyWriter;
using storage::Space;

constexpr std::uint8_t kFormat = 2;
// Of one (identifier, trait).
constexpr std::size_t kRequestsMax = 100;
// Sealed it is a little more, and still a value that the store takes.
constexpr std::size_t kPlainBytesMax = storage::kValueBytesMax - 1024;

// 64 bits that tell a key from most others.
std::uint64_t start_of(const Token& home, const TraitName& name) {
    std::uint64_t one = 0;
    std::uint64_t other = 0;
    std::memcpy(&one, home.bytes.data(), sizeof one);
    std::memcpy(&other, name.bytes.data(), sizeof other);
    return one ^ other;
}

std::string prefix_of(const Token& home) {
    return KeyWriter(Space::corrected, home).str();
}

// Apart from where it is opened: g++ 12 warns of a string's own bytes otherwise.
[[gnu::noinline]] Result<CorrectedTrait> read_corrected(std::string_view plain) {
    ByteReader in(plain);
    const auto format = in.u8();
    CorrectedTrait out{.name = std::string(in.bytes())};
    const auto right = in.bytes();
    if (!right.empty()) out.right = decode_trait(right);
    for (auto n = in.u16(); n > 0 && in.ok(); --n)
        out.requests.push_back(in.id<PrivacyRequestId>());
    for (auto n = in.u16(); n > 0 && in.ok(); --n) {
        auto& word = out.words[in.id<ValueHash>()];
        word.time = timestamp_of(in.i64());
        word.refused = in.u8() != 0;
    }
    if (!in.done() || format != kFormat || out.right.has_value() == right.empty())
        return damaged("a correction that cannot be read");
    return out;
}

std::string encode(const CorrectedTrait& trait) {
    ByteWriter out;
    out.u8(kFormat).bytes(trait.name).bytes(trait.right ? encode(*trait.right) : "");
    out.u16(static_cast<std::uint16_t>(trait.requests.size()));
    for (const auto& request : trait.requests) out.raw(request.view());
    out.u16(static_cast<std::uint16_t>(trait.words.size()));
    for (const auto& [value, word] : trait.words)
        out.raw(value.view()).i64(milliseconds_of(word.time)).u8(word.refused ? 1 : 0);
    return out.take();
}

}  // namespace

void add_word(ValueWords& words, const ValueHash& value, const ValueWord& word) {
    const auto [at, fresh] = words.try_emplace(value, word);
    if (!fresh &&
        std::pair(word.time, word.refused) > std::pair(at->second.time, at->second.refused))
        at->second = word;
}

bool refuses(const ValueWords& words, const ValueHash& value) {
    const auto word = words.find(value);
    return word != words.end() && word->second.refused;
}

bool CorrectedTrait::fits() const {
    return requests.size() <= kRequestsMax && encode(*this).size() <= kPlainBytesMax;
}

ValueHash value_hash(const storage::Vault& vault, std::string_view name, std::string_view json) {
    return vault.hash<ValueHash>("value of a trait",
                                 ByteWriter().bytes(name).raw(json::normal(json)).str());
}

std::string corrected_key(const Token& home, const TraitName& name) {
    return KeyWriter(Space::corrected, home).id(name).str();
}

std::string seal_corrected(const storage::SubjectKey& key, std::string_view row,
                           const CorrectedTrait& trait) {
    return storage::Vault::seal(key, row, encode(trait));
}

Result<CorrectedTrait> open_corrected(const storage::SubjectKey& key, std::string_view row,
                                      std::string_view sealed) {
    const auto plain = storage::Vault::open(key, row, sealed);
    if (!plain) return plain.error();
    return read_corrected(*plain);
}

void Corrections::watch(storage::Transaction& transaction, const Token& home) {
    transaction.watch(prefix_of(home));
}

Result<bool> Corrections::refuses(storage::Transaction& transaction, const storage::SubjectKey& key,
                                  const Token& home, const StoredTrait& trait) const {
    CDP_CHECK(load());
    if (!any_.load(std::memory_order_acquire)) return false;
    const auto name = vault_.hash<TraitName>("trait", trait.name);
    if (!may_have(start_of(home, name))) return false;
    const auto corrected = CDP_TRY(find(transaction, key, home, trait.name));
    return cdp::refuses(corrected.words, value_hash(vault_, trait.name, trait.json));
}

Result<CorrectedTrait> Corrections::find(storage::Transaction& transaction,
                                         const storage::SubjectKey& key, const Token& home,
                                         const std::string& name) const {
    CDP_CHECK(load());
    if (!any_.load(std::memory_order_acquire)) return CorrectedTrait{.name = name};
    const auto hash = vault_.hash<TraitName>("trait", name);
    if (!may_have(start_of(home, hash))) return CorrectedTrait{.name = name};
    const auto row = corrected_key(home, hash);
    const auto sealed = CDP_TRY(transaction.get(row));
    if (!sealed) return CorrectedTrait{.name = name};
    return open_corrected(key, row, *sealed);
}

Result<void> Corrections::put(storage::Transaction& transaction, const storage::SubjectKey& key,
                              const Token& home, const CorrectedTrait& trait) const {
    CDP_CHECK(load());
    const auto name = vault_.hash<TraitName>("trait", trait.name);
    {
        const std::unique_lock lock(mutex_);
        starts_.insert(start_of(home, name));
    }
    any_.store(true, std::memory_order_release);
    auto row = corrected_key(home, name);
    auto sealed = seal_corrected(key, row, trait);
    transaction.put(std::move(row), std::move(sealed));
    return Result<void>::ok();
}

Result<void> Corrections::tell(storage::Transaction& transaction, const storage::SubjectKey& key,
                               const Token& home) const {
    CDP_CHECK(load());
    if (!any_.load(std::memory_order_acquire)) return Result<void>::ok();
    std::vector<StoredTrait> right;
    auto outcome = Result<void>::ok();
    CDP_CHECK(transaction.scan(prefix_of(home), [&](std::string_view row, std::string_view sealed) {
        auto corrected = open_corrected(key, row, sealed);
        if (!corrected)
            outcome = corrected.error();
        else if (corrected->right)
            right.push_back(std::move(*corrected->right));
        return static_cast<bool>(outcome);
    }));
    CDP_CHECK(outcome);
    for (const auto& one : right)
        CDP_CHECK(keep_latest(transaction, key,
                              trait_key(home, vault_.hash<TraitName>("trait", one.name)), one));
    return Result<void>::ok();
}

Result<void> Corrections::load() const {
    if (loaded_.load(std::memory_order_acquire)) return Result<void>::ok();
    const std::lock_guard only_one(loading_);
    if (loaded_.load(std::memory_order_acquire)) return Result<void>::ok();
    std::unordered_set<std::uint64_t> found;
    CDP_CHECK(store_.snapshot()->scan(
        storage::space_prefix(Space::corrected), "", [&](std::string_view key, std::string_view) {
            found.insert(
                start_of(storage::subject_in(key), storage::KeyReader(key).id<TraitName>()));
            return true;
        }));
    const std::unique_lock lock(mutex_);
    starts_.merge(found);
    any_.store(!starts_.empty(), std::memory_order_release);
    loaded_.store(true, std::memory_order_release);
    return Result<void>::ok();
}

bool Corrections::may_have(std::uint64_t start) const {
    const std::shared_lock lock(mutex_);
    return starts_.contains(start);
}

}  // namespace cdp
