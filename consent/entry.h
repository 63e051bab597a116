#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/sha256.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// What the ledger holds: one entry for each thing that must be provable later. Anybody may read an
// entry, so it names nobody: a record is in it as a salted commitment, and once the salt is gone
// nothing leads back.
namespace consent {

// The numbers are on disk and public: never change one, never reuse one.
enum class EntryType : std::uint8_t {
    record = 1,
    cell = 2,
    disclosures = 3,     // a batch
    withdrawal_ack = 4,  // a recipient has taken note of a withdrawal
    erasure = 5,
    version = 6,     // of a notice, the policy or the channel registry
    identity = 7,    // a batch of merges and unmerges
    access_log = 8,  // a batch of reads by people
    request_status = 9,
    key_rotation = 10,
    pruning = 11,
    exception = 12,    // an override or a declassification
    gap = 13,          // a time in which entries may have been lost
    suppression = 14,  // somebody is never to be contacted again
};

std::string_view to_string(EntryType type);

// What an entry says to everybody beside its commitment. The numbers are public: never change one.
enum class PublicTag : std::uint8_t {
    name = 1,        // of what has a version, or a public key
    hash = 2,        // of a text that is public itself
    root = 3,        // Merkle root over the rows of a batch
    count = 4,       // u64: its rows
    from = 5,        // i64, milliseconds: the first moment it speaks of
    until = 6,       // i64, milliseconds: the last
    former = 7,      // what `name` takes the place of
    least_index = 8  // u64: entries below are no longer served
};

struct PublicField {
    PublicTag tag = PublicTag::name;
    std::string bytes = {};

    friend bool operator==(const PublicField&, const PublicField&) = default;
};

PublicField public_number(PublicTag tag, std::uint64_t number);
PublicField public_time(PublicTag tag, cdp::Timestamp time);

// SHA-256("cdp-ledger/commit/v1" ‖ 0 ‖ u8 type ‖ salt ‖ u32 length ‖ bytes). The salt is random and
// kept with the bytes, sealed.
Sha256 commitment(EntryType type, const Sha256& salt, std::string_view bytes);

struct NewEntry {
    EntryType type = EntryType::gap;
    cdp::Timestamp time{};  // public: never one that only the person's own acts explain
    Sha256 salt = {};
    std::string_view bytes = {};  // what it commits to
    std::vector<PublicField> fields = {};
};

// Adds an entry to the ledger when the transaction commits. Its index is the one that the commit
// gives the append.
void append_entry(storage::Transaction& transaction, const storage::Vault& vault,
                  const NewEntry& entry);

// u8 1 ‖ u8 type ‖ u64 milliseconds ‖ tenant 8 ‖ commitment 32 ‖ fields: u8 tag ‖ u16 length ‖
// bytes, each.
struct Entry {
    EntryType type = EntryType::gap;
    cdp::Timestamp time{};
    storage::Tenant tenant = {};
    Sha256 commitment = {};
    std::vector<PublicField> fields = {};

    friend bool operator==(const Entry&, const Entry&) = default;
};

inline constexpr std::size_t kEntryBytesMax = 65'535;

std::string encode(const Entry& entry);

// Also of the 33 bytes (u8 type ‖ commitment) that records and cells had at first. Error corruption
// (ledger_damaged) for anything else.
cdp::Result<Entry> decode_entry(std::string_view bytes);

// Key prefix of the ledger's entries; the index follows as 8 bytes, big-endian.
std::string ledger_prefix();

}  // namespace consent
