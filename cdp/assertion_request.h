#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cdp/config.h"
#include "identity/assertion.h"
#include "identity/graph.h"

namespace cdp {

// Of one request.
inline constexpr std::size_t kRetractedEventsMax = 100;

// One assertion as posted to /v1/identity/assertions.
struct AssertionRequest {
    std::string kind;
    struct Subject {
        std::string type;
        std::string value;
    };
    std::vector<Subject> identifiers;

    // retract only. A day (2026-11-01), which `to` includes, or a time, which `to` does not.
    std::string source, from, to;
    struct Event {
        std::string source;
        std::string message_id;
    };
    std::vector<Event> events;

    std::string reason;
    std::string author;
    std::string idempotency_key;  // same key and author: the first answer again; 409 when the two
                                  // say different things
};

// What of a range is not whole days: from the first, before the second.
using PartDay = std::pair<Timestamp, Timestamp>;

struct AskedAssertion {
    identity::Assertion assertion;  // without its id
    std::vector<PartDay> parts;
};

// In hexadecimal; assertion_unknown when it cannot be one.
Result<identity::AssertionId> parse_assertion_id(std::string_view hex);
Error assertion_unknown();

// What the request asserts. Every refusal names its place in the request.
Result<AskedAssertion> read_assertion(const AssertionRequest& request, const identity::Graph& graph,
                                      const storage::Vault& vault, const Config& config,
                                      Timestamp now);

}  // namespace cdp
