#include "api/ledger_json.h"

#include <nlohmann/json.hpp>

namespace api {

std::string render_ledger_keys(std::span<const consent::VerifierKey> keys) {
    auto list = nlohmann::json::array();
    for (const auto& key : keys) list.push_back(key.str());
    return nlohmann::json{{"keys", std::move(list)}}.dump() + "\n";
}

std::string render_ledger_progress(std::string_view stage, std::uint64_t done) {
    return nlohmann::json{{"stage", stage}, {"done", done}}.dump() + "\n";
}

std::string render_ledger_checked(const consent::LedgerChecked& checked) {
    nlohmann::json out{{"entries", checked.entries}, {"published", checked.published},
                       {"records", checked.records}, {"cells", checked.cells},
                       {"others", checked.others},   {"fault", nullptr}};
    if (const auto& fault = checked.fault) {
        out["fault"] = {{"what", fault->what}, {"why", fault->why}};
        if (fault->index) out["fault"]["index"] = *fault->index;
        if (!fault->id.empty()) out["fault"]["id"] = fault->id;
    }
    return out.dump() + "\n";
}

}  // namespace api
