#include "cdp/profiles.h"

#include "cdp/answer.h"
#include "cdp/released_list.h"

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
    auto [traits, expiry] =
        CDP_TRY(held_traits(needs_.config, needs_.vault, needs_.corrections, reading, person, now));
    CDP_CHECK(heed_named(needs_.people, reading, person, traits, now));

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
    auto until = gate.judge().changes_at();
    if (!until || (expiry && *expiry < *until)) until = expiry;
    cache_.keep(std::move(question), answer, transaction.reads(), until);
    return answer;
}

// Writes `"traits":{…},"identifiers":[…],"withheld":[…]`.
void Profiles::write_fields(const Person& person, const HeldTraits& traits,
                            const consent::Gate& gate, DestinationForms& forms,
                            consent::ReleasedBody& body) const {
    WithheldList withheld;
    Separator comma;
    body.text(",\"traits\":{");
    for (const auto& [name, held] : traits) {
        auto passed = pass_trait(needs_.config, gate, forms, held);
        if (auto* kept = std::get_if<consent::Withheld>(&passed)) {
            withheld.add(std::move(*kept), held.what.untold);
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
        auto passed = pass_identifier(needs_.config, gate, forms, member);
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

}  // namespace cdp
