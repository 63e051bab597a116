#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cdp/audit.h"
#include "cdp/committed.h"
#include "cdp/disclosure_rows.h"
#include "consent/audit_proof.h"

// What an answer to an officer proves.
namespace cdp {

// The proofs of one answer. What the ledger has not published yet it publishes first, so that no
// answer is without. Errors: unavailable (not_published_yet): there is no ledger; and those of
// Ledger::publish.
class AuditProofs {
public:
    explicit AuditProofs(const AuditSources& sources) : sources_(sources) {}

    // JSON objects, as consent::render writes them.
    Result<std::string> of(const Committed& said);
    Result<std::string> of(const Disclosed& row);
    // Of anything else that has an entry.
    Result<std::string> of(consent::EntryType type, const consent::Sha256& salt,
                           std::string_view bytes);

private:
    Result<consent::AuditProof> make(consent::EntryType type, const consent::Sha256& salt,
                                     std::string_view bytes);
    Result<consent::TlogProof> published(const consent::Sha256& commitment);

    const AuditSources& sources_;
    std::map<std::uint64_t, consent::AuditProof> batches_;  // without a row
};

}  // namespace cdp
