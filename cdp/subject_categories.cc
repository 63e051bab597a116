#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cdp/json_scan.h"
#include "cdp/received_event.h"
#include "cdp/subject_walk.h"

// What is held by its kind, and no datum: 11 CCR Â§ 7024(k), Cal. Civ. Code Â§ 1798.110(c).
namespace cdp {

using consent::JsonWriter;

namespace {

// Of data that the policy gives no label.
constexpr std::string_view kUnlabelled = "unlabelled";

struct Kind {
    std::set<std::string> held_as = {};
    std::set<std::string> sources = {};
};
using Kinds = std::map<std::string, Kind>;

void add(Kinds& kinds, std::span<const std::string> labels, const char* held_as,
         const std::string& source) {
    const auto note = [&](const std::string& label) {
        auto& kind = kinds[label];
        kind.held_as.insert(held_as);
        if (!source.empty()) kind.sources.insert(source);
    };
    for (const auto& label : labels) note(label);
    if (labels.empty()) note(std::string(kUnlabelled));
}

void put_kinds(ReportForm& form, const consent::Policy& policy, const Kinds& kinds) {
    form.list("categories");
    for (const auto& [label, kind] : kinds) {
        std::vector<std::string> purposes;
        for (const auto& purpose : policy.purposes)
            if (label != kUnlabelled && serves_purpose(policy, label, purpose.name))
                purposes.push_back(purpose.name);
        JsonWriter out;
        out.open().text("category", label).texts("held_as", kind.held_as);
        out.texts("sources", kind.sources).texts("purposes", purposes);
        form.entry(out.close().take());
    }
}

}  // namespace

Result<void> SubjectWalk::tell_kinds(ReportForm& form) {
    const auto& policy = needs_.config.policy;
    Kinds kinds;
    for (const auto& member : person_.members) {
        ++counts_.identifiers;
        for (const auto& source : CDP_TRY(sources_of(member.token)))
            add(kinds, policy.labels_of_identifier(member.node.type), "identifiers", source);
    }
    CDP_CHECK(each_held_trait([&](const PersonMember&, const StoredTrait& trait) {
        ++counts_.traits;
        add(kinds, policy.labels_of_trait(trait.name), "traits", trait.source);
        return Result<void>::ok();
    }));
    CDP_CHECK(each_event([&](const PersonEvent& one) -> Result<bool> {
        ++counts_.events;
        add(kinds, labels_of(policy, one.event), "events", one.event.source);
        for (const auto& [key, value] :
             json::members_of(json::member_of(one.event.raw, "properties")))
            if (const auto name = json::unescape(key))
                add(kinds, policy.labels_of_property(*name), "events", one.event.source);
        return !form.stopped();
    }));
    tell_frame(form, "");
    tell_purposes(form);
    put_kinds(form, policy, kinds);
    CDP_CHECK(tell_kinds_disclosed(form));
    tell_retention(form);
    return Result<void>::ok();
}

}  // namespace cdp
