#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "consent/note.h"

// Whether what an officer was told is what the ledger holds: from the answer and the ledger's
// public key alone.
namespace api {

inline constexpr std::size_t kAuditBytesMax = std::size_t{64} * 1024 * 1024;

struct CheckedAudit {
    std::size_t proofs = 0;  // there are
    std::size_t hold = 0;
    std::size_t unproved = 0;              // members of lists of what is proved, that have none
    std::size_t signatures = 0;            // of certificates, that hold
    std::optional<cdp::Error> fault = {};  // the first, its pointer the place in the document
    std::string origin = {};               // the ledger's name
    std::uint64_t size = 0;                // of the largest tree that was signed
    // Members that no proof covers, each place once: of a list `*` stands for every number.
    std::set<std::string> uncovered = {};

    bool verified() const { return proofs > 0 && !fault; }
};

// Every `proof` in a document, each against what is shown beside it; and whatever answers prove
// must have one. A `certificate` must be what the note `signed` beside it says, under one of the
// keys. A fault is one of consent::verify(AuditProof) or consent::open_note, malformed_proof,
// signature_foreign (by a key that is none of the ledger which the certificate names), or
// field_differs: it shows something else than was recorded. Of a record, a stamp and a row of
// disclosures that is everything but the identifiers, which the ledger holds as keyed tokens, and
// of a row the records it rested on and the reader's reason; of a batch what names it; of an
// erasure who asked and why. Errors: those of parse_json; answer_too_large.
cdp::Result<CheckedAudit> check_audit(std::string_view text,
                                      std::span<const consent::VerifierKey> trusted);

struct AuditCheckCommand {
    std::string file;
    std::vector<std::string> keys;
    bool json = false;
};

// Needs no data folder. Exit 1 when a proof does not hold or there is none.
int verify_audit(const AuditCheckCommand& command);

}  // namespace api
