#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cdp/groups.h"

// Keys and values of groups, byte by byte in docs/STORAGE.md; private to cdp/group*.cc.
namespace cdp {

std::string group_key(const GroupId& group);
std::string group_trait_key(const GroupId& group, const TraitName& name);
std::string group_member_key(const GroupId& group, const Token& home);
std::string group_of_key(const Token& home, const GroupId& group);

// Under whose key the group's values are sealed.
Token subject_of(const GroupId& group);

std::string encode(const DaySpan& days);
std::string encode_group_id(std::string_view normal_form);
// nullopt when the bytes are not what encode wrote.
std::optional<DaySpan> decode_days(std::string_view bytes);
std::optional<std::string> decode_group_id(std::string_view bytes);

}  // namespace cdp
