#include "api/audit_shown.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "api/json.h"
#include "api/parameters.h"
#include "cdp/base/bytes.h"
#include "cdp/consent_json.h"
#include "cdp/erasure_facts.h"
#include "cdp/privacy_shown.h"
#include "consent/json_writer.h"

namespace api {
namespace {

using cdp::Result;
using nlohmann::json;
using Names = std::set<std::string, std::less<>>;

cdp::Error differs(const std::string& pointer) {
    return invalid("field_differs", "The answer shows something else than was recorded.", pointer);
}

// Whose identifiers they are the ledger says by keyed tokens only: taken as shown.
void take_names(json& due, const json& shown) {
    if (!due.is_object() || !shown.is_object()) return;
    for (const auto* name : {"type", "value"})
        if (due.contains(name) && shown.contains(name)) due[name] = shown[name];
}

void take_identifiers(json& due, const json& shown) {
    const auto& names = shown.value("identifiers", json::array());
    auto& own = due["identifiers"];
    for (std::size_t i = 0; i < own.size() && names.is_array() && i < names.size(); ++i)
        take_names(own[i], names[i]);
    const auto guardian = json::json_pointer("/minor/guardian");
    if (due.contains(guardian) && shown.contains(guardian))
        take_names(due[guardian], shown[guardian]);
}

// Members beside those that are due.
struct Beside {
    Names uncovered = {};         // that no proof says anything of
    Names elsewhere = {"proof"};  // that are checked by themselves
};

// Every member that is due, and none beside them but those named.
Result<Uncovered> compare_all(const json& due, json shown, const Beside& beside) {
    Uncovered uncovered;
    for (const auto& name : beside.uncovered)
        if (shown.erase(name) > 0) uncovered.insert("/" + name);
    for (const auto& name : beside.elsewhere) shown.erase(name);
    const auto changes = json::diff(due, shown);
    if (changes.empty()) return uncovered;
    return differs(changes.front().value("path", ""));
}

json ledger_of(const consent::Proven& proven) {
    return {{"commitment", cdp::to_hex(consent::view(proven.entry.commitment))},
            {"index", proven.index}};
}

Result<Uncovered> check_said(const json& shown, const consent::Proven& proven) {
    const auto unnamed = [](const cdp::Token&) -> Result<std::string> {
        return std::string(R"("type":null,"value":null)");
    };
    const auto text = proven.record ? CDP_TRY(cdp::record_shown(*proven.record, unnamed))
                                    : CDP_TRY(cdp::stamp_shown(*proven.cell, {}, unnamed));
    auto due = CDP_TRY(parse_json("{" + text + "}"));
    take_identifiers(due, shown);
    Beside beside;
    if (!proven.record) {
        // A stamp's first moment may still move: nobody commits to it.
        due.erase("time");
        beside.uncovered.insert("time");
    }
    due["ledger"] = ledger_of(proven);
    auto uncovered = CDP_TRY(compare_all(due, shown, beside));
    uncovered.insert("/identifiers");
    return uncovered;
}

std::optional<consent::Section> section_of(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(consent::Section::routes); ++i) {
        const auto section = static_cast<consent::Section>(i);
        if (to_string(section) == name) return section;
    }
    return std::nullopt;
}

std::string text_in(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<consent::MaskField> field_of(const json& shown, bool withheld) {
    const auto section = section_of(text_in(shown, "section"));
    if (!section) return std::nullopt;
    consent::MaskField field{.section = *section,
                             .within = text_in(shown, "within"),
                             .name = text_in(shown, "name"),
                             .labels = {},
                             .withheld = withheld,
                             .form = text_in(shown, withheld ? "reason" : "form")};
    for (const auto& label : shown.value("labels", json::array()))
        if (label.is_string()) field.labels.push_back(label.get<std::string>());
    return field;
}

// The mask is known by its hash: made again of all fields, as they are shown.
Result<void> check_mask(const json& shown, const consent::Proven& proven) {
    consent::Mask mask;
    for (const auto* name : {"fields", "withheld"}) {
        const auto list = shown.value(name, json::array());
        for (const auto& one : list) {
            auto field = one.is_object() ? field_of(one, name == std::string_view("withheld"))
                                         : std::nullopt;
            if (!field) return differs("/" + std::string(name));
            mask.push_back(*std::move(field));
        }
    }
    if (proven.batch->kind == consent::BatchKind::access)
        mask = {{.section = consent::Section::routes,
                 .within = {},
                 .name = text_in(shown, "route"),
                 .labels = {},
                 .withheld = false,
                 .form = "raw"}};
    std::ranges::sort(mask);
    if (consent::mask_id(encode(mask)) == proven.row->mask) return Result<void>::ok();
    return differs(proven.batch->kind == consent::BatchKind::access ? "/route" : "/fields");
}

Result<Uncovered> check_row(const json& shown, const consent::Proven& proven, std::uint32_t index) {
    const auto& batch = *proven.batch;
    const auto& row = *proven.row;
    const bool access = batch.kind == consent::BatchKind::access;
    json due{{"first", cdp::format_time(row.first)},
             {"last", cdp::format_time(row.last)},
             {"count", row.count},
             {"reader", {{"role", batch.role}, {"name", batch.reader}}},
             {"batch", batch.number},
             {"row", index}};
    Beside beside{.uncovered = {"began_before", "identifier"}};
    if (access) {
        beside.uncovered.insert("reason");
        beside.elsewhere.insert("route");
    } else {
        beside.uncovered.insert("records");
        beside.elsewhere.insert({"fields", "withheld"});
        due.update({{"channel", batch.channel},
                    {"recipient", batch.recipient},
                    {"country", batch.country},
                    {"purpose", batch.purpose},
                    {"decision", cdp::to_hex(row.decision.view())}});
    }
    auto uncovered = CDP_TRY(compare_all(due, shown, beside));
    CDP_CHECK(check_mask(shown, proven));
    return uncovered;
}

Result<Uncovered> check_batch(const json& shown, const consent::Proven& proven) {
    const auto& batch = *proven.batch;
    const json due{{"batch", batch.number},
                   {"channel", batch.channel},
                   {"recipient", batch.recipient},
                   {"country", batch.country},
                   {"purpose", batch.purpose},
                   {"first", cdp::format_time(batch.first)},
                   {"last", cdp::format_time(batch.last)},
                   {"commitment", cdp::to_hex(consent::view(proven.entry.commitment))}};
    return compare_all(due, shown, {.uncovered = {"fields", "policy_version", "policy_assumed"}});
}

// What may still change: where they are reached, and whether they took note.
constexpr std::array kOfRecipients{"contact", "deletion_endpoint", "status", "since", "due",
                                   "told",    "acknowledged"};

// Those of them that are shown anywhere.
Uncovered of_recipients(const json& shown) {
    Uncovered out;
    for (const auto* name : kOfRecipients)
        if (std::ranges::any_of(shown, [&](const json& one) { return one.contains(name); }))
            out.insert("/erasure/recipients/*/" + std::string(name));
    return out;
}

json recipients_of(const cdp::Erasure& erasure, const json& shown) {
    auto out = json::array();
    for (const auto& [channel, one] : erasure.recipients) {
        json due{{"channel", channel},
                 {"recipient", one.recipient},
                 {"times", one.times},
                 {"last", cdp::format_time(one.last)}};
        if (shown.is_array() && out.size() < shown.size() && shown[out.size()].is_object())
            for (const auto* name : kOfRecipients)
                if (shown[out.size()].contains(name)) due[name] = shown[out.size()][name];
        out.push_back(std::move(due));
    }
    return out;
}

// In words of its own version's.
json kept_of(const cdp::Erasure& erasure, const json& shown) {
    consent::JsonWriter written;
    written.open();
    write_counts(written, erasure.counts);
    write_kept(written, erasure);
    auto due = json::parse(written.close().take());
    for (std::size_t i = 0; i < due["kept"].size(); ++i)
        if (shown.is_array() && i < shown.size() && shown[i].is_object() &&
            shown[i].contains("basis"))
            due["kept"][i]["basis"] = shown[i]["basis"];
    return due;
}

Result<Uncovered> check_erasure(const json& shown, const consent::Proven& proven) {
    const auto erasure = cdp::decode_outcome(proven.bytes);
    if (proven.entry.type != consent::EntryType::erasure || !erasure) return differs("/erasure");
    for (const auto& [name, member] : shown.items())
        if (!Names{"erasure", "proof"}.contains(name)) return differs("/" + name);
    const auto& told = shown["erasure"];
    if (!told.is_object()) return differs("/erasure");
    auto due = kept_of(*erasure, told.value("kept", json()));
    due.update({{"id", cdp::to_hex(erasure->id.view())},
                {"scope", to_string(erasure->scope)},
                {"status", "completed"},
                {"requested", cdp::format_time(erasure->requested)},
                {"completed", cdp::format_time(erasure->completed)},
                {"recipients", recipients_of(*erasure, told.value("recipients", json()))},
                {"ledger", ledger_of(proven)}});
    const auto checked = compare_all(due, told, {.uncovered = {"author", "reason"}});
    if (!checked) return differs("/erasure" + checked.error().pointer);
    auto uncovered = of_recipients(told["recipients"]);
    for (const auto& name : *checked) uncovered.insert("/erasure" + name);
    return uncovered;
}

Result<Uncovered> check_request_step(const json& shown, const consent::Proven& proven) {
    const auto said = cdp::decode_said_step(proven.bytes);
    if (proven.entry.type != consent::EntryType::request_status || !said) return differs("/step");
    consent::JsonWriter due;
    cdp::put_privacy_step(due.open(), said->request, said->step);
    return compare_all(json::parse(due.close().take()), shown, {});
}

}  // namespace

// By what is shown and not by what is proved: whoever forges an answer chooses the proof.
Result<Uncovered> check_shown(const json& shown, const consent::Proven& proven, Shape shape) {
    if (shown.contains("erasure")) return check_erasure(shown, proven);
    if (shown.contains("step")) return check_request_step(shown, proven);
    if (shown.contains("row") || shown.contains("decision"))
        return proven.row ? check_row(shown, proven, proven.row_index)
                          : Result<Uncovered>(differs("/row"));
    if (shown.contains("kind"))
        return proven.record || proven.cell ? check_said(shown, proven)
                                            : Result<Uncovered>(differs("/kind"));
    if (shape == Shape::batch)
        return proven.batch && !proven.row ? check_batch(shown, proven)
                                           : Result<Uncovered>(differs("/batch"));
    return differs("");
}

}  // namespace api
