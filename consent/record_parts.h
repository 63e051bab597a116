#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "consent/record_words.h"
#include "consent/sha256.h"

// What a record holds besides the answer itself.
namespace consent {

// The notice that was shown.
struct Notice {
    std::string id = {};
    std::string version = {};
    std::string hash = {};  // SHA-256 of what was rendered
    std::string language = {};
    std::string url = {};
    std::string code_hash = {};  // SHA-256 of the code that collected the answer

    friend bool operator==(const Notice&, const Notice&) = default;
};

// A signal as it came, kept verbatim.
struct Signal {
    SignalType type = SignalType::gpc;
    std::string raw = {};
    Sha256 digest = {};  // of raw
    std::string parser_version = {};

    friend bool operator==(const Signal&, const Signal&) = default;
};

// Something kept elsewhere that shows what happened: a screenshot, a recording, a signed form.
struct Evidence {
    std::string kind = {};
    Sha256 sha256 = {};
    std::uint64_t size = 0;
    std::string location = {};

    friend bool operator==(const Evidence&, const Evidence&) = default;
};

// A pending record holds `token_hash` and `expires`; the grant that confirms it holds `request`,
// the pending record's id, and what was clicked.
struct DoubleOptIn {
    std::optional<cdp::RecordId> request = {};
    Sha256 token_hash = {};
    std::optional<cdp::Timestamp> expires = {};
    std::optional<cdp::RecordId> confirmed_by = {};

    friend bool operator==(const DoubleOptIn&, const DoubleOptIn&) = default;
};

// The person is a minor. `guardian_record` is the guardian's own answer.
struct Minor {
    AgeBand age_band = AgeBand::under_13;
    std::optional<cdp::Token> guardian = {};
    std::string verification = {};
    std::optional<cdp::RecordId> guardian_record = {};

    friend bool operator==(const Minor&, const Minor&) = default;
};

// Who said it to us.
struct Actor {
    ActorKind kind = ActorKind::api;
    std::string id = {};

    friend bool operator==(const Actor&, const Actor&) = default;
};

}  // namespace consent
