#include "consent/provenance.h"

#include <algorithm>
#include <set>

#include "consent/policy.h"

namespace consent {
namespace {

using Purposes = std::vector<std::string>;

// What both allow: of two names of which one covers the other, the narrower.
Purposes common(const Purposes& a, const Purposes& b) {
    std::set<std::string> both;
    for (const auto& one : a)
        for (const auto& other : b) {
            if (covers(one, other)) both.insert(other);
            if (covers(other, one)) both.insert(one);
        }
    return {both.begin(), both.end()};
}

}  // namespace

bool collected_for(std::span<const std::string> purposes, std::string_view purpose) {
    return purposes.empty() || std::ranges::any_of(purposes, [&](const std::string& name) {
               return covers(name, purpose);
           });
}

Provenance derive(std::span<const Provenance> inputs) {
    std::set<std::string> labels;
    std::optional<Purposes> purposes;
    for (const Provenance& input : inputs) {
        // What nobody classified classifies nothing that is made of it.
        if (input.labels.empty()) return {.labels = {}, .collected_for = {std::string(kNoPurpose)}};
        labels.insert(input.labels.begin(), input.labels.end());
        if (input.collected_for.empty()) continue;
        purposes = common(input.collected_for, purposes.value_or(input.collected_for));
        if (purposes->empty()) purposes = {std::string(kNoPurpose)};
    }
    return {.labels = {labels.begin(), labels.end()},
            .collected_for = purposes.value_or(Purposes{})};
}

}  // namespace consent
