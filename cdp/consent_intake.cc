#include "cdp/consent_intake.h"

#include <algorithm>
#include <future>

#include "cdp/named.h"
#include "cdp/refuse.h"
#include "cdp/signal_answers.h"
#include "cdp/spellings.h"
#include "storage/contended.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr int kRacesMax = 200;

Error key_reused(std::string pointer) {
    return {.code = ErrorCode::conflict,
            .reason = "idempotency_key_reused",
            .message = "Another answer of this request has the same id; give each its own.",
            .pointer = std::move(pointer)};
}

// What an answer holds until it is stored: its record, and once more sealed, with the rows beside
// it.
std::size_t held_by(const CheckedConsent& answer) {
    constexpr std::size_t kAnswerHeld = 4096;
    constexpr std::size_t kSightingHeld = 512;
    return kAnswerHeld + kSightingHeld * answer.sightings.size() +
           2 * consent::encode(answer.record).size();
}

// What a ledger that is not sound does not take: all that may open something.
bool may_open(const consent::Record& record) {
    const bool ends = consent::is_denial(record.state) || record.state == consent::State::expired;
    return !ends || !record.overrides.empty();
}

}  // namespace

void ConsentIntake::run(const Principal& caller, std::vector<ConsentRequest> requests,
                        Recorded done) {
    if (requests.empty() || requests.size() > kConsentsMax) {
        done(refuse("invalid_consents", "Send 1 to 500 consents.", "/consents"));
        return;
    }
    auto pending = std::make_shared<Request>();
    if (const auto taken = take(caller, requests, *pending); !taken) {
        done(taken.error());
        return;
    }
    std::size_t bytes = 0;
    for (const auto& item : pending->items) bytes += held_by(item);
    auto place = needs_.backlog.enter(Backlog::Intake::consents, bytes);
    if (!place) {
        done(place.error());
        return;
    }
    pending->place = std::move(*place);
    pending->done = std::move(done);
    step(pending);
}

Result<std::vector<RecordedConsent>> ConsentIntake::run_and_wait(
    const Principal& caller, std::vector<ConsentRequest> requests) {
    // Shared: the committer may still be inside set_value when this thread has its answer.
    const auto promise = std::make_shared<std::promise<Result<std::vector<RecordedConsent>>>>();
    auto answer = promise->get_future();
    run(caller, std::move(requests),
        [promise](auto recorded) { promise->set_value(std::move(recorded)); });
    return answer.get();
}

Result<void> ConsentIntake::take(const Principal& caller,
                                 const std::vector<ConsentRequest>& requests, Request& into) const {
    const auto now = needs_.clock.now();
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto pointer = "/consents/" + std::to_string(i);
        auto answers = CDP_TRY(answers_of(needs_.config.policy, requests[i], pointer, now));
        for (const auto& said : answers.all) CDP_CHECK(take(caller, said, pointer, now, into));
        auto& warnings = into.items.back().warnings;
        warnings.insert(warnings.end(), answers.warnings.begin(), answers.warnings.end());
    }
    return Result<void>::ok();
}

Result<void> ConsentIntake::take(const Principal& caller, const ConsentRequest& said,
                                 const std::string& pointer, Timestamp now, Request& into) const {
    Item item{CDP_TRY(check_.run(caller, said, pointer, now))};
    if (may_open(item.record) && !needs_.ledger.accepts_grants())
        return Error{.code = ErrorCode::unavailable,
                     .reason = "ledger_halted",
                     .message = "The ledger is not sound: no grants are taken, only denials.",
                     .pointer = pointer + "/state"};
    for (const auto& earlier : into.items)
        if (earlier.record.id == item.record.id && !consent::repeats(earlier.record, item.record))
            return key_reused(pointer);
    into.items.push_back(std::move(item));
    return Result<void>::ok();
}

Result<void> ConsentIntake::check_types(storage::Transaction& transaction, const Item& item) const {
    const auto check = [&](const identity::Sighting& one, const char* at) {
        return check_type_known(needs_.config, needs_.graph, transaction, one.identifier.type,
                                one.token, item.pointer + at);
    };
    for (const auto& one : item.sightings) CDP_CHECK(check(one, "/identifiers"));
    for (const auto& one : item.guardian) CDP_CHECK(check(one, "/minor/guardian"));
    return Result<void>::ok();
}

// False: it is there already, or is from before an erasure.
Result<bool> ConsentIntake::record(const storage::Snapshot& snapshot,
                                   storage::Transaction& transaction, Item& item) const {
    std::vector<Token> tokens;
    for (const auto& one : item.record.asserted) tokens.push_back(one.token);
    const Spellings spellings({needs_.vault, needs_.graph, needs_.config});
    CDP_CHECK(spellings.add_behind(needs_.tombstones, transaction, item.sightings, tokens));
    if (CDP_TRY(needs_.tombstones.suppress(transaction, tokens, item.record.time))) {
        item.answer.warnings = {{"suppressed", item.pointer + "/time"}};
        return false;
    }
    CDP_CHECK(check_types(transaction, item));
    CDP_CHECK(proof_.check(snapshot, transaction, item));
    for (const auto& sighting : item.sightings) {
        identity::Observation met;
        met.sightings = {sighting};
        met.time = item.record.time;
        met.received = item.record.received;
        const auto observed = CDP_TRY(needs_.graph.observe(snapshot, transaction, met));
        CDP_CHECK(needs_.graph.settle(transaction, observed.unsettled, met.received));
    }
    CDP_CHECK(needs_.suppressed.heed_hashes(transaction));
    return needs_.consents.record(transaction, item.record);
}

void ConsentIntake::answer(Request& request, Result<std::vector<RecordedConsent>> result) {
    request.place.leave();  // once it is answered, the platform may be gone
    request.done(std::move(result));
}

void ConsentIntake::step(const Pending& request) {
    const auto snapshot = needs_.store.snapshot();
    std::vector<storage::Transaction> transactions;
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < request->items.size(); ++i) {
        Item& item = request->items[i];
        if (item.stored) continue;
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto fresh = record(*snapshot, transaction, item);
        if (!fresh) {
            answer(*request, fresh.error());
            return;
        }
        item.stored = !*fresh;
        if (item.stored) continue;
        transactions.push_back(std::move(transaction));
        asked.push_back(i);
    }
    needs_.store.commit(std::move(transactions), [this, request, asked](const auto& outcomes) {
        settle(request, asked, outcomes);
    });
}

// On the committer's thread. Records of one request that name the same identifier are stored one
// after the other.
void ConsentIntake::settle(const Pending& request, const std::vector<std::size_t>& asked,
                           const std::vector<storage::CommitOutcome>& outcomes) {
    bool again = false;
    bool stored = false;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        switch (outcomes[i].state) {
            case storage::CommitState::ok:
                request->items[asked[i]].stored = stored = true;
                needs_.counters.consent_records.fetch_add(1, std::memory_order_relaxed);
                break;
            case storage::CommitState::conflict: again = true; break;
            case storage::CommitState::unknown: answer(*request, outcomes[i].error); return;
        }
    }
    if (again) {
        request->races = stored ? 0 : request->races + 1;
        if (request->races > kRacesMax) {
            answer(*request, storage::contended("send again in a moment."));
            return;
        }
        needs_.again.post([this, request] { step(request); });
        return;
    }
    std::vector<RecordedConsent> recorded;
    for (const Item& item : request->items) recorded.push_back(item.answer);
    answer(*request, std::move(recorded));
}

}  // namespace cdp
