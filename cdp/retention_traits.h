#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cdp/corrections.h"
#include "cdp/retention_home.h"
#include "storage/space.h"

// Traits past their time that no event says; private to cdp/retention*.cc. docs/decisions/0034.
namespace cdp {

// One step over the traits of one identifier. Those that an event says go with what it says of
// them.
class TraitRetention {
public:
    struct Needs {
        const storage::Vault& vault;
        const Config& config;
        const Token& home;
        const storage::SubjectKey& key;
        Timestamp now;
        storage::Transaction& transaction;
        DamagedRows& damaged;
    };
    TraitRetention(const Needs& needs, PrunedSoFar pruned) : needs_(needs), pruned_(pruned) {}

    // Values that were put right; that others are refused stays. Whether the commit had room for
    // all; so below.
    Result<bool> prune_corrections();
    // Facts that an expired event left.
    Result<bool> prune_kept_facts();

private:
    using Take = std::function<Result<void>(std::string_view row, std::string_view sealed)>;

    Result<bool> each(storage::Space space, const Take& take);
    bool has_room() const;
    Result<void> drop_right(const std::string& row, CorrectedTrait corrected);

    const Needs needs_;
    PrunedSoFar pruned_;
};

}  // namespace cdp
