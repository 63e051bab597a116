#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cdp/audit.h"
#include "cdp/people.h"
#include "consent/decision.h"
#include "consent/record.h"

// What of all that was said holds today.
namespace cdp {

// A purpose and a channel that is registered for it.
struct Use {
    std::string purpose = {};
    std::string channel = {};
};

// Of every purpose, or of those that `said` covers.
std::vector<Use> uses_of(const consent::Policy& policy, std::string_view said = "*");

// Who an identifier is of today, with everything that was said by them. By itself, and nobody's,
// when nobody has it. Remembers whom it loaded last: what is scanned comes in runs.
class StandingPersons {
public:
    StandingPersons(const AuditSources& sources, People::Reading reading)
        : sources_(sources), reading_(reading) {}

    struct Loaded {
        Token asked{};
        std::optional<PersonId> id = {};
        std::vector<consent::Member> members = {};
        std::size_t facts = 0;
    };
    // Valid until the next call.
    Result<const Loaded*> find(const Token& token);

private:
    const AuditSources& sources_;
    People::Reading reading_;
    std::optional<Loaded> last_;
};

// A use of which a record is the newest word under an identifier, and what is decided about that
// identifier's own data.
struct StandingUse {
    Use use = {};
    consent::Decision decision = {};  // of a use that is registered
};

// Where a grant is still in force under `token`: the newest word, not run out. Of a purpose or
// channel that is registered no more the grant itself is what may be in force.
std::vector<StandingUse> standing_of(const AuditSources& sources,
                                     const StandingPersons::Loaded& person, const Token& token,
                                     const consent::Record& grant);

// What is decided about an identifier's own data.
consent::Datum datum_of(const consent::Member& member, Timestamp now);

// "outcome":"…","reason":"…"[,"record":"…"]
std::string decision_members(const consent::Decision& decision);

}  // namespace cdp
