#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"

// More of what an object of ours may hold. An absent member is empty; errors name `pointer`.
namespace api {

// wrong_type; malformed_time: no RFC 3339 time.
cdp::Result<std::optional<cdp::Timestamp>> time_member(const nlohmann::json& object,
                                                       const char* name,
                                                       const std::string& pointer);

inline constexpr std::size_t kStringsMax = 1'000;

// A list of strings; too_many above kStringsMax.
cdp::Result<std::vector<std::string>> strings_member(const nlohmann::json& object, const char* name,
                                                     const std::string& pointer);

}  // namespace api
