#include "cdp/audit_mask.h"

#include "cdp/json_text.h"
#include "consent/json_string.h"

namespace cdp {

using consent::json_string;

std::string mask_field_members(const consent::MaskField& field) {
    std::string out = "\"section\":\"" + std::string(to_string(field.section)) + "\"";
    if (!field.within.empty()) out += ",\"event\":" + json_string(field.within);
    return out + ",\"name\":" + json_string(field.name);
}

std::string mask_json(const consent::Mask& mask) {
    JsonList left;
    JsonList withheld;
    for (const auto& field : mask) {
        JsonList labels;
        for (const auto& label : field.labels) labels.add(json_string(label));
        const auto how = json_string(field.form);
        auto& list = field.withheld ? withheld : left;
        list.add("{" + mask_field_members(field) + ",\"labels\":" + labels.str() +
                 (field.withheld ? ",\"reason\":" : ",\"form\":") + how + "}");
    }
    return "\"left\":" + left.str() + ",\"withheld\":" + withheld.str();
}

}  // namespace cdp
