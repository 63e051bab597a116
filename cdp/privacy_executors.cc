#include "cdp/privacy_executors.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/named_persons.h"
#include "cdp/privacy_regimes.h"
#include "cdp/privacy_sender.h"
#include "consent/policy.h"

namespace cdp {
namespace {

// What is several people's, and so not one's to have erased.
constexpr const char* kShared = "identifier_shared";

struct EarlierErasure {
    // It took the identifier since the request was begun, or before, when there is nothing left of
    // it that names the request.
    std::optional<PrivacyRequestId> done = {};
    std::optional<PrivacyRequestId> interrupted = {};  // ended by whoever erases it next
};

Result<EarlierErasure> earlier_erasure(const storage::Store& store, const Token& token,
                                       const PrivacyJob& job, bool still_named) {
    const auto snapshot = store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto tombstone = CDP_TRY(Tombstones::find(transaction, token));
    if (!tombstone) return EarlierErasure{};
    if (tombstone->closing) return EarlierErasure{.interrupted = tombstone->request};
    if (still_named && tombstone->erased < job.begun) return EarlierErasure{};
    return EarlierErasure{.done = tombstone->request};
}

Membership::Proved proved_by(const PrivacyJob& job) {
    Membership::Proved out{.vouched = job.vouched};
    for (const auto& one : job.named) out.named.push_back(spelling_of(one));
    return out;
}

CheckWhom check_of(const PrivacyExecutors& with, const PrivacyJob& job) {
    return [&with, proved = proved_by(job)](People::Reading reading, std::span<const Token> whom) {
        return with.membership.check(reading, proved, whom);
    };
}

// The same of all who are named, and of those in `found`. Answers what is shared beside them.
Result<std::vector<Token>> check_now(const PrivacyExecutors& with, const PrivacyJob& job,
                                     std::span<const FoundPerson> found) {
    const auto snapshot = with.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    std::vector<Token> whom;
    for (const auto& one : found) whom.insert(whom.end(), one.members.begin(), one.members.end());
    return with.membership.check({*snapshot, transaction}, proved_by(job), whom);
}

Result<PrivacyResults> erase(const PrivacyExecutors& with, const PrivacyRequests& requests,
                             const PrivacyJob& job) {
    const auto about = "privacy_request " + to_hex(job.request.id.view());
    std::set<PrivacyRequestId> done;
    PrivacyResults out;
    // Of all before the first goes; and of each when it does, for somebody may be joined meanwhile.
    CDP_TRY(check_now(with, job, {}));
    for (const Token& token : job.plan) {
        const auto named = std::ranges::find(job.named, token, &NamedToken::token);
        const bool still_named = named != job.named.end();
        const auto earlier = CDP_TRY(earlier_erasure(with.store, token, job, still_named));
        if (earlier.done) done.insert(*earlier.done);
        if (!earlier.done && still_named) {
            const auto erasure =
                with.erasures.carry_out(job.request.sender, {.type = named->identifier.type,
                                                             .value = named->identifier.value,
                                                             .reason = about,
                                                             .check = check_of(with, job)});
            // A person is erased by another identifier; what is several people's stays.
            if (!erasure && erasure.error().reason != kShared) return erasure.error();
            if (!erasure) out.stayed[kShared].push_back(named->identifier.type);
            if (erasure) done.insert(erasure->id);
            if (erasure && earlier.interrupted) done.insert(*earlier.interrupted);
        }
    }
    if (done.empty() && !out.stayed.empty())
        return Error{.code = ErrorCode::conflict,
                     .reason = kShared,
                     .message = "All identifiers of the request are several people's."};
    for (const auto& id : done) {
        const auto erasure = CDP_TRY(with.erasures.find(id));
        out.erasures.push_back(to_hex(id.view()));
        for (const auto& [name, count] : counts_by_name(erasure.counts)) out.counts[name] += count;
    }
    out.matched = out.counts["identifiers"] > 0;
    if (!done.empty()) requests.erased();
    return out;
}

std::string_view state_of(PrivacyKind kind) {
    switch (kind) {
        case PrivacyKind::restriction: return "restricted";
        case PrivacyKind::opt_in: return "granted";
        default: return "objected";
    }
}

ConsentRequest answer_of(const PrivacyJob& job, std::string_view purpose, std::string_view state) {
    const auto id = to_hex(job.request.id.view());
    ConsentRequest out;
    for (const auto& one : job.named)
        out.identifiers.push_back({.type = one.identifier.type, .value = one.identifier.value});
    out.purpose = purpose;
    out.state = state;
    out.scope = "person";
    out.regime = job.request.regime;
    out.method = "privacy_request";
    out.actor = job.request.protocol == PrivacyProtocol::direct ? "officer" : "agent";
    // That it was received is in the ledger; the entry's commitment is what there is to show.
    if (!job.request.steps.empty()) {
        const auto commitment = job.request.steps.front().commitment(job.request.id);
        out.evidence.push_back({.kind = "privacy_request",
                                .sha256 = to_hex(consent::view(commitment)),
                                .location = id});
    }
    // Of whom it is, too: who was erased in between is not named when it is done again.
    std::string whom;
    for (const auto& one : job.named) whom += one.token.view();
    out.idempotency_key = id + ' ' + std::string(state) + ' ' + std::string(purpose) + ' ' +
                          to_hex(consent::view(consent::sha256(whom)));
    return out;
}

std::optional<Timestamp> no_reask_until(const PrivacyRequest& request) {
    const auto* regime = find_privacy_regime(request.regime);
    if (request.kind != PrivacyKind::opt_out || !regime || regime->no_reask.none())
        return std::nullopt;
    return regime->no_reask.after(request.received);
}

// The ids of the records, which are the same when it is done again. What is from before an erasure
// of whoever it names is none, and counted.
Result<PrivacyResults> record(ConsentIntake& intake, const PrivacyJob& job,
                              std::vector<ConsentRequest> answers) {
    PrivacyResults out;
    for (auto& one :
         CDP_TRY(intake.run_and_wait(principal_of(job.request.sender), std::move(answers)))) {
        if (std::ranges::find(one.warnings, "suppressed", &ConsentWarning::code) ==
            one.warnings.end())
            out.records.push_back(std::move(one.id));
        else
            ++out.counts[kSuppressedCount];
    }
    out.matched = !out.records.empty();
    return out;
}

Result<PrivacyResults> say(const PrivacyExecutors& with, const PrivacyJob& job) {
    std::vector<ConsentRequest> answers;
    for (const auto& purpose : job.request.purposes) {
        answers.push_back(answer_of(job, purpose, state_of(job.request.kind)));
        // What the person says afterwards wins, however long this waited.
        answers.back().time = job.request.received;
        answers.back().no_reask_until = no_reask_until(job.request);
    }
    return record(with.intake, job, std::move(answers));
}

// What is in force already is not made again.
Result<PrivacyResults> suppress(const PrivacyExecutors& with, const PrivacyRequests& requests,
                                const PrivacyJob& job) {
    const auto reason = consent::parse_suppression_reason(job.request.suppression)
                            .value_or(consent::SuppressionReason::requested);
    PrivacyResults out{.matched = true};
    for (const auto& named : job.named) {
        const auto made =
            CDP_TRY(with.suppressions.suppress(job.request.sender, {.type = named.identifier.type,
                                                                    .value = named.identifier.value,
                                                                    .reason = reason,
                                                                    .request = job.request.id}));
        out.made.push_back(to_hex(made.id.view()));
    }
    // Backups learn of it the same way.
    requests.erased();
    return out;
}

// Counts what is held, and whose. The report is written when it is fetched: never older than that,
// and never of anybody who joined them since.
Result<PrivacyResults> look(const PrivacyExecutors& with, const PrivacyJob& job) {
    NamedReport report;
    for (const auto& named : job.named) report.named.push_back(named.token);
    if (job.request.kind == PrivacyKind::portability) report.format = ReportFormat::portable;
    if (job.request.kind == PrivacyKind::access_categories) report.depth = ReportDepth::categories;
    auto found = with.reports.find(report);
    const bool matched = static_cast<bool>(found);
    if (!matched && found.error().code != ErrorCode::not_found) return found.error();
    PrivacyResults out{.matched = matched};
    if (matched) {
        out.counts = std::move(found->counts);
        out.found = std::move(found->persons);
        // What was seen on what several people have is theirs as far as that was theirs then.
        const auto shared = CDP_TRY(check_now(with, job, out.found));
        for (auto& one : out.found)
            one.members.insert(one.members.end(), shared.begin(), shared.end());
    }
    return out;
}

// Of the n-th person that is put right for one request: the same when it is done again.
PrivacyRequestId id_of(const PrivacyRequest& request, std::size_t n) {
    auto id = request.id;
    id.bytes.back() = static_cast<std::uint8_t>(id.bytes.back() + n);
    return id;
}

Result<PrivacyResults> rectify(const PrivacyExecutors& with, const PrivacyJob& job) {
    const auto& request = job.request;
    const auto about = "privacy_request " + to_hex(request.id.view());
    std::vector<Token> named;
    for (const auto& one : job.named) named.push_back(one.token);
    const auto snapshot = with.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const Reader reader{.who = principal_of(job.request.sender),
                        .route = "POST /v1/privacy/requests",
                        .reason = about};
    PrivacyResults out{.matched = true};
    CDP_TRY(check_now(with, job, {}));
    for (const auto& [asked, person] : CDP_TRY(named_persons(with.graph, transaction, named))) {
        RequestedIdentifier whom{.type = std::string(kPersonType), .value = to_hex(person.view())};
        if (const auto at = std::ranges::find(job.named, asked, &NamedToken::token);
            at != job.named.end())
            whom = at->identifier;
        const auto id = id_of(request, out.made.size());
        CDP_TRY(with.rectifications.rectify(reader, request.sender,
                                            {.type = whom.type,
                                             .value = whom.value,
                                             .traits = request.traits,
                                             .reason = about,
                                             .id = id,
                                             .check = check_of(with, job)}));
        out.made.push_back(to_hex(id.view()));
        out.counts["traits"] += request.traits.size();
    }
    return out;
}

Result<PrivacyResults> lift(const PrivacyExecutors& with, const PrivacyJob& job) {
    auto answer = answer_of(job, consent::kAllPurposes, "not_applicable");
    answer.overrides = job.request.results.records;
    return record(with.intake, job, {std::move(answer)});
}

}  // namespace

void serve_privacy_requests(PrivacyRequests& requests, const PrivacyExecutors& with) {
    requests.serve(PrivacyKind::erasure,
                   [&requests, with](const PrivacyJob& job) { return erase(with, requests, job); });
    for (const auto kind : {PrivacyKind::objection, PrivacyKind::restriction, PrivacyKind::opt_out,
                            PrivacyKind::opt_in})
        requests.serve(kind, [with](const PrivacyJob& job) { return say(with, job); });
    requests.serve(PrivacyKind::suppression, [&requests, with](const PrivacyJob& job) {
        return suppress(with, requests, job);
    });
    for (const auto kind :
         {PrivacyKind::access, PrivacyKind::access_categories, PrivacyKind::portability})
        requests.serve(kind, [with](const PrivacyJob& job) { return look(with, job); });
    requests.serve(PrivacyKind::rectification,
                   [with](const PrivacyJob& job) { return rectify(with, job); });
    requests.lift_with([with](const PrivacyJob& job) { return lift(with, job); });
}

}  // namespace cdp
