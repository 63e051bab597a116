#include "consent/gpp_us.h"

namespace consent {

namespace {

using enum UsField;
using enum UsSegment;
using enum UsSensitive;

constexpr auto kSensitive = sensitive_data_processing;
constexpr auto kChildren = known_child_consents;
constexpr auto kMoreData = additional_data_processing_consent;
constexpr auto kAdsNotice = targeted_advertising_opt_out_notice;
constexpr auto kAds = targeted_advertising_opt_out;
constexpr auto kCovered = mspa_covered_transaction;
constexpr auto kOptOutMode = mspa_opt_out_option_mode;
constexpr auto kProviderMode = mspa_service_provider_mode;

constexpr std::uint16_t national(unsigned category) {
    return static_cast<std::uint16_t>(1U << (category - 1));
}

constexpr std::array<UsItem, 15> nationwide(std::uint8_t categories, std::uint8_t ages) {
    return {sharing_notice,
            sale_opt_out_notice,
            sharing_opt_out_notice,
            kAdsNotice,
            sensitive_data_opt_out_notice,
            sensitive_data_limit_use_notice,
            sale_opt_out,
            sharing_opt_out,
            kAds,
            {kSensitive, categories},
            {kChildren, ages},
            personal_data_consents,
            kCovered,
            kOptOutMode,
            kProviderMode};
}

// Virginia's form, which most states took over.
constexpr std::array<UsItem, 15> of_state(UsField notice, std::uint8_t categories,
                                          std::uint8_t ages, UsItem more_data = {}) {
    return {notice,
            sale_opt_out_notice,
            kAdsNotice,
            sale_opt_out,
            kAds,
            {kSensitive, categories},
            {kChildren, ages},
            more_data,
            kCovered,
            kOptOutMode,
            kProviderMode};
}

// The same where sensitive data have an opt-out, and so a notice of it.
constexpr std::array<UsItem, 15> with_sensitive_notice(UsField notice, std::uint8_t categories,
                                                       std::uint8_t ages) {
    return {notice,
            sale_opt_out_notice,
            kAdsNotice,
            sensitive_data_opt_out_notice,
            sale_opt_out,
            kAds,
            {kSensitive, categories},
            {kChildren, ages},
            kCovered,
            kOptOutMode,
            kProviderMode};
}

// The form of 2025: the agreement first, sensitive data in a segment of their own.
constexpr std::array<UsItem, 15> agreement_first(UsItem children, UsItem sensitive = {}) {
    return {kCovered,     mspa_mode, processing_notice, sale_opt_out_notice, kAdsNotice,
            sale_opt_out, kAds,      children,          kMoreData,           sensitive};
}

// clang-format off
constexpr std::array kLayouts = {
    UsLayout{7, "usnat", 1, nationwide(12, 2), gpc},
    UsLayout{7, "usnat", 2, nationwide(16, 3), gpc},
    UsLayout{8, "usca", 1,
             {sale_opt_out_notice, sharing_opt_out_notice, sensitive_data_limit_use_notice,
              sale_opt_out, sharing_opt_out, {kSensitive, 9}, {kChildren, 2},
              personal_data_consents, kCovered, kOptOutMode, kProviderMode},
             gpc, by_opt_out,
             {national(9), national(10), national(8),
              static_cast<std::uint16_t>(national(1) | national(2) | national(11)), national(12),
              national(6), national(7), national(3), national(4)}},
    UsLayout{9, "usva", 1, of_state(sharing_notice, 8, 1)},
    UsLayout{10, "usco", 1, of_state(sharing_notice, 7, 1), gpc},
    UsLayout{11, "usut", 1, with_sensitive_notice(sharing_notice, 8, 1), none, by_opt_out,
             {0, 0, national(4), national(5), national(3)}},
    UsLayout{12, "usct", 1, of_state(sharing_notice, 8, 3), gpc},
    UsLayout{13, "usfl", 1, of_state(processing_notice, 8, 3, kMoreData)},
    UsLayout{14, "usmt", 1, of_state(sharing_notice, 8, 3, kMoreData), gpc},
    UsLayout{15, "usor", 1, of_state(processing_notice, 11, 3, kMoreData), gpc, by_consent,
             {0, 0, 0, 0, national(16), national(5), national(15), national(14), national(6),
              national(7), national(8)}},
    UsLayout{16, "ustx", 1, of_state(processing_notice, 8, 1, kMoreData), gpc},
    UsLayout{17, "usde", 1, of_state(processing_notice, 9, 5, kMoreData), gpc, by_consent,
             {0, 0, 0, 0, national(16), national(5), national(6), national(7), national(8)}},
    UsLayout{18, "usia", 1, with_sensitive_notice(processing_notice, 8, 1), gpc, by_opt_out},
    UsLayout{19, "usne", 1, of_state(processing_notice, 8, 1, kMoreData), gpc},
    UsLayout{20, "usnh", 1, of_state(processing_notice, 8, 3, kMoreData), gpc},
    UsLayout{21, "usnj", 1, of_state(processing_notice, 10, 5, kMoreData), gpc, by_consent,
             {0, 0, 0, 0, 0, 0, 0, 0, national(16), national(10)}},
    UsLayout{22, "ustn", 1, of_state(processing_notice, 8, 1, kMoreData), gpc},
    UsLayout{23, "usmn", 1, of_state(processing_notice, 8, 1, kMoreData), gpc},
    UsLayout{24, "usmd", 1, agreement_first({}), gpc},
    // The encoders wrote the second of each pair for some months.
    UsLayout{25, "usin", 1, agreement_first(kChildren), sensitive_data},
    UsLayout{25, "usin", 1, agreement_first(kChildren, {kSensitive, 8}), gpc},
    UsLayout{26, "usky", 1, agreement_first(kChildren), sensitive_data},
    UsLayout{26, "usky", 1, agreement_first(kChildren, {kSensitive, 8}), gpc},
    UsLayout{27, "usri", 1, agreement_first(kChildren), sensitive_data},
    UsLayout{27, "usri", 1, agreement_first(kChildren, {kSensitive, 8}), gpc},
};
// clang-format on

}  // namespace

std::span<const UsLayout> us_layouts() {
    return kLayouts;
}

}  // namespace consent
