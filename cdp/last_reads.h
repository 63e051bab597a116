#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "cdp/base/result.h"
#include "consent/disclosure.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// On which day a channel was given a field last: a row for each channel and name, folded from the
// disclosures as they come into the store; docs/decisions/0020.
namespace cdp {

struct LastRead {
    std::string channel = {};
    consent::Section section = consent::Section::fields;
    std::string name = {};  // of a trait, an identifier's type or a property
    std::int32_t day = 0;   // as day_of counts them

    friend bool operator==(const LastRead&, const LastRead&) = default;
};

// What the rows of one batch say, into the transaction that stores it. A day that a row has already
// is not written again.
class LastReads {
public:
    LastReads(storage::Transaction& transaction, const storage::Vault& vault)
        : transaction_(transaction), vault_(vault) {}

    // Before the first is noted: days are known from this one on, or from ever, when it is the
    // first batch that there is.
    Result<void> begin(std::int32_t day, bool first_batch);
    // What left under an encoded mask.
    Result<void> note(const std::string& channel, const consent::MaskId& id, std::string_view mask,
                      std::int32_t day);

private:
    Result<void> keep(const LastRead& read);

    storage::Transaction& transaction_;
    const storage::Vault& vault_;
    std::set<std::tuple<std::string, consent::MaskId, std::int32_t>> noted_ = {};
};

// From which day on days are known. nullopt: nothing was noted yet.
Result<std::optional<std::int32_t>> last_reads_since(const storage::Snapshot& snapshot);

// In no order; false stops.
Result<void> each_last_read(const storage::Snapshot& snapshot, const storage::Vault& vault,
                            const std::function<bool(const LastRead&)>& visit);

}  // namespace cdp
