#include <algorithm>

#include "cdp/event_read.h"
#include "cdp/event_time.h"
#include "cdp/json_scan.h"

namespace cdp::reading {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

template <typename Owner>
struct Slot {
    std::string_view name;
    json::Value Owner::* value;
};

constexpr Slot<Members> kTopLevel[] = {
    {"type", &Members::type},
    {"userId", &Members::user_id},
    {"anonymousId", &Members::anonymous_id},
    {"groupId", &Members::group_id},
    {"previousId", &Members::previous_id},
    {"messageId", &Members::message_id},
    {"event", &Members::event},
    {"name", &Members::name},
    {"timestamp", &Members::timestamp},
    {"originalTimestamp", &Members::original_timestamp},
    {"sentAt", &Members::sent_at},
    {"traits", &Members::traits},
    {"writeKey", &Members::write_key},
};

constexpr Slot<Members> kContext[] = {
    {"traits", &Members::context_traits},
    {"groupId", &Members::context_group_id},
    {"device", &Members::device},
    {"os", &Members::os},
    {"externalIds", &Members::external_ids},
    {"consent", &Members::consent},
    {"consentManagement", &Members::consent_management},
    {"gpc", &Members::gpc},
};

template <std::size_t N>
void fill(Members& members, const Slot<Members> (&slots)[N], std::string_view key,
          const element& value) {
    for (const auto& slot : slots) {
        if (slot.name != key) continue;
        if (!value.is_null()) members.*slot.value = value;
        return;
    }
}

}  // namespace

Members members_of_event(std::string_view text, const object& event) {
    Members members;
    members.text = text;
    for (const auto field : event) {
        if (field.key != "context") {
            fill(members, kTopLevel, field.key, field.value);
            continue;
        }
        const auto context = json::object_of(field.value);
        members.bad_context = !context && !field.value.is_null();
        if (!context) continue;
        for (const auto inner : *context) fill(members, kContext, inner.key, inner.value);
    }
    return members;
}

void Warnings::add(std::string code) {
    if (std::find(codes_.begin(), codes_.end(), code) == codes_.end())
        codes_.push_back(std::move(code));
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

IdText id_text(const Members& members, const json::Value& value, std::string_view name) {
    return id_text_in(members.text, value, name);
}

IdText id_text_in(std::string_view object, const json::Value& value, std::string_view name) {
    if (!value) return {};
    if (const auto text = json::string_of(value)) {
        if (is_blank(*text)) return {};
        return {std::string(*text)};
    }
    if (!value->is_number()) return {.text = {}, .wrong_type = true};
    return {std::string(json::member_of(object, name))};
}

std::optional<Timestamp> time_of(const json::Value& value) {
    if (!value) return std::nullopt;
    if (const auto text = json::string_of(value)) return parse_time(*text);
    double number = 0;
    if (value->get_double().get(number) != simdjson::SUCCESS) return std::nullopt;
    return time_of_number(number);
}

}  // namespace cdp::reading
