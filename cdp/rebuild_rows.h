#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/rebuild.h"
#include "identity/node.h"
#include "storage/key.h"
#include "storage/snapshot.h"
#include "storage/store.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// Rows of folds and how two stores' rows of one fold compare; private to cdp/rebuild*.cc.
namespace cdp {

// A fold's rows and what of them is canonical.
struct Fold {
    enum class Form { plain, sealed, node, member };

    storage::Space space;
    std::string_view name;
    Form form = Form::plain;
    bool keeps_extra = false;  // announcements beside folds: old ones stay
};
std::span<const Fold> folds();

// The rows of a space in order of keys, some hundred read at a time.
class RowWalk {
public:
    // The snapshot must outlive it.
    RowWalk(const storage::Snapshot& snapshot, storage::Space space);

    // The next row; false: there is none.
    Result<bool> next();
    const std::string& key() const { return rows_[at_].first; }
    const std::string& value() const { return rows_[at_].second; }

private:
    const storage::Snapshot& snapshot_;
    std::string prefix_;
    std::string from_;
    std::vector<std::pair<std::string, std::string>> rows_;
    std::size_t at_ = 0;
    bool ended_ = false;
};

// A node as stored now or by an older format; nullopt: it cannot be read.
std::optional<identity::Node> stored_node(std::string_view bytes);

// The part of a node that its own facts give; the rest is its place among persons.
void take_facts(identity::Node& into, const identity::Node& from);
void take_place(identity::Node& into, const identity::Node& from);
bool same_facts(const identity::Node& a, const identity::Node& b);
// Counts of a component may be greater than those of a fold made at once: they are bounds.
bool same_place(const identity::Node& stored, const identity::Node& folded);

// A store at one moment, with the vault that opens it.
struct Opened {
    const storage::Snapshot& snapshot;
    const storage::Vault& vault;

    // nullopt when it cannot be opened.
    Result<std::optional<std::string>> open(std::string_view key, std::string_view sealed) const;
    Result<std::optional<identity::NodeValue>> value_of(const Token& token,
                                                        const identity::Node& node) const;
};

// One key where the two differ; the side that lacks it is nullptr.
struct RowDifference {
    const std::string& key;
    const std::string* stored;
    const std::string* folded;
};

// Walks both stores' rows of a fold and visits each difference; adds up what it finds.
Result<FoldDifferences> compare(const Fold& fold, const Opened& stored, const Opened& folded,
                                const std::function<Result<void>(const RowDifference&)>& visit);

// Writes to a store in commits of bounded size. Nobody else writes, so none is refused.
class BatchWriter {
public:
    explicit BatchWriter(storage::Store& store) : store_(store) {}

    // The transaction at hand, to read and write in.
    storage::Transaction& at_hand();
    const storage::Snapshot& snapshot() const { return *snapshot_; }
    // There is enough for a commit.
    bool full() const;
    // Commits when there is.
    Result<void> step();
    // Commits what there is; the version, or 0 when there was nothing.
    Result<storage::Version> flush();

private:
    storage::Store& store_;
    std::unique_ptr<storage::Snapshot> snapshot_;
    std::optional<storage::Transaction> transaction_;
};

}  // namespace cdp
