#include "cdp/rebuild_mend.h"

#include <algorithm>

#include "cdp/facts.h"
#include "identity/change.h"
#include "identity/component.h"

namespace cdp {
namespace {

using storage::Space;

// Folded in one commit; components are many rows.
constexpr std::size_t kStartsMax = 64;

bool is_at(const identity::Node& node, const Token& anchor) {
    return node.active && node.placed() && node.anchor == anchor;
}

struct Membership {
    Token anchor;
    Token member;
};

Membership membership_in(std::string_view key) {
    return {storage::subject_in(key), storage::KeyReader(key).id<Token>()};
}

}  // namespace

Mending::Mending(const Rebuild::Needs& needs, const RebuildReport& report)
    : needs_(needs),
      report_(report),
      now_(needs.clock.now()),
      graph_(needs.store, needs.vault, needs.config.types),
      scratch_(needs.scratch.snapshot()),
      folded_{*scratch_, needs.scratch_vault},
      writer_(needs.store) {}

Result<void> Mending::run() {
    const Fold* nodes = nullptr;
    for (const Fold& fold : folds()) {
        if (fold.form == Fold::Form::plain || fold.form == Fold::Form::sealed)
            CDP_CHECK(mend_rows(fold));
        if (fold.form == Fold::Form::node) nodes = &fold;
    }
    CDP_CHECK(mend_nodes(*nodes));
    CDP_CHECK(adopt_members());
    CDP_CHECK(prune_members());
    CDP_CHECK(complete_members());
    return fold_again(*nodes);
}

Result<void> Mending::mend_rows(const Fold& fold) {
    const auto snapshot = needs_.store.snapshot();
    const auto mend = [&](const RowDifference& row) -> Result<void> {
        if (!row.folded)
            writer_.at_hand().erase(row.key);
        else if (fold.form == Fold::Form::plain)
            writer_.at_hand().put(row.key, *row.folded);
        else
            writer_.at_hand().put(row.key, CDP_TRY(reseal(row.key, *row.folded)));
        return step(fold.name);
    };
    CDP_TRY(compare(fold, {*snapshot, needs_.vault}, folded_, mend));
    CDP_TRY(writer_.flush());
    return Result<void>::ok();
}

Result<std::string> Mending::reseal(const std::string& key, const std::string& folded) {
    const auto plain = CDP_TRY(folded_.open(key, folded));
    if (!plain) return damaged("a value that was made again cannot be read");
    const auto subject =
        CDP_TRY(needs_.vault.find_or_make(writer_.at_hand(), storage::subject_in(key)));
    return storage::Vault::seal(subject, key, *plain);
}

Result<void> Mending::mend_nodes(const Fold& fold) {
    const auto snapshot = needs_.store.snapshot();
    CDP_TRY(compare(fold, {*snapshot, needs_.vault}, folded_,
                    [&](const RowDifference& row) { return mend_node(row); }));
    CDP_TRY(writer_.flush());
    return Result<void>::ok();
}

Result<void> Mending::mend_node(const RowDifference& row) {
    const auto token = storage::subject_in(row.key);
    auto node = row.stored ? stored_node(*row.stored) : std::nullopt;
    if (!row.folded) {
        CDP_CHECK(forget(token, node));
        return step("identifiers");
    }
    const auto folded = identity::decode_node(*row.folded);
    if (!folded) return damaged("a node that was made again cannot be read");
    if (!node) {
        node.emplace();
        node->link_class = folded->link_class;
        node->active = folded->seen;
    }
    take_facts(*node, *folded);
    auto& transaction = writer_.at_hand();
    const Opened stored{writer_.snapshot(), needs_.vault};
    const auto should = CDP_TRY(folded_.value_of(token, *folded));
    const auto is = CDP_TRY(stored.value_of(token, *node));
    if (!should) return damaged("a value that was made again cannot be read");
    if (!is || is->value != should->value) node->sealed = CDP_TRY(reseal(row.key, folded->sealed));
    auto bytes = encode(*node);
    if (row.stored && bytes == *row.stored) return Result<void>::ok();
    transaction.put(row.key, std::move(bytes));
    return step("identifiers");
}

// No fact names the identifier any more. That it was somebody's is history.
Result<void> Mending::forget(const Token& token, const std::optional<identity::Node>& node) {
    auto& transaction = writer_.at_hand();
    transaction.erase(identity::node_key(token));
    if (!node || !node->placed()) return Result<void>::ok();
    const auto key = identity::member_key(node->anchor, token);
    const auto row = CDP_TRY(transaction.get(key));
    if (!row) return Result<void>::ok();
    if (const auto since = identity::decode_since(*row))
        identity::write_history(transaction, token, node->person(), *since, now_);
    transaction.erase(key);
    return Result<void>::ok();
}

// A node that has lost its place is where a membership row says; one that has another place than
// its row is where the row says if the fold does too.
Result<void> Mending::adopt_members() {
    const auto snapshot = needs_.store.snapshot();
    RowWalk rows(*snapshot, Space::member);
    while (CDP_TRY(rows.next())) {
        const auto [anchor, member] = membership_in(rows.key());
        auto node = CDP_TRY(node_at(member));
        if (!node || is_at(*node, anchor)) continue;
        const auto folded = CDP_TRY(folded_at(member));
        const auto best = CDP_TRY(folded_at(anchor));
        if (folded && is_at(*folded, anchor)) {
            take_place(*node, *folded);
        } else if (!node->placed() && node->active && best) {
            node->anchor = anchor;
            node->anchor_rank = best->rank;
            node->anchor_class = best->link_class;
        } else {
            continue;
        }
        writer_.at_hand().put(identity::node_key(member), encode(*node));
        CDP_CHECK(step("members"));
    }
    CDP_TRY(writer_.flush());
    return Result<void>::ok();
}

Result<void> Mending::prune_members() {
    const auto snapshot = needs_.store.snapshot();
    RowWalk rows(*snapshot, Space::member);
    while (CDP_TRY(rows.next())) {
        const auto [anchor, member] = membership_in(rows.key());
        const auto node = CDP_TRY(node_at(member));
        const bool stands = node && is_at(*node, anchor);
        if (stands && identity::decode_since(rows.value())) continue;
        if (stands)
            writer_.at_hand().put(rows.key(), identity::encode_since(now_));
        else
            writer_.at_hand().erase(rows.key());
        CDP_CHECK(step("members"));
    }
    CDP_TRY(writer_.flush());
    return Result<void>::ok();
}

// Since when is not known any more; it is so now.
Result<void> Mending::complete_members() {
    const auto snapshot = needs_.store.snapshot();
    RowWalk rows(*snapshot, Space::node);
    while (CDP_TRY(rows.next())) {
        const auto node = identity::decode_node(rows.value());
        if (!node) return damaged("a node that was mended cannot be read");
        if (!node->active || !node->placed()) continue;
        const auto key = identity::member_key(node->anchor, storage::subject_in(rows.key()));
        if (CDP_TRY(snapshot->get(key))) continue;
        writer_.at_hand().put(key, identity::encode_since(now_));
        CDP_CHECK(step("members"));
    }
    CDP_TRY(writer_.flush());
    return Result<void>::ok();
}

Result<void> Mending::fold_again(const Fold& fold) {
    const auto snapshot = needs_.store.snapshot();
    std::vector<Token> starts;
    const auto hand_on = [&](const RowDifference& row) -> Result<void> {
        const auto token = storage::subject_in(row.key);
        if (!done_.contains(token)) starts.push_back(token);
        if (starts.size() < kStartsMax) return Result<void>::ok();
        CDP_CHECK(fold_around(starts));
        starts.clear();
        return Result<void>::ok();
    };
    CDP_TRY(compare(fold, {*snapshot, needs_.vault}, folded_, hand_on));
    return fold_around(starts);
}

Result<void> Mending::fold_around(std::span<const Token> start) {
    std::vector<Token> left;
    std::ranges::copy_if(start, std::back_inserter(left),
                         [&](const auto& token) { return !done_.contains(token); });
    if (left.empty()) return Result<void>::ok();
    const auto folded = CDP_TRY(
        graph_.settle_afresh(writer_.at_hand(), left, {identity::Cause::What::rules, now_, {}}));
    done_.insert(folded.begin(), folded.end());
    rows_ += folded.size();
    if (report_) report_("persons", rows_);
    CDP_TRY(writer_.flush());
    return Result<void>::ok();
}

Result<std::optional<identity::Node>> Mending::node_at(const Token& token) {
    const auto row = CDP_TRY(writer_.at_hand().get(identity::node_key(token)));
    return row ? identity::decode_node(*row) : std::nullopt;
}

Result<std::optional<identity::Node>> Mending::folded_at(const Token& token) const {
    const auto row = CDP_TRY(scratch_->get(identity::node_key(token)));
    return row ? identity::decode_node(*row) : std::nullopt;
}

Result<void> Mending::step(std::string_view stage) {
    constexpr std::uint64_t kReportEvery = 1024;
    if (report_ && ++rows_ % kReportEvery == 0) report_(stage, rows_);
    return writer_.step();
}

}  // namespace cdp
