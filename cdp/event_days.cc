#include "cdp/event_days.h"

#include <algorithm>
#include <bit>

#include "cdp/event_remnant.h"
#include "cdp/sightings.h"
#include "cdp/tombstones.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::chrono::milliseconds kDay{std::chrono::days{1}};

}  // namespace

Result<std::optional<identity::LinkClass>> EventDays::says(const SaidLink& wanted) {
    const auto day = wanted.row.first_day + std::countr_zero(wanted.row.days);
    const auto& at_a = *CDP_TRY(events_under(wanted.a, day));
    const auto& at_b = *CDP_TRY(events_under(wanted.b, day));
    std::optional<identity::LinkClass> found;
    const auto ask = [&](const FiledEvent& event) -> Result<bool> {
        for (const SaidLink& said : *CDP_TRY(said_by_event(event))) {
            if (!said.same(wanted)) continue;
            if (found != wanted.row.link_class) found = said.row.link_class;
        }
        return found == wanted.row.link_class;
    };
    for (const auto& [id, event] : at_a)
        if ((event.home == wanted.a || at_b.contains(id)) && CDP_TRY(ask(event))) return found;
    for (const auto& [id, event] : at_b)
        if (event.home == wanted.b && CDP_TRY(ask(event))) return found;
    return found;
}

Result<std::optional<Timestamp>> EventDays::first_alias(const Token& home, const Token& candidate,
                                                        std::int32_t day) {
    std::optional<Timestamp> first;
    for (const auto& [id, event] : *CDP_TRY(events_under(home, day))) {
        if (event.home != home || (first && event.time >= *first)) continue;
        const auto seen = CDP_TRY(observed(event, /*retracted=*/false));
        if (seen && seen->alias &&
            (seen->alias->account.token == candidate || seen->alias->cookie.token == candidate))
            first = event.time;
    }
    return first;
}

Result<const std::vector<SaidLink>*> EventDays::said_by_event(const FiledEvent& event) {
    const auto [known, fresh] = said_.try_emplace(event.id);
    if (!fresh) return &known->second;
    const auto retracted = CDP_TRY(identity::Assertions::retracted(transaction_, event.id));
    if (const auto seen = CDP_TRY(observed(event, retracted.has_value())))
        known->second = said_by(*seen);
    return &known->second;
}

// What an event says as a rebuild would hear it: without whoever was erased.
Result<std::optional<identity::Observation>> EventDays::observed(const FiledEvent& event,
                                                                 bool retracted) {
    auto read = CDP_TRY(links_.read(snapshot_, event));
    if (!read || (retracted && !stands_for_several(read->stored)))
        return std::optional<identity::Observation>{};
    if (!gone_) return std::optional(std::move(read->observation));
    std::set<Token> erased;
    for (const Token& token : tokens_of(read->observation)) {
        const auto tombstone = CDP_TRY(Tombstones::find(transaction_, token));
        if (gone_->tokens.contains(token) || (tombstone && tombstone->covers(event.time)))
            erased.insert(token);
    }
    leave_out(read->observation, [&](const Token& token) { return erased.contains(token); });
    return std::optional(std::move(read->observation));
}

Result<const EventDays::Events*> EventDays::events_under(const Token& token, std::int32_t day) {
    const auto [at, fresh] = events_.try_emplace({token, day});
    if (!fresh) return &at->second;
    for (const auto space : {storage::Space::event, storage::Space::pointer})
        CDP_CHECK(gather(space, token, day, at->second));
    return &at->second;
}

Result<void> EventDays::gather(storage::Space space, const Token& token, std::int32_t day,
                               Events& into) {
    const Timestamp start{std::chrono::sys_days{std::chrono::days{day}}};
    const Timestamp last = start + kDay - std::chrono::milliseconds{1};
    const bool filed = space == storage::Space::event;
    const auto from =
        filed ? event_key(token, last, EventId{}) : pointer_key(token, last, EventId{});
    const auto prefix = storage::KeyWriter(space, token).str();
    bool readable = true;
    transaction_.watch(prefix);
    CDP_CHECK(snapshot_.scan(prefix, from, [&](std::string_view key, std::string_view value) {
        storage::KeyReader in(key);
        const auto time = in.newest_first();
        const auto id = in.id<EventId>();
        readable = in.ok() && (filed || value.size() == sizeof(Token::bytes));
        if (!readable || time < start) return false;
        if (!gone_ || !gone_->events.contains(id))
            into.emplace(id, FiledEvent{id, filed ? token : Token::from(value), time});
        return true;
    }));
    if (!readable) return damaged("an event's row that cannot be read");
    return Result<void>::ok();
}

}  // namespace cdp
