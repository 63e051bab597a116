#pragma once

#include <atomic>
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
    // Addresses and numbers that are somebody else's are in it too, as they came: for an officer.
    bool others = false;
};

// How much is told of what is held.
enum class ReportDepth : std::uint8_t {
    everything,
    categories,  // which kinds of data, from where and for whom; no datum. Never portable.
};

// What one request names: identifiers that are said to be one person's, and may be several's.
struct NamedReport {
    std::vector<Token> named = {};
    ReportFormat format = ReportFormat::json;
    ReportDepth depth = ReportDepth::everything;
};

// How much of each kind of data a report holds; what it has none of is not in it.
using ReportCounts = std::map<std::string, std::uint64_t>;

// Whom a request led to, and how much is held of them.
struct ReportFound {
    std::vector<FoundPerson> persons = {};
    ReportCounts counts = {};
};

// What is held under identifiers that were somebody's, as far as they are theirs still.
struct FoundReport {
    std::vector<FoundPerson> persons = {};
    ReportFormat format = ReportFormat::json;
    PurposeWords purposes = {};
    ReportDepth depth = ReportDepth::everything;
};

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
    // stops is no error. busy (overloaded): kWritingMax are being written.
    Result<void> write(const Reader& reader, const ReportRequest& request,
                       const ReportSink& sink) const;

    // Of every person who is named, once and in that order, who they are and how much is held.
    // Whoever holds none of the identifiers is left out, and so is what several people have. Nobody
    // is shown anything, so nothing is listed. Errors as above.
    Result<ReportFound> find(const NamedReport& request) const;
    // Of these, in that order: as JSON a list, if they are several. What joined them since they
    // were found is not in it, nor what has left them. Errors as above; person_unknown: nobody of
    // them is left.
    Result<void> write(const Reader& reader, const FoundReport& request,
                       const ReportSink& sink) const;

    static constexpr int kWritingMax = 2;  // at once: whoever reads slowly holds a thread

private:
    struct Wanted {
        std::vector<Token> asked = {};  // of each person one
        ReportFormat format = ReportFormat::json;
        const PurposeWords& purposes;
        ReportDepth depth = ReportDepth::everything;
        const std::vector<Token>* members = nullptr;  // nothing of any other identifier
        bool others = false;                          // as in ReportRequest
    };
    Result<void> write(const storage::Snapshot& snapshot, const Reader& reader,
                       const Wanted& wanted, const ReportSink& sink) const;
    Result<void> note(const Reader& reader, const storage::Snapshot& snapshot,
                      const std::vector<Token>& asked) const;
    Result<ReportCounts> tell(const storage::Snapshot& snapshot, const Wanted& wanted,
                              const ReportSink& sink) const;

    Needs needs_;
    mutable std::atomic<int> writing_ = 0;
};

}  // namespace cdp
