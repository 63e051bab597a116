#include "cdp/event_remnant.h"

#include <algorithm>
#include <array>

#include "cdp/base/bytes.h"
#include "cdp/json_scan.h"
#include "cdp/retention.h"
#include "cdp/sightings.h"
#include "consent/json_writer.h"

namespace cdp {
namespace {

using consent::JsonWriter;

// What devices say of being tracked; cdp/event_signals.cc reads it.
constexpr std::array<std::string_view, 4> kTracking{"attStatus", "trackingStatus",
                                                    "attTrackingStatus", "adTrackingEnabled"};
// Members of a context that say who it is, or what may be done, and hold no properties.
constexpr std::array<std::string_view, 7> kKeptContext{
    "externalIds", "device", "os", "groupId", "consent", "consentManagement", "gpc"};

// The end of a remnant's text.
constexpr std::string_view kSeveral = R"(,"several":true})";

void write_identifiers(JsonWriter& out, std::string_view name,
                       const std::vector<identity::Identifier>& identifiers) {
    out.open_list(name);
    for (const auto& one : identifiers) {
        out.open().text("type", one.type).text("id", one.raw);
        if (one.link_class == identity::LinkClass::verified_contact) out.flag("verified", true);
        out.close();
    }
    out.close_list();
}

void copy_member(JsonWriter& out, std::string_view object, std::string_view name) {
    const auto value = json::member_of(object, name);
    if (!value.empty()) out.json(name, json::minify(value));
}

void write_consent(JsonWriter& out, std::string_view context) {
    for (const auto* name : {"consent", "consentManagement", "gpc"})
        copy_member(out, context, name);
    const auto device = json::member_of(context, "device");
    out.open("device");
    for (const auto name : kTracking) copy_member(out, device, name);
    out.close();
}

// One text without some of its members.
class Cut {
public:
    Cut(const ExpiredParts& parts, Shortened& out) : parts_(parts), out_(out) {}

    std::string event(std::string_view raw, EventType type) {
        return object(raw, [&](std::string_view name, std::string_view value) {
            if (name == "properties") return inside(value);
            if (name == "traits" && type != EventType::group) return traits(value);
            if (name == "context") return context(value);
            return std::string(value);
        });
    }

    bool changed() const { return changed_; }

private:
    std::string context(std::string_view text) {
        return object(text, [&](std::string_view name, std::string_view value) {
            if (name == "traits") return traits(value);
            if (std::ranges::find(kKeptContext, name) != kKeptContext.end())
                return std::string(value);
            return is_past(name, true) ? std::string{} : inside(value);
        });
    }

    // A trait is one value, also where it has parts.
    std::string traits(std::string_view text) {
        return object(text, [&](std::string_view name, std::string_view value) {
            return is_past(name, false) ? std::string{} : std::string(value);
        });
    }

    // However deep.
    std::string inside(std::string_view value) {
        json::Scan scan(value);
        if (scan.take('{'))
            return object(value, [&](std::string_view name, std::string_view one) {
                return is_past(name, true) ? std::string{} : inside(one);
            });
        if (!scan.take('[')) return std::string(value);
        std::string out = "[";
        if (!scan.take(']')) do {
                const auto element = scan.value();
                if (!element) return std::string(value);
                out += (out.size() > 1 ? "," : "") + inside(*element);
            } while (scan.take(','));
        return out + "]";
    }

    // `visit` answers the member's value; empty: it goes.
    template <typename VisitMember>
    std::string object(std::string_view text, VisitMember visit) {
        if (json::Scan scan(text); !scan.take('{')) return std::string(text);
        std::string out = "{";
        for (const auto& [key, value] : json::members_of(text)) {
            const auto name = json::unescape(key);
            const auto left = visit(name ? *name : std::string(key), value);
            if (left.empty()) continue;
            out.append(out.size() > 1 ? ",\"" : "\"").append(key).append("\":").append(left);
        }
        return out + "}";
    }

    bool is_past(std::string_view name, bool of_event) {
        if (!(of_event ? parts_.property(name) : parts_.trait(name))) return false;
        changed_ = true;
        if (of_event) out_.properties.emplace_back(name);
        return true;
    }

    const ExpiredParts& parts_;
    Shortened& out_;
    bool changed_ = false;
};

// Names in its context whom the event named, whatever else of it names them.
std::string naming(std::string_view raw, const Event& read) {
    JsonWriter out;
    out.open();
    for (const auto& [key, value] : json::members_of(raw))
        if (!json::key_is(key, "context")) out.json(*json::unescape(key), value);
    out.open("context");
    for (const auto& [key, value] : json::members_of(json::member_of(raw, "context")))
        if (!json::key_is(key, "externalIds")) out.json(*json::unescape(key), value);
    write_identifiers(out, "externalIds", read.identifiers);
    return out.close().close().take();
}

bool same_identifiers(const Event& a, const Event& b) {
    return std::ranges::equal(a.identifiers, b.identifiers, [](const auto& x, const auto& y) {
        return x.type == y.type && x.value == y.value && x.link_class == y.link_class;
    });
}

}  // namespace

StoredEvent remnant_of(const StoredEvent& event, const Event& read) {
    StoredEvent out = event;
    out.type = read.previous_id ? EventType::alias : EventType::page;
    out.name.clear();
    out.message_id.clear();
    out.time_adjusted = false;
    out.remnant = true;
    JsonWriter json;
    json.open();
    // Of those alone the platform reads what they name from here.
    if (read.previous_id)
        for (const auto* name : {"userId", "previousId"}) copy_member(json, event.raw, name);
    if (!read.group_id.empty()) json.text("groupId", read.group_id);
    json.open("context");
    write_identifiers(json, "externalIds", read.identifiers);
    if (has_stamps(read)) write_consent(json, json::member_of(event.raw, "context"));
    out.raw = json.close().close().take();
    return out;
}

StoredEvent standing_for_several(StoredEvent remnant) {
    if (stands_for_several(remnant)) return remnant;
    remnant.raw.pop_back();
    remnant.raw.append(kSeveral);
    return remnant;
}

bool stands_for_several(const StoredEvent& event) {
    return event.remnant && event.raw.ends_with(kSeveral);
}

std::string what_it_says(const StoredEvent& remnant) {
    std::string_view raw = remnant.raw;
    raw.remove_suffix(stands_for_several(remnant) ? kSeveral.size() : 1);
    ByteWriter out;
    out.bytes(remnant.source).u8(static_cast<std::uint8_t>(remnant.type));
    out.u8(static_cast<std::uint8_t>(remnant.trust)).u8(remnant.gpc).bytes(raw);
    return out.take();
}

std::optional<Shortened> without(const StoredEvent& event, const Event& read,
                                 const ExpiredParts& parts, const Config& config) {
    Shortened out{.event = event};
    Cut cut(parts, out);
    out.event.raw = cut.event(event.raw, event.type);
    if (!cut.changed()) return std::nullopt;
    auto again = read_again(out.event, config);
    if (!again || !same_identifiers(*again, read)) {
        out.event.raw = naming(out.event.raw, read);
        again = read_again(out.event, config);
    }
    for (const Trait& trait : read.traits) {
        const auto stays = again && std::ranges::any_of(again->traits, [&](const Trait& left) {
                               return left.name == trait.name && left.json == trait.json;
                           });
        if (!stays) out.traits.push_back(trait);
    }
    return out;
}

std::optional<StoredEvent> unexpired(StoredEvent event, Timestamp time, Timestamp now,
                                     const Config& config) {
    if (event.remnant) return std::nullopt;
    if (config.retention.empty()) return event;
    if (is_past(event_expiry(config, event.type, event.name, time), now)) return std::nullopt;
    if (!has_rules_of_parts(config)) return event;
    const auto read = read_again(event, config);
    if (!read) return event;
    const ExpiredParts parts{
        [&](std::string_view name) { return is_past(property_expiry(config, name, time), now); },
        [&](std::string_view name) { return is_past(trait_expiry(config, name, time), now); }};
    auto left = without(event, *read, parts, config);
    return left ? std::move(left->event) : std::move(event);
}

}  // namespace cdp
