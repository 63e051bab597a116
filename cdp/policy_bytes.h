#pragma once

#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "consent/policy.h"
#include "consent/sha256.h"

// A policy as bytes that name it: equal policies have equal bytes, whatever file they came from.
namespace cdp {

std::string encode(const consent::Policy& policy);
// Error corruption for what encode did not write.
Result<consent::Policy> decode_policy(std::string_view bytes);

// SHA-256 over the bytes: the version that decisions name.
consent::Sha256 version_of(const consent::Policy& policy);

}  // namespace cdp
