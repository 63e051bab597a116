#pragma once

#include <optional>
#include <vector>

#include "cdp/people.h"
#include "cdp/policy_versions.h"

// What was known of somebody at a moment, so that what was decided then can be decided again.
namespace cdp {

// Who was held to be the person, and all that was known of what they said.
struct Known {
    std::optional<PersonId> person = {};
    std::vector<consent::Member> members = {};  // by token; whom an operator split off follow
    PolicyVersions::InForce policy = {};
};

struct KnownFrom {
    const identity::Graph& graph;
    const People& people;
    const PolicyVersions& policies;
};

// By the facts received, the person and the policy of that moment. A shared identifier is alone:
// who was together then was not shared then. Whom an operator had split off by then and nobody has
// released until today is quarantined.
Result<Known> known_then(const KnownFrom& from, People::Reading reading, const Token& token,
                         Timestamp at);

// Leaves of what was said under an identifier what counts at `as_of`: what is dated later says
// nothing of that moment unless it had come in by then, from a clock that ran ahead.
void keep_said_by(consent::Member& member, Timestamp as_of);

}  // namespace cdp
