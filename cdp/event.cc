#include "cdp/event.h"

#include <utility>

#include "cdp/event_read.h"
#include "cdp/event_time.h"

namespace cdp {
namespace {

constexpr std::pair<EventType, std::string_view> kTypes[] = {
    {EventType::identify, "identify"}, {EventType::track, "track"}, {EventType::page, "page"},
    {EventType::screen, "screen"},     {EventType::group, "group"}, {EventType::alias, "alias"},
};

}  // namespace

std::string_view to_string(EventType value) {
    for (const auto& [type, name] : kTypes)
        if (type == value) return name;
    CDP_ASSERT(false);
    return {};
}

std::optional<EventType> parse_event_type(std::string_view name) {
    for (const auto& [type, known] : kTypes)
        if (known == name) return type;
    return std::nullopt;
}

namespace reading {
namespace {

Result<EventType> read_type(const Members& members, const Outside& outside, const Place& place) {
    if (outside.implied && (outside.implied_wins || !members.type)) return *outside.implied;
    if (const auto name = json::string_of(members.type))
        if (const auto type = parse_event_type(*name)) return *type;
    return refuse("invalid_type", "The type must be identify, track, page, screen, group or alias.",
                  place.pointer("/type"));
}

Result<std::string> read_message_id(const Members& members, const Place& place,
                                    const ParseContext& context) {
    auto id = id_text(members, members.message_id, "messageId");
    if (id.wrong_type || (id.text && id.text->size() > kMessageIdBytesMax))
        return refuse("invalid_event", "The messageId must be a string of at most 256 bytes.",
                      place.pointer("/messageId"));
    return id.text ? std::move(*id.text) : context.new_message_id();
}

Result<std::string> required_id(const Members& members, const json::Value& value,
                                std::string_view name, const Place& place) {
    auto id = id_text(members, value, name);
    if (id.text) return std::move(*id.text);
    return refuse("invalid_event", "This type of event needs a " + std::string(name) + ".",
                  place.pointer("/" + std::string(name)));
}

std::string_view trimmed(std::string_view text) {
    const std::string_view space = " \t\r\n\f\v";
    const auto begin = text.find_first_not_of(space);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

// What only one type of event has.
Result<void> read_own_members(Event& event, const Members& members, const Place& place) {
    switch (event.type) {
        case EventType::identify: break;
        case EventType::track: {
            const auto name = json::string_of(members.event);
            if (!name)
                return refuse("invalid_event", "A track call needs the name of its event.",
                              place.pointer("/event"));
            event.name = *name;
            break;
        }
        case EventType::page:
        case EventType::screen: event.name = json::string_of(members.name).value_or(""); break;
        case EventType::group:
            CDP_CHECK(required_id(members, members.group_id, "groupId", place));
            break;
        case EventType::alias: {
            const auto user = CDP_TRY(required_id(members, members.user_id, "userId", place));
            auto previous = CDP_TRY(required_id(members, members.previous_id, "previousId", place));
            if (trimmed(previous) != trimmed(user)) event.previous_id = std::move(previous);
            break;
        }
    }
    return Result<void>::ok();
}

void read_time(Event& event, const Members& members, const Outside& outside, bool import,
               Warnings warnings) {
    const auto& claim = members.timestamp ? members.timestamp : members.original_timestamp;
    ClaimedTime claimed;
    claimed.present = claim.has_value();
    claimed.time = time_of(claim);
    claimed.sent = members.sent_at ? time_of(members.sent_at) : outside.sent;
    const auto fixed = fix_time(claimed, event.received, import);
    event.time = fixed.time;
    event.time_adjusted = fixed.note != TimeNote::as_claimed && fixed.note != TimeNote::absent;
    switch (fixed.note) {
        case TimeNote::as_claimed:
        case TimeNote::absent:
        case TimeNote::corrected: break;
        case TimeNote::in_future: warnings.add("timestamp_in_future"); break;
        case TimeNote::unreadable: warnings.add("unreadable_timestamp"); break;
        case TimeNote::before_1970: warnings.add("timestamp_before_1970"); break;
    }
}

}  // namespace

Result<Event> read_event(const Members& members, const Outside& outside, const Place& place,
                         const ParseContext& context) {
    Event event;
    event.received = context.received;
    event.type = CDP_TRY(read_type(members, outside, place));
    event.message_id = CDP_TRY(read_message_id(members, place, context));
    CDP_CHECK(read_own_members(event, members, place));
    Warnings warnings(event.warnings);
    if (members.bad_context) warnings.add("invalid_context");
    event.identifiers = read_identifiers(members, event.type, context, warnings);
    if (event.identifiers.empty())
        return refuse("no_identifier",
                      "The event has no userId, anonymousId or external id that can be used.",
                      place.pointer());
    event.traits = read_traits(members, event.type, warnings);
    read_group(event, members, warnings);
    event.preferences = read_preferences(members, warnings);
    event.signals = read_signals(members, context.gpc, warnings);
    read_time(event, members, outside, context.import, warnings);
    event.raw = members.text;
    return event;
}

}  // namespace reading
}  // namespace cdp
