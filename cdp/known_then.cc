#include "cdp/known_then.h"

#include <utility>

#include "cdp/person_then.h"
#include "cdp/quarantine_rows.h"

namespace cdp {

Result<Known> known_then(const KnownFrom& from, People::Reading reading, const Token& token,
                         Timestamp at) {
    Known known{.policy = CDP_TRY(from.policies.at(reading.snapshot, at))};
    const auto then = CDP_TRY(person_then(from.graph, reading.transaction, token, at));
    const auto members = then ? then->members : std::vector<Token>{token};
    if (then) known.person = then->id;
    for (const auto& member : members) {
        auto said = CDP_TRY(from.people.said_under(reading, member, ""));
        if (members.size() > 1) said.shared = false;
        known.members.push_back(std::move(said));
    }
    for (const auto& [apart, since] : CDP_TRY(quarantined_from(reading.transaction, members))) {
        if (since > at) continue;
        auto said = CDP_TRY(from.people.said_under(reading, apart, ""));
        said.quarantined_until_released = since;
        known.members.push_back(std::move(said));
    }
    for (auto& member : known.members) {
        std::erase_if(member.facts, [&](const auto& fact) { return fact.received > at; });
        std::erase_if(member.suppressions, [&](const auto& said) { return said.from > at; });
        for (auto& said : member.suppressions)
            if (said.until && *said.until > at) said.until.reset();
    }
    return known;
}

void keep_said_by(consent::Member& member, Timestamp as_of) {
    std::erase_if(member.facts, [&](const consent::Fact& fact) {
        return fact.time > as_of && fact.received > as_of;
    });
    std::erase_if(member.suppressions, [&](const auto& said) { return said.from > as_of; });
}

}  // namespace cdp
