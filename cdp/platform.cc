#include "cdp/platform.h"

#include <array>
#include <utility>

#include "cdp/agents.h"
#include "cdp/audit.h"
#include "cdp/backlog.h"
#include "cdp/consent_history.h"
#include "cdp/consent_intake.h"
#include "cdp/decisions.h"
#include "cdp/disclosures.h"
#include "cdp/erasure_certificates.h"
#include "cdp/erasures.h"
#include "cdp/export.h"
#include "cdp/google_consent.h"
#include "cdp/groups.h"
#include "cdp/hash_search.h"
#include "cdp/identity_view.h"
#include "cdp/ingest.h"
#include "cdp/ledger_publisher.h"
#include "cdp/ledger_rows.h"
#include "cdp/own_secrets.h"
#include "cdp/people.h"
#include "cdp/preferences.h"
#include "cdp/privacy.h"
#include "cdp/privacy_executors.h"
#include "cdp/privacy_requests.h"
#include "cdp/privacy_runner.h"
#include "cdp/profiles.h"
#include "cdp/receipts.h"
#include "cdp/rectifications.h"
#include "cdp/retentions.h"
#include "cdp/stewardship.h"
#include "cdp/subject_report.h"
#include "cdp/suppressions.h"
#include "cdp/timeline.h"
#include "cdp/withdrawals.h"
#include "storage/random.h"

namespace cdp {
namespace {

constexpr std::array<std::pair<ExportKind, std::string_view>, 5> kExportKinds{{
    {ExportKind::events, "events"},
    {ExportKind::persons, "persons"},
    {ExportKind::consents, "consents"},
    {ExportKind::links, "links"},
    {ExportKind::groups, "groups"},
}};

}  // namespace

std::string_view to_string(VerdictKind value) {
    switch (value) {
        case VerdictKind::accepted: return "accepted";
        case VerdictKind::duplicate: return "duplicate";
        case VerdictKind::suppressed: return "suppressed";
        case VerdictKind::rejected: return "rejected";
    }
    return "rejected";
}

std::optional<ExportKind> parse_export_kind(std::string_view name) {
    for (const auto& [kind, spelling] : kExportKinds)
        if (spelling == name) return kind;
    return std::nullopt;
}

std::vector<std::string> export_kind_names() {
    std::vector<std::string> names;
    for (const auto& [kind, spelling] : kExportKinds) names.emplace_back(spelling);
    return names;
}

// Each may use those above it, and is destroyed before them. The two that take facts in also hand
// work to the worker below.
struct Platform::Parts {
    Parts(storage::Store& the_store, const storage::Vault& the_vault, const Clock& the_clock,
          Config the_config, std::unique_ptr<storage::Journal> journal)
        : store(the_store),
          vault(the_vault),
          clock(the_clock),
          config(std::move(the_config)),
          disclosures({store, vault, config, clock}, std::move(journal)) {
        serve_privacy_requests(requests, {store, erasures, suppressions, intake, reports,
                                          rectifications, graph, membership});
    }

    // Notes who looked at whom.
    Result<std::string> show(const Reader& reader, Result<Shown> shown) {
        CDP_CHECK(check_reason(reader));
        return disclosures.show(reader, std::move(shown));
    }

    storage::Store& store;
    const storage::Vault& vault;
    const Clock& clock;
    const Config config;
    Counters counters;
    Backlog backlog{config.waiting_max};
    Disclosures disclosures;

    const Tombstones tombstones{store};
    const Corrections corrections{store, vault};
    const SuppressedTokens suppressed{store, vault};
    const identity::Graph graph{store, vault, config.types};
    const consent::Consents consents{vault};
    consent::Ledger ledger{store, vault};
    const PolicyVersions policies{{store, vault, config, clock}};
    const SourceNames source_names{vault};
    const People people{{vault, graph, consents, suppressed, config}};
    Profiles profiles{{store, vault, graph, people, corrections, consents, config, clock},
                      counters};
    const Timeline timeline{{store, vault, graph, people, corrections, consents, config, clock}};
    const ConsentHistory consent_history{{store, vault, graph, people, clock, policies}};
    const Decisions decisions{{store, vault, graph, people, corrections, consents, config, clock},
                              policies};
    const GoogleConsent google_consent{
        {store, vault, graph, people, corrections, consents, config, clock}};
    const Groups groups{{store, vault, graph, people}};
    const IdentityView identity_view{{store, vault, graph, people, config, source_names}};
    const Quarantines quarantines{{store, vault, graph, consents, clock}};
    const Stewardship stewardship{{store, vault, graph, config, clock, quarantines}};
    const Exporter exporter{{store, vault, graph, consents, groups, config, clock}};
    const Changes changes{{store, config}};
    const RuleSimulation simulation{{store, vault, graph, people, config}};
    Ingest ingest{{store, vault, graph, consents, config, clock, counters, again, ledger,
                   tombstones, corrections, suppressed, backlog},
                  groups,
                  source_names};
    const Notices notices{{store, vault, config, clock}};
    const Receipts receipts{{store, vault, ledger, notices, config, clock}};
    const Withdrawals withdrawals{
        {store, vault, graph, people, consents, disclosures, config, clock}};
    const Suppressions suppressions{{store, vault, graph, suppressed, disclosures, config, clock}};
    const Erasures erasures{{store, vault, graph, consents, people, groups, tombstones, corrections,
                             disclosures, withdrawals, suppressions, config, clock,
                             [this] { requests.tell(); }}};
    const Retentions retentions{{store, vault, graph, consents, groups, config, clock}};
    ConsentIntake intake{{store, vault, graph, consents, config, clock, counters, again, ledger,
                          tombstones, corrections, suppressed, backlog},
                         notices};
    const Preferences preferences{{store, vault, graph, people, config, clock, intake}};
    PrivacyRequests requests{{store, vault, graph, tombstones, disclosures, config, clock}};
    Agents agents{{store, vault, clock}};
    const OwnSecrets secrets{store, vault};
    const HashSearch hashes{{store, vault, graph, config}};
    const Membership membership{{vault, graph, source_names, config}};
    const Rectifications rectifications{
        {store, vault, graph, people, corrections, erasures, disclosures, config, clock}};
    const SubjectReports reports{{store, vault, graph, people, corrections, groups, source_names,
                                  disclosures, erasures, requests, config, clock}};
    const AuditSources audit_sources{store,           vault,    graph,       consents, people,
                                     consent_history, policies, notices,     ledger,   disclosures,
                                     config,          clock,    withdrawals, erasures};
    const ErasureCertificates certificates{audit_sources};
    const Privacy privacy{erasures, certificates, suppressions, requests, runner,        secrets,
                          hashes,   reports,      retentions,   agents,   rectifications};
    Worker again;  // ends first, because its work uses all of the above
    LedgerPublisher publisher{store, ledger, clock};
    PrivacyRunner runner{requests, clock};
};

Platform::Platform(storage::Store& store, const storage::Vault& vault, const Clock& clock,
                   Config config, std::unique_ptr<storage::Journal> journal)
    : parts_(std::make_unique<Parts>(store, vault, clock, std::move(config), std::move(journal))) {}

Platform::~Platform() = default;

const Config& Platform::config() const {
    return parts_->config;
}

ParseContext Platform::parse_context(const Principal& source, bool import) const {
    return {.received = parts_->clock.now(),
            .trust = source.trust,
            .import = import,
            .region = parts_->config.region_of(source_name(source)),
            .types = &parts_->config.types,
            .new_message_id = [] { return "cdp-" + to_hex(storage::random_bytes(16)); }};
}

void Platform::ingest(const Principal& source, ParsedBatch batch, Ingested done) {
    parts_->ingest.run(source, std::move(batch), std::move(done));
}

void Platform::record_consents(const Principal& caller, std::vector<ConsentRequest> requests,
                               Recorded done) {
    parts_->intake.run(caller, std::move(requests), std::move(done));
}

Result<std::string> Platform::consents_of(const Reader& reader, const NamedIdentifier& subject,
                                          const PageQuery& query) {
    return parts_->show(reader, parts_->consent_history.page(subject, query));
}

Result<std::string> Platform::audit(const Reader& reader, const AuditQuestion& question,
                                    const AuditQuery& query) {
    return parts_->show(reader, answer_question(parts_->audit_sources, question, query));
}

Result<std::shared_ptr<const std::string>> Platform::decide(
    const Reader& reader, const std::vector<DecisionQuestion>& questions) {
    if (reader.who.role == Role::channel) {
        std::string out = "{\"answers\":[";
        for (const auto& answer : CDP_TRY(parts_->decisions.release(reader.who, questions))) {
            const auto listed = CDP_TRY(parts_->disclosures.release(reader.who, answer));
            if (out.back() == '}') out += ',';
            out += *listed.body();
        }
        return std::make_shared<const std::string>(out + "]}");
    }
    return std::make_shared<const std::string>(
        CDP_TRY(parts_->show(reader, parts_->decisions.explain(reader.who, questions))));
}

const Notices& Platform::notices() const {
    return parts_->notices;
}

const Quarantines& Platform::quarantines() const {
    return parts_->quarantines;
}

const Withdrawals& Platform::withdrawals() const {
    return parts_->withdrawals;
}

const PolicyVersions& Platform::policies() const {
    return parts_->policies;
}

Result<ChannelAnswer> Platform::profile(const Principal& channel, std::string_view type,
                                        std::string_view value, std::string_view purpose) {
    return parts_->disclosures.release(
        channel, CDP_TRY(parts_->profiles.profile(channel, type, value, purpose)));
}

Result<ChannelAnswer> Platform::google_consent(const Principal& channel, std::string_view type,
                                               std::string_view value) {
    return parts_->disclosures.release(
        channel, CDP_TRY(parts_->google_consent.answer(channel, type, value)));
}

Result<ChannelAnswer> Platform::timeline(const Principal& channel, std::string_view type,
                                         std::string_view value, const TimelineQuery& query) {
    return parts_->disclosures.release(channel,
                                       CDP_TRY(parts_->timeline.page(channel, type, value, query)));
}

Result<std::string> Platform::group(const Reader& reader, std::string_view id,
                                    const PageQuery& query) {
    return parts_->show(reader, parts_->groups.page(id, query));
}

Result<std::string> Platform::groups_of(const Reader& reader, const NamedIdentifier& subject,
                                        const PageQuery& query) {
    return parts_->show(reader, parts_->groups.of_person(subject.type, subject.value, query));
}

Result<std::string> Platform::changes(const Reader& reader, const ChangesQuery& query) {
    CDP_CHECK(check_reason(reader));
    auto page = CDP_TRY(parts_->changes.page(reader.who, query));
    if (reader.who.role == Role::channel) {
        const auto answer = CDP_TRY(parts_->disclosures.release(
            reader.who, std::make_shared<const Unlisted>(std::move(page))));
        return *answer.body();
    }
    Looked whom;
    for (const auto& subject : page.disclosure.subjects) whom.persons.push_back({subject.id});
    return parts_->disclosures.show(reader, Shown(std::move(page.body), std::move(whom)));
}

Result<std::string> Platform::simulate(const Reader& reader, const SimulationRequest& request,
                                       const identity::Report& report) {
    return parts_->show(reader, parts_->simulation.run(request, report));
}

const Preferences& Platform::preferences() const {
    return parts_->preferences;
}

Result<std::string> Platform::receipt(const Reader& reader, const ReceiptRequest& request) {
    return parts_->show(reader, parts_->receipts.make(reader.who, request));
}

const Privacy& Platform::privacy() const {
    return parts_->privacy;
}

const Stewardship& Platform::stewardship() const {
    return parts_->stewardship;
}

Result<std::string> Platform::assertion(const Reader& reader, std::string_view id) {
    return parts_->show(reader, parts_->stewardship.read(id));
}

Result<std::string> Platform::assertions(const Reader& reader, const AssertionsQuery& query) {
    return parts_->show(reader, parts_->stewardship.page(query));
}

Result<std::string> Platform::explain(const Reader& reader, const NamedIdentifier& a,
                                      const NamedIdentifier& b) {
    return parts_->show(reader, parts_->identity_view.explain(a, b));
}

Result<std::string> Platform::identity_of(const Reader& reader, const NamedIdentifier& identifier,
                                          std::optional<Timestamp> as_of) {
    return parts_->show(reader, as_of ? parts_->identity_view.of_person_at(identifier, *as_of)
                                      : parts_->identity_view.of_person(identifier));
}

Result<void> Platform::export_lines(const Reader& reader, ExportKind kind,
                                    const std::function<bool(std::string_view)>& sink) {
    CDP_CHECK(check_reason(reader));
    // Of everybody.
    CDP_CHECK(parts_->disclosures.note_access(reader, {}));
    return parts_->exporter.run(kind, sink);
}

Disclosures& Platform::disclosures() const {
    return parts_->disclosures;
}

void Platform::publish_ledger() {
    parts_->publisher.start();
}

consent::Ledger& Platform::ledger() const {
    return parts_->ledger;
}

Result<consent::LedgerChecked> Platform::check_ledger(
    const consent::LedgerProgress& progress) const {
    return cdp::check_ledger(parts_->store, parts_->vault, progress);
}

const Counters& Platform::counters() const {
    return parts_->counters;
}

const Backlog& Platform::backlog() const {
    return parts_->backlog;
}

storage::Store::Counts Platform::commits() const {
    return parts_->store.counts();
}

storage::Health Platform::health() const {
    const auto health = parts_->store.health();
    const bool stalled = health == storage::Health::ok && parts_->disclosures.stalled();
    return stalled ? storage::Health::read_only : health;
}

}  // namespace cdp
