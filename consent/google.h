#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace consent {

// Google's consent mode, version 2: what a row or a tag for Google says of one person. Google's
// other three signals are about storage on the device, which is not ours to speak of.
inline constexpr std::array<std::string_view, 4> kGoogleSignals = {
    "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage"};

// For each signal, in the order of kGoogleSignals, the purposes that all must be allowed.
// Configuration; a signal without purposes is never granted.
using GooglePurposes = std::array<std::vector<std::string>, kGoogleSignals.size()>;

// What the decision function said of a purpose for the Google channel and one person.
struct PurposeVerdict {
    std::string_view purpose;
    bool allowed = false;
};

// "granted" or "denied" for each signal. A purpose without a verdict is denied, and so is one with
// verdicts that differ.
inline std::array<std::string_view, kGoogleSignals.size()> google_signals(
    const GooglePurposes& purposes, std::span<const PurposeVerdict> verdicts) {
    const auto allowed = [&](const std::string& purpose) {
        bool seen = false;
        for (const auto& verdict : verdicts) {
            if (verdict.purpose != purpose) continue;
            if (!verdict.allowed) return false;
            seen = true;
        }
        return seen;
    };
    std::array<std::string_view, kGoogleSignals.size()> answers;
    for (std::size_t i = 0; i < answers.size(); ++i)
        answers[i] = !purposes[i].empty() && std::ranges::all_of(purposes[i], allowed) ? "granted"
                                                                                       : "denied";
    return answers;
}

}  // namespace consent
