#include <map>
#include <utility>

#include "tests/cdp/audit_expected_of_consents.h"
#include "tests/cdp/audit_expected_of_disclosures.h"
#include "tests/cdp/audit_expected_of_requests.h"
#include "tests/cdp/audit_expected_of_signals.h"
#include "tests/support/seeds.h"

// Every question of the officers', asked of a history of which the answers are known beforehand.
namespace {

using tests::Asking;
using tests::Compared;
using tests::History;

using Expectation = Compared (*)(Asking&);

const std::map<std::string, Expectation, std::less<>> kExpectations{
    {"disclosures", tests::disclosures},
    {"consent", tests::beliefs},
    {"record", tests::records},
    {"decision", tests::decisions},
    {"notice", tests::grants},
    {"merge", tests::merges},
    {"gpc", tests::gpc},
    {"withdrawals", tests::withdrawals},
    {"night", tests::night},
    {"purpose-limitation", tests::purpose_limitation},
    {"minors", tests::minors},
    {"access", tests::access},
    {"erasures", tests::erasures},
    {"withheld", tests::withheld},
    {"unmapped", tests::unmapped},
    {"unused", tests::unused},
    {"signals", tests::signals},
    {"conflicts", tests::conflicts},
    {"rights-requests", tests::rights_requests},
    {"processing", tests::processing},
    {"records", tests::actors},
    {"recipients", tests::recipients},
};

std::string differences(const Compared& compared) {
    std::string out;
    for (const auto& one : compared.told)
        if (!compared.expected.contains(one)) out += "told and not so: " + one + "\n";
    for (const auto& one : compared.expected)
        if (!compared.told.contains(one)) out += "so and not told: " + one + "\n";
    return out.substr(0, 1'500);
}

}  // namespace

TEST_CASE("every question has the answer that is known") {
    const auto seed = GENERATE(tests::seeds(6));
    CAPTURE(seed);
    tests::AuditedShop shop(seed);
    for (const auto& question : cdp::audit_questions()) {
        CAPTURE(question.verb);
        const auto expectation = kExpectations.find(question.verb);
        if (expectation == kExpectations.end()) {
            FAIL_CHECK("nothing is expected of the question " << question.verb);
            continue;
        }
        Asking ask(shop, shop.known, seed);
        const auto compared = expectation->second(ask);
        CHECK(differences(compared) == "");
        CHECK_FALSE(compared.expected.empty());
    }
}

namespace {

// Something that was not written down as it was, and the questions whose answers must show it.
struct Planted {
    const char* what;
    bool (*plant)(History&);  // false: there is nothing of the kind
    std::vector<const char*> noticed_by;
};

template <typename List, typename Wanted>
bool forget(List& list, const Wanted& wanted) {
    const auto at = std::ranges::find_if(list, wanted);
    if (at == list.end()) return false;
    list.erase(at);
    return true;
}

const std::vector<Planted> kPlanted{
    {"a body that was given to a channel",
     [](History& known) {
         return forget(known.given, [&](const tests::BodyGiven& one) {
             return one.left.contains("fields/plan") && one.purpose == "service" &&
                    !known.is_gone(one.asked);
         });
     },
     {"disclosures", "purpose-limitation", "withheld", "signals"}},
    {"what was in the bodies",
     [](History& known) {
         for (auto& one : known.given) one.left.erase("fields/plan");
         return true;
     },
     {"disclosures", "decision", "purpose-limitation", "unused"}},
    {"all that a channel was given",
     [](History& known) {
         return std::erase_if(known.given,
                              [](const auto& one) { return one.channel == "sms_tool"; }) > 0;
     },
     {"disclosures", "night", "recipients"}},
    {"an answer",
     [](History& known) {
         return forget(known.said, [&](const tests::WordSaid& one) {
             return one.version == "3" && !one.refuses() && !known.is_gone(one.under);
         });
     },
     {"notice", "records"}},
    {"what the answers said",
     [](History& known) {
         for (auto& one : known.said)
             if (one.state == "withdrawn") one.state = "granted";
         return true;
     },
     {"consent", "record", "merge", "withdrawals"}},
    {"that two became one",
     [](History& known) {
         return forget(known.joined, [&](const tests::Joined& one) {
             return one.b.starts_with("email:q") && !known.is_gone(one.a);
         });
     },
     {"merge", "consent"}},
    {"the opt-outs of browsers",
     [](History& known) {
         return std::erase_if(known.said, [](const auto& one) { return one.signal == "gpc"; }) > 0;
     },
     {"gpc", "signals", "conflicts"}},
    {"that withdrawals were taken note of",
     [](History& known) { return !std::exchange(known.noted, {}).empty(); },
     {"withdrawals"}},
    {"who the guardians are",
     [](History& known) {
         for (auto& one : known.said) one.guardian.clear();
         return true;
     },
     {"minors"}},
    {"that somebody looked",
     [](History& known) { return !std::exchange(known.looked, {}).empty(); },
     {"access"}},
    {"who was erased",
     [](History& known) { return !std::exchange(known.gone, {}).empty(); },
     {"erasures", "disclosures"}},
    {"what somebody asked of their data",
     [](History& known) { return !std::exchange(known.asked, {}).empty(); },
     {"rights-requests"}},
    {"whose name nobody mapped",
     [](History& known) { return forget(known.unmapped, [](const auto&) { return true; }); },
     {"unmapped"}},
    {"what a channel is for",
     [](History& known) {
         known.policy.channels.back().purposes.clear();
         return true;
     },
     {"processing"}},
};

}  // namespace

TEST_CASE("what was written down wrongly does not agree with the answers") {
    const auto seed = GENERATE(std::uint64_t{1}, std::uint64_t{2});
    CAPTURE(seed);
    tests::AuditedShop shop(seed);
    std::set<std::string, std::less<>> noticing;
    for (const auto& planted : kPlanted) {
        CAPTURE(planted.what);
        auto known = shop.known;
        if (!planted.plant(known)) continue;
        for (const auto* verb : planted.noticed_by) {
            CAPTURE(verb);
            noticing.insert(verb);
            Asking ask(shop, known, seed);
            CHECK_FALSE(differences(kExpectations.find(verb)->second(ask)).empty());
        }
    }
    // Every comparison can fail.
    for (const auto& [verb, expectation] : kExpectations) {
        CAPTURE(verb);
        CHECK(noticing.contains(verb));
    }
}
