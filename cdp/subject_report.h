#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/disclosures.h"
#include "cdp/erasures.h"
#include "cdp/groups.h"
#include "cdp/people.h"
#include "cdp/privacy_requests.h"
#include "cdp/report_form.h"
#include "cdp/shown.h"
#include "cdp/source_names.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

// Everything held about somebody, for them: GDPR Art. 13 to 15 and 20; docs/decisions/0031.
namespace cdp {

enum class ReportFormat : std::uint8_t {
    json,      // everything, as one document
    html,      // the same, as a page that people read
    portable,  // what they gave, as NDJSON
};

std::string_view to_string(ReportFormat value);
std::optional<ReportFormat> parse_report_format(std::string_view name);

struct ReportRequest {
    std::string type = {};  // `person` with a person id names the person's best identifier
    std::string value = {};
    ReportFormat format = ReportFormat::json;
    PurposeWords purposes = {};  // for the page
};

// Safe to use from many threads. Everything it refers to must outlive it.
class SubjectReports {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const People& people;
        const Groups& groups;
        const SourceNames& sources;
        Disclosures& disclosures;
        const Erasures& erasures;
        const PrivacyRequests& requests;
        const Config& config;
        const Clock& clock;
    };
    explicit SubjectReports(Needs needs) : needs_(needs) {}

    // Writes it piece by piece; what is held of it at a time is bounded, also of somebody with very
    // many events. That `reader` looked is listed before the first piece. Nothing was written when
    // one of these is answered: malformed_identifier, malformed_reason, person_unknown (not_found),
    // identifier_shared (conflict: it is several people's), disclosure_unrecorded (unavailable).
    // After any other error what was written is not whole, and its end is missing. A sink that
    // stops is no error.
    Result<void> write(const Reader& reader, const ReportRequest& request,
                       const ReportSink& sink) const;

private:
    Needs needs_;
};

}  // namespace cdp
