#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/erasure_facts.h"
#include "cdp/withdrawal_rows.h"
#include "consent/json_writer.h"
#include "consent/policy.h"
#include "identity/graph.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// Who was given data of whom is erased, what they are told of it and whether they took note;
// docs/decisions/0035.
namespace cdp {

class Disclosures;

// What a channel was given of one identifier.
struct WasGiven {
    std::set<std::string> purposes = {};
    std::set<std::string> fields = {};
    Timestamp last{};
};
using GivenTo = std::map<std::pair<Token, std::string>, WasGiven>;  // by identifier and channel

// Counts the erasure's recipients anew. What left before the call is seen when it was drained.
Result<GivenTo> add_recipients(Disclosures& disclosures, Erasure& erasure);

// What each channel is to be told, by the persons that there are before the erasure; without times.
Result<std::vector<KeptWithdrawal>> notices_of(const identity::Graph& graph,
                                               storage::Transaction& transaction,
                                               const Erasure& erasure, const GivenTo& given);
// From this commit on their feeds tell it. The erasure is completed.
Result<void> tell(storage::Transaction& transaction, const storage::Vault& vault,
                  const Erasure& erasure, std::vector<KeptWithdrawal> notices);

// How far a recipient has come with one erasure, or several: the least that holds of any.
struct RecipientStatus {
    enum class State { owed, told, acknowledged };

    State state = State::acknowledged;
    Timestamp since = Timestamp::max();              // of the first that is not acknowledged
    std::optional<Timestamp> due = {};               // of these; absent: nothing was agreed
    std::optional<Timestamp> told = {};              // the latest
    std::optional<Timestamp> acknowledged = {};      // the latest
    std::optional<std::uint64_t> ledger_index = {};  // of that

    void add(const RecipientStatus& other);
};
std::string_view to_string(RecipientStatus::State state);

// By channel; one that there is no notice for is owed what no feed tells.
using RecipientStatuses = std::map<std::string, RecipientStatus>;
Result<RecipientStatuses> statuses_of(const storage::Snapshot& snapshot,
                                      const storage::Vault& vault, const consent::Policy& policy,
                                      const Erasure& erasure);

// "status":…,"since":…,"due":…,"told":…,"acknowledged":{"time":…,"ledger_index":…}: what there is.
void put_status(consent::JsonWriter& out, const RecipientStatus& status);

}  // namespace cdp
