#include "cdp/erasure_whom.h"

#include <algorithm>

#include "cdp/named.h"

namespace cdp {
namespace {

// Whoever is held with it, in whatever spelling.
Result<std::vector<Token>> going(const WhomNeeds& needs, People::Reading reading,
                                 const Spelling& named, ErasureScope scope) {
    const auto node = CDP_TRY(needs.graph.find(reading.transaction, named.token));
    if (scope == ErasureScope::person && node) {
        if (node->shared) return identifier_shared("/identifier");
        return needs.people.tokens_of(reading, named.token, *node);
    }
    const Spellings spellings({needs.vault, needs.graph, needs.config});
    const auto held = CDP_TRY(spellings.held_as(reading, named));
    std::vector<Token> out{named.token};
    const auto add = [&](const Token& token) {
        if (std::ranges::find(out, token) == out.end()) out.push_back(token);
    };
    if (scope == ErasureScope::identifier) {
        std::ranges::for_each(held, add);
        return out;
    }
    for (const Token& token : held) {
        const auto other = CDP_TRY(needs.graph.find(reading.transaction, token));
        if (!other || other->shared) continue;
        std::ranges::for_each(CDP_TRY(needs.people.tokens_of(reading, token, *other)), add);
    }
    if (out.size() == 1 && !held.empty()) return identifier_shared("/identifier");
    return out;
}

}  // namespace

Result<Spelled> whom_to_erase(const WhomNeeds& needs, People::Reading reading,
                              const NamedIdentifier& named, ErasureScope scope) {
    Spelling spelling{.token = CDP_TRY(needs.people.resolve(reading, named.type, named.value))};
    CDP_CHECK(check_type_known(needs.config, needs.graph, reading.transaction, named.type,
                               spelling.token, "/identifier"));
    if (named.type != kPersonType) {
        spelling.type = named.type;
        spelling.value = CDP_TRY(read_said(needs.config, named, needs.config.default_region,
                                           NamedAt::whole("/identifier")));
    }
    auto taken = CDP_TRY(going(needs, reading, spelling, scope));
    const Spellings spellings({needs.vault, needs.graph, needs.config});
    return spellings.spell(reading, std::move(taken), spelling);
}

Result<void> lay_tombstones(const Tombstones& tombstones, storage::Transaction& transaction,
                            const Erasure& erasure, const std::map<Token, std::string>& behind) {
    for (const Token& token : erasure.tokens) {
        Tombstone tombstone{.erased = erasure.requested, .closing = true, .request = erasure.id};
        if (const auto at = behind.find(token); at != behind.end()) tombstone.behind = at->second;
        CDP_CHECK(tombstones.put(transaction, token, tombstone));
    }
    return Result<void>::ok();
}

}  // namespace cdp
