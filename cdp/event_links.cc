#include "cdp/event_links.h"

#include <algorithm>
#include <bit>

#include "cdp/event_days.h"
#include "cdp/event_remnant.h"
#include "cdp/sightings.h"
#include "storage/key.h"

namespace cdp {
namespace {

identity::LinkClass one_worse(identity::LinkClass link_class) {
    return static_cast<identity::LinkClass>(static_cast<std::uint8_t>(link_class) + 1);
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

bool SaidLink::same(const SaidLink& other) const {
    const bool ends = (a == other.a && b == other.b) || (a == other.b && b == other.a);
    return ends && row.source == other.row.source && row.first_day == other.row.first_day &&
           row.days == other.row.days;
}

Result<std::vector<FiledEvent>> EventLinks::find(const storage::Snapshot& snapshot,
                                                 storage::Transaction& transaction,
                                                 std::span<const EventId> ids) {
    std::vector<FiledEvent> out;
    std::set<EventId> forgotten;
    for (const EventId& id : ids) {
        const auto row = CDP_TRY(transaction.get(dedupe_key(id)));
        const auto seen = row ? decode_seen(*row) : std::nullopt;
        if (row && !seen) return damaged("a dedupe row that cannot be read");
        if (!seen)
            forgotten.insert(id);
        else if (!seen->erased())
            out.push_back({id, seen->home, seen->time});
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
    EventDays days(*this, snapshot, transaction);
    std::vector<Token> around;
    for (const FiledEvent& event : events) {
        const auto found = CDP_TRY(read(snapshot, event));
        if (!found) continue;
        const auto retracted = CDP_TRY(identity::Assertions::retracted(transaction, event.id));
        if (retracted && !stands_for_several(found->stored)) {
            for (const SaidLink& said : said_by(found->observation))
                CDP_CHECK(take_back(days, transaction, said));
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

Result<void> take_back(EventDays& days, storage::Transaction& transaction, const SaidLink& said,
                       const std::function<void(const identity::LinkDays&)>& gone) {
    const auto write = [&](identity::LinkDays row) {
        for (const auto& key :
             {identity::link_key(said.a, said.b, row), identity::link_key(said.b, said.a, row)}) {
            if (row.days == 0)
                transaction.erase(key);
            else
                transaction.put(key, identity::encode_days(row.days));
        }
    };
    for (auto row : CDP_TRY(rows_holding(transaction, said))) {
        auto wanted = said;
        wanted.row.link_class = row.link_class;
        const auto as = CDP_TRY(days.says(wanted));
        if (as == row.link_class) continue;
        row.days &= ~said.row.days;
        write(row);
        if (row.days == 0 && gone) gone(row);
        if (!as) continue;
        row.link_class = *as;
        const auto key = identity::link_key(said.a, said.b, row);
        const auto known = CDP_TRY(transaction.get(key));
        const auto link = known ? identity::decode_link(key, *known) : std::nullopt;
        row.days = said.row.days | (link ? link->row.days : 0);
        write(row);
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
