#include "cdp/spellings.h"

#include <algorithm>
#include <utility>

#include "cdp/hash_search.h"
#include "identity/hashed.h"
#include "storage/key.h"

namespace cdp {
namespace {

// As many as the rows that list them hold.
constexpr std::size_t kTokensMax = 3'900;

bool has(std::span<const Token> tokens, const Token& token) {
    return std::ranges::find(tokens, token) != tokens.end();
}

}  // namespace

Result<std::vector<Token>> held_behind(storage::Transaction& transaction, const Token& hash) {
    std::vector<Token> out;
    CDP_CHECK(transaction.scan(storage::KeyWriter(storage::Space::hash_form, hash).str(),
                               [&](std::string_view key, std::string_view) {
                                   out.push_back(storage::KeyReader(key).id<Token>());
                                   return true;
                               }));
    return out;
}

// No type has such a name, so that it is nobody's own.
Token Spellings::behind(std::string_view hashed_type, std::string_view value) const {
    return needs_.vault.token("behind " + std::string(hashed_type), value);
}

Result<void> Spellings::add_hashes(storage::Transaction& transaction, const Spelling& contact,
                                   std::vector<Token>& held) const {
    const auto hashed = identity::hashed_type_of(contact.type);
    if (!hashed) return Result<void>::ok();
    for (const auto& form : identity::hashed_forms(form_of(contact.type), contact.value)) {
        const auto token = needs_.graph.token(*hashed, form.hex);
        if (!has(held, token) && CDP_TRY(needs_.graph.find(transaction, token)))
            held.push_back(token);
    }
    return Result<void>::ok();
}

Result<std::vector<Token>> Spellings::held_as(People::Reading reading,
                                              const Spelling& named) const {
    std::vector<Token> held;
    CDP_CHECK(add_hashes(reading.transaction, named, held));
    if (!identity::plain_type_of(named.type)) return held;
    held = CDP_TRY(held_behind(reading.transaction, named.token));
    for (const auto& plain : CDP_TRY(values_of(reading, std::vector(held), {})))
        CDP_CHECK(add_hashes(reading.transaction, plain, held));
    std::erase(held, named.token);
    return held;
}

// Of those that are addresses, numbers or hashes of some.
Result<std::vector<Spelling>> Spellings::values_of(People::Reading reading,
                                                   std::span<const Token> tokens,
                                                   const Spelling& named) const {
    std::vector<Spelling> out;
    for (const Token& token : tokens) {
        if (token == named.token && !named.type.empty()) {
            out.push_back(named);
            continue;
        }
        const auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
        if (!node || !(identity::hashed_type_of(node->type) || identity::plain_type_of(node->type)))
            continue;
        // Without its key nobody can say what it was.
        if (const auto key = CDP_TRY(needs_.vault.find(reading.snapshot, token))) {
            auto value = CDP_TRY(identity::Graph::open(*key, token, *node)).value;
            out.push_back({token, node->type, std::move(value)});
        }
    }
    return out;
}

// Somebody has the hash, or an address that has it, and does not go.
Result<bool> Spellings::stays(storage::Transaction& transaction, const Token& hash,
                              std::span<const Token> going) const {
    if (!has(going, hash) && CDP_TRY(needs_.graph.find(transaction, hash))) return true;
    const auto plain = CDP_TRY(held_behind(transaction, hash));
    return std::ranges::any_of(plain, [&](const Token& token) { return !has(going, token); });
}

Result<Spelled> Spellings::spell(People::Reading reading, std::vector<Token> going,
                                 const Spelling& named) const {
    const auto all = CDP_TRY(values_of(reading, going, named));
    Spelled out;
    std::vector<Token> known;  // of what is sent as the hash of an address as it is
    std::vector<Token> hashes;
    for (const auto& one : all) {
        const auto hashed = identity::hashed_type_of(one.type);
        if (!hashed) continue;
        const auto forms = identity::hashed_forms(form_of(one.type), one.value);
        for (const auto& form : forms) {
            const auto token = needs_.graph.token(*hashed, form.hex);
            if (&form == &forms.front()) known.push_back(token);
            if (!has(going, token) && !has(hashes, token) &&
                !CDP_TRY(stays(reading.transaction, token, going)))
                hashes.push_back(token);
        }
    }
    for (const auto& one : all) {
        const auto plain = identity::plain_type_of(one.type);
        if (!plain || has(known, one.token) ||
            CDP_TRY(stays(reading.transaction, one.token, going)))
            continue;
        out.behind.emplace(behind(one.type, one.value), *plain);
    }
    if (stands_for_other({named.type, named.value})) out.behind.emplace(named.token, named.type);
    for (const auto& [token, type] : out.behind)
        if (!has(going, token)) going.push_back(token);
    const auto room = kTokensMax - std::min(kTokensMax, going.size());
    going.insert(going.end(), hashes.begin(),
                 hashes.begin() + static_cast<std::ptrdiff_t>(std::min(room, hashes.size())));
    std::ranges::sort(going);
    out.tokens = std::move(going);
    return out;
}

Result<void> Spellings::add_behind(const Tombstones& tombstones, storage::Transaction& transaction,
                                   std::span<const identity::Sighting> sightings,
                                   std::vector<Token>& tokens) const {
    if (!CDP_TRY(tombstones.hides_any(transaction))) return Result<void>::ok();
    for (const auto& [identifier, token] : sightings) {
        if (!tombstones.hides(identifier.type)) continue;
        const bool hashed = identity::hashed_type_of(identifier.type).has_value();
        for (const auto& one :
             all_standing_for(form_of(identifier.type), {identifier.type, identifier.value}))
            tokens.push_back(hashed ? behind(one.type, one.value)
                                    : needs_.graph.token(one.type, one.value));
    }
    return Result<void>::ok();
}

}  // namespace cdp
