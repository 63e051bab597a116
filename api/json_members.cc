#include "api/json_members.h"

#include <nlohmann/json.hpp>

#include "api/json.h"
#include "api/parameters.h"

namespace api {

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

}  // namespace api
