#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cdp/base/time.h"

namespace cdp {

// Of one request.
inline constexpr std::size_t kConsentsMax = 500;

// One consent answer as posted to /v1/consents: the words as they were sent, unjudged. What each
// member means, consent::Record says. An empty word means that it was not sent.
struct ConsentRequest {
    struct Subject {
        std::string type = {};
        std::string value = {};
        std::string strength = {};  // empty: strong
    };
    std::vector<Subject> identifiers = {};
    std::string purpose = {};
    std::string state = {};
    std::string scope = {};                  // empty: person
    std::vector<std::string> channels = {};  // empty: every channel
    std::vector<std::string> labels = {};    // empty: every class of data
    std::string basis = {};                  // empty: consent
    std::optional<Timestamp> time = {};      // absent: now; a future time becomes now
    std::optional<Timestamp> effective_from = {};
    std::optional<Timestamp> valid_until = {};
    std::optional<Timestamp> reconfirm_due = {};
    std::optional<Timestamp> no_reask_until = {};
    std::string jurisdiction = {};
    std::string regime = {};
    std::string method = {};
    std::string notice_id = {};
    std::string notice_version = {};
    std::string notice_hash = {};
    std::string notice_language = {};
    std::string notice_url = {};
    std::string notice_code_hash = {};

    struct Signal {
        std::string type = {};
        std::string raw = {};
    };
    std::optional<Signal> signal = {};

    struct Evidence {
        std::string kind = {};
        std::string sha256 = {};
        std::uint64_t size = 0;
        std::string location = {};
    };
    std::vector<Evidence> evidence = {};

    // Of a pending answer: until when it may be confirmed and, when the sender makes tokens itself,
    // the hash of one. Of the grant that confirms: the id it was answered with, and the token.
    struct DoubleOptIn {
        std::optional<Timestamp> expires = {};
        std::string token_hash = {};
        std::string request = {};
        std::string token = {};
        std::string confirmed_by = {};
    };
    std::optional<DoubleOptIn> double_opt_in = {};

    struct Minor {
        std::string age_band = {};
        std::optional<Subject> guardian = {};
        std::string verification = {};
        std::string guardian_record = {};
    };
    std::optional<Minor> minor = {};

    std::string actor = {};  // the kind alone; who it was, the key says
    std::vector<std::string> overrides = {};
    std::string receipt_id = {};
    std::string idempotency_key = {};  // same key and caller: the first answer again; 409
                                       // when the two say different things
};

// Something that was taken and may not be what was meant.
struct ConsentWarning {
    std::string code;
    std::string pointer;

    friend bool operator==(const ConsentWarning&, const ConsentWarning&) = default;
};

// One answer as it was taken.
struct RecordedConsent {
    std::string id;
    // What a pending answer waits for: whoever sends this token back, with the id, confirms it.
    struct Confirmation {
        std::string token;
        Timestamp expires{};

        friend bool operator==(const Confirmation&, const Confirmation&) = default;
    };
    std::optional<Confirmation> confirmation = {};
    std::vector<ConsentWarning> warnings = {};

    friend bool operator==(const RecordedConsent&, const RecordedConsent&) = default;
};

}  // namespace cdp
