#include <algorithm>
#include <string>
#include <unordered_map>

#include "tests/simulator/identifiers.h"
#include "tests/simulator/typing.h"
#include "tests/simulator/vendors.h"

namespace simulator {

Labels ceiling(std::span<const SimEvent> events, std::span<const std::uint32_t>) {
    Sets sets;
    std::unordered_map<std::string, std::uint32_t> first;  // event with this identifier and actor
    for (const auto& event : events) {
        const auto here = sets.add();
        const auto join = [&](const char* type, const std::string& value) {
            if (value.empty()) return;
            const auto key = std::to_string(event.true_actor) + type + value;
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

}  // namespace simulator
