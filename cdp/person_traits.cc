#include "cdp/person_traits.h"

#include <utility>
#include <vector>

#include "cdp/retention.h"
#include "cdp/trait_rows.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {

Result<void> each_trait(People::Reading reading, const Person& person, const VisitTrait& visit) {
    for (const PersonMember& member : person.members) {
        auto outcome = Result<void>::ok();
        const auto take = [&](std::string_view row, std::string_view sealed) -> Result<void> {
            return visit(member, CDP_TRY(open_trait(member.key, row, sealed)));
        };
        CDP_CHECK(
            reading.transaction.scan(storage::KeyWriter(storage::Space::trait, member.token).str(),
                                     [&](std::string_view row, std::string_view sealed) {
                                         outcome = take(row, sealed);
                                         return static_cast<bool>(outcome);
                                     }));
        CDP_CHECK(outcome);
    }
    return Result<void>::ok();
}

namespace {

// What was said of a trait's values under any of a person's identifiers that is nobody else's.
Result<ValueWords> words_of(const Corrections& corrections, People::Reading reading,
                            const Person& person, const std::string& name) {
    ValueWords words;
    for (const PersonMember& member : person.members) {
        if (member.node.shared) continue;
        const auto corrected =
            CDP_TRY(corrections.find(reading.transaction, member.key, member.token, name));
        for (const auto& [value, word] : corrected.words) add_word(words, value, word);
    }
    return words;
}

// Who joins later may bring what was refused before.
Result<void> leave_out_refused(const storage::Vault& vault, const Corrections& corrections,
                               People::Reading reading, const Person& person,
                               std::vector<HeldTrait>& held) {
    std::map<std::string, ValueWords> by_name;
    for (const HeldTrait& one : held)
        if (const auto [at, fresh] = by_name.try_emplace(one.trait.name); fresh)
            at->second = CDP_TRY(words_of(corrections, reading, person, one.trait.name));
    std::erase_if(held, [&](const HeldTrait& one) {
        const auto& words = by_name.find(one.trait.name)->second;
        return !words.empty() && refuses(words, value_hash(vault, one.trait.name, one.trait.json));
    });
    return Result<void>::ok();
}

}  // namespace

Result<TraitsInUse> held_traits(const Config& config, const storage::Vault& vault,
                                const Corrections& corrections, People::Reading reading,
                                const Person& person, Timestamp now) {
    TraitsInUse out;
    auto& traits = out.traits;
    std::vector<HeldTrait> all;
    CDP_CHECK(each_trait(reading, person, [&](const PersonMember& member, StoredTrait trait) {
        const auto expiry = trait_expiry(config, trait.name, trait.time);
        if (is_past(expiry, now)) return Result<void>::ok();
        if (expiry && (!out.until || expiry->at < *out.until)) out.until = expiry->at;
        all.push_back({member.token, std::move(trait)});
        return Result<void>::ok();
    }));
    CDP_CHECK(leave_out_refused(vault, corrections, reading, person, all));
    for (HeldTrait& one : all) {
        const auto name = one.trait.name;
        const auto at = traits.find(name);
        if (at == traits.end())
            traits.emplace(name, std::move(one));
        else if (supersedes(one.trait, at->second.trait))
            at->second = std::move(one);
    }
    std::erase_if(traits, [](const auto& entry) { return entry.second.trait.json == "null"; });
    for (auto& [name, held] : traits)
        held.what = classify(config, vault,
                             {.name = name,
                              .labels = config.policy.labels_of_trait(name),
                              .json = held.trait.json,
                              .source = held.trait.source});
    return out;
}

Result<void> heed_named(const People& people, People::Reading reading, Person& person,
                        HeldTraits& traits, Timestamp now) {
    for (auto& [name, held] : traits)
        CDP_CHECK(people.heed_named(
            reading, person, {.name = name, .json = held.trait.json, .source = held.trait.source},
            held.what, now));
    return people.heed_identifiers(reading, person, now);
}

consent::Passed pass_trait(const Config& config, const consent::Gate& gate, DestinationForms& forms,
                           const HeldTrait& held) {
    const auto& contact = held.what.contact;
    consent::Field field{.name = held.trait.name,
                         .labels = held.what.labels,
                         .collected_for = config.policy.purposes_of_trait(held.trait.name),
                         .is_contact = held.what.is_contact,
                         .datum = {.home = held.home,
                                   .value = held.what.value(),
                                   .from_server = held.trait.trust == Trust::server,
                                   .captured = held.trait.time},
                         .json = held.trait.json,
                         .normal = contact ? std::string_view(contact->normal) : std::string_view{},
                         .time = held.trait.time,
                         .source = held.trait.source};
    forms.complete(field, contact ? std::string_view(contact->type) : std::string_view{});
    return gate.pass(field);
}

consent::Passed pass_identifier(const Config& config, const consent::Gate& gate,
                                DestinationForms& forms, const PersonMember& member) {
    const auto json = consent::json_string(member.value.value);
    consent::Field field{.name = member.node.type,
                         .labels = config.policy.labels_of_identifier(member.node.type),
                         .section = consent::Section::identifiers,
                         .datum = {.home = member.token,
                                   .value = member.suppressed.value_or(member.token),
                                   .captured = member.node.first_seen},
                         .json = json,
                         .normal = member.value.value,
                         .time = member.node.first_seen,
                         .source = {}};
    forms.complete(field, member.node.type);
    return gate.pass(field);
}

}  // namespace cdp
