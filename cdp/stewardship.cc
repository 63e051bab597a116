#include "cdp/stewardship.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cdp/assertion_json.h"
#include "cdp/base/bytes.h"
#include "cdp/base/crash_point.h"
#include "cdp/paging.h"
#include "cdp/texts.h"
#include "storage/contended.h"
#include "storage/key.h"
#include "storage/random.h"

namespace cdp {
namespace {

using identity::Assertion;
using identity::AssertionId;

constexpr int kRacesMax = 200;

// Events whose links are changed in one commit. Fewer after a lost race: a small commit wins.
constexpr std::size_t kFollowedMax = 16;

const Token kOwedEvents = Token::from("events to follow");

// What is left to do for an assertion, until it is done: kill -9 in between and the next start does
// it.
std::string owed_prefix(const AssertionId& id) {
    return storage::KeyWriter(storage::Space::meta, kOwedEvents).id(id).str();
}

std::string owed_key(const AssertionId& id, const EventId& event) {
    return owed_prefix(id).append(event.view());
}

void owe(storage::Transaction& transaction, const AssertionId& id, const FiledEvent& event) {
    transaction.put(owed_key(id, event.id),
                    ByteWriter().raw(event.home.view()).i64(milliseconds_of(event.time)).take());
}

Result<std::vector<std::pair<AssertionId, FiledEvent>>> owed_under(
    const storage::Snapshot& snapshot, const std::string& prefix) {
    std::vector<std::pair<AssertionId, FiledEvent>> out;
    bool readable = true;
    CDP_CHECK(snapshot.scan(prefix, "", [&](std::string_view key, std::string_view value) {
        storage::KeyReader at(key);
        const auto id = at.id<AssertionId>();
        FiledEvent event{.id = at.id<EventId>()};
        ByteReader in(value);
        event.home = in.id<Token>();
        event.time = timestamp_of(in.i64());
        readable = at.ok() && in.done();
        if (readable) out.emplace_back(id, event);
        return readable;
    }));
    if (!readable) return damaged("an owed event that cannot be read");
    return out;
}

Error contended() {
    return storage::contended("this request has written nothing. Send it again in a moment.");
}

Error not_drawn_yet() {
    return {.code = ErrorCode::unavailable,
            .reason = "not_drawn_yet",
            .message =
                "It is on disk and stands, but other facts of the same persons kept coming first: "
                "what follows from it is drawn with the next assertion or revocation. Send again "
                "in a moment to have it now."};
}

}  // namespace

// The answer that an idempotency key was given.
struct Stewardship::Earlier {
    AssertionId id{};
    std::uint64_t log = 0;
    Token content{};  // a hash of the request

    static std::string key(const storage::Vault& vault, const AssertionRequest& request) {
        return storage::KeyWriter(
                   storage::Space::idempotency,
                   vault.hash<Token>("assertion request",
                                     request.author + '\0' + request.idempotency_key))
            .str();
    }
    static Token content_of(const storage::Vault& vault, const AssertionRequest& request) {
        ByteWriter text;
        text.bytes(request.kind).bytes(request.reason);
        text.bytes(request.source).bytes(request.from).bytes(request.to);
        text.u32(static_cast<std::uint32_t>(request.identifiers.size()));
        for (const auto& [type, value] : request.identifiers) text.bytes(type).bytes(value);
        for (const auto& [source, message_id] : request.events)
            text.bytes(source).bytes(message_id);
        return vault.hash<Token>("assertion content", text.str());
    }
    std::string encode() const {
        return ByteWriter().u8(1).raw(id.view()).u64(log).raw(content.view()).take();
    }
    static Result<Earlier> decode(std::string_view bytes) {
        ByteReader in(bytes);
        Earlier out;
        const auto format = in.u8();
        out.id = in.id<AssertionId>();
        out.log = in.u64();
        out.content = in.id<Token>();
        if (!in.done() || format != 1) return damaged("an idempotency row that cannot be read");
        return out;
    }
};

Stewardship::Stewardship(Needs needs)
    : needs_(needs),
      links_({needs.vault, needs.graph, needs.config}),
      assertions_(needs.vault),
      upkeep_(needs.store, needs.vault, needs.graph, needs.config.types, needs.clock,
              [&quarantines = needs.quarantines](const auto& snapshot, auto& transaction,
                                                 const auto& folded, const auto& cause) {
                  return quarantines.note(snapshot, transaction, folded, cause);
              }) {}

Result<Stewardship::Answer> Stewardship::say(const AssertionRequest& request) const {
    const std::lock_guard turn(turn_);
    const auto asked = CDP_TRY(
        read_assertion(request, needs_.graph, needs_.vault, needs_.config, needs_.clock.now()));
    CDP_TRY(draw_owed());
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction reading(*snapshot, storage::kPartition);
    const auto earlier = CDP_TRY(find_earlier(reading, request));
    const auto taken = earlier ? Taken{} : CDP_TRY(find_taken(asked));
    for (int race = 0; race < kRacesMax; ++race) {
        const auto written = CDP_TRY(write(request, asked, taken));
        if (!written) continue;
        if (written->made && !asked.parts.empty()) CDP_CHECK(take_more(written->id, asked, taken));
        CDP_CHECK(draw(written->id));
        auto json = CDP_TRY(render(written->id, written->log));
        json.back() = ',';
        return Answer{json + CDP_TRY(warnings(written->id)) + "}", written->made};
    }
    return contended();
}

// What the idempotency key was given before.
Result<std::optional<Stewardship::Written>> Stewardship::find_earlier(
    storage::Transaction& transaction, const AssertionRequest& request) const {
    using Found = std::optional<Written>;
    if (request.idempotency_key.empty()) return Found{};
    const auto row = CDP_TRY(transaction.get(Earlier::key(needs_.vault, request)));
    if (!row) return Found{};
    const auto earlier = CDP_TRY(Earlier::decode(*row));
    if (earlier.content != Earlier::content_of(needs_.vault, request))
        return Error{.code = ErrorCode::conflict,
                     .reason = "idempotency_key_reused",
                     .message = "Another assertion was made under this key."};
    return Found(Written{.id = earlier.id, .log = earlier.log});
}

// nullopt: the race was lost.
Result<std::optional<Stewardship::Written>> Stewardship::write(const AssertionRequest& request,
                                                               const AskedAssertion& asked,
                                                               const Taken& taken) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto log = CDP_TRY(storage::log_size(*snapshot, identity::change_log()));
    Written out{.id = {}, .log = log};
    if (const auto earlier = CDP_TRY(find_earlier(transaction, request))) return earlier;
    Assertion assertion = asked.assertion;
    assertion.id = identity::new_assertion_id(assertion.said.time, storage::random_bytes(8));
    const bool parts = !asked.parts.empty();
    if (parts) assertion.taken = static_cast<std::uint32_t>(taken.size());
    const auto covering = CDP_TRY(find_covering(transaction, assertion));
    out.id = covering ? *covering : CDP_TRY(assertions_.add(transaction, assertion));
    out.made = out.id == assertion.id;
    if (out.made) {
        identity::Upkeep::owe(transaction, out.id);
        for (const auto& event : taken) {
            if (parts) identity::Assertions::take_event(transaction, out.id, event.id);
            owe(transaction, out.id, event);
        }
    }
    if (!request.idempotency_key.empty())
        transaction.put(
            Earlier::key(needs_.vault, request),
            Earlier{out.id, out.log, Earlier::content_of(needs_.vault, request)}.encode());
    if (transaction.empty()) return std::optional(out);
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    crash_point("asserted");
    if (outcome.state == storage::CommitState::unknown) return outcome.error;
    if (outcome.state == storage::CommitState::conflict) return std::optional<Written>{};
    return std::optional(out);
}

// The events of cut days that were acknowledged after the first look and before the fact: they too
// came before what was said.
Result<void> Stewardship::take_more(const AssertionId& id, const AskedAssertion& asked,
                                    const Taken& taken) const {
    std::set<EventId> known;
    for (const auto& event : taken) known.insert(event.id);
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    for (const auto& event : CDP_TRY(find_parts(*snapshot, asked)).taken) {
        if (known.contains(event.id)) continue;
        identity::Assertions::take_event(transaction, id, event.id);
        owe(transaction, id, event);
    }
    if (transaction.empty()) return Result<void>::ok();
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;
    return Result<void>::ok();
}

// A standing retraction that takes all of these events already.
Result<std::optional<AssertionId>> Stewardship::find_covering(storage::Transaction& transaction,
                                                              const Assertion& assertion) const {
    using Found = std::optional<AssertionId>;
    if (assertion.events.empty()) return Found{};
    const auto first =
        CDP_TRY(identity::Assertions::retracted(transaction, assertion.events.front().id));
    if (!first) return Found{};
    const auto standing = CDP_TRY(assertions_.find(transaction, *first));
    if (!standing) return damaged("a retracted event without its assertion");
    const bool all = std::ranges::all_of(assertion.events, [&](const Assertion::Event& event) {
        return std::ranges::find(standing->events, event) != standing->events.end();
    });
    return all ? Found(*first) : Found{};
}

Result<std::string> Stewardship::revoke(std::string_view id_text, const std::string& author,
                                        const std::string& reason) const {
    const std::lock_guard turn(turn_);
    const auto id = CDP_TRY(parse_assertion_id(id_text));
    auto why = CDP_TRY(required_reason(reason));
    const identity::Said said{author, std::move(why), needs_.clock.now()};
    const auto log = CDP_TRY(storage::log_size(*needs_.store.snapshot(), identity::change_log()));
    const auto owed = CDP_TRY(draw_owed());
    for (int race = 0; race < kRacesMax; ++race) {
        const auto written = write_revoked(id, said);
        // The first request was refused after its commit: this one has done the rest.
        if (!written && written.error().reason == "already_revoked" &&
            std::ranges::find(owed, id) != owed.end())
            return render(id, log);
        if (!written) return written.error();
        if (!*written) continue;
        CDP_CHECK(draw(id));
        return render(id, (*written)->log);
    }
    return contended();
}

Result<std::optional<Stewardship::Written>> Stewardship::write_revoked(
    const AssertionId& id, const identity::Said& said) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto log = CDP_TRY(storage::log_size(*snapshot, identity::change_log()));
    Written out{.id = id, .log = log};
    auto events = CDP_TRY(identity::Assertions::taken_events(transaction, id));
    const auto assertion = CDP_TRY(assertions_.revoke(transaction, id, said));
    for (const auto& event : assertion.events) events.push_back(event.id);
    for (const auto& event : CDP_TRY(EventLinks::find(*snapshot, transaction, events)))
        owe(transaction, id, event);
    identity::Upkeep::owe(transaction, id);
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state == storage::CommitState::unknown) return outcome.error;
    if (outcome.state == storage::CommitState::conflict) return std::optional<Written>{};
    return std::optional(out);
}

Result<void> Stewardship::draw(const AssertionId& id) const {
    Taken owed;
    for (const auto& [of, event] : CDP_TRY(owed_under(*needs_.store.snapshot(), owed_prefix(id))))
        owed.push_back(event);
    CDP_CHECK(follow_events(id, owed));
    crash_point("assertion_followed");
    auto settled = upkeep_.settle(id);
    if (!settled && settled.error().reason == "contended") return not_drawn_yet();
    CDP_CHECK(settled);
    return needs_.quarantines.end_revoked();
}

// Every owed event's assertion is owed too, and longer.
Result<std::vector<AssertionId>> Stewardship::draw_owed() const {
    const auto owed = CDP_TRY(upkeep_.owed());
    for (const auto& id : owed) {
        const auto drawn = draw(id);
        if (!drawn) return drawn.error().reason == "not_drawn_yet" ? contended() : drawn.error();
    }
    return owed;
}

Result<void> Stewardship::follow_events(const AssertionId& id, const Taken& owed) const {
    const identity::Cause cause{identity::Cause::What::assertion, needs_.clock.now(), id};
    std::size_t most = kFollowedMax;
    int races = 0;
    for (std::size_t done = 0; done < owed.size();) {
        const auto some = std::span(owed).subspan(done, std::min(most, owed.size() - done));
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto folded = CDP_TRY(links_.follow(*snapshot, transaction, some, cause));
        CDP_CHECK(needs_.quarantines.note(*snapshot, transaction, folded, cause));
        for (const auto& event : some) transaction.erase(owed_key(id, event.id));
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
        if (outcome.state == storage::CommitState::ok) {
            done += some.size();
            races = 0;
        } else {
            if (++races > kRacesMax) return not_drawn_yet();
            most = std::max<std::size_t>(1, most / 2);
        }
    }
    return Result<void>::ok();
}

Result<identity::Progress> Stewardship::catch_up(const identity::Report& report) const {
    const std::lock_guard turn(turn_);
    const auto prefix = storage::KeyWriter(storage::Space::meta, kOwedEvents).str();
    for (const auto& [id, event] : CDP_TRY(owed_under(*needs_.store.snapshot(), prefix)))
        CDP_CHECK(follow_events(id, {event}));
    return upkeep_.catch_up(report);
}

Result<void> Stewardship::finish_interrupted() const {
    if (CDP_TRY(upkeep_.owed()).empty()) return Result<void>::ok();
    if (!CDP_TRY(upkeep_.follows_rules()))
        return Error{.code = ErrorCode::unavailable,
                     .reason = "rules_differ",
                     .message =
                         "An assertion was interrupted and waits for the configured rules: "
                         "start cdp serve with its configuration once."};
    CDP_TRY(catch_up({}));
    return Result<void>::ok();
}

}  // namespace cdp
