#include "cdp/others_contacts.h"

#include "cdp/json_scan.h"
#include "cdp/named_contacts.h"
#include "consent/json_string.h"

namespace cdp {
namespace {

constexpr std::size_t kKnownMax = 4'096;

}  // namespace

Result<std::string> OthersContacts::without(std::string_view json, std::string_view source) {
    return value(json::trim(json), source);
}

Result<std::string> OthersContacts::value(std::string_view json, std::string_view source) {
    if (json.starts_with('{')) return object(json, source);
    if (json.starts_with('[')) return list(json, source);
    if (!CDP_TRY(names_others(json, source))) return std::string(json);
    ++withheld_;
    return consent::json_string(kMarker);
}

Result<std::string> OthersContacts::object(std::string_view json, std::string_view source) {
    std::string out = "{";
    for (const auto& [key, member] : json::members_of(json)) {
        if (out.size() > 1) out += ',';
        const auto name = '"' + std::string(key) + '"';
        const bool others = CDP_TRY(names_others(name, source));
        withheld_ += others ? 1 : 0;
        out += others ? consent::json_string(kMarker) : name;
        out.append(1, ':').append(CDP_TRY(value(member, source)));
    }
    out += '}';
    return out;
}

Result<std::string> OthersContacts::list(std::string_view json, std::string_view source) {
    std::string out = "[";
    json::Scan scan(json);
    if (!scan.take('[') || scan.take(']')) return std::string("[]");
    do {
        const auto element = scan.value();
        if (!element) break;
        if (out.size() > 1) out += ',';
        out += CDP_TRY(value(*element, source));
    } while (scan.take(','));
    out += ']';
    return out;
}

Result<bool> OthersContacts::names_others(std::string_view literal, std::string_view source) {
    std::string name(source);
    name.append(1, ' ').append(literal);
    if (const auto met = known_.find(name); met != known_.end()) return met->second;
    bool others = false;
    for (const auto& contact : contacts_in_json(config_, vault_, literal, {.source = source}))
        others = others || CDP_TRY(is_others_(contact.token));
    if (known_.size() >= kKnownMax) known_.clear();
    known_.emplace(std::move(name), others);
    return others;
}

}  // namespace cdp
