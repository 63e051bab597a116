#include <cstdio>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "cdp/base/time.h"
#include "consent/tcf.h"
#include "consent/tcf_rules.h"
#include "tests/consent/signals.h"

namespace {

using namespace consent;
using nlohmann::json;

constexpr const char* kVectors = "tcf/tcf_strings_decoded_by_iabtcf-core-1.5.6.ndjson";

std::string text_of(const std::array<char, 2>& letters) {
    return {letters[0], letters[1]};
}

json restrictions_of(const Tcf& tcf, int last) {
    auto list = json::array();
    tcf.restrictions.each([&](const Restriction& restriction) {
        list.push_back({{"purposeId", restriction.purpose},
                        {"restrictionType", static_cast<int>(restriction.type)},
                        {"vendors", tests::numbers_of(restriction.vendors, last)}});
    });
    return list;
}

// As the vectors have it: the JavaScript decoder's names.
json rendered(const Tcf& tcf) {
    const auto consented = tests::numbers_of(tcf.vendor_consents);
    const auto publisher = tcf.publisher.value_or(PublisherTc{});
    return {{"version", tcf.version},
            {"created", cdp::format_time(tcf.created)},
            {"lastUpdated", cdp::format_time(tcf.updated)},
            {"cmpId", tcf.cmp_id},
            {"cmpVersion", tcf.cmp_version},
            {"consentScreen", tcf.consent_screen},
            {"consentLanguage", text_of(tcf.language)},
            {"vendorListVersion", tcf.vendor_list_version},
            {"policyVersion", tcf.policy_version},
            {"isServiceSpecific", tcf.service_specific},
            {"purposeOneTreatment", tcf.purpose_one_treatment},
            {"publisherCountryCode", text_of(tcf.publisher_country)},
            {"specialFeatureOptins", tests::numbers_of(tcf.special_features)},
            {"purposeConsents", tests::numbers_of(tcf.purpose_consents)},
            {"purposeLegitimateInterests", tests::numbers_of(tcf.purpose_legitimate_interests)},
            {"vendorConsents", consented},
            // The highest id that consented, not the highest the string has room for.
            {"vendorConsentsMax", consented.empty() ? 0 : consented.back()},
            {"vendorLegitimateInterests", tests::numbers_of(tcf.vendor_legitimate_interests)},
            {"vendorsDisclosed", tests::numbers_of(tcf.disclosed_vendors)},
            {"vendorsAllowed", tests::numbers_of(tcf.allowed_vendors)},
            {"publisherConsents", tests::numbers_of(publisher.consents)},
            {"publisherLegitimateInterests", tests::numbers_of(publisher.legitimate_interests)},
            {"numCustomPurposes", publisher.custom_consents.size},
            {"publisherCustomConsents", tests::numbers_of(publisher.custom_consents)},
            {"publisherCustomLegitimateInterests",
             tests::numbers_of(publisher.custom_legitimate_interests)},
            {"publisherRestrictions", restrictions_of(tcf, 0xffff)}};
}

// Why we do not say what the peer says; empty where we must agree.
std::string disagreement(const json& vector, SignalFault fault) {
    const bool refused_by_peer = vector.contains("error");
    if (!refused_by_peer && vector["decoded"]["version"] == 1 &&
        fault == SignalFault::version_unknown)
        return "a string of TCF 1, which ended in 2020: refused here";
    return {};
}

TEST_CASE("every TC string of the vectors reads as the JavaScript decoder reads it") {
    const auto path = tests::data(kVectors);
    if (!path) return;
    std::size_t run = 0;
    std::map<std::string, int> outcomes;
    for (const auto& vector : tests::read_ndjson(*path)) {
        const auto text = vector["tcstring"].get<std::string>();
        CAPTURE(text);
        ++run;
        Tcf tcf;
        const auto fault = read_tcf(text, tcf);
        const auto reason = disagreement(vector, fault);
        if (!reason.empty()) {
            ++outcomes[reason];
        } else if (vector.contains("decoded")) {
            REQUIRE(fault == SignalFault::none);
            CHECK(rendered(tcf) == vector["decoded"]);
            ++outcomes["the same, member by member"];
        } else if (fault != SignalFault::none) {
            ++outcomes["refused by both"];
        } else {
            // The peer refuses while it decodes what we refuse when it is to be acted on.
            CHECK(
                vector["error"].get<std::string>().starts_with("invalid value 0 passed for cmpId"));
            TcfRules rules;
            const auto checked = check_tcf(tcf, tcf.created, rules);
            CHECK((checked == SignalFault::cmp_unknown ||
                   checked == SignalFault::not_service_specific));
            ++outcomes["refused by both, here by check_tcf"];
        }
    }
    CHECK(run == 62);
    std::printf("%zu TC strings\n", run);
    for (const auto& [outcome, count] : outcomes) std::printf("  %d %s\n", count, outcome.c_str());
}

}  // namespace
