#include "cdp/people.h"

#include <algorithm>
#include <map>

#include "cdp/named.h"
#include "cdp/quarantine_rows.h"
#include "cdp/refuse.h"
#include "cdp/sightings.h"
#include "cdp/stamps.h"
#include "storage/key.h"

namespace cdp {
namespace {

Error nobody() {
    return {.code = ErrorCode::not_found,
            .reason = "person_unknown",
            .message = "Nobody is known by that identifier."};
}

constexpr auto kDay = std::chrono::days{1};

// Where most callers name somebody; who is asked otherwise says where.
constexpr auto kNamedAt = "/identifier";

using Days = std::set<std::int32_t>;  // several purposes may be contested on one

Days days_of(std::span<const consent::Contested> contested) {
    Days days;
    for (const auto& one : contested) days.insert(one.day);
    return days;
}

// The days asked for, and of each purpose the last, on which its last word may be.
Days days_to_read(std::span<const consent::Contested> contested, const Days& asked) {
    Days days;
    std::map<std::string_view, std::int32_t> last;
    for (const auto& one : contested) {
        if (asked.contains(one.day)) days.insert(one.day);
        auto& day = last.try_emplace(one.purpose, one.day).first->second;
        day = std::max(day, one.day);
    }
    for (const auto& [purpose, day] : last) days.insert(day);
    return days;
}

// Of contested days that are not read again no stamp grants anything.
void drop_grants(std::span<const consent::Contested> contested, const Days& read,
                 std::vector<consent::Fact>& facts) {
    auto unread = days_of(contested);
    std::erase_if(unread, [&](std::int32_t day) { return read.contains(day); });
    std::erase_if(facts, [&](const consent::Fact& fact) {
        return fact.cell && fact.state == consent::State::granted &&
               unread.contains(day_of(fact.time));
    });
}

}  // namespace

Result<Token> People::resolve(Reading reading, std::string_view type,
                              std::string_view value) const {
    if (type == kPersonType) {
        const auto bytes = from_hex(value);
        if (!bytes || bytes->size() != sizeof(PersonId::bytes))
            return refuse("malformed_identifier", "A person's id is 32 hexadecimal digits.",
                          kNamedAt);
        const auto token =
            CDP_TRY(needs_.graph.find_person(reading.transaction, PersonId::from(*bytes)));
        if (!token) return nobody();
        return *token;
    }
    const auto normal = CDP_TRY(read_asked(needs_.config, {type, value},
                                           needs_.config.default_region, NamedAt::whole(kNamedAt)));
    if (!normal) return nobody();
    return needs_.graph.token(type, *normal);
}

Result<identity::Node> People::find(Reading reading, const Token& token) const {
    auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
    if (!node || !node->active) return nobody();
    return std::move(*node);
}

Result<std::vector<Token>> People::tokens_of(Reading reading, const Token& token,
                                             const identity::Node& node) const {
    if (!node.active || !node.placed()) return std::vector<Token>{token};
    auto members = CDP_TRY(needs_.graph.members(reading.transaction, node.anchor));
    for (std::size_t i = 0, n = members.size(); i < n; ++i) {
        const auto member = CDP_TRY(needs_.graph.find(reading.transaction, members[i]));
        if (!member || !member->twin) continue;
        const auto twin = CDP_TRY(needs_.graph.find(reading.transaction, *member->twin));
        if (twin && !twin->active) members.push_back(*member->twin);
    }
    std::ranges::sort(members);
    return members;
}

Result<Person> People::load(Reading reading, const Token& token) const {
    const auto node = CDP_TRY(find(reading, token));
    Person person{.id = node.person(), .members = {}, .consents = {}};
    for (const Token& member : CDP_TRY(needs_.graph.members(reading.transaction, node.anchor))) {
        person.members.push_back(CDP_TRY(load_member(reading, member)));
        person.consents.push_back(
            CDP_TRY(load_consents(reading, member, person.members.back().node)));
    }
    CDP_CHECK(add_quarantined(reading, person));
    return person;
}

// Whoever an operator split off from this person goes on refusing for it.
Result<void> People::add_quarantined(Reading reading, Person& person) const {
    std::vector<Token> members;
    for (const PersonMember& member : person.members) members.push_back(member.token);
    for (const auto& [token, since] : CDP_TRY(quarantined_from(reading.transaction, members))) {
        const auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
        consent::Member member{.token = token};
        if (node)
            member = CDP_TRY(load_consents(reading, token, *node));
        else
            CDP_CHECK(add_said(reading, member));  // erased since: suppressions alone are left
        member.quarantined_until_released = since;
        person.consents.push_back(std::move(member));
    }
    return Result<void>::ok();
}

Result<PersonMember> People::load_member(Reading reading, const Token& token) const {
    auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
    if (!node) return damaged("a member without its node");
    const auto key = CDP_TRY(needs_.vault.find(reading.snapshot, token));
    if (!key) return damaged("a node without its key");
    auto value = CDP_TRY(identity::Graph::open(*key, token, *node));
    return PersonMember{token, std::move(*node), std::move(value), *key};
}

Result<consent::Member> People::load_consents(Reading reading, const Token& token,
                                              const identity::Node& node,
                                              const std::set<std::int32_t>* days) const {
    consent::Member member{.token = token,
                           .type = node.type,
                           .contact = identity::is_contact(node.link_class),
                           .account = node.link_class == identity::LinkClass::account,
                           .shared = node.shared};
    CDP_CHECK(add_said(reading, member));
    const auto contested = consent::contested(token, member.facts);
    if (contested.empty()) return member;
    const auto again = days ? days_to_read(contested, *days) : days_of(contested);
    std::vector<consent::Stamp> stamps;
    for (const std::int32_t day : again) {
        auto seen = CDP_TRY(stamps_on(reading, token, day));
        stamps.insert(stamps.end(), seen.begin(), seen.end());
    }
    drop_grants(contested, again, member.facts);
    member.facts = consent::refine(token, std::move(member.facts), stamps);
    return member;
}

Result<consent::Member> People::said_under(Reading reading, const Token& token,
                                           std::string_view type) const {
    if (const auto node = CDP_TRY(needs_.graph.find(reading.transaction, token)))
        return load_consents(reading, token, *node);
    const auto link_class = needs_.config.types.find(type).link_class;
    consent::Member member{.token = token,
                           .type = std::string(type),
                           .contact = identity::is_contact(link_class),
                           .account = link_class == identity::LinkClass::account};
    CDP_CHECK(add_said(reading, member));
    return member;
}

// A suppression stands also under what nobody has.
Result<void> People::add_said(Reading reading, consent::Member& member) const {
    auto said = CDP_TRY(needs_.consents.load(reading.snapshot, reading.transaction, member.token));
    member.facts = std::move(said.facts);
    member.suppressions = std::move(said.suppressions);
    return Result<void>::ok();
}

// Every stamp that the day's events carry for the identifier, from the events themselves.
Result<std::vector<consent::Stamp>> People::stamps_on(Reading reading, const Token& token,
                                                      std::int32_t day) const {
    const Timestamp start{std::chrono::sys_days{std::chrono::days{day}}};
    const Timestamp last = start + kDay - std::chrono::milliseconds{1};
    std::vector<consent::Stamp> stamps;
    const auto take = [&](const StoredEvent& event, Timestamp time) {
        const auto again = read_again(event, needs_.config);
        if (!again) return;
        const auto sightings = sightings_of(*again, needs_.graph);
        const auto signals = read_signals(needs_.config.policy, again->signals, time);
        for (auto& [bound, stamp] :
             stamps_of(needs_.config.policy, {.preferences = again->preferences,
                                              .signals = signals,
                                              .sightings = sightings,
                                              .source = event.source,
                                              .trust = event.trust,
                                              .time = time}))
            if (bound == token) stamps.push_back(std::move(stamp));
    };
    if (const auto key = CDP_TRY(needs_.vault.find(reading.snapshot, token)))
        CDP_CHECK(events_of(reading, token, *key, last,
                            [&](Timestamp time, const EventId&, const StoredEvent& event) {
                                if (time < start) return false;
                                take(event, time);
                                return true;
                            }));

    // Events seen with the identifier but filed under a better one.
    const auto prefix = storage::KeyWriter(storage::Space::pointer, token).str();
    reading.transaction.watch(prefix);
    std::vector<std::pair<Timestamp, std::pair<EventId, Token>>> pointed;
    CDP_CHECK(reading.snapshot.scan(prefix, pointer_key(token, last, EventId{}),
                                    [&](std::string_view key, std::string_view home) {
                                        storage::KeyReader in(key);
                                        const auto time = in.newest_first();
                                        if (!in.ok() || home.size() != 16 || time < start)
                                            return false;
                                        pointed.emplace_back(
                                            time, std::pair(in.id<EventId>(), Token::from(home)));
                                        return true;
                                    }));
    for (const auto& [time, at] : pointed) {
        const auto key = CDP_TRY(needs_.vault.find(reading.snapshot, at.second));
        const auto row = event_key(at.second, time, at.first);
        const auto sealed = CDP_TRY(reading.snapshot.get(row));
        if (!key || !sealed) continue;  // erased since
        const auto event = decode_event(CDP_TRY(storage::Vault::open(*key, row, *sealed)));
        if (!event) return damaged("an event that cannot be read");
        take(*event, time);
    }
    return stamps;
}

Result<void> People::add_shared(Reading reading, Person& person, const Token& token,
                                const std::set<std::int32_t>& days) const {
    const auto known = std::ranges::any_of(
        person.consents, [&](const auto& member) { return member.token == token; });
    if (known) return Result<void>::ok();
    const auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
    if (!node) return damaged("an event without its home");
    auto member = CDP_TRY(load_consents(reading, token, *node, &days));
    member.shared = true;
    person.consents.push_back(std::move(member));
    return Result<void>::ok();
}

Result<void> People::events_of(Reading reading, const Token& home, const storage::SubjectKey& key,
                               Timestamp from, const VisitEvent& visit) const {
    const auto prefix = storage::KeyWriter(storage::Space::event, home).str();
    reading.transaction.watch(prefix);
    std::optional<Error> error;
    CDP_CHECK(reading.snapshot.scan(prefix, event_key(home, from, EventId{}),
                                    [&](std::string_view row, std::string_view sealed) {
                                        storage::KeyReader in(row);
                                        const auto time = in.newest_first();
                                        const auto id = in.id<EventId>();
                                        const auto plain = storage::Vault::open(key, row, sealed);
                                        if (!plain) {
                                            error = plain.error();
                                            return false;
                                        }
                                        const auto event = decode_event(*plain);
                                        if (!event || !in.ok()) {
                                            error = damaged("an event that cannot be read");
                                            return false;
                                        }
                                        return visit(time, id, *event);
                                    }));
    if (error) return *error;
    return Result<void>::ok();
}

}  // namespace cdp
