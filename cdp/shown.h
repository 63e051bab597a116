#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/access.h"
#include "cdp/base/ids.h"

// What those who run the platform are shown of persons, without a gate: written down too.
namespace cdp {

// Who looks.
struct Reader {
    Principal who = {};
    std::int64_t uid = -1;    // of the peer at the admin socket
    std::string route = {};   // GET /v1/identity/explain
    std::string reason = {};  // why, in the reader's words; empty: not said
};

// As check_reason in cdp/texts.h.
Result<void> check_reason(const Reader& reader);

// At whom. Nobody at all: at everybody, or at what names nobody.
struct Looked {
    std::vector<Token> identifiers = {};
    std::vector<PersonId> persons = {};
};

// A document about persons. Only Disclosures::show gets it out, and writes down who was in it.
class Shown {
public:
    Shown(std::string json, Looked whom) : json_(std::move(json)), whom_(std::move(whom)) {}

private:
    friend class Disclosures;

    std::string json_;
    Looked whom_;
};

}  // namespace cdp
