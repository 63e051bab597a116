#pragma once

#include <string>
#include <string_view>

#include "cdp/audit.h"
#include "cdp/base/result.h"

namespace cdp {

// What proves to anybody who has the ledger's public key that somebody was erased, and names
// nobody; docs/decisions/0035. Safe to use from many threads.
class ErasureCertificates {
public:
    // `sources` must outlive it.
    explicit ErasureCertificates(const AuditSources& sources) : sources_(sources) {}

    // {"certificate":{…},"signed":NOTE}, as things stand now: the note's text is the certificate,
    // one line of JSON, signed by the ledger's key. Waits for the disk. Errors: erasure_unknown
    // (not_found); erasure_under_way (conflict): it is not completed; not_published_yet,
    // ledger_halted (unavailable).
    Result<std::string> make(std::string_view id) const;

private:
    const AuditSources& sources_;
};

}  // namespace cdp
