#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "cdp/facts.h"
#include "cdp/tombstones.h"
#include "storage/store.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// What was said of people and put right; docs/decisions/0031.
namespace cdp {

// A keyed hash of a trait's name and a value in its normal form.
using ValueHash = Id<struct ValueHashTag>;

// What a corrected trait is said to be from: no source has this name.
inline constexpr std::string_view kCorrectionSource = "(rectification)";

// What a correction said of a value: that it is wrong, or that it is right after all.
struct ValueWord {
    Timestamp time{};
    bool refused = false;

    friend bool operator==(const ValueWord&, const ValueWord&) = default;
};
// The newest of each value.
using ValueWords = std::map<ValueHash, ValueWord>;

// Keeps the newer word; of one moment, the refusal. Any order of calls leaves the same.
void add_word(ValueWords& words, const ValueHash& value, const ValueWord& word);
bool refuses(const ValueWords& words, const ValueHash& value);

// A trait of one identifier as it was corrected: a fact. The value stands beside the events' and is
// later than any of them that was there.
struct CorrectedTrait {
    std::string name = {};
    std::optional<StoredTrait> right = {};        // the newest value; none: only refusals
    std::vector<PrivacyRequestId> requests = {};  // by which, oldest first
    ValueWords words = {};

    // As many as a row holds; more are refused.
    bool fits() const;
};

ValueHash value_hash(const storage::Vault& vault, std::string_view name, std::string_view json);
std::string corrected_key(const Token& home, const TraitName& name);
std::string seal_corrected(const storage::SubjectKey& key, std::string_view row,
                           const CorrectedTrait& trait);
Result<CorrectedTrait> open_corrected(const storage::SubjectKey& key, std::string_view row,
                                      std::string_view sealed);

// Safe to use from many threads; the store and vault must outlive it.
class Corrections {
public:
    Corrections(const storage::Store& store, const storage::Vault& vault)
        : store_(store), vault_(vault) {}

    // Before traits are filed under an identifier: the transaction then conflicts with a correction
    // there that is committed before it.
    static void watch(storage::Transaction& transaction, const Token& home);
    // Whether a value is refused. Costs a read only where something was corrected.
    Result<bool> refuses(storage::Transaction& transaction, const storage::SubjectKey& key,
                         const Token& home, const StoredTrait& trait) const;

    // As of the transaction; empty when nothing was corrected.
    Result<CorrectedTrait> find(storage::Transaction& transaction, const storage::SubjectKey& key,
                                const Token& home, const std::string& name) const;
    // From now on it is looked up; call it before the commit.
    Result<void> put(storage::Transaction& transaction, const storage::SubjectKey& key,
                     const Token& home, const CorrectedTrait& trait) const;

    // Says what is right again where an identifier's traits are told anew.
    Result<void> tell(storage::Transaction& transaction, const storage::SubjectKey& key,
                      const Token& home) const;

private:
    Result<void> load() const;
    bool may_have(std::uint64_t start) const;

    const storage::Store& store_;
    const storage::Vault& vault_;
    mutable std::atomic<bool> loaded_ = false;
    mutable std::atomic<bool> any_ = false;
    mutable std::mutex loading_;
    mutable std::shared_mutex mutex_;                   // starts_
    mutable std::unordered_set<std::uint64_t> starts_;  // of keys that may be there
};

}  // namespace cdp
