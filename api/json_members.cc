#include "api/json_members.h"

#include <nlohmann/json.hpp>

#include "api/json.h"
#include "api/parameters.h"

namespace api {

cdp::Result<std::string> required_member(const nlohmann::json& object, const char* name,
                                         const std::string& pointer) {
    auto text = CDP_TRY(string_member(object, name, pointer));
    if (text.empty())
        return invalid("member_missing", std::string(name) + " field is required.",
                       pointer + "/" + name);
    return text;
}

cdp::Result<std::optional<cdp::Timestamp>> time_member(const nlohmann::json& object,
                                                       const char* name,
                                                       const std::string& pointer) {
    const auto text = CDP_TRY(string_member(object, name, pointer));
    if (text.empty()) return std::optional<cdp::Timestamp>();
    const auto time = cdp::parse_time(text);
    if (!time)
        return invalid("malformed_time", "An RFC 3339 time is expected here.",
                       pointer + "/" + name);
    return time;
}

cdp::Result<std::vector<std::string>> strings_member(const nlohmann::json& object, const char* name,
                                                     const std::string& pointer) {
    std::vector<std::string> out;
    const auto list = object.find(name);
    if (list == object.end() || list->is_null()) return out;
    const auto at = pointer + "/" + name;
    if (!list->is_array()) return invalid("wrong_type", "A list is expected here.", at);
    if (list->size() > kStringsMax)
        return invalid("too_many", "A list of at most 1000 is expected here.", at);
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto& one = (*list)[i];
        if (!one.is_string())
            return invalid("wrong_type", "A string is expected here.",
                           at + "/" + std::to_string(i));
        out.push_back(one.get<std::string>());
    }
    return out;
}

cdp::Result<Subject> identifier_member(const nlohmann::json& document) {
    const auto identifier = document.find("identifier");
    if (identifier == document.end())
        return invalid("identifier_missing", "An identifier is expected here.", "/identifier");
    CDP_CHECK(check_members(*identifier, "/identifier", {"type", "value"}));
    Subject out;
    out.type = CDP_TRY(string_member(*identifier, "type", "/identifier"));
    out.value = CDP_TRY(string_member(*identifier, "value", "/identifier"));
    if (out.type.empty() || out.value.empty())
        return invalid("identifier_missing", "An identifier has a type and a value.",
                       "/identifier");
    return out;
}

cdp::Result<std::map<std::string, std::string>> traits_member(const nlohmann::json& document) {
    std::map<std::string, std::string> out;
    const auto found = document.find("traits");
    if (found == document.end()) return out;
    if (!found->is_object()) return invalid("wrong_type", "An object is expected here.", "/traits");
    for (const auto& [name, value] : found->items()) out[name] = value.dump();
    return out;
}

}  // namespace api
