#include "cdp/retracted_events.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "cdp/event_rows.h"

namespace cdp {
namespace {

constexpr std::size_t kRowsOfEachMax = 100;

using Events = std::map<EventId, FiledEvent>;

Result<Events> newest_events(const storage::Snapshot& snapshot, std::span<const Token> of,
                             std::size_t& rows_left) {
    Events out;
    for (const Token& token : of) {
        EventRows rows(snapshot, std::array{token}, {Timestamp::max(), EventId{}});
        for (std::size_t n = 0; n < kRowsOfEachMax && rows_left > 0; ++n, --rows_left) {
            const auto row = CDP_TRY(rows.next());
            if (!row) break;
            out.try_emplace(row->place.id, FiledEvent{row->place.id, row->home, row->place.time});
        }
    }
    return out;
}

// A retracted event stays a repetition for ever, which all of them are asked at once.
Result<std::vector<FiledEvent>> never_forgotten(storage::Transaction& transaction,
                                                const Events& events) {
    std::vector<FiledEvent> out;
    std::vector<std::string> keys;
    for (const auto& [id, event] : events) keys.push_back(dedupe_key(id));
    const auto rows = CDP_TRY(transaction.multi_get(keys));
    auto row = rows.begin();
    for (const auto& [id, event] : events) {
        const auto& seen = *row++;
        if (!seen) continue;
        const auto read = decode_seen(*seen);
        if (!read) return damaged("a dedupe row that cannot be read");
        if (read->expires == Timestamp::max()) out.push_back(event);
    }
    return out;
}

// Today's rules may find an identifier in an old event that nobody ever saw.
class Known {
public:
    explicit Known(storage::Transaction& transaction) : transaction_(transaction) {}

    Result<bool> both(const SaidLink& said) { return CDP_TRY(has(said.a)) && CDP_TRY(has(said.b)); }

private:
    Result<bool> has(const Token& token) {
        const auto [known, fresh] = known_.try_emplace(token);
        if (fresh) known->second = CDP_TRY(transaction_.get(identity::node_key(token))).has_value();
        return known->second;
    }

    storage::Transaction& transaction_;
    std::map<Token, bool> known_;
};

}  // namespace

Result<std::vector<identity::Taking>> taken_by_event(const EventLinks& links,
                                                     const storage::Snapshot& snapshot,
                                                     storage::Transaction& transaction,
                                                     std::span<const Token> of,
                                                     std::size_t& rows_left) {
    std::vector<identity::Taking> out;
    Known known(transaction);
    const auto events = CDP_TRY(newest_events(snapshot, of, rows_left));
    for (const auto& event : CDP_TRY(never_forgotten(transaction, events))) {
        const auto by = CDP_TRY(identity::Assertions::retractions_of(transaction, event.id));
        if (by.empty()) continue;
        for (const auto& said : CDP_TRY(links.said(snapshot, event))) {
            if (!CDP_TRY(known.both(said))) continue;
            for (const auto& id : by) out.push_back({said.a, said.b, said.row, id});
        }
    }
    return out;
}

}  // namespace cdp
