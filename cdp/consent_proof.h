#pragma once

#include <optional>

#include "cdp/consent_check.h"
#include "cdp/notices.h"
#include "consent/record.h"
#include "storage/store.h"
#include "storage/vault.h"

// What an answer rests on that was stored before it.
namespace cdp {

class ConsentProof {
public:
    struct Needs {
        const storage::Vault& vault;
        const Notices& notices;
    };
    explicit ConsentProof(Needs needs) : needs_(needs) {}

    // Refuses a confirmation of nothing, with the wrong token or too late; a guardian's answer that
    // is not there; a grant to another text than the notice's. Warns of a notice that nobody has
    // posted. What was recorded before is not looked at again: it is given what it had then.
    Result<void> check(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                       CheckedConsent& item) const;

private:
    Result<std::optional<consent::Record>> find(const storage::Snapshot& snapshot,
                                                storage::Transaction& transaction,
                                                const Token& token, const RecordId& id) const;
    Result<void> check_confirmation(const storage::Snapshot& snapshot,
                                    storage::Transaction& transaction,
                                    const CheckedConsent& item) const;
    Result<void> check_guardian(const storage::Snapshot& snapshot,
                                storage::Transaction& transaction,
                                const CheckedConsent& item) const;
    Result<void> check_notice(storage::Transaction& transaction, CheckedConsent& item) const;

    Needs needs_;
};

}  // namespace cdp
