#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cdp/audit_answers.h"
#include "cdp/json_text.h"
#include "cdp/policy_versions.h"
#include "cdp/refuse.h"
#include "cdp/retentions.h"
#include "consent/json_writer.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::Channel;
using consent::JsonWriter;
using consent::Policy;
using consent::Purpose;

// What holds however the platform is configured.
constexpr const char* kMeasures[] = {
    "Every value of a person is sealed on disk under a key of its identifier, and destroying that "
    "key makes it unreadable.",
    "Identifiers are keyed hashes in the store; no key of it holds plain text.",
    "Nothing leaves to a recipient but through one gate, which withholds what is not labelled, not "
    "registered for the recipient, not collected for the purpose or not permitted by the person.",
    "What leaves is written down before it leaves: who received which fields in which form, for "
    "which purpose and by which decision.",
    "What those who run the platform look at of persons is written down, with who looked and the "
    "reason they gave.",
    "Consents, policies, notices and disclosures are entries of an append-only ledger, so that "
    "what was changed or taken out afterwards can be shown.",
    "Sources and recipients need a key of their role; keys are stored as keyed hashes.",
};

bool is_registered(const Channel& channel, const Purpose& purpose) {
    return std::ranges::any_of(
        channel.purposes, [&](const auto& name) { return consent::covers(name, purpose.name); });
}

bool is_collected_for(const Policy& policy, const std::string& name, const Purpose& purpose) {
    const auto* label = policy.find_label(name);
    return label && (label->collected_for.empty() ||
                     std::ranges::any_of(label->collected_for, [&](const auto& one) {
                         return consent::covers(one, purpose.name);
                     }));
}

void write(JsonWriter& out, const consent::Controller& controller) {
    out.open("controller")
        .text_if("name", controller.name)
        .text_if("contact", controller.contact)
        .text_if("address", controller.address)
        .text_if("country", controller.country)
        .text_if("email", controller.email)
        .text_if("phone", controller.phone)
        .text_if("url", controller.url)
        .text_if("policy_url", controller.policy_url)
        .text_if("service", controller.service)
        .text_if("withdrawal", controller.withdrawal)
        .close();
}

void write(JsonWriter& out, const Policy& policy, const Purpose& purpose) {
    out.open()
        .text("name", purpose.name)
        .text("regime", to_string(purpose.regime))
        .open_list("regimes");
    for (const auto& row : purpose.regimes)
        out.open()
            .text("regime", to_string(row.regime))
            .texts("jurisdictions", row.jurisdictions)
            .texts("channels", row.channels)
            .close();
    out.close_list()
        .text("message_class", to_string(purpose.sends()))
        .texts("target_types", purpose.target_types)
        .texts("signals", purpose.signals);
    std::set<std::string> categories;
    std::vector<std::string> recipients;
    for (const auto& channel : policy.channels) {
        if (!is_registered(channel, purpose)) continue;
        recipients.push_back(channel.id);
        for (const auto& one : channel.labels)
            if (is_collected_for(policy, one.label, purpose)) categories.insert(one.label);
    }
    out.texts("categories", categories).texts("recipients", recipients).close();
}

void write(JsonWriter& out, const Channel& channel) {
    out.open()
        .text("channel", channel.id)
        .text("recipient", channel.recipient)
        .text("role", to_string(channel.role))
        .text_if("country", channel.country)
        .text("transfer", to_string(channel.transfer))
        .text("medium", to_string(channel.medium))
        .texts("purposes", channel.purposes)
        .open_list("receives");
    for (const auto& one : channel.labels) {
        out.open().text("label", one.label).text("form", to_string(one.transform));
        out.text_if("normal_form", one.form);
        if (one.length > 0) out.number("length", one.length);
        out.close();
    }
    out.close_list();
    if (channel.withdrawal_seconds > 0)
        out.number("withdrawal_seconds", channel.withdrawal_seconds);
    out.text_if("contact", channel.contact)
        .text_if("deletion_endpoint", channel.deletion_endpoint)
        .close();
}

// Names under a label.
template <typename Map>
std::vector<std::string> names_of(const Map& map, const std::string& label) {
    std::vector<std::string> out;
    for (const auto& [name, labels] : map)
        if (std::ranges::find(labels, label) != labels.end()) out.push_back(name);
    return out;
}

void write_categories(JsonWriter& out, const Policy& policy) {
    out.open_list("categories");
    for (const auto& label : policy.labels) {
        std::vector<std::string> events;
        for (const auto& rule : policy.events)
            if (std::ranges::find(rule.labels, label.name) != rule.labels.end())
                events.push_back(rule.pattern);
        out.open()
            .text("label", label.name)
            .texts("collected_for", label.collected_for)
            .texts("traits", names_of(policy.traits, label.name))
            .texts("properties", names_of(policy.properties, label.name))
            .texts("identifier_types", names_of(policy.identifier_types, label.name))
            .texts("events", events)
            .close();
    }
    out.close_list();
}

std::string clock_text(std::chrono::minutes time) {
    const auto part = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return part(time.count() / 60) + ":" + part(time.count() % 60);
}

void write_clocks(JsonWriter& out, const Policy& policy) {
    out.open_list("quiet_hours");
    for (const auto& rule : policy.quiet_hours) {
        out.open().text("jurisdiction", rule.jurisdiction).open_list("mediums");
        for (const auto medium : rule.mediums) out.text({}, to_string(medium));
        out.close_list()
            .text("from", clock_text(rule.from))
            .text("until", clock_text(rule.until))
            .number("utc_offset_minutes", rule.offset.count())
            .text_if("unless_granted", rule.unless_granted)
            .close();
    }
    out.close_list().open_list("reconfirmations");
    for (const auto& rule : policy.reconfirmations)
        out.open()
            .text("jurisdiction", rule.jurisdiction)
            .number("every_days", rule.every.count())
            .flag("or_deny", rule.or_deny)
            .close();
    out.close_list().number("self_consent_age", policy.self_consent_age);
}

// Which policy, and since when it is served under.
struct InForce {
    PolicyVersions::InForce policy;
    std::optional<Timestamp> from = {};
};

Result<InForce> in_force(const AuditSources& sources, const AuditQuery& query) {
    const auto snapshot = sources.store.snapshot();
    InForce out;
    out.policy = query.as_of ? CDP_TRY(sources.policies.at(*snapshot, *query.as_of))
                             : sources.policies.now();
    const auto until = query.as_of.value_or(Timestamp::max());
    for (const auto& one : CDP_TRY(sources.policies.all(*snapshot))) {
        if (one.from > until) continue;
        if (one.version == out.policy.version) out.from = one.from;
        break;
    }
    return out;
}

void write_policy(JsonWriter& out, const InForce& from) {
    out.text("policy_version", to_hex(consent::view(from.policy.version)));
    if (from.from) out.text("in_force_since", format_time(*from.from));
    if (from.policy.assumed) out.flag("policy_assumed", true);
}

}  // namespace

Result<Shown> audit_processing(const AuditSources& sources, const AuditQuery& query) {
    const auto now = sources.clock.now();
    if (query.as_of && *query.as_of > now)
        return refuse("in_the_future", "That time has not come.", "/as_of");
    const auto from = CDP_TRY(in_force(sources, query));
    const auto& policy = *from.policy.policy;
    JsonWriter out;
    out.open().text("as_of", format_time(query.as_of.value_or(now)));
    write_policy(out, from);
    // Who runs it and for how long data are kept is not of the policy: it is as configured today.
    write(out, sources.config.controller);
    out.open_list("purposes");
    for (const auto& purpose : policy.purposes) write(out, policy, purpose);
    out.close_list();
    write_categories(out, policy);
    out.open_list("recipients");
    for (const auto& channel : policy.channels) write(out, channel);
    out.close_list();
    write_clocks(out, policy);
    out.open("retention")
        .text_if("said", sources.config.controller.retention)
        .text_if("kept_at", sources.config.controller.storage)
        .number("duplicates_known_days", sources.config.dedupe_window.count())
        .open_list("rules");
    for (const auto& rule : sources.config.retention) {
        out.open();
        write_rule(out, rule);
        out.close();
    }
    out.close_list().close();
    out.texts("security", kMeasures).close();
    return Shown(out.take(), Looked{});
}

}  // namespace cdp
