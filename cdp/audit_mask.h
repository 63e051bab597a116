#pragma once

#include <string>
#include <string_view>

#include "consent/disclosure.h"

// What was told, and what was kept back: in the same words wherever it is shown.
namespace cdp {

// Whether a field has that name, or a label that is or ends with it: `phone` is a trait, a type of
// identifiers, and what is labelled `contact.phone`.
bool is_called(const consent::MaskField& field, std::string_view name);

// "section":…,"within":…,"name":… without braces; `within` which event, of what an event holds.
std::string mask_field_members(const consent::MaskField& field);

// {MEMBERS,"labels":[…],"form":…}, of what was withheld "reason"; "asked" of what is called so.
std::string mask_field_json(const consent::MaskField& field, std::string_view asked = {});

// Lists of the above.
struct MaskShown {
    std::string fields;    // what left
    std::string withheld;  // what stayed
};
MaskShown mask_shown(const consent::Mask& mask, std::string_view asked = {});

// "fields":[…],"withheld":[…]
std::string mask_json(const consent::Mask& mask);

}  // namespace cdp
