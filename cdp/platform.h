#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/changes.h"
#include "cdp/config.h"
#include "cdp/event.h"
#include "cdp/queries.h"
#include "cdp/rule_simulation.h"
#include "cdp/shown.h"
#include "cdp/verdict.h"
#include "consent/ledger.h"
#include "consent/ledger_check.h"
#include "storage/journal.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

class Backlog;
class Disclosures;
class Preferences;
class Notices;
class PolicyVersions;
struct Privacy;
class Quarantines;
class Stewardship;
class Withdrawals;

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
    // `overloaded` when the backlog is full.
    void ingest(const Principal& source, ParsedBatch batch, Ingested done);

    // Requires a source of trust server, or an officer or admin. Refuses as ingest does, later.
    void record_consents(const Principal& caller, std::vector<ConsentRequest> requests,
                         Recorded done);

    // What a person said about consent; cdp/consent_history.h. For officers: it passes no gate.
    Result<std::string> consents_of(const Reader& reader, const NamedIdentifier& subject,
                                    const PageQuery& query);
    // The answer to an officer's question; cdp/audit.h. The same holds; may wait for the disk.
    Result<std::string> audit(const Reader& reader, const AuditQuestion& question,
                              const AuditQuery& query);

    // May data of these identifiers be used? Reads none; cdp/decisions.h.
    Result<std::shared_ptr<const std::string>> decide(
        const Reader& reader, const std::vector<DecisionQuestion>& questions);

    // What each holds, its own header says.
    const Notices& notices() const;
    const Quarantines& quarantines() const;
    const PolicyVersions& policies() const;
    const Withdrawals& withdrawals() const;
    const Privacy& privacy() const;
    const Preferences& preferences() const;
    const Stewardship& stewardship() const;

    // Errors: not_found (nobody has that identifier), invalid_argument (unknown purpose, malformed
    // identifier), forbidden (not a channel's key), unavailable (disclosure_unrecorded: what is not
    // listed does not leave; so of everything below that is read). `type` may be `person` with a
    // person id.
    Result<ChannelAnswer> profile(const Principal& channel, std::string_view type,
                                  std::string_view value, std::string_view purpose);
    // What the channel may tell Google of an identifier, by Config::google. Errors as of profile.
    Result<ChannelAnswer> google_consent(const Principal& channel, std::string_view type,
                                         std::string_view value);
    // The events of a person, newest first, as the channel may see them; cdp/timeline.h.
    Result<ChannelAnswer> timeline(const Principal& channel, std::string_view type,
                                   std::string_view value, const TimelineQuery& query);

    // A group with its traits and a page of its members, as JSON; cdp/groups.h. For those who run
    // the platform: this and groups_of pass no gate and are no channel's to read.
    Result<std::string> group(const Reader& reader, std::string_view id, const PageQuery& query);
    // The groups a person was seen with, alike. Errors as of profile.
    Result<std::string> groups_of(const Reader& reader, const NamedIdentifier& subject,
                                  const PageQuery& query);

    // The feed of what became of persons, as JSON; cdp/changes.h. A channel that is registered for
    // some purpose is told ids and nothing more.
    Result<std::string> changes(const Reader& reader, const ChangesQuery& query);

    // What other rules would make of the evidence there is, as JSON; cdp/rule_simulation.h. Changes
    // nothing and waits for the disk.
    Result<std::string> simulate(const Reader& reader, const SimulationRequest& request,
                                 const identity::Report& report);

    // What a person is given of an answer; errors as of Receipts::make.
    Result<std::string> receipt(const Reader& reader, const ReceiptRequest& request);
    // One assertion of stewards, and a page of them.
    Result<std::string> assertion(const Reader& reader, std::string_view id);
    Result<std::string> assertions(const Reader& reader, const AssertionsQuery& query);

    // Why two identifiers are one person, hop by hop with evidence, or what keeps them apart, as
    // JSON; cdp/identity_view.h. Errors as of profile, with the pointer /a or /b.
    Result<std::string> explain(const Reader& reader, const NamedIdentifier& a,
                                const NamedIdentifier& b);

    // The graph of a person, as JSON; with `as_of` the identifiers that the person had then.
    Result<std::string> identity_of(const Reader& reader, const NamedIdentifier& identifier,
                                    std::optional<Timestamp> as_of);

    // Writes NDJSON lines (each ends with \n) to `sink`, which returns false to stop.
    Result<void> export_lines(const Reader& reader, ExportKind kind,
                              const std::function<bool(std::string_view)>& sink);

    // What left, to whom and why; cdp/disclosures.h.
    Disclosures& disclosures() const;

    // From now on the ledger is published within a second of growing. Call it once.
    void publish_ledger();
    consent::Ledger& ledger() const;
    // Holds everything in the ledger against everything it speaks of; reads all of both.
    Result<consent::LedgerChecked> check_ledger(const consent::LedgerProgress& progress) const;

    const Counters& counters() const;
    const Backlog& backlog() const;
    storage::Health health() const;
    storage::Store::Counts commits() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace cdp
