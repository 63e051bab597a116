#include "cdp/event_links.h"

#include <algorithm>
#include <bit>

#include "cdp/sightings.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::chrono::milliseconds kDay{std::chrono::days{1}};

identity::LinkClass one_worse(identity::LinkClass link_class) {
    return static_cast<identity::LinkClass>(static_cast<std::uint8_t>(link_class) + 1);
}

// As Graph::observe links them: all that were seen with each other, and what an alias call may
// mean with the first.
std::vector<SaidLink> said_by(const identity::Observation& observation) {
    std::vector<SaidLink> out;
    const auto day = day_of(observation.time);
    const auto add = [&](const identity::Sighting& a, const identity::Sighting& b) {
        out.push_back(
            {a.token, b.token,
             identity::link_day(std::max(a.identifier.link_class, b.identifier.link_class), day,
                                observation.source)});
    };
    const auto& seen = observation.sightings;
    for (std::size_t a = 0; a < seen.size(); ++a)
        for (std::size_t b = a + 1; b < seen.size(); ++b) add(seen[a], seen[b]);
    if (!observation.alias) return out;
    for (const auto* candidate : {&observation.alias->account, &observation.alias->cookie})
        if (std::ranges::find(seen, candidate->token, &identity::Sighting::token) == seen.end())
            add(seen.front(), *candidate);
    return out;
}

// The rows of a pair, one for each class, that hold what was said.
Result<std::vector<identity::LinkDays>> rows_holding(storage::Transaction& transaction,
                                                     const SaidLink& said) {
    std::vector<identity::LinkDays> out;
    auto row = said.row;
    for (auto at = identity::LinkClass::assertion;; at = one_worse(at)) {
        row.link_class = at;
        const auto key = identity::link_key(said.a, said.b, row);
        if (const auto value = CDP_TRY(transaction.get(key))) {
            const auto link = identity::decode_link(key, *value);
            if (!link) return damaged("a link that cannot be read");
            if ((link->row.days & said.row.days) != 0) out.push_back(link->row);
        }
        if (at == identity::LinkClass::probabilistic) return out;
    }
}

}  // namespace

bool SaidLink::same(const SaidLink& other) const {
    const bool ends = (a == other.a && b == other.b) || (a == other.b && b == other.a);
    return ends && row.source == other.row.source && row.first_day == other.row.first_day &&
           row.days == other.row.days;
}

// What the events of some UTC days say that stand. Read once for each identifier.
class EventLinks::Day {
public:
    Day(const EventLinks& links, const storage::Snapshot& snapshot,
        storage::Transaction& transaction)
        : links_(links), snapshot_(snapshot), transaction_(transaction) {}

    const storage::Snapshot& snapshot() const { return snapshot_; }

    // Whether some event says this. An event is filed or pointed to under both ends, but for what
    // an alias call may mean: that is known at its home only.
    Result<bool> says(const SaidLink& wanted) {
        const auto day = wanted.row.first_day + std::countr_zero(wanted.row.days);
        const auto& at_a = *CDP_TRY(events_under(wanted.a, day));
        const auto& at_b = *CDP_TRY(events_under(wanted.b, day));
        for (const auto& [id, event] : at_a)
            if ((event.home == wanted.a || at_b.contains(id)) && CDP_TRY(says(event, wanted)))
                return true;
        for (const auto& [id, event] : at_b)
            if (event.home == wanted.b && CDP_TRY(says(event, wanted))) return true;
        return false;
    }

private:
    using Events = std::map<EventId, FiledEvent>;

    Result<bool> says(const FiledEvent& event, const SaidLink& wanted) {
        const auto known = said_.find(event.id);
        if (known != said_.end())
            return std::ranges::any_of(known->second,
                                       [&](const SaidLink& said) { return said.same(wanted); });
        auto& said = said_[event.id];
        if (CDP_TRY(identity::Assertions::retracted(transaction_, event.id))) return false;
        const auto read = CDP_TRY(links_.read(snapshot_, event));
        if (!read) return false;
        said = said_by(read->observation);
        return std::ranges::any_of(said, [&](const SaidLink& one) { return one.same(wanted); });
    }

    Result<const Events*> events_under(const Token& token, std::int32_t day) {
        const auto [at, fresh] = events_.try_emplace({token, day});
        if (!fresh) return &at->second;
        const Timestamp start{std::chrono::sys_days{std::chrono::days{day}}};
        const Timestamp last = start + kDay - std::chrono::milliseconds{1};
        bool readable = true;
        const auto visit_rows = [&](storage::Space space, const std::string& from) -> Result<void> {
            const auto prefix = storage::KeyWriter(space, token).str();
            transaction_.watch(prefix);
            return snapshot_.scan(prefix, from, [&](std::string_view key, std::string_view value) {
                storage::KeyReader in(key);
                const auto time = in.newest_first();
                const auto id = in.id<EventId>();
                const bool filed = space == storage::Space::event;
                readable = in.ok() && (filed || value.size() == sizeof(Token::bytes));
                if (!readable || time < start) return false;
                at->second.emplace(id, FiledEvent{id, filed ? token : Token::from(value), time});
                return true;
            });
        };
        CDP_CHECK(visit_rows(storage::Space::event, event_key(token, last, EventId{})));
        CDP_CHECK(visit_rows(storage::Space::pointer, pointer_key(token, last, EventId{})));
        if (!readable) return damaged("an event's row that cannot be read");
        return &at->second;
    }

    const EventLinks& links_;
    const storage::Snapshot& snapshot_;
    storage::Transaction& transaction_;
    std::map<std::pair<Token, std::int32_t>, Events> events_;
    std::map<EventId, std::vector<SaidLink>> said_;  // nothing, when it is retracted
};

Result<std::vector<FiledEvent>> EventLinks::find(const storage::Snapshot& snapshot,
                                                 storage::Transaction& transaction,
                                                 std::span<const EventId> ids) {
    std::vector<FiledEvent> out;
    std::set<EventId> forgotten;
    for (const EventId& id : ids) {
        const auto row = CDP_TRY(transaction.get(dedupe_key(id)));
        const auto seen = row ? decode_seen(*row) : std::nullopt;
        if (row && !seen) return damaged("a dedupe row that cannot be read");
        if (seen)
            out.push_back({id, seen->home, seen->time});
        else
            forgotten.insert(id);
    }
    if (forgotten.empty()) return out;
    const auto all = storage::KeyWriter(storage::Space::event, Token{}).str().substr(0, 3);
    CDP_CHECK(snapshot.scan(all, "", [&](std::string_view key, std::string_view) {
        storage::KeyReader in(key);
        const auto time = in.newest_first();
        const auto id = in.id<EventId>();
        if (in.ok() && forgotten.contains(id))
            out.push_back({id, Token::from(key.substr(all.size(), sizeof(Token::bytes))), time});
        return true;
    }));
    return out;
}

Result<std::optional<EventLinks::Read>> EventLinks::read(const storage::Snapshot& snapshot,
                                                         const FiledEvent& event) const {
    const auto row = event_key(event.home, event.time, event.id);
    const auto sealed = CDP_TRY(snapshot.get(row));
    const auto key = CDP_TRY(needs_.vault.find(snapshot, event.home));
    if (!sealed || !key) return std::optional<Read>{};
    auto stored = decode_event(CDP_TRY(storage::Vault::open(*key, row, *sealed)));
    if (!stored) return damaged("an event that cannot be read");
    auto again = read_again(*stored, needs_.config);
    if (!again) return std::optional<Read>{};
    again->time = event.time;
    auto said = observation_of(*again, source_hash_of(needs_.vault, stored->source), needs_.graph,
                               needs_.config.types);
    return std::optional(Read{std::move(*stored), std::move(said)});
}

Result<bool> EventLinks::links_any(const storage::Snapshot& snapshot, const FiledEvent& event,
                                   std::string_view source) const {
    const auto found = CDP_TRY(read(snapshot, event));
    return found && found->stored.source == source && !said_by(found->observation).empty();
}

Result<std::vector<SaidLink>> EventLinks::said(const storage::Snapshot& snapshot,
                                               const FiledEvent& event) const {
    const auto found = CDP_TRY(read(snapshot, event));
    if (!found) return std::vector<SaidLink>{};
    return said_by(found->observation);
}

Result<std::vector<Token>> EventLinks::follow(const storage::Snapshot& snapshot,
                                              storage::Transaction& transaction,
                                              std::span<const FiledEvent> events,
                                              const identity::Cause& cause) const {
    Day day(*this, snapshot, transaction);
    std::vector<Token> around;
    for (const FiledEvent& event : events) {
        const auto found = CDP_TRY(read(snapshot, event));
        if (!found) continue;
        if (CDP_TRY(identity::Assertions::retracted(transaction, event.id))) {
            CDP_CHECK(take_back(day, transaction, found->observation));
            CDP_CHECK(keep_from_repeating(transaction, event, Timestamp::max()));
        } else {
            CDP_TRY(needs_.graph.observe(snapshot, transaction, found->observation));
            CDP_CHECK(keep_from_repeating(transaction, event,
                                          found->stored.received + needs_.config.dedupe_window));
        }
        const auto tokens = tokens_of(found->observation);
        around.insert(around.end(), tokens.begin(), tokens.end());
    }
    return needs_.graph.settle_afresh(transaction, around, cause);
}

Result<void> EventLinks::take_back(Day& day, storage::Transaction& transaction,
                                   const identity::Observation& said) const {
    for (const SaidLink& one : said_by(said)) {
        for (const auto& row : CDP_TRY(rows_holding(transaction, one))) {
            if (CDP_TRY(day.says(one))) break;
            const auto left = row.days & ~one.row.days;
            for (const auto& key :
                 {identity::link_key(one.a, one.b, row), identity::link_key(one.b, one.a, row)}) {
                if (left == 0)
                    transaction.erase(key);
                else
                    transaction.put(key, identity::encode_days(left));
            }
        }
    }
    return Result<void>::ok();
}

// So that a repetition of what was retracted stays one for ever.
Result<void> EventLinks::keep_from_repeating(storage::Transaction& transaction,
                                             const FiledEvent& event, Timestamp until) {
    const auto key = dedupe_key(event.id);
    const auto row = CDP_TRY(transaction.get(key));
    const auto seen = row ? decode_seen(*row) : std::nullopt;
    if (seen && seen->expires == until) return Result<void>::ok();
    transaction.put(key, encode(Seen{until, event.home, event.time}));
    return Result<void>::ok();
}

}  // namespace cdp
