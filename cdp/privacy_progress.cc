#include <algorithm>

#include <memory>
#include <utility>
#include "cdp/membership.h"
#include "cdp/privacy_change.h"

#include "cdp/base/log.h"
#include "cdp/privacy_found.h"
#include "cdp/privacy_regimes.h"
#include "cdp/privacy_requests.h"
#include "cdp/refuse.h"
#include "cdp/texts.h"
#include "consent/entry.h"
#include "consent/utf8.h"
#include "storage/trusted_time.h"

// What becomes of requests: by steps that somebody takes, and by themselves.
namespace cdp {
namespace {

// For so long after it was done the answer to an access or portability request is given.
constexpr std::chrono::days kResultsLife{7};
constexpr std::size_t kDetailMax = 256;
constexpr std::size_t kDueAtOnce = 64;
constexpr std::chrono::milliseconds kRetryFirst = std::chrono::seconds(1);
constexpr std::chrono::milliseconds kRetryMost = std::chrono::hours(1);

Error conflict(std::string reason, std::string message) {
    return {
        .code = ErrorCode::conflict, .reason = std::move(reason), .message = std::move(message)};
}

// It is being done, and ends by that.
Error running(PrivacyAct act) {
    return conflict("step_not_possible", "A request that is in_progress takes the step " +
                                             std::string(to_string(act)) +
                                             " only when it is blocked.");
}

bool passes(ErrorCode code) {
    return code == ErrorCode::unavailable || code == ErrorCode::overloaded ||
           code == ErrorCode::storage_full;
}

// That it is somebody else's turn is no fault.
log::Level level_of(const Error& error) {
    const bool waits = error.code == ErrorCode::overloaded || error.reason == "busy";
    return waits ? log::Level::info : log::Level::error;
}

std::chrono::milliseconds retry_after(std::uint32_t attempts) {
    const auto doubled = kRetryFirst * (std::int64_t{1} << std::min(attempts, 20U));
    return std::min(doubled, kRetryMost);
}

// Of those that are not to be passed over; `next`: when the first is due that is not.
Result<std::vector<TimedRequest>> due_at(const storage::Snapshot& snapshot, Timestamp now,
                                         const std::set<std::string>& passed,
                                         std::optional<Timestamp>& next) {
    std::vector<TimedRequest> due;
    CDP_CHECK(
        snapshot.scan(privacy_ready_prefix(), "", [&](std::string_view key, std::string_view) {
            const auto one = timed_in(key);
            if (!one || passed.contains(std::string(key))) return true;
            if (one->time > now)
                next = one->time;
            else
                due.push_back(*one);
            return !next && due.size() < kDueAtOnce;
        }));
    return due;
}

// What a wait ends with that cannot be taken back: it expires, or is begun.
std::optional<Timestamp> ends_wait(const PrivacyRequest& request) {
    if (request.state == PrivacyState::waiting_for_verification) return verify_by(request);
    if (request.state == PrivacyState::verified) return request.not_before;
    return std::nullopt;
}

// Its time has come by a clock that the store does not trust. Who asked since has asked by that
// clock.
bool waits_for_clock(const PrivacyRequest& request, const storage::Store& store, Timestamp now) {
    const auto trusted = storage::earliest_time(store, now);
    const auto time = ends_wait(request);
    return time && *time <= now && *time > trusted && request.received <= trusted;
}

std::string code_of(const PrivacyResults& results) {
    if (results.matched) return results.stayed.empty() ? "done" : "done_in_part";
    return results.counts.contains(kSuppressedCount) ? "suppressed" : "nothing_held";
}

bool shows(PrivacyKind kind) {
    return kind == PrivacyKind::access || kind == PrivacyKind::access_categories ||
           kind == PrivacyKind::portability;
}

// What is left to do when nobody is left whom it is about: nothing may be held or used.
bool is_done_by_erasure(PrivacyKind kind) {
    return kind == PrivacyKind::erasure || kind == PrivacyKind::restriction || opts_out(kind);
}

Result<void> check_step(const PrivacyStepRequest& step) {
    using enum PrivacyAct;
    if (step.act != verify && step.act != extend && step.act != deny && step.act != cancel &&
        step.act != fulfil && step.act != retry && step.act != lift && step.act != note)
        return refuse("step_unknown",
                      "The step is one of verify, extend, deny, cancel, fulfil, retry, lift, note.",
                      "/step");
    const bool why = step.act == verify || step.act == extend || step.act == fulfil ||
                     step.act == lift || step.act == note;
    if (why && step.code.empty())
        return refuse("code_required", "Say how or why, in a word.", "/code");
    if (step.whole_person && step.act != verify)
        return refuse("vouched_for_unexpected", "Only the step `verify` vouches for anybody.",
                      "/vouched_for");
    if (!step.code.empty()) CDP_CHECK(check_code(step.code, "/code"));
    if (step.detail.size() > kDetailMax || !consent::is_line(step.detail))
        return refuse("malformed_detail", "A detail is one line of at most 256 bytes.", "/detail");
    if (step.act == deny && !step.denial)
        return refuse("denial_required", "Say by which ground it is denied.", "/reason");
    if (step.act == lift && !step.informed)
        return refuse("person_not_informed",
                      "Whoever asked for a restriction is told before it is lifted (GDPR Art. "
                      "18(3)); say so by `informed`.",
                      "/informed");
    return Result<void>::ok();
}

Result<void> extend(PrivacyRequest& request, const std::string& why, Timestamp now) {
    if (request.extended_until)
        return conflict("already_extended", "The time to answer is extended once.");
    if (now > request.answer_by)
        return conflict("not_extendable", "The time to answer is over, and was not extended.");
    const auto* regime = find_privacy_regime(request.regime);
    const auto until =
        regime ? extended(*regime, opts_out(request.kind), request.answer_by) : std::nullopt;
    if (!until)
        return conflict("not_extendable", "This law leaves no more time for such a request.");
    request.extended_until = until;
    request.extended_for = why;
    return Result<void>::ok();
}

Result<std::vector<Token>> whole_now(const Spellings::Needs& needs, PrivacyChange& change,
                                     const storage::Snapshot& snapshot) {
    const auto subjects = CDP_TRY(subjects_of(snapshot, needs.vault, change.request().id));
    return whole_named(needs, {snapshot, change.transaction()}, subjects.named);
}

}  // namespace

Result<PrivacyRequest> PrivacyRequests::step(const std::string& author, const PrivacyRequestId& id,
                                             const PrivacyStepRequest& step) {
    CDP_CHECK(check_step(step));
    PrivacyResults lifted;
    if (step.act == PrivacyAct::lift) CDP_CHECK(lift(id, step, lifted));
    const Decide decide = [&](PrivacyChange& change, const auto& snapshot) -> Result<bool> {
        CDP_CHECK(take(author, step, change, snapshot));
        if (step.act == PrivacyAct::lift) change.request().results.lifted = lifted.records;
        return true;
    };
    CDP_TRY(change(id, decide));
    return read(id);
}

Result<void> PrivacyRequests::take(const std::string& author, const PrivacyStepRequest& step,
                                   PrivacyChange& change, const storage::Snapshot& snapshot) const {
    auto& request = change.request();
    const bool blocked = !request.blocked.empty();
    const bool ends = step.act == PrivacyAct::deny || step.act == PrivacyAct::fulfil;
    if (step.act == PrivacyAct::fulfil && request.state != PrivacyState::in_progress &&
        !is_final(request.state))
        return running(step.act);
    if (request.state == PrivacyState::in_progress && !blocked &&
        (ends || step.act == PrivacyAct::retry))
        return running(step.act);
    if (step.act == PrivacyAct::verify && request.state == PrivacyState::in_progress &&
        (request.blocked != kMembershipUnverified || !step.whole_person))
        return conflict("step_not_possible",
                        "A request that is in_progress is verified once more only for the whole "
                        "person, and when it is blocked by membership_unverified.");
    if (step.act == PrivacyAct::lift && request.kind != PrivacyKind::restriction)
        return conflict("step_not_possible", "Only a restriction is lifted.");
    if (step.act == PrivacyAct::lift && !request.results.lifted.empty())
        return conflict("already_lifted", "This restriction was lifted before.");
    const auto code =
        step.code.empty() && step.denial ? std::string(to_string(*step.denial)) : step.code;
    const auto number = request.steps_taken;
    PrivacyRemark remark{.text = step.detail};
    if (!step.detail.empty()) remark.salt = consent::random_salt();
    CDP_CHECK(change.take(step.act, author, code, "",
                          step.detail.empty() ? consent::Sha256{} : remark.digest()));
    if (!step.detail.empty())
        CDP_CHECK(
            put_remark(change.transaction(), snapshot, needs_.vault, request.id, number, remark));
    switch (step.act) {
        case PrivacyAct::verify:
            request.verified_by = step.code;
            request.whole_person = step.whole_person;
            // Of one that is blocked: those whom whoever answers for them was told of.
            if (step.whole_person && !blocked)
                change.row().whole = CDP_TRY(
                    whole_now({needs_.vault, needs_.graph, needs_.config}, change, snapshot));
            break;
        case PrivacyAct::extend: CDP_CHECK(extend(request, step.code, change.now())); break;
        case PrivacyAct::deny: request.denial = step.denial; break;
        default: break;
    }
    const bool again = step.act == PrivacyAct::retry || (step.act == PrivacyAct::verify && blocked);
    if (again) change.row().ready_at = change.now();
    if (ends || again) {
        request.blocked.clear();
        change.row().attempts = 0;
    }
    if (is_final(request.state)) change.row().plan.clear();
    return Result<void>::ok();
}

// The records first: they are the same when it is asked again.
Result<void> PrivacyRequests::lift(const PrivacyRequestId& id, const PrivacyStepRequest& step,
                                   PrivacyResults& results) const {
    const auto row = CDP_TRY(find_row(id));
    const auto& request = row.request;
    const bool possible = request.kind == PrivacyKind::restriction &&
                          after(request.state, step.act) && request.results.lifted.empty();
    if (!possible || !lifter_) return Result<void>::ok();  // refused when it is taken
    const auto job = CDP_TRY(job_of(row));
    if (job.named.empty()) return conflict("person_erased", "Whoever this was about was erased.");
    results = CDP_TRY(lifter_(job));
    return Result<void>::ok();
}

Result<PrivacyJob> PrivacyRequests::job_of(const PrivacyRow& row) const {
    const auto snapshot = needs_.store.snapshot();
    auto subjects = CDP_TRY(subjects_of(*snapshot, needs_.vault, row.id()));
    PrivacyJob job{.request = row.request,
                   .named = std::move(subjects.named),
                   .plan = row.plan,
                   .vouched = row.request.whole_person ? row.whole : std::vector<Token>(),
                   .begun = row.begun};
    put_words(job.request, std::move(subjects.words));
    for (const auto& one : job.named) job.request.identifiers.push_back(one.identifier);
    job.request.steps = CDP_TRY(steps_of(*snapshot, needs_.vault, row.id()));
    return job;
}

Result<PrivacyRequest> PrivacyRequests::advance(const PrivacyRequestId& id) {
    {
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [&] { return !running_.contains(id); });
        running_.insert(id);
    }
    const std::shared_ptr<void> turn(nullptr, [&](void*) {
        {
            const std::lock_guard lock(mutex_);
            running_.erase(id);
        }
        ended_.notify_all();
    });
    while (CDP_TRY(advance_once(id))) continue;
    return read(id);
}

// True: it may be worth another look at once.
Result<bool> PrivacyRequests::advance_once(const PrivacyRequestId& id) const {
    const auto row = CDP_TRY(find_row(id));
    const auto& request = row.request;
    if (is_final(request.state)) return false;
    // Its own erasure takes who is named, and is told of by its plan.
    const bool erasing = request.kind == PrivacyKind::erasure &&
                         request.state == PrivacyState::in_progress && request.blocked.empty();
    if (!erasing && CDP_TRY(tokens_of(*needs_.store.snapshot(), id)).empty())
        return end_of_erased(id);
    const auto now = needs_.clock.now();
    if (!request.blocked.empty() || !row.ready_at || *row.ready_at > now) return false;
    if (waits_for_clock(request, needs_.store, now)) return false;
    switch (request.state) {
        case PrivacyState::waiting_for_verification: return expire(id);
        case PrivacyState::verified: return begin(id);
        case PrivacyState::in_progress: return execute(row);
        default: return false;
    }
}

Result<bool> PrivacyRequests::expire(const PrivacyRequestId& id) const {
    const Decide decide = [](PrivacyChange& change, const auto&) -> Result<bool> {
        const auto& request = change.request();
        if (request.state != PrivacyState::waiting_for_verification) return false;
        if (verify_by(request) > change.now()) return false;
        CDP_CHECK(change.take(PrivacyAct::expire, kOurselves));
        return true;
    };
    CDP_TRY(change(id, decide));
    return true;
}

Result<bool> PrivacyRequests::begin(const PrivacyRequestId& id) const {
    const Decide decide = [&](PrivacyChange& change, const auto& snapshot) -> Result<bool> {
        if (change.request().state != PrivacyState::verified) return false;
        CDP_CHECK(change.take(PrivacyAct::begin, kOurselves));
        auto& row = change.row();
        row.plan = CDP_TRY(tokens_of(snapshot, id));
        row.begun = change.now();
        row.ready_at = change.now();
        return true;
    };
    CDP_TRY(change(id, decide));
    return true;
}

Result<bool> PrivacyRequests::execute(const PrivacyRow& row) const {
    const auto executor = executors_.find(row.request.kind);
    auto results = executor == executors_.end()
                       ? Result<PrivacyResults>(Error{.code = ErrorCode::invalid_argument,
                                                      .reason = "kind_not_served"})
                       : executor->second(CDP_TRY(job_of(row)));
    const Decide decide = [&](PrivacyChange& change, const auto& snapshot) -> Result<bool> {
        auto& request = change.request();
        if (request.state != PrivacyState::in_progress || !request.blocked.empty()) return false;
        auto& now_is = change.row();
        if (results) {
            request.results = *results;
            if (shows(request.kind)) request.results.until = change.now() + kResultsLife;
            CDP_CHECK(put_found(change.transaction(), needs_.vault, request.id, results->found));
            request.results.found.clear();
            CDP_CHECK(change.take(PrivacyAct::fulfil, kOurselves, code_of(*results)));
        } else if (results.error().code == ErrorCode::not_found) {
            request.denial = PrivacyDenial::no_match;
            CDP_CHECK(change.take(PrivacyAct::deny, kOurselves, "no_match"));
        } else if (passes(results.error().code)) {
            now_is.ready_at = change.now() + retry_after(now_is.attempts++);
            return true;
        } else {
            request.blocked = results.error().reason;
            // What is to be looked at, for whoever decides.
            const bool whom = request.blocked == kMembershipUnverified;
            if (whom)
                now_is.whole = CDP_TRY(
                    whole_now({needs_.vault, needs_.graph, needs_.config}, change, snapshot));
            if (whom) request.whole_person = false;  // others have joined whom it was of
            CDP_CHECK(change.take(PrivacyAct::block, kOurselves, request.blocked,
                                  whom ? results.error().detail : ""));
            return true;
        }
        now_is.plan.clear();
        return true;
    };
    const auto changed = CDP_TRY(change(row.id(), decide));
    if (!results && !is_final(changed.request.state))
        log::write(level_of(results.error()), "privacy_request_failed",
                   {{"request", log::safe(to_hex(row.id().view()))},
                    {"reason", log::safe(results.error().reason)},
                    {"detail", log::safe(results.error().detail)}});
    return is_final(changed.request.state);
}

Result<bool> PrivacyRequests::end_of_erased(const PrivacyRequestId& id) const {
    const Decide decide = [&](PrivacyChange& change, const auto&) -> Result<bool> {
        auto& request = change.request();
        if (is_final(request.state)) return false;
        request.blocked.clear();
        change.row().plan.clear();
        if (is_done_by_erasure(request.kind)) {
            CDP_CHECK(change.take(PrivacyAct::fulfil, kOurselves, "erased"));
            return true;
        }
        request.denial = PrivacyDenial::no_match;
        CDP_CHECK(change.take(PrivacyAct::deny, kOurselves, "erased"));
        return true;
    };
    CDP_TRY(change(id, decide));
    return true;
}

// A row that says when to look at a request, and is not the request's own any more.
Result<void> PrivacyRequests::drop_stale(const TimedRequest& at) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto row = CDP_TRY(find_privacy_row(transaction, needs_.vault, at.id));
    const auto key = privacy_ready_key(at);
    if (!CDP_TRY(transaction.get(key)) || (row && row->ready_at == at.time))
        return Result<void>::ok();
    transaction.erase(key);
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    // Lost to another: it is looked at again.
    if (outcome.state == storage::CommitState::unknown) return outcome.error;
    return Result<void>::ok();
}

Result<std::optional<Timestamp>> PrivacyRequests::run_due(const std::function<bool()>& more) {
    std::set<std::string> failed;  // what cannot even be read or written, or waits for the clock
    while (true) {
        std::optional<Timestamp> next;
        const auto due =
            CDP_TRY(due_at(*needs_.store.snapshot(), needs_.clock.now(), failed, next));
        if (due.empty()) {
            // Looked at again, and nothing else starves for it.
            const auto again = needs_.clock.now() + kRetryMost / 60;
            if (!failed.empty()) next = std::min(next.value_or(again), again);
            return next;
        }
        for (const auto& one : due) {
            if (!more()) return std::optional(needs_.clock.now());
            auto done = Result<void>::ok();
            const auto advanced = advance(one.id);
            if (advanced && waits_for_clock(*advanced, needs_.store, needs_.clock.now())) {
                failed.insert(privacy_ready_key(one));
                continue;
            }
            if (advanced || advanced.error().code == ErrorCode::not_found)
                done = drop_stale(one);
            else
                done = advanced.error();
            if (done) continue;
            failed.insert(privacy_ready_key(one));
            log::write(log::Level::error, "privacy_request_failed",
                       {{"request", log::safe(to_hex(one.id.view()))},
                        {"reason", log::safe(done.error().reason)},
                        {"detail", log::safe(done.error().detail)}});
        }
    }
}

}  // namespace cdp
