#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/erasure_facts.h"
#include "cdp/event_links.h"
#include "cdp/suppression_rows.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// What whoever keeps copies of the data must know of erasures and suppressions, and who has not
// been told yet; docs/decisions/0028.
namespace cdp {

struct ToldErasure {
    PrivacyRequestId id{};
    ErasureScope scope = ErasureScope::person;
    Timestamp requested{};
    std::string author = {};
    std::vector<Token> tokens = {};
    // Of them, those behind hashes, which no value tells again: of what type they hide.
    std::map<Token, std::string> behind = {};
    // Which events under others' identifiers went too. nullopt: nobody wrote it down, and the
    // events themselves tell.
    std::optional<std::vector<FiledEvent>> events = {};

    friend bool operator==(const ToldErasure&, const ToldErasure&) = default;
};

struct Told {
    std::vector<ToldErasure> erasures = {};
    std::vector<ListedSuppression> suppressions = {};  // as they came to stand

    bool empty() const { return erasures.empty() && suppressions.empty(); }
};

std::string encode(const Told& told);
// nullopt unless encode wrote it.
std::optional<Told> decode_told(std::string_view bytes);

// Owes the erasure to each registered repository of backups. The transaction conflicts with one
// that registers another.
Result<void> owe_to_backups(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                            const storage::Vault& vault, const ToldErasure& erasure);

// The same of a suppression that is made or revoked.
Result<void> owe_to_backups(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                            const storage::Vault& vault, const ListedSuppression& suppression);

// The same of events that an erasure takes under others' identifiers, in parts, before it is done.
// Whoever registers later has that in what is copied.
Result<void> owe_events(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                        const storage::Vault& vault, const PrivacyRequestId& id,
                        std::uint32_t number, std::span<const FiledEvent> events);

// What a repository has not been told of suppressions, and of erasures that are done, oldest
// first; the rows go when it was.
struct Owed {
    Told told = {};
    std::vector<std::string> rows = {};
};
Result<Owed> owed_to(const storage::Snapshot& snapshot, const storage::Vault& vault,
                     const std::string& repository);
// Of both together.
Result<std::uint64_t> count_owed(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                 const std::string& repository);

// Somebody among them is known, and cannot be read any more: their keys ended with an epoch.
Result<bool> lacks_keys(const storage::Snapshot& snapshot, const storage::Vault& vault,
                        std::span<const Token> tokens);

// Every suppression that a store knows, and every erasure that it knows to be done, oldest first.
Result<Told> told_in(const storage::Snapshot& snapshot, const storage::Vault& vault);

}  // namespace cdp
