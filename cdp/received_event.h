#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "cdp/facts.h"

namespace cdp {

// The members of an event as it was received, with the type and the messageId that it may lack and
// without those named and the write key, which is nobody's to read. Never empty; white space stays.
std::string received_members(const StoredEvent& event,
                             std::initializer_list<std::string_view> without = {});

}  // namespace cdp
