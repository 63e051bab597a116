#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "consent/ledger_check.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// How many rows of a stage are done. False stops (error stopping).
using ScrubReport = std::function<bool(std::string_view stage, std::uint64_t done)>;

// What a look at every byte of a data folder said.
struct Scrubbed {
    struct Rows {
        std::string_view name;
        std::uint64_t rows = 0;
        std::uint64_t unreadable = 0;
        std::string first = {};  // that could not be read: its key, hexadecimal
    };

    std::optional<Error> files = {};  // the first that is not as it was written
    std::vector<Rows> sealed = {};
    std::optional<Error> rows = {};  // why not all of them could be looked at
    consent::LedgerChecked ledger = {};

    bool whole() const;
};

// Holds every file of the store against its checksums, opens every value that is sealed under
// somebody's key, and checks the ledger. An Error when it was stopped, or the store has no files.
Result<Scrubbed> scrub(const storage::Store& store, const storage::Vault& vault,
                       const ScrubReport& report);

// One line of JSON, without its end.
std::string render(const Scrubbed& scrubbed);

}  // namespace cdp
