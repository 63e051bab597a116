#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cdp/listing.h"
#include "cdp/unlisted.h"
#include "storage/vault.h"

namespace cdp {

// What listings become in the journal: told in full the first time in a segment, and from then on
// by a number. Guarded by whoever guards the journal.
class DisclosureRecords {
public:
    explicit DisclosureRecords(const storage::Vault& vault) : key_(vault.own_key("journal")) {}

    // Seals what is told in full.
    const storage::SubjectKey& key() const { return key_; }

    struct Made {
        std::vector<std::string> bytes;                                         // of each record
        std::vector<std::pair<Unlisted::Place*, Unlisted::Place>> places = {};  // of what is new
    };
    // To be appended to that segment together.
    Made make(const std::vector<std::shared_ptr<Listing>>& listings, std::uint64_t segment);
    // They are in the journal to stay.
    void keep(Made made);

private:
    const storage::SubjectKey key_;
    std::uint64_t defined_in_ = 0;  // the segment that next_number_ counts in
    std::uint32_t next_number_ = 0;
};

}  // namespace cdp
