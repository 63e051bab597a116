#pragma once

#include <string>

#include "consent/disclosure.h"

namespace cdp {

// One field of a mask, without braces: "section":…,"name":… and `event` of what an event holds.
std::string mask_field_members(const consent::MaskField& field);

// "left":[…],"withheld":[…]: each field with its labels, and the form it left in or why it stayed.
std::string mask_json(const consent::Mask& mask);

}  // namespace cdp
