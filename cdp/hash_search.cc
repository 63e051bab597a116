#include "cdp/hash_search.h"

#include <algorithm>

#include "cdp/spellings.h"
#include "identity/hashed.h"
#include "storage/key.h"

namespace cdp {
namespace {

void add(std::vector<FoundIdentifier>& found, std::string type, std::string value) {
    FoundIdentifier one{std::move(type), std::move(value)};
    if (std::ranges::find(found, one) == found.end()) found.push_back(std::move(one));
}

}  // namespace

FoundIdentifier standing_for(const HashedName& name) {
    const auto type = identity::hashed_type_of(name.type);
    if (type && name.kind == HashKind::sha256) return {std::string(*type), name.hex};
    auto value = std::string(to_string(name.kind)) + ':' + name.hex;
    if (type) return {std::string(*type), identity::sha256_hex(value)};
    return {name.type, std::move(value)};
}

std::vector<FoundIdentifier> all_standing_for(identity::Form form, const FoundIdentifier& one) {
    std::vector<FoundIdentifier> out;
    const auto type = identity::hashed_type_of(one.type);
    if (type)
        for (auto& known : identity::hashed_forms(form, one.value))
            out.push_back({std::string(*type), std::move(known.hex)});
    for (const auto kind : {HashKind::md5, HashKind::sha1, HashKind::sha256}) {
        if (type && kind == HashKind::sha256) continue;
        for (const auto& text : identity::hashed_texts(form, one.value))
            out.push_back(standing_for({one.type, kind, hash_of(kind, text)}));
    }
    return out;
}

bool stands_for_other(const FoundIdentifier& one) {
    const auto colon = one.value.find(':');
    if (colon == one.value.npos) return false;
    for (const auto kind : {HashKind::md5, HashKind::sha1, HashKind::sha256})
        if (one.value.starts_with(to_string(kind)) && to_string(kind).size() == colon)
            return read_hash(kind, std::string_view(one.value).substr(colon + 1)).has_value();
    return false;
}

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

bool HashSearch::has(const FoundIdentifier& found, const HashedName& wanted) const {
    if (found.type != wanted.type) return false;
    const auto all = all_standing_for(needs_.config.types.known(found.type).form, found);
    return std::ranges::find(all, standing_for(wanted)) != all.end();
}

Result<void> HashSearch::look_up(const HashedName& wanted,
                                 std::vector<FoundIdentifier>& found) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto hash = needs_.graph.token(*identity::hashed_type_of(wanted.type), wanted.hex);
    for (const auto& token : CDP_TRY(held_behind(transaction, hash))) {
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
