#include "cdp/rebuild_rows.h"

#include <array>

#include "cdp/facts.h"
#include "identity/change.h"

namespace cdp {
namespace {

using storage::Space;

constexpr std::array kFolds{
    Fold{Space::node, "identifiers", Fold::Form::node},
    Fold{Space::link, "links"},
    Fold{Space::hash_form, "hashed_forms"},
    Fold{Space::member, "members", Fold::Form::member},
    Fold{.space = Space::person, .name = "person_ids", .keeps_extra = true},
    Fold{Space::pointer, "pointers"},
    Fold{Space::trait, "traits", Fold::Form::sealed},
    Fold{Space::group, "groups", Fold::Form::sealed},
    Fold{Space::group_trait, "group_traits", Fold::Form::sealed},
    Fold{Space::group_member, "group_members"},
    Fold{Space::group_of, "groups_of_members"},
};

constexpr std::size_t kReadRows = 256;
constexpr std::size_t kWriteRows = 600;
constexpr std::size_t kWriteBytes = 1 << 20;

Result<bool> same_node(const Opened& stored, const Opened& folded, const RowDifference& row) {
    const auto a = identity::decode_node(*row.stored);  // an older format's is to be written anew
    const auto b = identity::decode_node(*row.folded);
    if (!b) return damaged("a node that was made again cannot be read");
    if (!a || !same_facts(*a, *b) || !same_place(*a, *b)) return false;
    const auto token = storage::subject_in(row.key);
    const auto is = CDP_TRY(stored.value_of(token, *a));
    const auto should = CDP_TRY(folded.value_of(token, *b));
    return is && should && is->value == should->value;
}

Result<bool> same(const Fold& fold, const Opened& stored, const Opened& folded,
                  const RowDifference& row) {
    switch (fold.form) {
        case Fold::Form::plain: return *row.stored == *row.folded;
        case Fold::Form::member: return identity::decode_since(*row.stored).has_value();
        case Fold::Form::node: return same_node(stored, folded, row);
        case Fold::Form::sealed: {
            const auto a = CDP_TRY(stored.open(row.key, *row.stored));
            return a && a == CDP_TRY(folded.open(row.key, *row.folded));
        }
    }
    return false;
}

}  // namespace

std::span<const Fold> folds() {
    return kFolds;
}

RowWalk::RowWalk(const storage::Snapshot& snapshot, Space space)
    : snapshot_(snapshot), prefix_(storage::space_prefix(space)) {}

Result<bool> RowWalk::next() {
    if (++at_ < rows_.size()) return true;
    if (ended_) return false;
    rows_.clear();
    at_ = 0;
    CDP_CHECK(snapshot_.scan(prefix_, from_, [&](std::string_view key, std::string_view value) {
        rows_.emplace_back(key, value);
        return rows_.size() < kReadRows;
    }));
    ended_ = rows_.size() < kReadRows;
    if (rows_.empty()) return false;
    from_ = rows_.back().first + '\0';
    return true;
}

std::optional<identity::Node> stored_node(std::string_view bytes) {
    auto node = identity::decode_node(bytes);
    return node ? node : identity::decode_node_of_format_1(bytes);
}

void take_facts(identity::Node& into, const identity::Node& from) {
    into.type = from.type;
    into.rank = from.rank;
    into.seen = from.seen;
    into.asserted = from.asserted;
    into.twin = from.twin;
    into.first_seen = from.first_seen;
}

void take_place(identity::Node& into, const identity::Node& from) {
    const auto sealed = std::move(into.sealed);
    identity::Node facts = into;
    into = from;
    take_facts(into, facts);
    into.sealed = sealed;
}

bool same_facts(const identity::Node& a, const identity::Node& b) {
    identity::Node with = a;
    take_facts(with, b);
    return with == a;
}

bool same_place(const identity::Node& stored, const identity::Node& folded) {
    identity::Node with = stored;
    take_place(with, folded);
    if (with.component > stored.component || with.component_links > stored.component_links)
        return false;
    with.component = stored.component;
    with.component_links = stored.component_links;
    return with == stored;
}

Result<std::optional<std::string>> Opened::open(std::string_view key,
                                                std::string_view sealed) const {
    const auto subject = CDP_TRY(vault.find(snapshot, storage::subject_in(key)));
    if (!subject) return std::optional<std::string>{};
    auto plain = storage::Vault::open(*subject, key, sealed);
    if (!plain) return std::optional<std::string>{};
    return std::optional(std::move(*plain));
}

Result<std::optional<identity::NodeValue>> Opened::value_of(const Token& token,
                                                            const identity::Node& node) const {
    const auto plain = CDP_TRY(open(identity::node_key(token), node.sealed));
    return plain ? identity::decode_node_value(*plain) : std::nullopt;
}

Result<FoldDifferences> compare(const Fold& fold, const Opened& stored, const Opened& folded,
                                const std::function<Result<void>(const RowDifference&)>& visit) {
    FoldDifferences out{.fold = fold.name};
    RowWalk a(stored.snapshot, fold.space);
    RowWalk b(folded.snapshot, fold.space);
    bool at_a = CDP_TRY(a.next());
    bool at_b = CDP_TRY(b.next());
    while (at_a || at_b) {
        const bool has_a = at_a && (!at_b || a.key() <= b.key());
        const bool has_b = at_b && (!at_a || b.key() <= a.key());
        const RowDifference row{has_a ? a.key() : b.key(), has_a ? &a.value() : nullptr,
                                has_b ? &b.value() : nullptr};
        out.rows += has_b;
        const bool equal =
            has_a && has_b ? CDP_TRY(same(fold, stored, folded, row)) : has_a && fold.keeps_extra;
        if (!equal) {
            ++(!has_a ? out.missing : !has_b ? out.extra : out.different);
            if (visit) CDP_CHECK(visit(row));
        }
        if (has_a) at_a = CDP_TRY(a.next());
        if (has_b) at_b = CDP_TRY(b.next());
    }
    return out;
}

storage::Transaction& BatchWriter::at_hand() {
    if (!transaction_) {
        snapshot_ = store_.snapshot();
        transaction_.emplace(*snapshot_, storage::kPartition);
    }
    return *transaction_;
}

bool BatchWriter::full() const {
    return transaction_ &&
           (transaction_->writes().size() >= kWriteRows || transaction_->bytes() >= kWriteBytes);
}

Result<void> BatchWriter::step() {
    if (full()) CDP_TRY(flush());
    return Result<void>::ok();
}

Result<storage::Version> BatchWriter::flush() {
    if (!transaction_ || transaction_->empty()) {
        transaction_.reset();
        return storage::Version{0};
    }
    auto outcome = storage::commit_and_wait(store_, std::move(*transaction_));
    transaction_.reset();
    if (outcome.state == storage::CommitState::unknown) return outcome.error;
    if (outcome.state == storage::CommitState::conflict)
        return Error{.code = ErrorCode::conflict,
                     .reason = "not_alone",
                     .message = "Somebody else has written meanwhile; nobody may."};
    return outcome.version;
}

}  // namespace cdp
