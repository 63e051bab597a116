#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/simulator/generator.h"

// What the re-implementations share: events as lists of numbered identifiers.
namespace simulator {

// In Segment's order of priority: user_id, email, then by name.
enum class Type : std::uint8_t {
    user_id,
    email,
    anonymous_id,
    device_id,
    email_sha256,
    loyalty_id,
    phone
};
inline constexpr std::size_t kTypes = 7;

struct Id {
    Type type = Type::user_id;
    std::uint32_t number = 0;  // of all identifiers, of whatever type, from 0

    friend bool operator==(const Id&, const Id&) = default;
};

// Per event its identifiers, best first. `numbers` counts the distinct ones.
struct Numbered {
    explicit Numbered(std::span<const SimEvent> events) {
        std::unordered_map<std::string, std::uint32_t> known;
        for (const auto& event : events) {
            auto& ids = of.emplace_back();
            const std::string* values[kTypes] = {
                &event.user_id,      &event.email,      &event.anonymous_id, &event.device_id,
                &event.email_sha256, &event.loyalty_id, &event.phone};
            for (std::size_t i = 0; i < kTypes; ++i) {
                if (values[i]->empty()) continue;
                const auto key = static_cast<char>('0' + i) + *values[i];
                const auto next = static_cast<std::uint32_t>(known.size());
                const auto [at, is_new] = known.try_emplace(key, next);
                if (is_new) value.push_back(*values[i]);
                ids.push_back({static_cast<Type>(i), at->second});
            }
        }
    }

    std::vector<std::vector<Id>> of;
    std::vector<std::string> value;  // by number
};

// Union-find. The root of a union is the one named.
class Sets {
public:
    explicit Sets(std::size_t size = 0) : parent_(size) {
        std::iota(parent_.begin(), parent_.end(), 0U);
    }
    std::uint32_t add() {
        parent_.push_back(static_cast<std::uint32_t>(parent_.size()));
        return parent_.back();
    }
    std::uint32_t root(std::uint32_t at) {
        while (parent_[at] != at) at = parent_[at] = parent_[parent_[at]];
        return at;
    }
    void join(std::uint32_t root, std::uint32_t other) { parent_[other] = root; }

private:
    std::vector<std::uint32_t> parent_;
};

}  // namespace simulator
