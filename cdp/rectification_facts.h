#pragma once

#include <string>
#include <string_view>

#include "cdp/rectifications.h"

// That something was put right, byte by byte; private to cdp/rectification*.cc.
namespace cdp {

std::string rectifications_prefix();
std::string rectification_key(const PrivacyRequestId& id);
// What the ledger's entry commits to: all but the salt.
std::string encode_rectification(const Rectification& rectification);
std::string seal_rectification(const storage::Vault& vault, std::string_view key,
                               const Rectification& rectification);
Result<Rectification> open_rectification(const storage::Vault& vault, std::string_view key,
                                         std::string_view sealed);

}  // namespace cdp
