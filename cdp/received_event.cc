#include "cdp/received_event.h"

#include <algorithm>

#include "cdp/json_scan.h"
#include "consent/json_string.h"

namespace cdp {

std::string received_members(const StoredEvent& event,
                             std::initializer_list<std::string_view> without) {
    std::string out;
    const auto add = [&](std::string_view key, std::string_view json) {
        if (!out.empty()) out += ',';
        out.append("\"").append(key).append("\":").append(json);
    };
    for (const auto& [key, json] : json::members_of(event.raw)) {
        const auto is_key = [key = key](std::string_view name) { return json::key_is(key, name); };
        if (!is_key("writeKey") && std::ranges::none_of(without, is_key)) add(key, json);
    }
    if (json::member_of(event.raw, "type").empty())
        add("type", consent::json_string(to_string(event.type)));
    if (json::member_of(event.raw, "messageId").empty())
        add("messageId", consent::json_string(event.message_id));
    return out;
}

std::span<const std::string> labels_of(const consent::Policy& policy, const StoredEvent& event) {
    if (event.type == EventType::track) return policy.labels_of_event(event.name);
    return policy.event_default;
}

}  // namespace cdp
