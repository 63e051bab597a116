#include "api/simulation_request.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/config_types.h"
#include "api/json.h"
#include "api/parameters.h"

namespace api {
namespace {

using nlohmann::json;

constexpr std::size_t kIdentifiersMax = 1000;
constexpr std::int64_t kExamplesMax = 100;

toml::table table_of(const json& object);
toml::array array_of(const json& list);

// Calls `take` with the value as TOML has it.
template <typename Take>
void as_toml(const json& value, const Take& take) {
    switch (value.type()) {
        case json::value_t::object: return take(table_of(value));
        case json::value_t::array: return take(array_of(value));
        case json::value_t::string: return take(value.get<std::string>());
        case json::value_t::boolean: return take(value.get<bool>());
        case json::value_t::number_integer: return take(value.get<std::int64_t>());
        case json::value_t::number_unsigned:
            if (value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max())
                return take(value.get<std::int64_t>());
            return take(value.get<double>());
        case json::value_t::number_float: return take(value.get<double>());
        // TOML has no null; no rule is a date.
        default: return take(toml::date{1, 1, 1});
    }
}

toml::array array_of(const json& list) {
    toml::array out;
    for (const auto& value : list)
        as_toml(value, [&](auto node) { out.push_back(std::move(node)); });
    return out;
}

toml::table table_of(const json& object) {
    toml::table out;
    for (const auto& [key, value] : object.items())
        as_toml(value, [&, &name = key](auto node) { out.insert(name, std::move(node)); });
    return out;
}

// The pointer to what the configuration calls `wanted`; nullopt: not below `value`.
std::optional<std::string> pointer_to(const json& value, const std::string& wanted,
                                      const std::string& path, const json::json_pointer& pointer) {
    if (path == wanted) return pointer.to_string();
    if (!wanted.starts_with(path)) return std::nullopt;
    if (value.is_array())
        for (std::size_t i = 0; i < value.size(); ++i) {
            const auto below = path + "[" + std::to_string(i) + "]";
            if (auto found = pointer_to(value[i], wanted, below, pointer / i)) return found;
        }
    if (value.is_object())
        for (const auto& [key, member] : value.items()) {
            const auto below = (path.empty() ? "" : path + ".") + toml_key(key);
            if (auto found = pointer_to(member, wanted, below, pointer / key)) return found;
        }
    return std::nullopt;
}

cdp::Result<void> read_rules(const json& rules, identity::IdentifierTypes& types) {
    if (!rules.is_object()) return invalid("wrong_type", "An object is expected here.", "/rules");
    const auto table = table_of(rules);
    std::optional<ConfigFault> fault;
    ConfigTable document(table, "", fault);
    read_identifier_types(document, types);
    document.finish();
    if (!fault) return cdp::Result<void>::ok();
    return invalid(
        "rules_wrong", fault->message,
        pointer_to(rules, fault->path, "", json::json_pointer("/rules")).value_or("/rules"));
}

cdp::Result<void> read_identifiers(const json& list, cdp::SimulationRequest& out) {
    const std::string here = "/sample/identifiers";
    if (!list.is_array() || list.empty() || list.size() > kIdentifiersMax)
        return invalid("identifiers_missing", "1 to 1000 identifiers are expected here.", here);
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto pointer = here + "/" + std::to_string(i);
        CDP_CHECK(check_members(list[i], pointer, {"type", "value"}));
        auto& named = out.identifiers.emplace_back();
        named.type = CDP_TRY(string_member(list[i], "type", pointer));
        named.value = CDP_TRY(string_member(list[i], "value", pointer));
        if (named.type.empty() || named.value.empty())
            return invalid("identifier_incomplete", "A type and a value are expected here.",
                           pointer);
    }
    return cdp::Result<void>::ok();
}

cdp::Result<void> read_sample(const json& sample, cdp::SimulationRequest& out) {
    CDP_CHECK(check_members(sample, "/sample", {"identifiers", "part"}));
    if (sample.size() != 1)
        return invalid("sample_unclear", "A sample is identifiers or a part.", "/sample");
    if (const auto list = sample.find("identifiers"); list != sample.end())
        return read_identifiers(*list, out);
    const auto& part = sample.at("part");
    if (!part.is_number() || !(part.get<double>() > 0) || part.get<double>() > 1)
        return invalid("part_out_of_range", "A part is over 0 and at most 1.", "/sample/part");
    out.part = part.get<double>();
    return cdp::Result<void>::ok();
}

}  // namespace

cdp::Result<cdp::SimulationRequest> read_simulation(std::string_view body,
                                                    const identity::IdentifierTypes& in_force) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(document, "", {"rules", "sample", "examples"}));
    cdp::SimulationRequest out{.types = in_force};
    if (const auto rules = document.find("rules"); rules != document.end())
        CDP_CHECK(read_rules(*rules, out.types));
    if (const auto sample = document.find("sample"); sample != document.end())
        CDP_CHECK(read_sample(*sample, out));
    if (const auto examples = document.find("examples"); examples != document.end()) {
        if (!examples->is_number_integer() || *examples < 0 || *examples > kExamplesMax)
            return invalid("examples_out_of_range", "A number from 0 to 100 is expected.",
                           "/examples");
        out.examples = examples->get<std::size_t>();
    }
    return out;
}

}  // namespace api
