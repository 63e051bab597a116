#include "cdp/audit_proofs.h"

#include "cdp/disclosures.h"
#include "cdp/facts.h"
#include "consent/ledger.h"
#include "consent/tiles.h"

namespace cdp {

Result<consent::TlogProof> AuditProofs::published(const consent::Sha256& commitment) {
    for (bool more = true;;) {
        auto proof = sources_.ledger.prove(commitment);
        if (proof || proof.error().reason != "not_published_yet") return proof;
        if (!more || !sources_.vault.ledger_key()) return proof;
        // Nothing new may also mean that somebody else has just published it.
        more = CDP_TRY(sources_.ledger.publish(sources_.clock.now()));
    }
}

Result<consent::AuditProof> AuditProofs::make(consent::EntryType type, const consent::Sha256& salt,
                                              std::string_view bytes) {
    const auto proof = CDP_TRY(published(consent::commitment(type, salt, bytes)));
    auto entry = CDP_TRY(sources_.store.snapshot()->get(consent::entry_key(proof.index)));
    if (!entry) return damaged("an entry is missing in the ledger");
    return consent::AuditProof{.bytes = std::string(bytes),
                               .salt = salt,
                               .entry = *std::move(entry),
                               .tlog_proof = consent::render(proof)};
}

Result<std::string> AuditProofs::of(consent::EntryType type, const consent::Sha256& salt,
                                    std::string_view bytes) {
    return consent::render(CDP_TRY(make(type, salt, bytes)));
}

Result<std::string> AuditProofs::of(const Committed& said) {
    return of(said.type, said.salt, said.bytes);
}

Result<std::string> AuditProofs::of(const Disclosed& row) {
    auto level = CDP_TRY(sources_.disclosures.prove(row.batch.number, row.index));
    auto found = batches_.find(row.batch.number);
    if (found == batches_.end()) {
        const auto type = consent::entry_type(row.batch.kind);
        auto proof = CDP_TRY(make(type, level.salt, consent::encode(level.batch)));
        found = batches_.emplace(row.batch.number, std::move(proof)).first;
    }
    auto proof = found->second;
    proof.row = {consent::leaf_entry(row.row), row.index, std::move(level.path)};
    return consent::render(proof);
}

}  // namespace cdp
