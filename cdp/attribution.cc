#include "cdp/attribution.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "cdp/sightings.h"

namespace cdp {
namespace {

constexpr std::size_t kRememberedMax = 50'000;
// Shared identifiers whose rows are held.
constexpr std::size_t kAboveMax = 64;

// From an owned event as far as another one can be that has a part in what the first one owns.
constexpr auto kChainMax = 2 * kSessionReach;

}  // namespace

Result<std::optional<PersonId>> Attribution::person_of(const Token& token) {
    if (const auto known = persons_.find(token); known != persons_.end()) return known->second;
    if (persons_.size() >= kRememberedMax) persons_.clear();
    const auto node = CDP_TRY(needs_.graph.find(reading_.transaction, token));
    std::optional<PersonId> person;
    if (node && node->active && !node->shared) person = node->person();
    persons_.emplace(token, person);
    return person;
}

Result<Attribution::Marks> Attribution::marks_of(const StoredEvent& event) {
    Marks marks;
    const auto again = read_again(event, needs_.config);
    if (!again) return marks;
    for (const auto& [identifier, token] : sightings_of(*again, needs_.graph)) {
        const auto person = CDP_TRY(person_of(token));
        if (!person)
            marks.shared.push_back(token);
        else if (!marks.owner)
            marks.owner = Owner{*person, token};
    }
    return marks;
}

EventRows Attribution::rows_of(std::span<const Token> tokens, const Place& from) const {
    for (const Token& token : tokens)
        for (const auto space : {storage::Space::event, storage::Space::pointer})
            reading_.transaction.watch(storage::KeyWriter(space, token).str());
    return {reading_.snapshot, tokens, from};
}

Result<std::optional<StoredEvent>> Attribution::open(const EventRow& row) const {
    const auto at = event_key(row.home, row.place.time, row.place.id);
    std::optional<std::string> sealed;
    if (row.sealed.empty()) sealed = CDP_TRY(reading_.transaction.get(at));
    const auto key = CDP_TRY(needs_.vault.find(reading_.snapshot, row.home));
    if (!key || (row.sealed.empty() && !sealed)) return std::optional<StoredEvent>{};
    auto event =
        decode_event(CDP_TRY(storage::Vault::open(*key, at, sealed ? *sealed : row.sealed)));
    if (!event) return damaged("an event that cannot be read");
    return event;
}

Result<std::optional<Touch>> Attribution::touch_of(const EventRow& row) {
    Touch touch{.place = row.place, .owner = {}, .filed = row.filed()};
    if (!touch.filed)
        if (const auto person = CDP_TRY(person_of(row.home))) {
            touch.owner = Owner{*person, row.home};
            return std::optional(touch);
        }
    const auto event = CDP_TRY(open(row));
    if (!event) return std::optional<Touch>{};
    touch.owner = CDP_TRY(marks_of(*event)).owner;
    return std::optional(touch);
}

// Whether the chain goes on behind the row.
Result<bool> Attribution::extend(std::vector<Touch>& chain, const EventRow& row) {
    const auto apart = [&](const Touch& touch) {
        return std::chrono::abs(touch.place.time - row.place.time);
    };
    if (apart(chain.back()) > session() || apart(chain.front()) > kChainMax) return false;
    const auto touch = CDP_TRY(touch_of(row));
    if (!touch) return true;
    chain.push_back(*touch);
    return !touch->owner;
}

Result<std::vector<Touch>> Attribution::earlier(const Token& shared, const Touch& from) {
    std::vector<Touch> chain{from};
    auto rows = rows_of(std::array{shared}, from.place);
    while (const auto row = CDP_TRY(rows.next())) {
        if (!from.place.before(row->place)) continue;
        if (!CDP_TRY(extend(chain, *row))) break;
    }
    return chain;
}

// Whether the chain goes on over the rows too.
Result<bool> Attribution::extend_up(std::vector<Touch>& chain, const std::deque<EventRow>& rows) {
    for (const EventRow& row : std::views::reverse(rows))
        if (!CDP_TRY(extend(chain, row))) return false;
    return !rows.empty();
}

// Rows can be read towards the past alone, so the future is read a session at a time: enough to see
// whether the chain goes on.
Result<std::vector<Touch>> Attribution::later(const Token& shared, const Touch& from) {
    std::vector<Touch> chain{from};
    const auto* near = CDP_TRY(above(shared, from.place));
    auto high = from.place.time + session();
    for (bool goes_on = CDP_TRY(extend_up(chain, *near)); goes_on;) {
        const Place low{high, EventId{}};
        high += session();
        std::deque<EventRow> window;
        CDP_CHECK(read_down(shared, {high, EventId{}}, low, window));
        goes_on = CDP_TRY(extend_up(chain, window));
    }
    return chain;
}

// Of a busy session most is read for the place before.
Result<const std::deque<EventRow>*> Attribution::above(const Token& shared, const Place& place) {
    if (above_.size() >= kAboveMax && !above_.contains(shared)) above_.clear();
    auto& [bottom, rows] = above_[shared];
    Place from{place.time + session(), EventId{}};
    if (bottom && !bottom->before(from) && !place.before(*bottom)) {
        while (!rows.empty() && rows.front().place.before(from)) rows.pop_front();
        from = *bottom;
    } else {
        rows.clear();
    }
    CDP_CHECK(read_down(shared, from, place, rows));
    bottom = place;
    return &rows;
}

// From a place on, and over another.
Result<void> Attribution::read_down(const Token& shared, const Place& from, const Place& to,
                                    std::deque<EventRow>& into) const {
    auto rows = rows_of(std::array{shared}, from);
    while (const auto row = CDP_TRY(rows.next())) {
        if (!row->place.before(to)) break;
        into.push_back({row->place, row->token, row->home, {}});
    }
    return Result<void>::ok();
}

}  // namespace cdp
