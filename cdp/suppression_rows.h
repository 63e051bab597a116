#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/tombstones.h"
#include "consent/sha256.h"
#include "consent/suppression.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// Who is never to be contacted again, as it is kept: keyed tokens, and what officers said.
namespace cdp {

struct ListedSuppression {
    // What an officer said when ending it.
    struct Revoked {
        std::string author = {};
        std::string reason = {};
        consent::Sha256 salt = {};  // of its entry in the ledger

        friend bool operator==(const Revoked&, const Revoked&) = default;
    };

    consent::Suppression said = {};
    std::string type = {};  // of the identifier
    // The identifier that was named, then what else is known by it; see 0030.
    std::vector<Token> tokens = {};
    std::string author = {};
    std::string note = {};
    std::optional<PrivacyRequestId> request = {};  // that it came from
    consent::Sha256 salt = {};                     // of its entry in the ledger
    std::optional<Revoked> revoked = {};           // at said.until

    consent::Sha256 commitment() const;
    // Of the entry that says it was revoked, if it was.
    std::optional<consent::Sha256> revocation() const;

    friend bool operator==(const ListedSuppression&, const ListedSuppression&) = default;
};

std::string encode(const ListedSuppression& one);
// nullopt: not what encode wrote.
std::optional<ListedSuppression> decode_listed_suppression(std::string_view bytes);

// What the ledger's entries commit to.
std::string encode_made(const ListedSuppression& one);
std::string encode_revoked(const ListedSuppression& one);

// Newest first.
std::string suppression_list_prefix();
std::string suppression_list_key(const RecordId& id);

// Writes it where it is listed, and under each of its identifiers.
void put_suppression(storage::Transaction& transaction, const storage::Vault& vault,
                     const ListedSuppression& one);
Result<ListedSuppression> open_suppression(const storage::Vault& vault, std::string_view key,
                                           std::string_view sealed);
Result<std::optional<ListedSuppression>> find_suppression(storage::Transaction& transaction,
                                                          const storage::Vault& vault,
                                                          const RecordId& id);
// Every one, newest first.
Result<std::vector<ListedSuppression>> all_suppressions(const storage::Snapshot& snapshot,
                                                        const storage::Vault& vault);

// Those that name this identifier, in the order of their rows, revoked ones too: not those of an
// address or number that it is a hash of.
Result<std::vector<ListedSuppression>> suppressions_naming(storage::Transaction& transaction,
                                                           const storage::Vault& vault,
                                                           const Token& token);

// What the ledger's entries of each commit to; nullopt: its row cannot be read, those under its
// identifiers say something else, or one stands under an identifier that it does not list. False
// stops.
Result<void> each_suppression_commitment(
    const storage::Snapshot& snapshot, const storage::Vault& vault,
    const std::function<bool(const RecordId&, const std::optional<consent::Sha256>&)>& visit);

}  // namespace cdp
