#include "cdp/erasures.h"

#include <algorithm>
#include <map>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/base/crash_point.h"
#include "cdp/base/log.h"
#include "cdp/erasure_whom.h"
#include "cdp/event_rows.h"
#include "cdp/facts.h"
#include "cdp/named.h"
#include "cdp/texts.h"
#include "consent/disclosure_proof.h"
#include "consent/entry.h"
#include "consent/merkle.h"
#include "consent/tiles.h"
#include "identity/change.h"
#include "identity/upkeep.h"
#include "storage/contended.h"
#include "storage/key.h"
#include "storage/random.h"

namespace cdp {
namespace {

constexpr int kRacesMax = 100;
// In one commit.
constexpr std::size_t kEventsAtOnce = 5'000;

// One is done while another waits, or is tried; more would hold up whatever else waits for the
// disk, and take the threads that other officers are answered by.
constexpr int kAtOnceMax = 2;

Error busy() {
    return {.code = ErrorCode::unavailable,
            .reason = "busy",
            .message = "Other erasures are under way; send it again in a moment."};
}

identity::Said said_of(const Erasure& erasure) {
    return {.author = "erasure",
            .reason = "Somebody who was seen with it was erased.",
            .time = erasure.requested};
}

identity::Cause cause_of(const Erasure& erasure) {
    return {identity::Cause::What::erasure, erasure.requested};
}

// Salted, so that whoever knows an index cannot find out that it is one of these.
consent::Sha256 root_over(const consent::Sha256& salt, const std::vector<std::uint64_t>& entries) {
    consent::TreeHasher hasher;
    std::vector<consent::Sha256> leaves;
    for (const auto index : entries)
        leaves.push_back(hasher.leaf(ByteWriter().raw(consent::view(salt)).u64(index).str()));
    return consent::root_of(hasher, leaves);
}

}  // namespace

Result<Erasure> Erasures::stop(const std::string& author, const ErasureRequest& request) const {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto now = needs_.clock.now();
        auto taken = CDP_TRY(
            whom_to_erase({needs_.people, needs_.vault, needs_.graph, needs_.config},
                          {*snapshot, transaction}, {request.type, request.value}, request.scope));
        Erasure erasure{.id = PrivacyRequestId::from(
                            identity::new_assertion_id(now, storage::random_bytes(8)).view()),
                        .scope = request.scope,
                        .requested = now,
                        .author = author,
                        .reason = request.reason,
                        .tokens = std::move(taken.tokens),
                        .salt = consent::random_salt()};
        if (request.check)
            erasure.sessions_on = CDP_TRY(request.check({*snapshot, transaction}, erasure.tokens));
        CDP_CHECK(check_suppressed({*snapshot, transaction}, request, erasure.tokens, now));
        std::optional<PrivacyRequestId> interrupted;
        for (const Token& token : erasure.tokens) {
            const auto earlier = CDP_TRY(Tombstones::find(transaction, token));
            // It is nobody's turn but ours: that one was interrupted.
            if (earlier && earlier->closing) interrupted = earlier->request;
        }
        CDP_CHECK(lay_tombstones(needs_.tombstones, transaction, erasure, taken.behind));
        if (interrupted) {
            const auto key = erasure_key(*interrupted);
            const auto sealed = CDP_TRY(snapshot->get(key));
            if (!sealed) return damaged("a tombstone without its request");
            auto begun = CDP_TRY(open_erasure(needs_.vault, key, *sealed));
            CDP_TRY(finish(std::move(begun)));
            continue;
        }
        CDP_CHECK(suppress({*snapshot, transaction}, erasure, request));
        write(transaction, erasure);
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        crash_point("erasure_stopped");
        if (outcome.state == storage::CommitState::ok) return erasure;
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("nothing was erased. Send it again in a moment.");
}

Result<std::string> Erasures::erase(const Reader& reader, const std::string& author,
                                    const ErasureRequest& request) const {
    if (!request.dry_run)
        return json(*needs_.store.snapshot(), CDP_TRY(carry_out(author, request)));
    CDP_CHECK(check_reason(request.reason));
    const std::shared_ptr<void> place(nullptr, [this](void*) { --asked_; });
    if (++asked_ > kAtOnceMax) return busy();
    return json(*needs_.store.snapshot(), CDP_TRY(try_out(reader, author, request)));
}

Result<Erasure> Erasures::carry_out(const std::string& author,
                                    const ErasureRequest& request) const {
    CDP_CHECK(check_reason(request.reason));
    const std::shared_ptr<void> place(nullptr, [this](void*) { --asked_; });
    if (++asked_ > kAtOnceMax) return busy();
    const std::lock_guard turn(turn_);
    return finish(CDP_TRY(stop(author, request)));
}

// What would go is told by a transaction that is not committed.
Result<Erasure> Erasures::try_out(const Reader& reader, const std::string& author,
                                  const ErasureRequest& request) const {
    // Or recipients of the last moments would be missing.
    CDP_CHECK(needs_.disclosures.drain());
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    auto whom = CDP_TRY(whom_to_erase({needs_.people, needs_.vault, needs_.graph, needs_.config},
                                      reading, {request.type, request.value}, request.scope));
    Erasure erasure{.scope = request.scope,
                    .requested = needs_.clock.now(),
                    .author = author,
                    .reason = request.reason,
                    .tokens = std::move(whom.tokens)};
    CDP_CHECK(check_suppressed(reading, request, erasure.tokens, erasure.requested));
    CDP_CHECK(suppress(reading, erasure, request));
    CDP_CHECK(note_suppressions(transaction, erasure));
    CDP_CHECK(
        needs_.disclosures.note_access(reader, {.identifiers = erasure.tokens, .persons = {}}));
    CDP_TRY(add_recipients(needs_.disclosures, erasure));
    ErasureRows rows(rows_needs(), reading, erasure.tokens);
    for (const FiledEvent& event : CDP_TRY(elsewhere(reading, erasure)))
        if (const auto sealed = CDP_TRY(snapshot->get(event_key(event.home, event.time, event.id))))
            CDP_CHECK(rows.tell_event(event.home, event.time, event.id, *sealed));
    for (const Token& token : erasure.tokens) CDP_CHECK(rows.tell_events_of(token));
    CDP_CHECK(rows.erase_identifiers(erasure.tokens, said_of(erasure)));
    CDP_CHECK(rows.take_back(said_of(erasure)));
    erasure.counts = rows.counts();
    erasure.entries = rows.entries().size();
    return erasure;
}

Result<Erasure> Erasures::finish(Erasure erasure) const {
    if (erasure.state == Erasure::State::stopped) CDP_CHECK(list_events_elsewhere(erasure));
    CDP_CHECK(erase_events_elsewhere(erasure));
    CDP_CHECK(shorten(erasure));
    // From here on nothing brings it back from memory.
    needs_.consents.forget();
    for (int race = 0; race < kRacesMax; ++race) {
        auto done = erasure;
        // Channels read until it is done.
        CDP_CHECK(needs_.disclosures.drain());
        const auto given = CDP_TRY(add_recipients(needs_.disclosures, done));
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        CDP_CHECK(complete({*snapshot, transaction}, done, given));
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
        if (outcome.state == storage::CommitState::conflict) continue;
        crash_point("erasure_done");
        needs_.consents.forget();
        if (needs_.ended) needs_.ended();
        return done;
    }
    return storage::contended("ask for the erasure again, which finishes it.");
}

// In commits of some MB; the last says that it is all.
Result<void> Erasures::list_events_elsewhere(Erasure& erasure) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction reading(*snapshot, storage::kPartition);
    return list_events(erasure, CDP_TRY(elsewhere({*snapshot, reading}, erasure)));
}

Result<void> Erasures::list_events(Erasure& erasure, const std::vector<FiledEvent>& events) const {
    constexpr std::uint32_t kPartsAtOnce = 50;
    auto left = std::span(events);
    for (std::uint32_t number = 0; erasure.state != Erasure::State::listed;) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        for (std::uint32_t n = 0; n < kPartsAtOnce && !left.empty(); ++n) {
            const auto part = left.first(std::min(kPartEventsMax, left.size()));
            CDP_CHECK(owe_events(transaction, *snapshot, needs_.vault, erasure.id, number, part));
            put_part(transaction, erasure.id, number++, part);
            left = left.subspan(part.size());
        }
        if (left.empty()) erasure.state = Erasure::State::listed;
        write(transaction, erasure);
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state != storage::CommitState::ok) return outcome.error;
        crash_point("erasure_listed");
    }
    return Result<void>::ok();
}

Result<void> Erasures::erase_events_elsewhere(Erasure& erasure) const {
    const Take take = [&](ErasureRows& rows, People::Reading now) -> Result<bool> {
        const auto part = CDP_TRY(first_part(now.snapshot, erasure.id));
        if (!part) return true;
        for (const FiledEvent& event : part->events) {
            const auto row = event_key(event.home, event.time, event.id);
            if (const auto sealed = CDP_TRY(now.snapshot.get(row)))
                CDP_CHECK(rows.erase_event(event.home, event.time, event.id, *sealed));
        }
        now.transaction.erase(part->key);
        return false;
    };
    while (!CDP_TRY(take_some(erasure, take))) continue;
    return Result<void>::ok();
}

// Until the rest goes in one commit.
Result<void> Erasures::shorten(Erasure& erasure) const {
    const auto tokens = erasure.tokens;
    for (const Token& token : tokens) {
        const Take take = [&](ErasureRows& rows, const People::Reading&) {
            return rows.erase_events_of(token, kEventsAtOnce);
        };
        while (!CDP_TRY(take_some(erasure, take))) continue;
    }
    return Result<void>::ok();
}

// One commit that only takes rows away; nobody else writes them while their tombstones close.
Result<bool> Erasures::take_some(Erasure& erasure, const Take& take) const {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        ErasureRows rows(rows_needs(), {*snapshot, transaction}, erasure.tokens);
        const bool all = CDP_TRY(take(rows, {*snapshot, transaction}));
        if (transaction.empty()) return all;
        CDP_CHECK(take_back(rows, transaction, erasure));
        auto more = erasure;
        more.counts += rows.counts();
        write(transaction, more);
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
        if (outcome.state == storage::CommitState::conflict) continue;
        crash_point("erasure_under_way");
        erasure = std::move(more);
        needs_.consents.forget();  // of whom nothing named any more
        return all;
    }
    return storage::contended("ask for the erasure again, which finishes it.");
}

Result<void> Erasures::take_back(ErasureRows& rows, storage::Transaction& transaction,
                                 const Erasure& erasure) const {
    CDP_CHECK(rows.take_back(said_of(erasure)));
    const std::vector<Token> around(rows.around().begin(), rows.around().end());
    CDP_TRY(needs_.graph.settle_afresh(transaction, around, cause_of(erasure)));
    // A key in memory would go on being used for what comes later, and be in no store.
    for (const Token& token : rows.keyless()) needs_.vault.forget(token);
    return Result<void>::ok();
}

Result<void> Erasures::complete(People::Reading reading, Erasure& erasure,
                                const GivenTo& given) const {
    auto& transaction = reading.transaction;
    // In a restored folder the denials themselves may be unreadable.
    if (!CDP_TRY(lacks_keys(reading.snapshot, needs_.vault, erasure.tokens)))
        CDP_CHECK(needs_.withdrawals.keep_open(transaction, erasure.tokens));
    const auto persons = CDP_TRY(persons_of(reading, erasure));
    auto notices = CDP_TRY(notices_of(needs_.graph, transaction, erasure, given));
    CDP_CHECK(note_suppressions(transaction, erasure));
    ToldErasure told{.id = erasure.id,
                     .scope = erasure.scope,
                     .requested = erasure.requested,
                     .author = erasure.author,
                     .tokens = std::exchange(erasure.tokens, {}),
                     .behind = {},
                     .events = std::vector<FiledEvent>{}};
    erasure.sessions_on.reset();
    const auto& tokens = told.tokens;
    ErasureRows rows(rows_needs(), reading, tokens);
    CDP_CHECK(rows.erase_identifiers(tokens, said_of(erasure)));
    const auto held = static_cast<std::uint32_t>(rows.counts().identifiers);
    CDP_CHECK(take_back(rows, transaction, erasure));
    for (const auto& person : persons)
        transaction.append(identity::change_log(),
                           identity::encode(identity::Change{.kind = identity::ChangeKind::erased,
                                                             .cause = cause_of(erasure),
                                                             .from = person,
                                                             .to = {},
                                                             .identifiers = held}));
    for (const Token& token : tokens) {
        CDP_CHECK(needs_.tombstones.put(transaction, token,
                                        {erasure.requested, false, erasure.id, erasure.for_ever}));
        const auto laid = CDP_TRY(Tombstones::find(transaction, token));
        if (laid && !laid->behind.empty()) told.behind.emplace(token, laid->behind);
    }
    CDP_CHECK(owe_to_backups(transaction, reading.snapshot, needs_.vault, told));
    erasure.counts += rows.counts();
    const auto entries = rows.entries();
    erasure.entries = entries.size();
    erasure.root = root_over(erasure.salt, entries);
    erasure.state = Erasure::State::completed;
    erasure.completed = needs_.clock.now();
    write(transaction, erasure);
    CDP_CHECK(tell(transaction, needs_.vault, erasure, std::move(notices)));
    const auto outcome = encode_outcome(erasure);
    consent::append_entry(transaction, needs_.vault,
                          {.type = consent::EntryType::erasure,
                           .time = erasure.completed,
                           .salt = erasure.salt,
                           .bytes = outcome});
    return Result<void>::ok();
}

Result<std::vector<Erasure>> Erasures::interrupted() const {
    std::vector<Erasure> out;
    auto outcome = Result<void>::ok();
    CDP_CHECK(needs_.store.snapshot()->scan(erasures_prefix(), "",
                                            [&](std::string_view key, std::string_view sealed) {
                                                auto one = open_erasure(needs_.vault, key, sealed);
                                                if (!one) outcome = one.error();
                                                if (one && one->state != Erasure::State::completed)
                                                    out.push_back(std::move(*one));
                                                return static_cast<bool>(outcome);
                                            }));
    CDP_CHECK(outcome);
    return out;
}

Result<void> Erasures::finish_interrupted() const {
    const std::lock_guard turn(turn_);
    auto left = CDP_TRY(interrupted());
    for (auto& erasure : left) {
        const auto id = to_hex(erasure.id.view());
        if (const auto done = finish(std::move(erasure)); !done)
            log::write(log::Level::error, "erasure_interrupted",
                       {{"request", log::safe(id)}, {"reason", log::safe(done.error().reason)}});
    }
    return Result<void>::ok();
}

Result<void> Erasures::check_rules(const char* message) const {
    const identity::Upkeep upkeep(needs_.store, needs_.vault, needs_.graph, needs_.config.types,
                                  needs_.clock);
    if (CDP_TRY(upkeep.follows_other_rules()))
        return Error{.code = ErrorCode::unavailable, .reason = "rules_differ", .message = message};
    return Result<void>::ok();
}

Result<void> Erasures::finish_or_refuse() const {
    if (CDP_TRY(interrupted()).empty()) return Result<void>::ok();
    CDP_CHECK(check_rules(
        "An erasure was interrupted and waits for the configured rules: start cdp serve with its "
        "configuration once."));
    CDP_CHECK(finish_interrupted());
    if (CDP_TRY(interrupted()).empty()) return Result<void>::ok();
    return Error{.code = ErrorCode::unavailable,
                 .reason = "erasure_interrupted",
                 .message =
                     "An erasure was interrupted and cannot be finished: somebody may be erased in "
                     "part. The log says why."};
}

void Erasures::write(storage::Transaction& transaction, const Erasure& erasure) const {
    const auto key = erasure_key(erasure.id);
    transaction.put(key, seal_erasure(needs_.vault, key, erasure));
}

}  // namespace cdp
