#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/corrections.h"
#include "cdp/disclosures.h"
#include "cdp/erasures.h"
#include "cdp/groups.h"
#include "cdp/named_persons.h"
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

// What one request names: identifiers that are said to be one person's, and may be several's.
struct NamedReport {
    std::vector<Token> named = {};
    ReportFormat format = ReportFormat::json;
    PurposeWords purposes = {};
};

// How much of each kind of data a report holds; what it has none of is not in it.
using ReportCounts = std::map<std::string, std::uint64_t>;

// Safe to use from many threads. Everything it refers to must outlive it.
class SubjectReports {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const People& people;
        const Corrections& corrections;
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

    // Of every person who is named, once and in that order: as JSON a list, if they are several.
    // Whoever holds none of the identifiers is left out, and so is what several people have. Errors
    // as above.
    Result<void> write(const Reader& reader, const NamedReport& request,
                       const ReportSink& sink) const;
    // What that would hold now. Nobody is shown anything, so nothing is listed. Errors as above.
    Result<ReportCounts> count(const NamedReport& request) const;

private:
    Result<void> note(const Reader& reader, const std::vector<NamedPerson>& persons) const;
    Result<ReportCounts> tell(const storage::Snapshot& snapshot,
                              const std::vector<NamedPerson>& persons, ReportFormat format,
                              const PurposeWords& purposes, const ReportSink& sink) const;

    Needs needs_;
};

}  // namespace cdp
