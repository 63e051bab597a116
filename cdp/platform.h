#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/changes.h"
#include "cdp/config.h"
#include "cdp/consent_request.h"
#include "cdp/event.h"
#include "cdp/queries.h"
#include "cdp/rule_simulation.h"
#include "cdp/shown.h"
#include "consent/ledger.h"
#include "consent/ledger_check.h"
#include "storage/journal.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

class Disclosures;
class Preferences;
class Notices;
class PolicyVersions;
class Quarantines;
class Stewardship;
struct AssertionsQuery;
struct BeliefQuery;
struct DecisionQuestion;
struct ReceiptRequest;

enum class VerdictKind : std::uint8_t { accepted, duplicate, suppressed, rejected };

std::string_view to_string(VerdictKind value);

// What became of one event. `accepted` and `duplicate` mean: on disk, deduplicated, resolved to a
// person, visible to every read that starts afterwards.
struct Verdict {
    VerdictKind kind = VerdictKind::rejected;
    std::string message_id;  // empty when the event had none that could be read
    Error error = {};        // rejected: why
    std::vector<std::string> warnings{};
};

// The verdicts in the order of the events; or an Error: some may be stored and some not, and
// sending all of them again is safe.
using Ingested = std::function<void(Result<std::vector<Verdict>>)>;

// Each record as it was taken, in order; or an Error: unless the input was at fault, some may be
// stored, and sending them again with the same keys or times is safe.
using Recorded = std::function<void(Result<std::vector<RecordedConsent>>)>;

struct Counters {
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> duplicate{0};
    std::atomic<std::uint64_t> rejected{0};
    std::atomic<std::uint64_t> conflicts{0};  // transactions that were read again
    std::atomic<std::uint64_t> folds{0};      // transactions that needed the fold
    std::atomic<std::uint64_t> consent_records{0};
    std::atomic<std::uint64_t> profile_reads{0};
    std::atomic<std::uint64_t> profile_cache_hits{0};
};

// The facade api/ talks to. Knows no HTTP. Safe to use from many threads; the store, vault and
// clock must outlive it.
class Platform {
public:
    // What it discloses goes through the journal; one in memory is for stores in memory.
    Platform(storage::Store& store, const storage::Vault& vault, const Clock& clock, Config config,
             std::unique_ptr<storage::Journal> journal = storage::make_memory_journal());
    // Every call has been answered: nothing waits in the store on its behalf.
    ~Platform();

    const Config& config() const;

    // How a body of this source is to be read.
    ParseContext parse_context(const Principal& source, bool import) const;

    // Stores the readable events of a batch; the unreadable get the verdict `rejected`. Reads,
    // seals and folds on the caller's thread, which may wait for disk reads; `done` comes from the
    // committer's thread, or before the return when nothing is to be written. Refuses with
    // `overloaded` above Config::waiting_max.
    void ingest(const Principal& source, ParsedBatch batch, Ingested done);

    // Requires a source of trust server, or an officer or admin.
    void record_consents(const Principal& caller, std::vector<ConsentRequest> requests,
                         Recorded done);

    // What a person said about consent, newest first, and what was to be decided at a time by what
    // was known then and is known now; cdp/consent_history.h. For officers: neither passes the
    // gate.
    Result<std::string> consents_of(const Reader& reader, const NamedIdentifier& subject,
                                    const PageQuery& query);
    Result<std::string> beliefs(const Reader& reader, const BeliefQuery& query);

    // May data of these identifiers be used? Reads none; cdp/decisions.h.
    Result<std::shared_ptr<const std::string>> decide(
        const Reader& reader, const std::vector<DecisionQuestion>& questions);

    // The texts that people were shown; what operators' splits keep closed; every policy that was
    // served under.
    const Notices& notices() const;
    const Quarantines& quarantines() const;
    const PolicyVersions& policies() const;

    // Errors: not_found (nobody has that identifier), invalid_argument (unknown purpose, malformed
    // identifier), forbidden (not a channel's key), unavailable (disclosure_unrecorded: what is not
    // listed does not leave; so of everything below that is read). `type` may be `person` with a
    // person id.
    Result<ChannelAnswer> profile(const Principal& channel, std::string_view type,
                                  std::string_view value, std::string_view purpose);

    // What the channel may tell Google of an identifier, by Config::google:
    // {"person":…,"ad_storage":"granted"|"denied","ad_user_data":…,…}. Errors as of profile.
    Result<ChannelAnswer> google_consent(const Principal& channel, std::string_view type,
                                         std::string_view value);

    // The events of a person, newest first, as the channel may see them:
    // {"person":…,"events":[…],"withheld":[…],"next":CURSOR|null}.
    Result<ChannelAnswer> timeline(const Principal& channel, std::string_view type,
                                   std::string_view value, const TimelineQuery& query);

    // A group with its traits and a page of its members, as JSON: {"group":…,"traits":{…},
    // "members":[…],"next":CURSOR|null}. not_found (group_unknown): no event has named it. For
    // those who run the platform: this and groups_of pass no gate and are no channel's to read.
    Result<std::string> group(const Reader& reader, std::string_view id, const PageQuery& query);

    // The groups a person was seen with: {"person":…,"groups":[…],"next":CURSOR|null}. Errors as of
    // profile.
    Result<std::string> groups_of(const Reader& reader, const NamedIdentifier& subject,
                                  const PageQuery& query);

    // The feed of what became of persons (cdp/changes.h), as JSON: {"changes":[…],"next":VERSION,
    // "end":BOOL}. A channel that is registered for some purpose is told ids and nothing more.
    // Errors: malformed_cursor, version_unknown, forbidden.
    Result<std::string> changes(const Reader& reader, const ChangesQuery& query);

    // What other rules would make of the evidence there is, as JSON; changes nothing and waits for
    // the disk. `report` is told once before anything is folded, when all that was asked for is
    // known, and then as it goes; the simulation stops when it answers false. Errors:
    // identifier_unknown (not_found), simulation_running (overloaded: one at a time),
    // simulation_too_large, stopped.
    Result<std::string> simulate(const Reader& reader, const SimulationRequest& request,
                                 const identity::Report& report);

    // What people say of themselves through the links they were sent; cdp/preferences.h.
    const Preferences& preferences() const;

    // What a person is given of an answer of theirs; errors as of Receipts::make.
    Result<std::string> receipt(const Reader& reader, const ReceiptRequest& request);

    // What stewards say about who is who; cdp/stewardship.h.
    const Stewardship& stewardship() const;
    // One assertion, and a page of them.
    Result<std::string> assertion(const Reader& reader, std::string_view id);
    Result<std::string> assertions(const Reader& reader, const AssertionsQuery& query);

    // Why two identifiers are one person, hop by hop with evidence, or what keeps them apart, as
    // JSON: {"a":{…},"b":{…},"same_person":BOOL,…,"path":[…],"refused":[…]}. For those who run the
    // platform, like identity_of. Errors as of profile, with the pointer /a or /b.
    Result<std::string> explain(const Reader& reader, const NamedIdentifier& a,
                                const NamedIdentifier& b);

    // The graph of a person, as JSON: identifiers, links, refused links, assertions and what it was
    // before; with `as_of` the identifiers that the person had then. Errors as of profile.
    Result<std::string> identity_of(const Reader& reader, const NamedIdentifier& identifier,
                                    std::optional<Timestamp> as_of);

    // Writes NDJSON lines (each ends with \n) to `sink`, which returns false to stop.
    Result<void> export_lines(const Reader& reader, ExportKind kind,
                              const std::function<bool(std::string_view)>& sink);

    // What left, to whom and why; cdp/disclosures.h.
    Disclosures& disclosures() const;

    // Publishes what the ledger has grown by, and from now on within a second. Call it once;
    // without it the ledger only grows.
    void publish_ledger();
    const consent::Ledger& ledger() const;
    // Holds everything in the ledger against everything it speaks of; reads all of both.
    Result<consent::LedgerChecked> check_ledger(const consent::LedgerProgress& progress) const;

    const Counters& counters() const;
    storage::Health health() const;
    storage::Store::Counts commits() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace cdp
