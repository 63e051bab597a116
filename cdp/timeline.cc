#include "cdp/timeline.h"

#include <map>
#include <set>

#include "cdp/answer.h"
#include "cdp/base/bytes.h"
#include "cdp/event_remnant.h"
#include "cdp/json_scan.h"
#include "cdp/paging.h"
#include "cdp/received_event.h"
#include "cdp/released_list.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {
namespace {

void write_type(consent::ReleasedBody& body, EventType type) {
    switch (type) {
        case EventType::identify: body.text("\"identify\""); return;
        case EventType::track: body.text("\"track\""); return;
        case EventType::page: body.text("\"page\""); return;
        case EventType::screen: body.text("\"screen\""); return;
        case EventType::group: body.text("\"group\""); return;
        case EventType::alias: body.text("\"alias\""); return;
    }
}

std::string holder_of(const Principal& channel) {
    return "events for " + channel.channel;
}

}  // namespace

Result<std::shared_ptr<const Unlisted>> Timeline::page(const Principal& channel,
                                                       std::string_view type,
                                                       std::string_view value,
                                                       const TimelineQuery& query) const {
    const auto* purpose = CDP_TRY(purpose_for(needs_.config, channel, query.purpose));
    const auto after = open_cursor(query.cursor, channel);
    if (!query.cursor.empty() && !after) return malformed_cursor();
    CDP_CHECK(check_limit(query.limit));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto token = CDP_TRY(needs_.people.resolve(reading, type, value));
    auto person = CDP_TRY(needs_.people.load(reading, token));
    Attribution attribution({needs_.vault, needs_.graph, needs_.config}, reading);
    auto found = CDP_TRY(events_of_person(attribution, person, after, {.events = query.limit}));
    CDP_CHECK(add_homes(reading, found.events, person));
    auto shown = shown_of(found.events);
    const auto now = needs_.clock.now();
    CDP_CHECK(heed_named(reading, shown, person, now));

    const consent::Gate gate(needs_.config.policy, person.consents,
                             {std::string(purpose->name), channel.channel, now});
    consent::ReleasedBody body;
    body.text("{\"person\":\"").person(person.id, token).text("\",\"purpose\":").purpose(gate);
    body.text(",\"events\":[");
    Separator comma;
    WithheldList withheld;
    DestinationForms forms(needs_.vault, needs_.config, channel.channel);
    for (const Shown& one : shown) {
        auto passed = pass_name(one, gate);
        if (auto* kept = std::get_if<consent::Withheld>(&passed)) {
            withheld.add(std::move(*kept));
            continue;
        }
        comma.write(body);
        write_event(one, gate, forms, std::get<consent::Released>(passed), body);
    }
    body.text("],\"withheld\":");
    withheld.write(body);
    body.text(",\"next\":");
    if (found.next) {
        body.cursor(cursor_to(*found.next, channel));
    } else {
        body.text("null");
    }
    const auto ledger_size = CDP_TRY(needs_.consents.ledger_size(*snapshot));
    end_decided(body, decision_id(needs_.vault, person, channel, purpose->name, ledger_size),
                ledger_size);
    return std::make_shared<const Unlisted>(std::move(body).finish());
}

// A cursor is where the page before ended: at an event which the channel may not even know of.
consent::Cursor Timeline::cursor_to(const Place& place, const Principal& channel) const {
    ByteWriter out;
    out.i64(milliseconds_of(place.time)).raw(place.id.view());
    return consent::Cursor::seal(needs_.vault, holder_of(channel), out.str());
}

std::optional<Place> Timeline::open_cursor(std::string_view cursor,
                                           const Principal& channel) const {
    const auto opened = consent::Cursor::open(needs_.vault, holder_of(channel), cursor);
    if (!opened) return std::nullopt;
    ByteReader in(*opened);
    const auto time = in.i64();
    const auto id = in.id<EventId>();
    if (!in.done()) return std::nullopt;
    return Place{timestamp_of(time), id};
}

// What was said under a shared home counts for the events filed there.
Result<void> Timeline::add_homes(People::Reading reading, std::span<const PersonEvent> events,
                                 Person& person) const {
    std::map<Token, std::set<std::int32_t>> days;
    for (const PersonEvent& entry : events)
        if (entry.through) days[entry.home].insert(day_of(entry.place.time));
    for (const auto& [home, captured] : days)
        CDP_CHECK(needs_.people.add_shared(reading, person, home, captured));
    return Result<void>::ok();
}

// What is past its time goes from the events; the rest is read once. Views of the events.
std::vector<Timeline::Shown> Timeline::shown_of(std::vector<PersonEvent>& events) const {
    const auto now = needs_.clock.now();
    std::erase_if(events, [&](PersonEvent& entry) {
        auto left = unexpired(std::move(entry.event), entry.place.time, now, needs_.config);
        if (left) entry.event = std::move(*left);
        return !left;
    });
    std::vector<Shown> shown;
    shown.reserve(events.size());
    for (const PersonEvent& entry : events) {
        const auto labels = labels_of(needs_.config.policy, entry.event);
        auto& properties =
            shown
                .emplace_back(
                    Shown{.entry = entry, .name = {.labels = {labels.begin(), labels.end()}}})
                .properties;
        for (const auto& [key, json] :
             json::members_of(json::member_of(entry.event.raw, "properties")))
            if (auto name = json::unescape(key))  // it was checked when it was accepted
                properties.push_back(property_of(entry, std::move(*name), json));
    }
    return shown;
}

// Whoever an event names may be somebody else, or nobody yet, and refuse all the same.
Result<void> Timeline::heed_named(People::Reading reading, std::span<Shown> shown, Person& person,
                                  Timestamp now) const {
    for (Shown& one : shown) {
        const auto& event = one.entry.event;
        const auto name = consent::json_string(event.name);
        CDP_CHECK(needs_.people.heed_named(reading, person, {.json = name, .source = event.source},
                                           one.name, now));
        for (Property& property : one.properties)
            CDP_CHECK(needs_.people.heed_named(
                reading, person,
                {.name = property.name, .json = property.json, .source = event.source},
                property.what, now));
    }
    return Result<void>::ok();
}

void Timeline::write_event(const Shown& shown, const consent::Gate& gate, DestinationForms& forms,
                           const consent::Released& name, consent::ReleasedBody& body) const {
    const PersonEvent& entry = shown.entry;
    body.text("{\"id\":\"").id(entry.place.id).text("\",\"type\":");
    write_type(body, entry.event.type);
    body.text(",\"name\":").value(name).text(",\"time\":").time(name.time());
    body.text(",\"source\":").source(name).text(",\"properties\":{");
    Separator comma;
    WithheldList withheld;
    for (const Property& property : shown.properties) {
        auto passed = pass_property(entry, gate, forms, property);
        if (auto* kept = std::get_if<consent::Withheld>(&passed)) {
            withheld.add(std::move(*kept), property.what.untold);
            continue;
        }
        const auto& released = std::get<consent::Released>(passed);
        comma.write(body);
        body.name(released).text(":").value(released);
    }
    body.text("},\"withheld\":");
    withheld.write(body);
    body.text("}");
}

// An event on a shared home that is the person's through a member must pass as the member's, after
// nothing said under the home was against it. That nobody ever asked there is not; a contact that
// it names must pass on both.
consent::Passed Timeline::pass(const PersonEvent& entry, const consent::Gate& gate,
                               consent::Field field) {
    auto as_filed = gate.pass(field);
    if (!entry.through) return as_filed;
    if (const auto* kept = std::get_if<consent::Withheld>(&as_filed))
        if (kept->decision().reason != consent::Reason::never_asked || field.datum.value)
            return as_filed;
    field.datum.home = *entry.through;
    return gate.pass(field);
}

consent::Passed Timeline::pass_name(const Shown& shown, const consent::Gate& gate) {
    const auto& entry = shown.entry;
    const auto json = consent::json_string(entry.event.name);
    return pass(entry, gate,
                {.name = "event",
                 .labels = shown.name.labels,
                 .section = consent::Section::events,
                 .within = entry.event.name,
                 .datum = {.home = entry.home,
                           .value = shown.name.value(),
                           .from_server = entry.event.trust == Trust::server,
                           .captured = entry.place.time},
                 .json = json,
                 .time = entry.place.time,
                 .source = entry.event.source});
}

// A property has the labels of its event, and those of the trait of that name: an e-mail address in
// an order is an e-mail address.
Timeline::Property Timeline::property_of(const PersonEvent& entry, std::string name,
                                         std::string_view json) const {
    // A property is what its own name says, in the light of its event; mapped nowhere, it stays
    // here.
    const auto own = needs_.config.policy.labels_of_property(name);
    consent::Labels labels(own.begin(), own.end());
    if (!own.empty())
        for (const auto& label : labels_of(needs_.config.policy, entry.event))
            labels.push_back(label);
    auto what = classify(needs_.config, needs_.vault,
                         {.name = name,
                          .labels = labels,
                          .json = json,
                          .source = entry.event.source,
                          .of_event = true});
    return {.name = std::move(name), .json = json, .what = std::move(what)};
}

consent::Passed Timeline::pass_property(const PersonEvent& entry, const consent::Gate& gate,
                                        DestinationForms& forms, const Property& property) const {
    const auto& what = property.what;
    const auto& contact = what.contact;
    consent::Field field{.name = property.name,
                         .labels = what.labels,
                         .collected_for = needs_.config.policy.purposes_of_property(property.name),
                         .section = consent::Section::properties,
                         .within = entry.event.name,
                         .is_contact = what.is_contact,
                         .datum = {.home = entry.home,
                                   .value = what.value(),
                                   .from_server = entry.event.trust == Trust::server,
                                   .captured = entry.place.time},
                         .json = property.json,
                         .normal = contact ? std::string_view(contact->normal) : std::string_view{},
                         .time = entry.place.time,
                         .source = entry.event.source};
    forms.complete(field, contact ? std::string_view(contact->type) : std::string_view{});
    return pass(entry, gate, field);
}

}  // namespace cdp
