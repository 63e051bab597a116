#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "consent/consents.h"
#include "consent/disclosure.h"
#include "consent/entry.h"
#include "consent/tlog_proof.h"

// What proves one thing that an officer was told, to anybody who has the ledger's public key. Pure.
namespace consent {

// That a row is in a batch of disclosures, shown without the others.
struct RowProofBytes {
    std::string bytes = {};  // leaf_entry
    std::uint32_t index = 0;
    std::vector<Sha256> path = {};  // from the leaf to the batch's root

    friend bool operator==(const RowProofBytes&, const RowProofBytes&) = default;
};

struct AuditProof {
    std::string bytes = {};  // what the ledger commits to
    Sha256 salt = {};
    std::string entry = {};       // of the ledger, as it is in the log
    std::string tlog_proof = {};  // of the entry
    std::optional<RowProofBytes> row = {};

    friend bool operator==(const AuditProof&, const AuditProof&) = default;
};

// {"bytes":…,"salt":…,"entry":…,"tlog_proof":…,"row":{"bytes":…,"index":…,"path":[…]}}: bytes in
// base64, hashes in hex; `row` only when there is one.
std::string render(const AuditProof& proof);

// What a proof proves by itself. Of the bytes, what their type is known to be.
struct Proven {
    Entry entry = {};
    std::uint64_t index = 0;  // of the entry
    Checkpoint checkpoint = {};
    std::string bytes = {};  // what the entry commits to
    std::optional<Record> record = {};
    std::optional<Cell> cell = {};  // without the first moment, which is not committed to
    std::optional<Batch> batch = {};
    std::optional<DisclosureRow> row = {};
    std::uint32_t row_index = 0;  // in the batch
};

// Errors invalid_argument, their pointer the member that does not hold: those of
// verify(TlogProof), and malformed_entry, commitment_differs, malformed_bytes, root_differs,
// row_differs.
cdp::Result<Proven> verify(const AuditProof& proof, std::span<const VerifierKey> known);

}  // namespace consent
