#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cdp/access.h"
#include "cdp/config.h"
#include "cdp/consent_request.h"
#include "consent/record.h"
#include "identity/graph.h"
#include "identity/observation.h"
#include "storage/vault.h"

// From what was posted to what is recorded, as far as that can be told without reading anything.
namespace cdp {

struct CheckedConsent {
    consent::Record record = {};
    std::vector<identity::Sighting> sightings = {};  // of the asserted, in their order
    std::vector<identity::Sighting> guardian = {};   // none, or one
    std::string token = {};                          // that a grant brings as its confirmation
    RecordedConsent answer = {};
    std::string pointer = {};                   // of the answer in its request
    std::vector<ConsentWarning> warnings = {};  // of reading it, whatever is stored
};

class ConsentCheck {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Config& config;
    };
    explicit ConsentCheck(Needs needs) : needs_(needs) {}

    // Refuses what cannot be taken as it was sent; the error's pointer begins with `pointer`.
    // forbidden: the caller may not answer for anybody, or not in the way it says.
    Result<CheckedConsent> run(const Principal& caller, const ConsentRequest& request,
                               std::string pointer, Timestamp now) const;

private:
    Result<void> read_identifiers(const Principal& caller, const ConsentRequest& request,
                                  CheckedConsent& out) const;
    Result<identity::Sighting> read_subject(const Principal& caller,
                                            const ConsentRequest::Subject& subject,
                                            const std::string& pointer) const;
    Result<void> read_reach(const ConsentRequest& request, CheckedConsent& out) const;
    Result<void> read_minor(const Principal& caller, const ConsentRequest& request,
                            CheckedConsent& out) const;
    void make_token(CheckedConsent& out) const;
    RecordId id_of(const ConsentRequest& request, const consent::Record& record) const;

    Needs needs_;
};

}  // namespace cdp
