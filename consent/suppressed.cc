#include "consent/suppressed.h"

#include <algorithm>
#include <tuple>

namespace consent {
namespace {

// Of several the one that was there first.
bool is_earlier(const Suppressed::By& a, const Suppressed::By& b) {
    return std::tie(a.said.from, a.said.id, a.token) < std::tie(b.said.from, b.said.id, b.token);
}

const Suppressed::By* earliest(const Suppressed::By* a, const Suppressed::By* b) {
    if (!a || !b) return a ? a : b;
    return is_earlier(*b, *a) ? b : a;
}

const Suppressed::By* named(std::span<const Suppressed::By> all, const cdp::Token& token) {
    const Suppressed::By* found = nullptr;
    for (const auto& one : all)
        if (one.token == token) found = earliest(found, &one);
    return found;
}

}  // namespace

Suppressed::Suppressed(std::span<const Member> members, cdp::Timestamp now) {
    for (const Member& member : members)
        for (const Suppression& said : member.suppressions) {
            if (!said.in_force(now)) continue;
            if (said.until && (!changes_at_ || *said.until < *changes_at_))
                changes_at_ = said.until;
            add(member, said);
        }
}

void Suppressed::add(const Member& member, const Suppression& said) {
    const By by{member.token, said};
    // Who was split off before is somebody else, and still nobody's to give out.
    const auto& split = member.quarantined_until_released;
    if (said.scope == SuppressionScope::identifier) {
        named_.push_back(by);
    } else if (member.shared || (split && said.from > *split)) {
        filed_.push_back(by);
    } else if (!person_ || is_earlier(by, *person_)) {
        person_ = by;
    }
}

const Suppressed::By* Suppressed::find(const cdp::Token& home,
                                       const std::optional<cdp::Token>& value) const {
    if (person_) return &*person_;
    const By* found = named(filed_, home);
    if (!value) return found;
    return earliest(found, earliest(named(filed_, *value), named(named_, *value)));
}

}  // namespace consent
