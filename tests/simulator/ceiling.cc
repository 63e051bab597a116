#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "tests/simulator/identifiers.h"
#include "tests/simulator/typing.h"
#include "tests/simulator/vendors.h"

namespace simulator {
namespace {

bool says_nothing(const SimEvent& event) {
    return event.user_id.empty() && event.email.empty() && event.phone.empty() &&
           event.loyalty_id.empty() && event.email_sha256.empty();
}

// Sessions in which nobody says who it is, on a device that several use.
std::unordered_set<std::uint32_t> silent_on_shared(std::span<const SimEvent> events) {
    std::unordered_set<std::uint32_t> silent;
    for (const auto& event : events)
        if (event.shared_device) silent.insert(event.session);
    for (const auto& event : events)
        if (!says_nothing(event)) silent.erase(event.session);
    return silent;
}

Labels told_the_truth(std::span<const SimEvent> events,
                      const std::unordered_set<std::uint32_t>& apart) {
    Sets sets;
    std::unordered_map<std::string, std::uint32_t> first;  // event with this identifier and actor
    for (const auto& event : events) {
        const auto here = sets.add();
        const auto join = [&](const char* type, const std::string& value) {
            if (value.empty()) return;
            const auto alone = apart.contains(event.session) ? event.session : 0;
            const auto key =
                std::to_string(event.true_actor) + type + value + '/' + std::to_string(alone);
            const auto at = first.try_emplace(key, here).first->second;
            sets.join(sets.root(at), sets.root(here));
        };
        join("user", event.user_id);
        join("cookie", event.anonymous_id);
        join("user", event.previous_id);
        join("cookie", event.previous_id);
        join("device", event.device_id);
        join("phone", event.phone);
        join("card", event.loyalty_id);
        join("hash", event.email_sha256);
        if (!event.email.empty()) join("hash", sha256(event.email));
    }
    Labels labels;
    for (std::uint32_t i = 0; i < events.size(); ++i) labels.push_back(sets.root(i));
    return labels;
}

}  // namespace

Labels ceiling(std::span<const SimEvent> events, std::span<const std::uint32_t>) {
    return told_the_truth(events, {});
}

Labels ceiling_without_guesses(std::span<const SimEvent> events, std::span<const std::uint32_t>) {
    return told_the_truth(events, silent_on_shared(events));
}

}  // namespace simulator
