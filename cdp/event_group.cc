#include <utility>

#include "cdp/event_read.h"
#include "cdp/json_scan.h"

namespace cdp {

std::variant<std::string, identity::Refusal> normal_group_id(std::string_view raw) {
    return identity::normal_form({.name = "group_id"}, raw, "");
}

namespace reading {
namespace {

// The event's own member before the context's. A group call has been asked for its own already.
IdText named_group(const Members& members) {
    auto own = id_text(members, members.group_id, "groupId");
    if (own.text || own.wrong_type) return own;
    return id_text_in(json::member_of(members.text, "context"), members.context_group_id,
                      "groupId");
}

}  // namespace

void read_group(Event& event, const Members& members, Warnings warnings) {
    const auto named = named_group(members);
    if (named.wrong_type) return warnings.add("malformed_group_id");
    if (!named.text) return;
    auto form = normal_group_id(*named.text);
    if (const auto* refusal = std::get_if<identity::Refusal>(&form))
        return warnings.add(std::string(identity::to_string(*refusal)) + "_group_id");
    event.group_id = std::move(*std::get_if<std::string>(&form));
    if (event.type == EventType::group) event.group_traits = read_own_traits(members, warnings);
}

}  // namespace reading
}  // namespace cdp
