#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "cdp/facts.h"
#include "consent/policy.h"

namespace cdp {

// The members of an event as it was received, with the type and the messageId that it may lack and
// without those named and the write key, which is nobody's to read. Never empty; white space stays.
std::string received_members(const StoredEvent& event,
                             std::initializer_list<std::string_view> without = {});

// The rules are about the names of track events. Anybody may call a page like one.
std::span<const std::string> labels_of(const consent::Policy& policy, const StoredEvent& event);

}  // namespace cdp
