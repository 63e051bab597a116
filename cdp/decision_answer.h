#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cdp/consent_json.h"
#include "cdp/decisions.h"
#include "consent/released_body.h"

// How decisions are written down: for a channel, and for those who run the platform.
namespace cdp {

struct DecisionTold {
    struct Subject {
        Token token{};
        std::optional<PersonId> person = {};  // nullopt: nobody is known by that
        consent::Decision decision = {};
        std::vector<consent::Cause> causes = {};
        std::vector<consent::Decision> fields = {};  // fields, then labels, as asked
        std::optional<Timestamp> no_reask_until = {};
    };
    std::vector<Subject> subjects = {};  // as asked
    std::size_t strictest = 0;           // of them: the answer
    std::optional<Timestamp> changes_at = {};
    Timestamp asked_at{};
    consent::DecisionId decision = {};
    consent::Sha256 policy_version{};
    std::uint64_t ledger_size = 0;
    std::uint64_t graph_version = 0;
};

// One answer, listed under its own decision. Whether a field may leave is told by its place in the
// question.
consent::Composed compose_released(const DecisionTold& told);

// {"answers":[…]}, the same and more: everything that refuses, the records it rests on, fields by
// name.
Result<std::string> compose_explained(const std::vector<DecisionTold>& all,
                                      const std::vector<DecisionQuestion>& questions,
                                      const NameOf& name_of);

}  // namespace cdp
