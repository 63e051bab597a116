#include "cdp/hash_search.h"

#include <algorithm>

#include "identity/hashed.h"
#include "storage/key.h"

namespace cdp {
namespace {

void add(std::vector<FoundIdentifier>& found, std::string type, std::string value) {
    const bool known = std::ranges::any_of(
        found, [&](const auto& one) { return one.type == type && one.value == value; });
    if (!known) found.push_back({std::move(type), std::move(value)});
}

}  // namespace

Result<std::vector<FoundIdentifier>> HashSearch::find(std::span<const HashedName> wanted) const {
    std::vector<FoundIdentifier> found;
    std::vector<HashedName> others;
    for (const auto& one : wanted) {
        if (one.kind == HashKind::sha256 && identity::hashed_type_of(one.type))
            CDP_CHECK(look_up(one, found));
        else
            others.push_back(one);
    }
    if (!others.empty()) CDP_CHECK(walk(others, found));
    return found;
}

Result<void> HashSearch::look_up(const HashedName& wanted,
                                 std::vector<FoundIdentifier>& found) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto hash = needs_.graph.token(*identity::hashed_type_of(wanted.type), wanted.hex);
    std::vector<Token> plain;
    CDP_CHECK(snapshot->scan(storage::KeyWriter(storage::Space::hash_form, hash).str(), "",
                             [&](std::string_view key, std::string_view) {
                                 plain.push_back(storage::KeyReader(key).id<Token>());
                                 return true;
                             }));
    for (const auto& token : plain) {
        const auto node = CDP_TRY(needs_.graph.find(transaction, token));
        const auto key = CDP_TRY(needs_.vault.find(*snapshot, token));
        if (!node || !key || node->type != wanted.type) continue;
        add(found, node->type, CDP_TRY(identity::Graph::open(*key, token, *node)).value);
    }
    return Result<void>::ok();
}

Result<void> HashSearch::walk(std::span<const HashedName> wanted,
                              std::vector<FoundIdentifier>& found) const {
    const std::unique_lock turn(walking_, std::try_to_lock);
    if (!turn)
        return Error{.code = ErrorCode::overloaded,
                     .reason = "busy",
                     .message = "Another hash is being looked for; send it again."};
    const auto snapshot = needs_.store.snapshot();
    auto outcome = Result<void>::ok();
    std::size_t walked = 0;
    const auto visit = [&](std::string_view row_key, std::string_view row) -> Result<void> {
        const auto node = identity::decode_node(row);
        if (!node ||
            std::ranges::none_of(wanted, [&](const auto& one) { return one.type == node->type; }))
            return Result<void>::ok();
        const auto token = storage::subject_in(row_key);
        const auto key = CDP_TRY(needs_.vault.find(*snapshot, token));
        if (!key) return Result<void>::ok();
        const auto value = CDP_TRY(identity::Graph::open(*key, token, *node)).value;
        for (const auto& text :
             identity::hashed_texts(needs_.config.types.known(node->type).form, value))
            for (const auto& one : wanted)
                if (one.type == node->type && hash_of(one.kind, text) == one.hex)
                    add(found, node->type, value);
        return Result<void>::ok();
    };
    CDP_CHECK(snapshot->scan(storage::space_prefix(storage::Space::node), "",
                             [&](std::string_view key, std::string_view row) {
                                 if (++walked > walk_max_) return false;
                                 outcome = visit(key, row);
                                 return bool(outcome);
                             }));
    if (walked > walk_max_)
        return Error{.code = ErrorCode::invalid_argument,
                     .reason = "too_many_held",
                     .message =
                         "Too much is held here to look for such a hash; send the "
                         "identifier itself, or the SHA-256 of an address or number."};
    return outcome;
}

}  // namespace cdp
