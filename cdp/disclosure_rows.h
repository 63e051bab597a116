#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/access.h"
#include "cdp/base/result.h"
#include "consent/disclosure.h"
#include "storage/key.h"
#include "storage/store.h"
#include "storage/vault.h"

// Disclosures as they are stored, byte by byte, and what readers of them are given.
namespace cdp {

// A row, with everything that was told by it.
struct Disclosed {
    consent::Batch batch = {};
    std::uint32_t index = 0;  // in the batch
    consent::DisclosureRow row = {};
    consent::Mask mask = {};
    std::vector<RecordId> evidence = {};  // consent records that the decision rested on
    std::string reason = {};              // access: in the reader's words
};

struct DisclosedQuery {
    Timestamp since = Timestamp::min();  // rows whose last time is before this are not wanted
    Timestamp until = Timestamp::max();  // nor those whose first time is not before this
    // Which masks are wanted; none: all.
    std::function<bool(const consent::Mask&)> mask = {};
    std::size_t limit = 1000;
    std::string after = {};  // `next` of the page before
};

struct DisclosedPage {
    std::vector<Disclosed> rows;
    std::uint64_t erased = 0;  // rows there are and that nobody can read any more
    std::string next;          // empty: these are all
};

struct BatchQuery {
    Timestamp since = Timestamp::min();
    Timestamp until = Timestamp::max();
    std::size_t limit = 1000;
    std::string after = {};
};

struct BatchPage {
    std::vector<consent::Batch> batches;
    std::string next;  // empty: these are all
};

// A row as its batch keeps it: what a subject's key is needed for is not here.
struct BatchRow {
    Token subject = {};  // zeros: nobody in particular
    consent::MaskId mask = {};
    consent::DecisionId decision = {};
    std::uint32_t count = 0;
    Timestamp first{};
    Timestamp last{};
    consent::Sha256 leaf = {};
    std::string reason = {};  // only of rows about nobody in particular

    friend bool operator==(const BatchRow&, const BatchRow&) = default;
};

struct DisclosedBatch {
    consent::Batch batch = {};
    consent::Sha256 salt = {};  // of the ledger's commitment to the batch
    std::vector<BatchRow> rows = {};
};

struct RowProof {
    consent::Batch batch = {};
    consent::Sha256 salt = {};  // of the ledger's commitment to the batch
    consent::Sha256 leaf = {};
    std::uint32_t index = 0;
    std::vector<consent::Sha256> path = {};  // from the leaf to the batch's root
};

// What is known of a subject's row only under its key.
struct SubjectRow {
    std::array<std::uint8_t, 16> salt = {};
    consent::MaskId mask = {};
    consent::DecisionId decision = {};
    std::uint32_t count = 0;
    Timestamp first{};
    Timestamp last{};
    std::vector<RecordId> evidence = {};
    std::string reason = {};
};

std::string subject_row_key(const Token& subject, Timestamp last, std::uint64_t batch,
                            std::uint32_t row);
std::string seal_subject_row(const storage::SubjectKey& key, std::string_view row_key,
                             const SubjectRow& row);
// nullopt: sealed under a key that was destroyed.
Result<std::optional<SubjectRow>> open_subject_row(const std::optional<storage::SubjectKey>& key,
                                                   std::string_view row_key,
                                                   std::string_view value);

std::string batch_key(std::uint64_t number);
std::string encode_batch_value(const DisclosedBatch& batch);
// Without rows.
Result<DisclosedBatch> decode_batch_value(std::string_view value);

// Every batch, without rows, in order; false stops.
Result<void> each_batch(
    const storage::Snapshot& snapshot,
    const std::function<bool(std::uint64_t number, const Result<DisclosedBatch>&)>& visit);

// Rows of a batch in pieces that fit a value, sealed under a key of the server's own.
std::string batch_rows_prefix(std::uint64_t number);
void put_batch_rows(storage::Transaction& transaction, const storage::Vault& vault,
                    std::uint64_t number, const std::vector<BatchRow>& rows);
Result<std::vector<BatchRow>> batch_rows(const storage::Snapshot& snapshot,
                                         const storage::Vault& vault, std::uint64_t number);

std::string mask_key(const consent::MaskId& id);
std::string seal_mask(const storage::Vault& vault, const consent::MaskId& id,
                      std::string_view encoded);
Result<consent::Mask> find_mask(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                const consent::MaskId& id);

// Under whom batches are found by time.
Token channel_hash(const storage::Vault& vault, std::string_view channel);
Token reader_hash(const storage::Vault& vault, std::string_view role, std::string_view name);
Token gaps_hash(const storage::Vault& vault);
std::string batch_of_key(const Token& reader, Timestamp last, std::uint64_t number);

// How far the journal is drained, and whether its process came to a clean end.
struct DrainState {
    bool running = false;       // listing began and did not end
    std::string boot = {};      // of the machine, while running
    std::uint64_t segment = 0;  // of the journal: this and all before are in the store
    std::uint64_t parted = 0;   // a later one, of which the first `parts` parts are too
    std::uint32_t parts = 0;
    Timestamp time{};           // of the last drain, or when listing began
    std::uint64_t batches = 0;  // numbers given
};
std::string drain_state_key();
std::string encode(const DrainState& state);
Result<DrainState> find_drain_state(storage::Transaction& transaction);

}  // namespace cdp
