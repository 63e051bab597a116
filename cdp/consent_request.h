#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cdp/base/time.h"

namespace cdp {

// Of one request.
inline constexpr std::size_t kConsentsMax = 500;

// One consent answer as posted to /v1/consents.
struct ConsentRequest {
    struct Subject {
        std::string type;
        std::string value;
    };
    std::vector<Subject> identifiers;
    std::string purpose;
    std::string state;
    std::string scope;                  // empty: person
    std::vector<std::string> channels;  // empty: every channel
    std::optional<Timestamp> time;      // absent: now; a future time becomes now
    std::optional<Timestamp> valid_until;
    std::string method;
    std::string notice_id;
    std::string notice_version;
    std::string notice_hash;
    std::string idempotency_key;  // same key and caller: the first answer again; 409
                                  // when the two say different things
};

}  // namespace cdp
