#include "cdp/erasure_rows.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "cdp/disclosure_rows.h"
#include "cdp/group_rows.h"
#include "cdp/privacy_request_rows.h"
#include "cdp/sessions.h"
#include "cdp/sightings.h"
#include "consent/rows.h"
#include "consent/suppression.h"
#include "consent/tiles.h"
#include "identity/assertion.h"
#include "identity/change.h"
#include "identity/component.h"
#include "identity/hashed.h"
#include "identity/links.h"
#include "storage/key.h"
#include "storage/random.h"

namespace cdp {
namespace {

using storage::KeyReader;
using storage::KeyWriter;
using storage::Space;

// Of the events that one commit takes away.
constexpr std::size_t kTakenBytesMax = 16 * 1024 * 1024;

Result<Place> place_in(std::string_view event_row) {
    KeyReader in(event_row);
    const auto time = in.newest_first();
    const auto id = in.id<EventId>();
    if (!in.ok()) return damaged("an event's row that cannot be read");
    return Place{time, id};
}

}  // namespace

ErasedCounts& ErasedCounts::operator+=(const ErasedCounts& other) {
    identifiers += other.identifiers;
    events += other.events;
    traits += other.traits;
    consents += other.consents;
    links += other.links;
    groups += other.groups;
    disclosures += other.disclosures;
    signals += other.signals;
    return *this;
}

Result<void> ErasureRows::each(const std::string& prefix, const Row& visit) const {
    auto outcome = Result<void>::ok();
    CDP_CHECK(reading_.snapshot.scan(prefix, "", [&](std::string_view key, std::string_view value) {
        outcome = visit(key, value);
        return static_cast<bool>(outcome);
    }));
    return outcome;
}

Result<void> ErasureRows::erase_all(Space space, const Token& token, std::uint64_t* count) {
    return each(KeyWriter(space, token).str(), [&](std::string_view key, std::string_view) {
        reading_.transaction.erase(std::string(key));
        if (count) ++*count;
        return Result<void>::ok();
    });
}

ErasureRows::ErasureRows(const Needs& needs, People::Reading reading, std::span<const Token> tokens)
    : needs_(needs),
      reading_(reading),
      event_links_({needs.vault, needs.graph, needs.config}),
      gone_{.events = {}, .tokens = {tokens.begin(), tokens.end()}},
      links_(event_links_, needs.graph, reading, gone_),
      homes_({needs.vault, needs.graph, needs.groups, needs.corrections, needs.config}, reading,
             gone_) {}

// nullopt: it cannot be opened or read any more, and said nothing.
Result<std::optional<Event>> ErasureRows::remember(const Token& home, Timestamp time,
                                                   const EventId& id, std::string_view sealed) {
    ++counts_.events;
    const auto key = CDP_TRY(needs_.vault.find(reading_.snapshot, home));
    if (!key) return std::optional<Event>{};
    const auto stored =
        decode_event(CDP_TRY(storage::Vault::open(*key, event_key(home, time, id), sealed)));
    if (!stored) return damaged("an event that cannot be read");
    if (stored->remnant) --counts_.events;  // that had expired
    auto event = read_again(*stored, needs_.config);
    if (!event) return std::optional<Event>{};
    event->time = time;
    const auto said = observation_of(*event, source_hash_of(needs_.vault, stored->source),
                                     needs_.graph, needs_.config.types);
    if (links_.add(said) || !event->group_id.empty()) gone_.events.insert(id);
    homes_.add(home, stored->source, *event);
    return event;
}

Result<void> ErasureRows::tell_event(const Token& home, Timestamp time, const EventId& id,
                                     std::string_view sealed) {
    CDP_TRY(remember(home, time, id, sealed));
    return Result<void>::ok();
}

Result<void> ErasureRows::erase_event(const Token& home, Timestamp time, const EventId& id,
                                      std::string_view sealed) {
    const auto event = CDP_TRY(remember(home, time, id, sealed));
    reading_.transaction.erase(event_key(home, time, id));
    // What names no tombstone is known by its id.
    if (taken(home))
        reading_.transaction.erase(dedupe_key(id));
    else
        reading_.transaction.put(dedupe_key(id), encode(Seen::nevermore()));
    if (!event) return Result<void>::ok();
    for (const auto& sighting : sightings_of(*event, needs_.graph))
        if (sighting.token != home)
            reading_.transaction.erase(pointer_key(sighting.token, time, id));
    return Result<void>::ok();
}

Result<bool> ErasureRows::erase_events_of(const Token& home, std::size_t most) {
    std::vector<std::pair<std::string, std::string>> rows;
    std::size_t bytes = 0;
    bool all = true;
    CDP_CHECK(reading_.snapshot.scan(KeyWriter(Space::event, home).str(), "",
                                     [&](std::string_view key, std::string_view sealed) {
                                         bytes += sealed.size();
                                         all = rows.size() < most &&
                                               (bytes <= kTakenBytesMax || rows.empty());
                                         if (all) rows.emplace_back(key, sealed);
                                         return all;
                                     }));
    for (const auto& [key, sealed] : rows) {
        const auto [time, id] = CDP_TRY(place_in(key));
        CDP_CHECK(erase_event(home, time, id, sealed));
    }
    return all;
}

Result<void> ErasureRows::tell_events_of(const Token& home) {
    return each(KeyWriter(Space::event, home).str(),
                [&](std::string_view key, std::string_view sealed) -> Result<void> {
                    const auto [time, id] = CDP_TRY(place_in(key));
                    return tell_event(home, time, id, sealed);
                });
}

Result<void> ErasureRows::erase_identifiers(std::span<const Token> tokens,
                                            const identity::Said& said) {
    gone_.tokens.insert(tokens.begin(), tokens.end());
    for (const Token& token : tokens) CDP_CHECK(revoke_assertions(token, said));
    for (const Token& token : tokens) CDP_CHECK(erase_links(token));
    for (const Token& token : tokens) {
        CDP_CHECK(erase_consents(token));
        CDP_CHECK(erase_memberships(token));
        CDP_CHECK(erase_history(token));
        CDP_CHECK(erase_all(Space::trait, token, &counts_.traits));
        CDP_CHECK(erase_all(Space::corrected, token, nullptr));
        CDP_CHECK(erase_all(Space::signal, token, &counts_.signals));
        CDP_CHECK(erase_disclosures(token));
        CDP_CHECK(erase_all(Space::quarantine, token, nullptr));
        CDP_CHECK(erase_all(Space::pointer, token, nullptr));
        CDP_CHECK(erase_requests(token, said.time));
        CDP_CHECK(erase_node(token));
    }
    return blank_batches();
}

Result<void> ErasureRows::take_back(const identity::Said& said) {
    CDP_CHECK(links_.take_back([&](const SaidLink& link, const identity::LinkDays& row) {
        count_link(link.a, link.b, row);
    }));
    const auto alone = CDP_TRY(links_.alone());
    CDP_CHECK(erase_identifiers(alone, said));
    CDP_CHECK(links_.mend_nodes());
    const auto told = CDP_TRY(homes_.tell_again());
    counts_.traits += told.traits;
    counts_.groups += told.groups;
    around_.insert(links_.around().begin(), links_.around().end());
    std::erase_if(around_, [&](const Token& token) { return taken(token); });
    return keep_shared(said);
}

// That somebody was told of stays in the batch, whose leaves others' proofs need; who it was goes.
Result<void> ErasureRows::erase_disclosures(const Token& token) {
    return each(KeyWriter(Space::disclosed, token).str(),
                [&](std::string_view key, std::string_view) {
                    KeyReader in(key);
                    in.newest_first();
                    const auto batch = in.number();
                    told_[batch].insert(in.number32());
                    reading_.transaction.erase(std::string(key));
                    ++counts_.disclosures;
                    return in.ok() ? Result<void>::ok()
                                   : Result<void>(damaged("a disclosure that cannot be read"));
                });
}

Result<void> ErasureRows::blank_batches() {
    for (const auto& [number, indices] : told_) {
        auto rows = CDP_TRY(batch_rows(reading_.snapshot, needs_.vault, number));
        for (const auto index : indices) {
            if (index >= rows.size()) return damaged("a disclosure without its batch");
            rows[index].subject = {};
        }
        put_batch_rows(reading_.transaction, needs_.vault, number, rows);
    }
    return Result<void>::ok();
}

// Whose withdrawal a recipient took note of.
Result<void> ErasureRows::erase_acknowledgements(const RecordId& record, const Token& token) {
    return each(KeyWriter(Space::acknowledged, record).str(),
                [&](std::string_view key, std::string_view) {
                    if (key.ends_with(token.view())) reading_.transaction.erase(std::string(key));
                    return Result<void>::ok();
                });
}

// What was asserted of somebody who is gone would count again for whoever returns.
Result<void> ErasureRows::revoke_assertions(const Token& token, const identity::Said& said) {
    const identity::Assertions assertions(needs_.vault);
    for (const auto& entry : CDP_TRY(identity::Assertions::entries(reading_.transaction, token))) {
        // It names another of them, and was revoked with that.
        const auto stands = CDP_TRY(assertions.find(reading_.transaction, entry.id));
        if (!stands || stands->revoked) continue;
        const auto revoked = CDP_TRY(assertions.revoke(reading_.transaction, entry.id, said));
        for (const Token& named : revoked.identifiers)
            if (!taken(named)) around_.insert(named);
    }
    return Result<void>::ok();
}

Result<void> ErasureRows::erase_links(const Token& token) {
    return each(identity::link_prefix(token), [&](std::string_view key, std::string_view value) {
        const auto link = identity::decode_link(key, value);
        if (!link) return Result<void>(damaged("a link that cannot be read"));
        reading_.transaction.erase(std::string(key));
        reading_.transaction.erase(identity::link_key(link->to, token, link->row));
        count_link(token, link->to, link->row);
        if (!taken(link->to)) around_.insert(link->to);
        return Result<void>::ok();
    });
}

// Once, from whichever end it is met.
void ErasureRows::count_link(const Token& a, const Token& b, const identity::LinkDays& row) {
    const auto& [lesser, greater] = std::minmax(a, b);
    counts_.links += counted_.insert(identity::link_key(lesser, greater, row)).second;
}

// Without those who are gone the evidence no longer shows it, and the others would become one.
Result<void> ErasureRows::keep_shared(const identity::Said& said) {
    const identity::Assertions assertions(needs_.vault);
    for (const Token& token : around_) {
        const auto node = CDP_TRY(needs_.graph.find(reading_.transaction, token));
        if (!node || !node->shared || !node->seen) continue;
        CDP_TRY(assertions.add(reading_.transaction, {.id = identity::new_assertion_id(
                                                          said.time, storage::random_bytes(8)),
                                                      .kind = identity::AssertionKind::shared,
                                                      .identifiers = {token},
                                                      .said = said}));
    }
    return Result<void>::ok();
}

Result<void> ErasureRows::erase_consents(const Token& token) {
    const auto key = CDP_TRY(needs_.vault.find(reading_.snapshot, token));
    return each(
        consent::group_prefix(token),
        [&](std::string_view row, std::string_view sealed) -> Result<void> {
            if (consent::is_suppression(row)) return Result<void>::ok();
            reading_.transaction.erase(std::string(row));
            ++counts_.consents;
            if (!key) return Result<void>::ok();
            const auto opened = CDP_TRY(consent::open_row(*key, token, row, sealed));
            const auto id = std::visit([](const auto& said) { return said.id; }, opened.row);
            CDP_CHECK(erase_acknowledgements(id, token));
            const auto commitment = CDP_TRY(consent::commitment_of(*key, token, row, sealed));
            if (const auto index =
                    CDP_TRY(reading_.snapshot.get(consent::entry_index_key(commitment))))
                entries_.insert(ByteReader(*index).u64());
            return Result<void>::ok();
        });
}

Result<void> ErasureRows::erase_memberships(const Token& token) {
    return each(KeyWriter(Space::group_of, token).str(),
                [&](std::string_view key, std::string_view) {
                    KeyReader in(key);
                    const auto group = in.id<GroupId>();
                    if (!in.ok()) return Result<void>(damaged("a membership that cannot be read"));
                    reading_.transaction.erase(std::string(key));
                    reading_.transaction.erase(group_member_key(group, token));
                    ++counts_.groups;
                    return Result<void>::ok();
                });
}

Result<void> ErasureRows::erase_history(const Token& token) {
    return each(KeyWriter(Space::history, token).str(),
                [&](std::string_view key, std::string_view value) {
                    const auto until = KeyReader(key).newest_first();
                    ByteReader in(value);
                    in.u8();
                    in.i64();
                    const auto person = in.id<PersonId>();
                    if (!in.done())
                        return Result<void>(damaged("a history row that cannot be read"));
                    reading_.transaction.erase(std::string(key));
                    reading_.transaction.erase(
                        KeyWriter(Space::former, person).newest_first(until).id(token).str());
                    return Result<void>::ok();
                });
}

// What was asked by them is kept, without them. Of whom nothing else is held, that made a key.
Result<void> ErasureRows::erase_requests(const Token& token, Timestamp now) {
    bool any = false;
    CDP_CHECK(each_request_of(reading_.snapshot, token, [&](const PrivacyRequestId&) {
        any = true;
        return false;
    }));
    if (!any) return Result<void>::ok();
    reading_.transaction.erase(KeyWriter(Space::subject_key, token).str());
    keyless_.insert(token);
    return erase_from_requests(reading_.snapshot, reading_.transaction, needs_.vault, token, now);
}

Result<void> ErasureRows::erase_node(const Token& token) {
    auto& transaction = reading_.transaction;
    const auto node = CDP_TRY(needs_.graph.find(transaction, token));
    if (!node) return Result<void>::ok();
    ++counts_.identifiers;
    if (const auto key = CDP_TRY(needs_.vault.find(reading_.snapshot, token))) {
        const auto value = CDP_TRY(identity::Graph::open(*key, token, *node));
        if (const auto hashed = identity::hashed_type_of(node->type))
            for (const auto& form :
                 identity::hashed_forms(needs_.config.types.find(node->type).form, value.value))
                transaction.erase(KeyWriter(Space::hash_form, needs_.vault.token(*hashed, form.hex))
                                      .id(token)
                                      .str());
    }
    // Whoever stays behind may need another anchor, and leaves this one when that is found.
    if (node->placed()) {
        for (const Token& member : CDP_TRY(needs_.graph.members(transaction, node->anchor)))
            if (!taken(member)) around_.insert(member);
        transaction.erase(identity::member_key(node->anchor, token));
    }
    if (node->twin) CDP_CHECK(leave_twin(*node->twin));
    transaction.erase(KeyWriter(Space::person, PersonId{node->rank.bytes}).str());
    transaction.erase(identity::node_key(token));
    transaction.erase(KeyWriter(Space::subject_key, token).str());
    keyless_.insert(token);
    return Result<void>::ok();
}

// One that goes later is folded once more before.
Result<void> ErasureRows::leave_twin(const Token& token) {
    auto twin = CDP_TRY(needs_.graph.find(reading_.transaction, token));
    if (!twin) return Result<void>::ok();
    twin->twin.reset();
    reading_.transaction.put(identity::node_key(token), identity::encode(*twin));
    if (taken(token)) return Result<void>::ok();
    around_.insert(token);
    return links_.lose_twin(token);
}

std::vector<Token> ErasureRows::keyless() const {
    std::vector<Token> out(keyless_.begin(), keyless_.end());
    out.insert(out.end(), homes_.keyless().begin(), homes_.keyless().end());
    return out;
}

std::vector<std::uint64_t> ErasureRows::entries() const {
    return {entries_.begin(), entries_.end()};
}

}  // namespace cdp
