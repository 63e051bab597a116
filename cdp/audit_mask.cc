#include "cdp/audit_mask.h"

#include <algorithm>

#include "cdp/json_text.h"
#include "consent/json_string.h"

namespace cdp {

using consent::json_string;

bool is_called(const consent::MaskField& field, std::string_view name) {
    const auto fits = [&](std::string_view label) {
        return label == name || label.ends_with("." + std::string(name));
    };
    return field.name == name || std::ranges::any_of(field.labels, fits);
}

std::string mask_field_members(const consent::MaskField& field) {
    std::string out = "\"section\":\"" + std::string(to_string(field.section)) + "\"";
    if (!field.within.empty()) out += ",\"within\":" + json_string(field.within);
    return out + ",\"name\":" + json_string(field.name);
}

std::string mask_field_json(const consent::MaskField& field, std::string_view asked) {
    JsonList labels;
    for (const auto& label : field.labels) labels.add(json_string(label));
    const bool is_asked = !asked.empty() && is_called(field, asked);
    return "{" + mask_field_members(field) + ",\"labels\":" + labels.str() +
           (field.withheld ? ",\"reason\":" : ",\"form\":") + json_string(field.form) +
           (is_asked ? ",\"asked\":true}" : "}");
}

MaskShown mask_shown(const consent::Mask& mask, std::string_view asked) {
    JsonList fields;
    JsonList withheld;
    for (const auto& field : mask)
        (field.withheld ? withheld : fields).add(mask_field_json(field, asked));
    return {.fields = fields.str(), .withheld = withheld.str()};
}

std::string mask_json(const consent::Mask& mask) {
    const auto shown = mask_shown(mask);
    return "\"fields\":" + shown.fields + ",\"withheld\":" + shown.withheld;
}

}  // namespace cdp
