#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/parameters.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"

// More of what an object of ours may hold. An absent member is empty; errors name `pointer`.
namespace api {

// A string that must be there: member_missing, also where it is empty.
cdp::Result<std::string> required_member(const nlohmann::json& object, const char* name,
                                         const std::string& pointer);

// wrong_type; malformed_time: no RFC 3339 time.
cdp::Result<std::optional<cdp::Timestamp>> time_member(const nlohmann::json& object,
                                                       const char* name,
                                                       const std::string& pointer);

inline constexpr std::size_t kStringsMax = 1'000;

// `identifier`, an object of a type and a value: identifier_missing, at /identifier.
cdp::Result<Subject> identifier_member(const nlohmann::json& document);

// `traits`, by name the JSON of each: wrong_type, at /traits.
cdp::Result<std::map<std::string, std::string>> traits_member(const nlohmann::json& document);

// A list of strings; too_many above kStringsMax.
cdp::Result<std::vector<std::string>> strings_member(const nlohmann::json& object, const char* name,
                                                     const std::string& pointer);

}  // namespace api
