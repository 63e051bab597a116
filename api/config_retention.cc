#include "api/config_retention.h"

#include <algorithm>

#include "cdp/retention.h"

namespace api {
namespace {

using What = cdp::RetentionRule::What;

constexpr What kWhat[] = {What::event, What::type, What::label, What::trait};

// One of event, type, label and trait says of what.
void read_what(ConfigTable& table, const consent::Policy& policy, cdp::RetentionRule& rule) {
    std::string_view named;
    for (const auto what : kWhat) {
        const auto word = to_string(what);
        if (!table.has(word)) continue;
        if (!named.empty()) return table.blame(word, "Of one thing: event, type, label or trait.");
        named = word;
        rule.what = what;
        table.read(word, rule.name);
    }
    if (named.empty()) return table.blame("Of what? An event, type, label or trait is expected.");
    if (rule.name.empty()) table.blame(named, "A name is expected.");
    if (rule.what == What::label && !policy.find_label(rule.name))
        table.blame(named, "Label '" + rule.name + "' is not declared.");
    const auto star = rule.name.find('*');
    if (rule.what == What::event && star != std::string::npos && star + 1 != rule.name.size())
        table.blame(named, "A pattern has its '*' at the end.");
    if (rule.what == What::type && !cdp::parse_event_type(rule.name))
        table.blame(named, "There is no such type of events.");
}

void read_keep(ConfigTable& table, cdp::Keep& out) {
    std::string text;
    table.read("keep", text);
    if (const auto keep = cdp::parse_keep(text)) {
        out = *keep;
        return;
    }
    const auto message = "A time such as 13 months, 90 days or 2 years is expected.";
    if (table.has("keep"))
        table.blame("keep", message);
    else
        table.blame("For how long? `keep` is expected.");
}

}  // namespace

void read_retention(ConfigTable& document, cdp::Config& out) {
    cdp::RetentionRules rules;
    const auto read = [&](ConfigTable& table) {
        cdp::RetentionRule rule;
        read_what(table, out.policy, rule);
        read_keep(table, rule.keep);
        table.read("purpose", rule.purpose);
        if (!rule.purpose.empty() && !consent::is_declared(out.policy, rule.purpose))
            table.blame("purpose", "No such purpose is declared.");
        const auto same = [&](const cdp::RetentionRule& other) {
            return other.what == rule.what && other.name == rule.name &&
                   other.purpose == rule.purpose;
        };
        if (std::ranges::any_of(rules, same))
            table.blame("keep", "Another rule says how long that is kept.");
        rules.push_back(std::move(rule));
    };
    if (each_entry(document, "retention", read)) out.retention = std::move(rules);
    auto hours = static_cast<std::int64_t>(out.retention_every.count());
    document.read("retention_hours", 1, 24 * 366, hours);
    out.retention_every = std::chrono::hours(hours);
}

}  // namespace api
