#include <algorithm>
#include <set>

#include "cdp/stewardship.h"
#include "identity/links.h"
#include "storage/key.h"

namespace cdp {
namespace {

using identity::Assertion;

// Single events that a range may take where it cuts days in two.
constexpr std::size_t kTakenMax = 10'000;

Error retracts_nothing(std::string message, std::string pointer) {
    return {.code = ErrorCode::not_found,
            .reason = "retracts_nothing",
            .message = std::move(message),
            .pointer = std::move(pointer)};
}

}  // namespace

// The single events of a retraction; the refusal when it would retract nothing.
Result<Stewardship::Taken> Stewardship::find_taken(const AskedAssertion& asked) const {
    const auto& assertion = asked.assertion;
    if (assertion.kind != identity::AssertionKind::retract || !assertion.identifiers.empty())
        return Taken{};
    const auto snapshot = needs_.store.snapshot();
    if (!assertion.events.empty()) return find_named(*snapshot, assertion.events);
    auto parts = CDP_TRY(find_parts(*snapshot, asked));
    if (!parts.any_day && parts.taken.empty())
        return retracts_nothing("The source linked nobody then.", "/source");
    if (parts.taken.size() > kTakenMax)
        return Error{.code = ErrorCode::invalid_argument,
                     .reason = "range_not_whole_days",
                     .message =
                         "The range cuts days in two that hold too many events to "
                         "retract one by one; name whole UTC days.",
                     .pointer = assertion.from ? "/from" : "/to"};
    return std::move(parts.taken);
}

Result<Stewardship::Taken> Stewardship::find_named(
    const storage::Snapshot& snapshot, const std::vector<Assertion::Event>& events) const {
    std::vector<EventId> ids;
    for (const auto& event : events) ids.push_back(event.id);
    storage::Transaction transaction(snapshot, storage::kPartition);
    auto taken = CDP_TRY(EventLinks::find(snapshot, transaction, ids));
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto at = "/events/" + std::to_string(i);
        const auto filed = std::ranges::find(taken, ids[i], &FiledEvent::id);
        if (filed == taken.end()) return retracts_nothing("No such event is stored.", at);
        if (!CDP_TRY(links_.links_any(snapshot, *filed, events[i].source)))
            return retracts_nothing("The event links nobody: it has one identifier, or was erased.",
                                    at);
    }
    return taken;
}

// An event that links anybody has left its day at its home: so the links say where to look.
Result<Stewardship::Parts> Stewardship::find_parts(const storage::Snapshot& snapshot,
                                                   const AskedAssertion& asked) const {
    const auto& range = asked.assertion.range;
    Parts out;
    bool readable = true;
    std::set<Token> homes;
    const auto prefix = storage::KeyWriter(storage::Space::link, Token{}).str().substr(0, 3);
    CDP_CHECK(snapshot.scan(prefix, "", [&](std::string_view key, std::string_view value) {
        const auto link = identity::decode_link(key, value);
        readable = link.has_value();
        if (!readable || link->row.source != range.source) return readable;
        out.any_day =
            out.any_day || (range.first_day <= range.last_day && range.days_of(link->row) != 0);
        for (const auto& [from, to] : asked.parts) {
            const identity::Retraction day{range.source, day_of(from), day_of(from)};
            if (day.days_of(link->row) != 0) homes.insert(link->from);
        }
        return true;
    }));
    if (!readable) return damaged("a link that cannot be read");

    for (const Token& home : homes) {
        for (const auto& [from, to] : asked.parts) {
            Taken there;
            const auto last = event_key(home, to - std::chrono::milliseconds{1}, EventId{});
            CDP_CHECK(snapshot.scan(storage::KeyWriter(storage::Space::event, home).str(), last,
                                    [&](std::string_view key, std::string_view) {
                                        storage::KeyReader in(key);
                                        const auto time = in.newest_first();
                                        if (time < from) return false;
                                        there.push_back({in.id<EventId>(), home, time});
                                        return true;
                                    }));
            for (const auto& event : there)
                if (CDP_TRY(links_.links_any(snapshot, event, asked.assertion.source_name)))
                    out.taken.push_back(event);
            if (out.taken.size() > 2 * kTakenMax) return out;
        }
    }
    return out;
}

}  // namespace cdp
