#include <algorithm>
#include <span>
#include <tuple>

#include "cdp/config.h"
#include "cdp/event_read.h"
#include "cdp/json_scan.h"

namespace cdp::reading {
namespace {

using identity::Identifier;
using identity::IdentifierType;
using identity::LinkClass;
using simdjson::dom::object;

// More entries than this are not read: an event of 32 KB could list a thousand telephone numbers.
constexpr std::size_t kExternalIdsMax = 64;

// A contact and the traits that call it verified.
struct Contact {
    std::string_view name;
    std::span<const std::string_view> verified_flags;
};
constexpr std::string_view kEmailFlags[] = {"email_verified", "emailVerified"};
constexpr std::string_view kPhoneFlags[] = {"phone_verified", "phoneVerified",
                                            "phone_number_verified"};
constexpr Contact kContacts[] = {{"email", kEmailFlags}, {"phone", kPhoneFlags}};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

// A string, or an integer as its JSON text.
std::optional<std::string> string_or_integer(const json::Value& value) {
    if (!value) return std::nullopt;
    if (const auto text = json::string_of(value)) return std::string(*text);
    if (value->is_int64()) return std::to_string(value->get_int64().value_unsafe());
    if (value->is_uint64()) return std::to_string(value->get_uint64().value_unsafe());
    return std::nullopt;
}

class Reader {
public:
    Reader(const Members& members, const ParseContext& context, Warnings warnings)
        : members_(members), context_(context), warnings_(warnings) {}

    std::vector<Identifier> read(EventType type) {
        top_level("userId", "user_id", members_.user_id);
        top_level("anonymousId", "anonymous_id", members_.anonymous_id);
        if (members_.external_ids) external_ids();
        // An event must say whose it is; what it says of an address or a device comes on top.
        if (found_.empty()) return {};
        contacts(type);
        if (const auto device = json::object_of(members_.device)) device_ids(*device);
        return best_first();
    }

private:
    void top_level(std::string_view name, std::string_view type, const json::Value& value) {
        const auto id = id_text(members_, value, name);
        if (id.wrong_type) return warnings_.add("malformed_" + std::string(type));
        if (id.text) add(known(type, LinkClass::cookie), *id.text, false);
    }

    // Top-level traits win over the context's, which may be left over from an earlier user.
    void contacts(EventType type) {
        const auto own = type == EventType::identify ? json::object_of(members_.traits)
                                                     : std::optional<object>{};
        const auto stored = json::object_of(members_.context_traits);
        for (const auto& contact : kContacts)
            for (const auto& traits : {own, stored})
                if (traits && read_contact(*traits, contact)) break;
    }

    // Whether the traits name this contact at all.
    bool read_contact(const object& traits, const Contact& contact) {
        const auto value = json::member(traits, contact.name);
        if (!value) return false;
        const auto text = string_or_integer(value);
        if (!text) {
            warnings_.add("malformed_" + std::string(contact.name));
            return true;
        }
        if (is_blank(*text)) return false;
        const auto says = [&](std::string_view flag) {
            return json::is_true(json::member(traits, flag));
        };
        const auto& flags = contact.verified_flags;
        const bool verified = std::any_of(flags.begin(), flags.end(), says);
        add(known(contact.name, LinkClass::unverified_contact), *text, verified);
        return true;
    }

    void device_ids(const object& device) {
        if (const auto id = string_or_integer(json::member(device, "id")); id && !is_blank(*id))
            add(known("device_id", LinkClass::device), *id, false);

        const auto advertising = json::string_of(json::member(device, "advertisingId"));
        if (!advertising || is_blank(*advertising)) return;
        const auto tracking = json::member(device, "adTrackingEnabled");
        bool enabled = true;
        if (tracking && tracking->get_bool().get(enabled) != simdjson::SUCCESS) enabled = false;
        if (!enabled) return;
        add(known(advertising_type(device), LinkClass::device), *advertising, false);
    }

    std::string_view advertising_type(const object& device) const {
        const auto kind = [](const json::Value& value) -> std::string_view {
            const auto name = lower(json::string_of(value).value_or(""));
            if (name == "ios" || name == "ipados") return "ios.idfa";
            if (name == "android") return "android.idfa";
            return "";
        };
        if (const auto found = kind(json::member(device, "type")); !found.empty()) return found;
        if (const auto os = json::object_of(members_.os))
            if (const auto found = kind(json::member(*os, "name")); !found.empty()) return found;
        return "advertising_id";
    }

    void external_ids() {
        const auto list = json::array_of(members_.external_ids);
        if (!list) return warnings_.add("invalid_external_ids");
        std::size_t read = 0;
        for (const auto entry : *list) {
            if (++read > kExternalIdsMax) return warnings_.add("too_many_identifiers");
            const auto object = json::object_of(entry);
            if (object)
                external_id(*object);
            else
                warnings_.add("invalid_external_ids");
        }
    }

    void external_id(const object& entry) {
        // What belongs to a company is no error and no identifier of a person.
        const auto collection = json::member(entry, "collection");
        if (collection && json::string_of(collection).value_or("") != "users") return;
        auto type = lower(json::string_of(json::member(entry, "type")).value_or(""));
        if (type.ends_with(".push_token") || type == "group_id") return;
        if (!identity::is_type_name(type) || type == kPersonType)
            return warnings_.add("invalid_external_id_type");
        // A hashed contact is a type of its own.
        const auto encoding = json::member(entry, "encoding");
        const auto method = lower(json::string_of(encoding).value_or(""));
        if (method == "sha256" && context_.types->all().contains(type + "_sha256"))
            type += "_sha256";
        else if (encoding && method != "none")
            return warnings_.add("unsupported_external_id_encoding");

        const auto id = json::member(entry, "id");
        const auto text = string_or_integer(id);
        if (id && !text) return warnings_.add("malformed_" + code_name(type));
        if (text && !is_blank(*text))
            add(context_.types->find(type), *text, json::is_true(json::member(entry, "verified")));
    }

    // The configured type; one of `otherwise` class when the configuration has dropped it.
    IdentifierType known(std::string_view name, LinkClass otherwise) const {
        const auto& all = context_.types->all();
        if (const auto it = all.find(name); it != all.end()) return it->second;
        return {.name = std::string(name), .link_class = otherwise};
    }

    // Types that only the sender named could say something about a person.
    std::string code_name(const std::string& type) const {
        return context_.types->all().contains(type) ? type : "external_id";
    }

    void add(const IdentifierType& type, std::string_view raw, bool says_verified) {
        auto normal = identity::normal_form(type, raw, context_.region);
        if (const auto* refusal = std::get_if<identity::Refusal>(&normal))
            return warnings_.add(std::string(identity::to_string(*refusal)) + "_" +
                                 code_name(type.name));
        LinkClass link_class = type.link_class;
        if (is_contact(link_class)) {
            const bool believed = says_verified && context_.trust == Trust::server;
            link_class = believed ? LinkClass::verified_contact : LinkClass::unverified_contact;
        }
        auto& value = *std::get_if<std::string>(&normal);
        for (auto& seen : found_) {
            if (seen.type != type.name || seen.value != value) continue;
            seen.link_class = std::min(seen.link_class, link_class);
            return;
        }
        found_.push_back({type.name, std::move(value), std::string(raw), link_class});
    }

    std::vector<Identifier> best_first() {
        std::sort(found_.begin(), found_.end(), [](const Identifier& a, const Identifier& b) {
            return std::tie(a.link_class, a.type, a.value) <
                   std::tie(b.link_class, b.type, b.value);
        });
        if (found_.size() > kIdentifiersMax) {
            warnings_.add("too_many_identifiers");
            found_.resize(kIdentifiersMax);
        }
        return std::move(found_);
    }

    const Members& members_;
    const ParseContext& context_;
    Warnings warnings_;
    std::vector<Identifier> found_;
};

}  // namespace

std::vector<Identifier> read_identifiers(const Members& members, EventType type,
                                         const ParseContext& context, Warnings warnings) {
    return Reader(members, context, warnings).read(type);
}

}  // namespace cdp::reading
