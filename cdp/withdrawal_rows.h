#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/record_words.h"
#include "consent/sha256.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// Acknowledgements as they are stored: the rows of Space::acknowledged. A row stands under the
// identifier that the withdrawal names, so that persons may merge and split around it.
namespace cdp {

// That a recipient has taken note.
struct Acknowledged {
    Timestamp time{};
    std::string channel = {};
    std::string by = {};        // the name of the key
    consent::Sha256 salt = {};  // of its entry in the ledger

    // What the entry commits to, and with what. `record`: of the withdrawal.
    std::string said_of(const RecordId& record) const;
    consent::Sha256 commitment(const RecordId& record) const;
};

void write(storage::Transaction& transaction, const storage::Vault& vault, const RecordId& record,
           const Token& token, const Acknowledged& acknowledged);

// nullopt: not for all of the identifiers, or there are none; else the latest.
Result<std::optional<Acknowledged>> find_acknowledged(storage::Transaction& transaction,
                                                      const storage::Vault& vault,
                                                      const RecordId& record,
                                                      std::string_view channel,
                                                      std::span<const Token> tokens);

// Everything that any channel took note of; false stops.
using VisitAcknowledged = std::function<bool(const RecordId&, const Result<Acknowledged>&)>;
Result<void> each_acknowledged(const storage::Snapshot& snapshot, const VisitAcknowledged& visit);

enum class ErasureScope : std::uint8_t;  // cdp/erasure_facts.h

// What a channel must be told of who was erased: that they were, or what is left of a withdrawal
// that it had not taken note of by then. Who that was is told by the person's id alone.
struct KeptWithdrawal {
    RecordId record = {};  // of an erasure the request's id
    PersonId person = {};
    std::string channel = {};
    std::string purpose = {};
    consent::State state = consent::State::denied;
    Timestamp time{};
    Timestamp received{};
    std::vector<std::string> purposes = {};  // that it was told under; sorted
    std::set<std::string> fields = {};       // that it was told of
    Timestamp told_last{};
    std::optional<Timestamp> heard = {};  // when the feed told of it first
    // None of the person's identifiers that it names was left: else it may stand for what is left
    // of the person, under whatever id that has now, and is told of once.
    bool whole = true;
    std::optional<ErasureScope> erased = {};  // it is no withdrawal, but the erasure itself

    // What stands for the identifiers in an acknowledgement.
    Token under() const { return Token{person.bytes}; }
};

// One that is kept already stays as it is.
Result<void> keep(storage::Transaction& transaction, const storage::Vault& vault,
                  const KeptWithdrawal& kept);
Result<std::vector<KeptWithdrawal>> kept_of(const storage::Snapshot& snapshot,
                                            const storage::Vault& vault, const RecordId& record);
// Its feed has told the channel; what was noted before stays.
Result<void> note_heard(storage::Transaction& transaction, const storage::Vault& vault,
                        const KeptWithdrawal& kept, Timestamp at);

}  // namespace cdp
