#pragma once

#include <string>
#include <string_view>

#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/notices.h"
#include "cdp/shown.h"
#include "consent/ledger.h"
#include "consent/receipt.h"
#include "storage/store.h"
#include "storage/vault.h"

// Receipts of what was answered, for whoever hands them to the person.
namespace cdp {

struct ReceiptRequest {
    RecordId record = {};
    std::string_view type = {};  // an identifier that the answer was given for
    std::string_view value = {};
    consent::ReceiptFormat format = consent::ReceiptFormat::ts27560;
};

// Safe to use from many threads. Everything it refers to must outlive it.
class Receipts {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const consent::Ledger& ledger;
        const Notices& notices;
        const Config& config;
        const Clock& clock;
    };
    explicit Receipts(Needs needs) : needs_(needs) {}

    // For officers, administrators and sources of trust server (forbidden). Errors: not_found
    // (consent_unknown): nobody answered that under this identifier, or it was erased; unavailable
    // (not_published_yet): within a second it is; and those of consent::render_receipt.
    Result<Shown> make(const Principal& caller, const ReceiptRequest& request) const;

private:
    Result<consent::ReceiptWords> words_of(const consent::Record& record) const;
    Result<void> add_notice(const consent::Record& record, consent::ReceiptWords& words) const;

    Needs needs_;
};

}  // namespace cdp
