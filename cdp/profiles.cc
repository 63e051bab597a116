#include "cdp/profiles.h"

#include "cdp/answer.h"
#include "cdp/released_list.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::size_t kCacheBytesMax = 32u << 20;

}  // namespace

Profiles::Profiles(ReadNeeds needs, Counters& counters)
    : needs_(needs), counters_(counters), cache_(needs.store, kCacheBytesMax) {}

Result<AnswerCache::Answer> Profiles::profile(const Principal& channel, std::string_view type,
                                              std::string_view value,
                                              std::string_view purpose_name) {
    counters_.profile_reads.fetch_add(1, std::memory_order_relaxed);
    std::string question;
    for (const auto part : {std::string_view(channel.channel), purpose_name, type, value})
        question.append(part).push_back('\0');
    const auto now = needs_.clock.now();
    if (auto answer = cache_.find(question, now)) {
        counters_.profile_cache_hits.fetch_add(1, std::memory_order_relaxed);
        return answer;
    }

    const auto* purpose = CDP_TRY(purpose_for(needs_.config, channel, purpose_name));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto token = CDP_TRY(needs_.people.resolve(reading, type, value));
    auto person = CDP_TRY(needs_.people.load(reading, token));
    const auto traits = CDP_TRY(traits_of(reading, person));
    for (const auto& [name, held] : traits)
        if (held.what.contact)
            CDP_CHECK(needs_.people.add_foreign(reading, person, *held.what.contact));

    const consent::Gate gate(needs_.config.policy, person.consents,
                             {std::string(purpose->name), channel.channel, now});
    consent::ReleasedBody body;
    body.text("{\"person\":\"").person(person.id, token).text("\",\"purpose\":").purpose(gate);
    DestinationForms forms(needs_.vault, needs_.config, channel.channel);
    write_fields(person, traits, gate, forms, body);
    const auto ledger_size = CDP_TRY(needs_.consents.ledger_size(*snapshot));
    end_decided(body, decision_id(needs_.vault, person, channel, purpose->name, ledger_size),
                ledger_size);
    auto answer = std::make_shared<const Unlisted>(std::move(body).finish());
    cache_.keep(std::move(question), answer, transaction.reads(), gate.judge().changes_at());
    return answer;
}

// The person's traits: of each name the one that supersedes the others, and its identifier.
Result<Profiles::Traits> Profiles::traits_of(People::Reading reading, const Person& person) const {
    Traits traits;
    for (const PersonMember& member : person.members) {
        std::optional<Error> error;
        CDP_CHECK(reading.transaction.scan(
            storage::KeyWriter(storage::Space::trait, member.token).str(),
            [&](std::string_view row, std::string_view sealed) {
                const auto plain = storage::Vault::open(member.key, row, sealed);
                auto trait = plain ? decode_trait(*plain) : std::nullopt;
                if (!trait) {
                    error = plain ? damaged("a trait that cannot be read") : plain.error();
                    return false;
                }
                const auto name = trait->name;
                const auto [at, fresh] = traits.try_emplace(name, Held{member.token, *trait});
                if (!fresh && supersedes(*trait, at->second.trait))
                    at->second = {member.token, std::move(*trait)};
                return true;
            }));
        if (error) return *error;
    }
    std::erase_if(traits, [](const auto& entry) { return entry.second.trait.json == "null"; });
    for (auto& [name, held] : traits)
        held.what = classify(needs_.config, needs_.vault,
                             {.name = name,
                              .labels = needs_.config.policy.labels_of_trait(name),
                              .json = held.trait.json,
                              .source = held.trait.source});
    return traits;
}

// Writes `"traits":{…},"identifiers":[…],"withheld":[…]`.
void Profiles::write_fields(const Person& person, const Traits& traits, const consent::Gate& gate,
                            DestinationForms& forms, consent::ReleasedBody& body) const {
    WithheldList withheld;
    Separator comma;
    body.text(",\"traits\":{");
    for (const auto& [name, held] : traits) {
        auto passed = pass_trait(gate, forms, held);
        if (auto* kept = std::get_if<consent::Withheld>(&passed)) {
            withheld.add(std::move(*kept));
            continue;
        }
        const auto& released = std::get<consent::Released>(passed);
        comma.write(body);
        body.name(released).text(":{\"value\":").value(released).text(",\"time\":");
        body.time(released.time()).text(",\"source\":").source(released).text("}");
    }
    body.text("},\"identifiers\":[");
    comma = {};
    for (const PersonMember& member : person.members) {
        auto passed = pass_identifier(gate, forms, member);
        if (auto* kept = std::get_if<consent::Withheld>(&passed)) {
            withheld.add(std::move(*kept));
            continue;
        }
        const auto& released = std::get<consent::Released>(passed);
        comma.write(body);
        body.text("{\"type\":").name(released).text(",\"value\":").value(released).text("}");
    }
    body.text("],\"withheld\":");
    withheld.write(body);
}

consent::Passed Profiles::pass_trait(const consent::Gate& gate, DestinationForms& forms,
                                     const Held& held) const {
    const auto& contact = held.what.contact;
    consent::Field field{.name = held.trait.name,
                         .labels = held.what.labels,
                         .collected_for = needs_.config.policy.purposes_of_trait(held.trait.name),
                         .is_contact = held.what.is_contact,
                         .datum = {.home = held.home,
                                   .value = contact ? std::optional(contact->token) : std::nullopt,
                                   .from_server = held.trait.trust == Trust::server,
                                   .captured = held.trait.time},
                         .json = held.trait.json,
                         .normal = contact ? std::string_view(contact->normal) : std::string_view{},
                         .time = held.trait.time,
                         .source = held.trait.source};
    forms.complete(field, contact ? std::string_view(contact->type) : std::string_view{});
    return gate.pass(field);
}

// An identifier is a datum of its own: collected when it was first seen, and anew by a grant that
// names it.
consent::Passed Profiles::pass_identifier(const consent::Gate& gate, DestinationForms& forms,
                                          const PersonMember& member) const {
    const auto json = consent::json_string(member.value.value);
    consent::Field field{
        .name = member.node.type,
        .labels = needs_.config.policy.labels_of_identifier(member.node.type),
        .section = consent::Section::identifiers,
        .datum = {.home = member.token, .value = member.token, .captured = member.node.first_seen},
        .json = json,
        .normal = member.value.value,
        .time = member.node.first_seen,
        .source = {}};
    forms.complete(field, member.node.type);
    return gate.pass(field);
}

}  // namespace cdp
