#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace consent {

// What a datum may be used for. `collected_for` as Field has it: empty: as the labels say.
struct Provenance {
    std::vector<std::string> labels = {};
    std::vector<std::string> collected_for = {};

    friend bool operator==(const Provenance&, const Provenance&) = default;
};

// In `collected_for`: for nothing. No purpose may have this name.
inline constexpr std::string_view kNoPurpose = "-";

// Whether what was collected for these, empty: for all, was collected for this one.
bool collected_for(std::span<const std::string> purposes, std::string_view purpose);

// Of what is derived from all of these: every label of any, the purposes that all were collected
// for. Nothing comes of nothing: without inputs there is no label, which leaves nowhere.
Provenance derive(std::span<const Provenance> inputs);

}  // namespace consent
