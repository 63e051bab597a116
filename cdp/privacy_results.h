#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"

// What became of a privacy request; docs/decisions/0029.
namespace cdp {

// Somebody whom an identifier that was named led to, and all that was theirs then; with what was
// shared beside that, on which their sessions are theirs.
struct FoundPerson {
    Token asked = {};
    std::vector<Token> members = {};

    friend bool operator==(const FoundPerson&, const FoundPerson&) = default;
};

// What was done about it. Ids are hexadecimal.
struct PrivacyResults {
    bool matched = false;                              // somebody was found
    std::vector<std::string> erasures = {};            // GET /v1/privacy/erasures/{id}
    std::vector<std::string> records = {};             // of consent
    std::vector<std::string> lifted = {};              // the records by which a restriction ended
    std::vector<std::string> made = {};                // rectifications or suppressions
    std::map<std::string, std::uint64_t> counts = {};  // of data, by kind
    // What was not erased, by why: the types of what was named.
    std::map<std::string, std::vector<std::string>> stayed = {};
    std::optional<Timestamp> until = {};  // of access and portability: as long as it is given
    // Of these two, of whom it is given: kept with whom the request names, and gone with them; read
    // by PrivacyRequests::found_in alone.
    std::vector<FoundPerson> found = {};

    friend bool operator==(const PrivacyResults&, const PrivacyResults&) = default;
};

}  // namespace cdp
