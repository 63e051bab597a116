#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/event.h"
#include "cdp/json_dom.h"
#include "cdp/refuse.h"

// The steps of reading one event, private to cdp/event*.cc.
namespace cdp::reading {

// An event's members, unjudged. They live as long as the document and the text they came from.
struct Members {
    std::string_view text;
    json::Value type, user_id, anonymous_id, group_id, previous_id, message_id;
    json::Value event, name, timestamp, original_timestamp, sent_at, traits, write_key;
    bool bad_context = false;  // there is one, and it is no object
    json::Value context_traits, context_group_id, device, os, external_ids, consent;
    json::Value consent_management, gpc;
};

Members members_of_event(std::string_view text, const simdjson::dom::object& event);

// Machine codes, each once.
class Warnings {
public:
    explicit Warnings(std::vector<std::string>& codes) : codes_(codes) {}
    void add(std::string code);

private:
    std::vector<std::string>& codes_;
};

// A top-level member that may be an id: a string as it is, a number as its JSON text. Blank counts
// as absent.
struct IdText {
    std::optional<std::string> text;
    bool wrong_type = false;
};
IdText id_text(const Members& members, const json::Value& value, std::string_view name);
// The same of a member of `object`, the JSON text it stands in.
IdText id_text_in(std::string_view object, const json::Value& value, std::string_view name);

bool is_blank(std::string_view text);

// An RFC 3339 time or epoch milliseconds.
std::optional<Timestamp> time_of(const json::Value& value);

std::vector<identity::Identifier> read_identifiers(const Members& members, EventType type,
                                                   const ParseContext& context, Warnings warnings);
// What stands in the event's own `traits`: the person's in an identify call, the company's in a
// group call.
std::vector<Trait> read_own_traits(const Members& members, Warnings warnings);
// What the event says of the person.
std::vector<Trait> read_traits(const Members& members, EventType type, Warnings warnings);
std::vector<Preference> read_preferences(const Members& members, Warnings warnings);
// `gpc`: the request itself said it.
std::vector<SentSignal> read_signals(const Members& members, bool gpc, Warnings warnings);

// The group the event names and, of a group call, its traits.
void read_group(Event& event, const Members& members, Warnings warnings);

// Where an event stands in its body.
struct Place {
    std::optional<std::size_t> index;  // in `batch`; nullopt: the body is the event

    std::string pointer(std::string_view rest = {}) const {
        return (index ? "/batch/" + std::to_string(*index) : std::string()).append(rest);
    }
};

// The envelope's part in an event.
struct Outside {
    std::optional<EventType> implied;  // by the path
    bool implied_wins = false;         // over the event's own type
    std::optional<Timestamp> sent;
};

// What `event` says. Errors have a pointer that begins at `place`.
Result<Event> read_event(const Members& event, const Outside& outside, const Place& place,
                         const ParseContext& context);

}  // namespace cdp::reading
