#pragma once

#include <unordered_set>

#include "cdp/rebuild.h"
#include "cdp/rebuild_rows.h"
#include "identity/graph.h"

namespace cdp {

// Makes the stored folds what the scratch store's are; private to cdp/rebuild*.cc.
//
// Rows that stand for themselves are written as they differ. Persons are not: the nodes' own facts
// are mended first, then what nodes and membership rows say of each other is brought together, and
// then the fold runs over what is still placed otherwise, as after any change of rules, which
// announces what became of whom.
class Mending {
public:
    Mending(const Rebuild::Needs& needs, const RebuildReport& report);

    // Once.
    Result<void> run();

private:
    Result<void> mend_rows(const Fold& fold);
    Result<void> mend_nodes(const Fold& fold);
    Result<void> mend_node(const RowDifference& row);
    Result<void> forget(const Token& token, const std::optional<identity::Node>& node);
    Result<void> adopt_members();
    Result<void> prune_members();
    Result<void> complete_members();
    Result<void> fold_again(const Fold& fold);
    Result<void> fold_around(std::span<const Token> start);

    Result<std::string> reseal(const std::string& key, const std::string& folded);
    Result<std::optional<identity::Node>> node_at(const Token& token);
    Result<std::optional<identity::Node>> folded_at(const Token& token) const;
    Result<void> step(std::string_view stage);

    const Rebuild::Needs& needs_;
    const RebuildReport& report_;
    const Timestamp now_;
    const identity::Graph graph_;
    const std::unique_ptr<storage::Snapshot> scratch_;
    const Opened folded_;
    BatchWriter writer_;
    std::unordered_set<Token> done_;  // folded
    std::uint64_t rows_ = 0;          // worked on, for the report
};

}  // namespace cdp
