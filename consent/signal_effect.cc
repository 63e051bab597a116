#include "consent/signal_effect.h"

#include <algorithm>

#include "cdp/base/assert.h"

namespace consent {

namespace {

using enum SignalState;

constexpr unsigned kPurposes = 11;
constexpr unsigned kSpecialFeatures = 2;

// By the framework's policy nobody may claim a legitimate interest in the others.
constexpr std::array kLegitimateInterests = {2U, 7U, 8U, 9U, 10U, 11U};

// clang-format off
constexpr std::array<std::string_view, kSignalKeys> kKeys = {
    "tcf/1", "tcf/2", "tcf/3", "tcf/4", "tcf/5", "tcf/6", "tcf/7", "tcf/8", "tcf/9", "tcf/10",
    "tcf/11", "tcf/li/2", "tcf/li/7", "tcf/li/8", "tcf/li/9", "tcf/li/10", "tcf/li/11",
    "tcf/special/1", "tcf/special/2",
    "tcfca/1", "tcfca/2", "tcfca/3", "tcfca/4", "tcfca/5", "tcfca/6", "tcfca/7", "tcfca/8",
    "tcfca/9", "tcfca/10", "tcfca/11",
    "gpp/sale", "gpp/sharing", "gpp/targeted_ads",
    "gpp/sensitive/1", "gpp/sensitive/2", "gpp/sensitive/3", "gpp/sensitive/4", "gpp/sensitive/5",
    "gpp/sensitive/6", "gpp/sensitive/7", "gpp/sensitive/8", "gpp/sensitive/9", "gpp/sensitive/10",
    "gpp/sensitive/11", "gpp/sensitive/12", "gpp/sensitive/13", "gpp/sensitive/14",
    "gpp/sensitive/15", "gpp/sensitive/16",
    "gpp/known_child", "gpp/personal_data", "gpp/unknown_section",
    "gpc", "att",
};
// clang-format on

// Where each kind begins.
constexpr std::size_t kTcf = 0;
constexpr std::size_t kTcfLegitimate = 11;
constexpr std::size_t kTcfSpecial = 17;
constexpr std::size_t kCanada = 19;
constexpr std::size_t kSale = 30;
constexpr std::size_t kSharing = 31;
constexpr std::size_t kTargetedAds = 32;
constexpr std::size_t kSensitive = 33;
constexpr std::size_t kKnownChild = 49;
constexpr std::size_t kPersonalData = 50;
constexpr std::size_t kUnknownSection = 51;
constexpr std::size_t kGpc = 52;
constexpr std::size_t kAtt = 53;

static_assert(kKeys[kTcfLegitimate] == "tcf/li/2" && kKeys[kTcfSpecial] == "tcf/special/1" &&
              kKeys[kCanada] == "tcfca/1" && kKeys[kSale] == "gpp/sale" &&
              kKeys[kSensitive] == "gpp/sensitive/1" && kKeys[kKnownChild] == "gpp/known_child" &&
              kKeys[kUnknownSection] == "gpp/unknown_section" && kKeys[kAtt] == "att");

void deny(SignalEffects& effects, std::size_t from, std::size_t to) {
    for (auto at = from; at < to; ++at) effects.add(at, denied);
}

bool declared(std::uint32_t purposes, unsigned purpose) {
    return ((purposes >> (purpose - 1)) & 1) != 0;
}

bool is_restricted(const Tcf& tcf, const TcfVendor& vendor, unsigned purpose,
                   RestrictionType also) {
    const auto p = static_cast<std::uint8_t>(purpose);
    return tcf.restrictions.has(RestrictionType::forbidden, p, vendor.id) ||
           tcf.restrictions.has(also, p, vendor.id);
}

bool is_disclosed(const Tcf& tcf, const TcfVendor& vendor) {
    return !tcf.disclosed_vendors || tcf.disclosed_vendors->has(vendor.id);
}

bool may_by_consent(const Tcf& tcf, const TcfVendor& vendor, unsigned purpose) {
    return tcf.vendor_consents.has(vendor.id) && is_disclosed(tcf, vendor) &&
           declared(vendor.consent | vendor.flexible, purpose) &&
           !is_restricted(tcf, vendor, purpose, RestrictionType::require_legitimate_interest);
}

bool may_by_interest(const Tcf& tcf, const TcfVendor& vendor, unsigned purpose) {
    return tcf.vendor_legitimate_interests.has(vendor.id) && is_disclosed(tcf, vendor) &&
           declared(vendor.legitimate_interest | vendor.flexible, purpose) &&
           !is_restricted(tcf, vendor, purpose, RestrictionType::require_consent);
}

// An opt-out, read together with whether people were told of it: no choice is one that they were
// never shown.
std::optional<SignalState> state_of_opt_out(std::uint8_t opt_out, std::uint8_t notice) {
    if (opt_out == 1 || notice == 2) return denied;
    if (opt_out == 2) return notice == 1 ? noticed : denied;
    return std::nullopt;
}

std::optional<SignalState> state_of_consent(std::uint8_t consent) {
    if (consent == 0) return std::nullopt;
    return consent == 2 ? granted : denied;
}

void add(SignalEffects& effects, std::size_t at, std::optional<SignalState> state) {
    if (state) effects.add(at, *state);
}

void add_opt_outs(SignalEffects& effects, const UsSection& section) {
    const auto untold =
        section[UsField::sharing_notice] == 2 || section[UsField::processing_notice] == 2;
    const auto add_one = [&](std::size_t at, UsField opt_out, UsField notice) {
        const auto told = untold ? std::uint8_t{2} : section[notice];
        add(effects, at, state_of_opt_out(section[opt_out], told));
    };
    add_one(kSale, UsField::sale_opt_out, UsField::sale_opt_out_notice);
    add_one(kSharing, UsField::sharing_opt_out, UsField::sharing_opt_out_notice);
    add_one(kTargetedAds, UsField::targeted_advertising_opt_out,
            UsField::targeted_advertising_opt_out_notice);
}

void add_sensitive_data(SignalEffects& effects, const UsSection& section) {
    const auto& layout = *section.layout;
    const auto notice = std::max(section[UsField::sensitive_data_opt_out_notice],
                                 section[UsField::sensitive_data_limit_use_notice]);
    for (std::size_t i = 0; i < section.sensitive_count; ++i) {
        const auto answer = section.sensitive[i];
        const auto state = layout.sensitive == UsSensitive::by_consent || answer == 0
                               ? state_of_consent(answer)
                               : state_of_opt_out(answer, notice);
        const bool renumbered = i < layout.national.size() && layout.national[i] != 0;
        const auto categories = renumbered ? layout.national[i] : 1U << i;
        for (std::size_t category = 0; category < kUsSensitiveMax; ++category)
            if (((categories >> category) & 1) != 0) add(effects, kSensitive + category, state);
    }
}

void add_us(SignalEffects& effects, const UsSection& section) {
    add_opt_outs(effects, section);
    add_sensitive_data(effects, section);
    for (std::size_t i = 0; i < section.children_count; ++i)
        add(effects, kKnownChild, state_of_consent(section.children[i]));
    add(effects, kPersonalData, state_of_consent(section[UsField::personal_data_consents]));
    // Florida's, Oregon's and Texas' specifications say 1 is consent and the other states' say 2
    // is: where the writer may have followed either, neither is taken for a yes.
    const auto& name = section.layout->name;
    const bool unclear = name == "usfl" || name == "usor" || name == "ustx";
    const auto more_data = section[UsField::additional_data_processing_consent];
    add(effects, kPersonalData, state_of_consent(unclear && more_data != 0 ? 1 : more_data));
    if (section.gpc.value_or(false)) effects.add(kGpc, objected);
}

// All that a section of that id could have said.
void deny_section(SignalEffects& effects, std::uint16_t id) {
    if (id == gpp::kTcfEu) return deny(effects, kTcf, kCanada);
    if (id == gpp::kTcfCanada) return deny(effects, kCanada, kSale);
    if (id == gpp::kUsp) return deny(effects, kSale, kSale + 1);
    if (is_us_section(id)) return deny(effects, kSale, kUnknownSection);
    deny(effects, kUnknownSection, kUnknownSection + 1);
}

void add_usp(SignalEffects& effects, const Usp& usp) {
    const auto answer = [](char c) {
        return static_cast<std::uint8_t>(c == 'Y' ? 1 : c == 'N' ? 2 : 0);
    };
    add(effects, kSale, state_of_opt_out(answer(usp.opt_out_sale), answer(usp.notice)));
}

void add_tcf(SignalEffects& effects, const Tcf& tcf, const SignalContext& context) {
    if (check_tcf(tcf, context.now, context.rules) != SignalFault::none)
        return deny(effects, kTcf, kCanada);
    const auto& vendor = context.vendor;
    for (unsigned purpose = 1; purpose <= kPurposes; ++purpose) {
        // Not asked at all where the publisher's law does not ask for it.
        if (purpose == 1 && tcf.purpose_one_treatment) continue;
        const bool yes =
            tcf.purpose_consents.has(purpose) && (!vendor || may_by_consent(tcf, *vendor, purpose));
        effects.add(kTcf + purpose - 1, yes ? granted : denied);
    }
    for (std::size_t i = 0; i < kLegitimateInterests.size(); ++i) {
        const auto purpose = kLegitimateInterests[i];
        const bool told = tcf.purpose_legitimate_interests.has(purpose) &&
                          (!vendor || may_by_interest(tcf, *vendor, purpose));
        effects.add(kTcfLegitimate + i, told ? noticed : objected);
    }
    for (unsigned feature = 1; feature <= kSpecialFeatures; ++feature)
        effects.add(kTcfSpecial + feature - 1,
                    tcf.special_features.has(feature) ? granted : denied);
}

void add_canada(SignalEffects& effects, const Tcf& tcf, const SignalContext& context) {
    if (check_tcf_canada(tcf, context.now, context.rules) != SignalFault::none)
        return deny(effects, kCanada, kSale);
    const auto& vendor = context.vendor;
    for (unsigned purpose = 1; purpose <= kPurposes; ++purpose) {
        const bool express =
            tcf.purpose_consents.has(purpose) && (!vendor || may_by_consent(tcf, *vendor, purpose));
        const bool implied = tcf.purpose_legitimate_interests.has(purpose) &&
                             (!vendor || may_by_interest(tcf, *vendor, purpose));
        effects.add(kCanada + purpose - 1, express ? granted : implied ? noticed : denied);
    }
}

}  // namespace

std::string_view state_name(SignalState state) {
    switch (state) {
        case granted: return "granted";
        case noticed: return "noticed";
        case objected: return "objected";
        case denied: return "denied";
    }
    CDP_ASSERT(false);
    return "denied";
}

std::span<const std::string_view> signal_keys() {
    return kKeys;
}

void SignalEffects::add(std::size_t at, SignalState state) {
    CDP_ASSERT(at < states_.size());
    states_[at] = std::max(states_[at], static_cast<std::uint8_t>(state));
}

std::optional<SignalState> SignalEffects::of(std::string_view key) const {
    for (std::size_t i = 0; i < states_.size(); ++i)
        if (kKeys[i] == key && states_[i] != 0) return static_cast<SignalState>(states_[i]);
    return std::nullopt;
}

SignalEffects effects_of(const Tcf& tcf, const SignalContext& context) {
    SignalEffects effects;
    add_tcf(effects, tcf, context);
    return effects;
}

SignalEffects effects_of_canada(const Tcf& tcf, const SignalContext& context) {
    SignalEffects effects;
    add_canada(effects, tcf, context);
    return effects;
}

SignalEffects effects_of(const Gpp& gpp, const SignalContext& context) {
    SignalEffects effects;
    for (const auto& section : gpp.sections())
        if (section.fault != SignalFault::none) deny_section(effects, section.id);
    if (gpp.tcf_eu) add_tcf(effects, *gpp.tcf_eu, context);
    if (gpp.tcf_canada) add_canada(effects, *gpp.tcf_canada, context);
    if (gpp.usp) add_usp(effects, *gpp.usp);
    for (const auto& section : gpp.us()) add_us(effects, section);
    return effects;
}

SignalEffects effects_of(const Usp& usp) {
    SignalEffects effects;
    add_usp(effects, usp);
    return effects;
}

SignalEffects effects_of_gpc(std::string_view value) {
    SignalEffects effects;
    if (value == "1") effects.add(kGpc, objected);
    return effects;
}

SignalEffects effects_of_att(std::string_view status) {
    SignalEffects effects;
    if (status == "authorized")
        effects.add(kAtt, noticed);
    else
        effects.add(kAtt, status == "denied" ? objected : denied);
    return effects;
}

SignalEffects effects_of_unreadable(SignalKind kind) {
    SignalEffects effects;
    switch (kind) {
        case SignalKind::tcf: deny(effects, kTcf, kCanada); break;
        case SignalKind::tcf_canada: deny(effects, kCanada, kSale); break;
        case SignalKind::gpp: deny(effects, kTcf, kGpc); break;
        case SignalKind::usp: deny(effects, kSale, kSale + 1); break;
    }
    return effects;
}

}  // namespace consent
