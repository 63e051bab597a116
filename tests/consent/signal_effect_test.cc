#include "consent/signal_effect.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/consent/signals.h"

namespace {

using namespace consent;

// made on 2025-06-03; consents to nobody's purposes, vendors 1 to 4, disclosed 1 to 5, 100, 404
constexpr std::string_view kTcf =
    "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA";

SignalContext on(std::string_view date) {
    return {.now = cdp::parse_time(date).value(), .rules = {}, .vendor = {}};
}

// "gpp/sale denied; gpc objected"
std::string text_of(const SignalEffects& effects) {
    std::string text;
    effects.each([&](const SignalEffect& effect) {
        if (!text.empty()) text += "; ";
        text += std::string(effect.key) + " " + std::string(state_name(effect.state));
    });
    return text;
}

std::string effects_of_gpp(const std::string& text) {
    Gpp gpp;
    REQUIRE(read_gpp(text, gpp) == SignalFault::none);
    return text_of(effects_of(gpp, on("2025-07-01")));
}

// A section as its answers, in the order of its layout; spaces are for the reader.
std::string section_of(std::uint16_t id, std::string answers) {
    std::erase(answers, ' ');
    for (const auto& layout : us_layouts()) {
        if (layout.section != id || layout.bits() != 6 + 2 * answers.size()) continue;
        auto bits = tests::bits_of(layout.version, 6);
        for (const char c : answers) bits += tests::bits_of(static_cast<unsigned>(c - '0'), 2);
        return tests::base64_of_bits(bits);
    }
    return {};
}

std::string effects_of_section(std::uint16_t id, const std::string& answers) {
    const auto text = section_of(id, answers);
    CAPTURE(id, answers, text);
    Gpp gpp;
    REQUIRE(read_us_section(id, text, gpp.us_list[0]) == SignalFault::none);
    gpp.us_count = 1;
    return text_of(effects_of(gpp, on("2025-07-01")));
}

TEST_CASE("an opt-out counts only where people were told of it") {
    struct Row {
        const char* answers;  // notice; of sale, of ads; sale, ads; 8 sensitive; child; covered …
        const char* effects;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {"11111 00000000" "0 100", "gpp/sale denied; gpp/targeted_ads denied"},
        {"11112 00000000" "0 100", "gpp/sale denied; gpp/targeted_ads noticed"},
        {"11122 00000000" "0 100", "gpp/sale noticed; gpp/targeted_ads noticed"},
        {"11100 00000000" "0 100", ""},
        {"00000 00000000" "0 100", ""},
        {"12100 00000000" "0 100", "gpp/sale denied"},      // not told
        {"12220 00000000" "0 100", "gpp/sale denied; gpp/targeted_ads denied"},
        {"10120 00000000" "0 100", "gpp/sale denied"},      // not told, and yet asked?
        {"21122 00000000" "0 100", "gpp/sale denied; gpp/sharing denied; gpp/targeted_ads denied"},
        {"00000 20100000" "0 100", "gpp/sensitive/1 granted; gpp/sensitive/3 denied"},
        {"00000 00000000" "1 100", "gpp/known_child denied"},
        {"00000 00000000" "2 100", "gpp/known_child granted"},
    }));
    // clang-format on
    CHECK(effects_of_section(9, row.answers) == row.effects);
}

TEST_CASE("a category of sensitive data has the nation's number whichever state says it") {
    // Utah: opt-outs, and 3 to 5 in another order
    CHECK(effects_of_section(11,
                             "1001 00"
                             "00100000 0 100") == "gpp/sensitive/4 denied");
    CHECK(effects_of_section(11,
                             "1001 00"
                             "00020000 0 100") == "gpp/sensitive/5 noticed");
    CHECK(effects_of_section(11,
                             "1002 00"
                             "00002000 0 100") == "gpp/sensitive/3 denied");
    // Oregon: transgender or nonbinary, crime victims
    CHECK(effects_of_section(15,
                             "00000 00002001000"
                             "000 0 100") == "gpp/sensitive/14 denied; gpp/sensitive/16 granted");
    // California: origin, beliefs and union in one; an opt-out
    CHECK(effects_of_section(8,
                             "001 00"
                             "000100000 00"
                             "0 100") ==
          "gpp/sensitive/1 denied; gpp/sensitive/2 denied; gpp/sensitive/11 denied");
    CHECK(effects_of_section(8,
                             "001 00"
                             "200000000 00"
                             "0 100") == "gpp/sensitive/9 noticed");
    CHECK(effects_of_section(8,
                             "000 00"
                             "200000000 00"
                             "0 100") == "gpp/sensitive/9 denied");
    CHECK(effects_of_section(21,
                             "00000 0000000021"
                             "00000 0 100") == "gpp/sensitive/10 denied; gpp/sensitive/16 granted");
}

TEST_CASE("one refusal for a child outweighs the other answers") {
    CHECK(effects_of_section(12,
                             "00000 00000000"
                             "212 100") == "gpp/known_child denied");
    CHECK(effects_of_section(12,
                             "00000 00000000"
                             "202 100") == "gpp/known_child granted");
}

TEST_CASE("consent to more data is taken from no section whose specification has it both ways") {
    CHECK(effects_of_section(14,
                             "00000 00000000"
                             "000 2 100") == "gpp/personal_data granted");
    CHECK(effects_of_section(14,
                             "00000 00000000"
                             "000 1 100") == "gpp/personal_data denied");
    CHECK(effects_of_section(16,
                             "00000 00000000"
                             "0 2 100") == "gpp/personal_data denied");
    CHECK(effects_of_section(16,
                             "00000 00000000"
                             "0 1 100") == "gpp/personal_data denied");
    CHECK(effects_of_section(16,
                             "00000 00000000"
                             "0 0 100")
              .empty());
}

TEST_CASE("the strictest section of a string decides") {
    CHECK(effects_of_gpp("DBABLA~CAAQAAAAAABA.YA") == "gpp/sale denied; gpc objected");
    CHECK(effects_of_gpp("DBABTA~1YNN") == "gpp/sale noticed");
    CHECK(effects_of_gpp("DBABTA~1YYN") == "gpp/sale denied");
    CHECK(effects_of_gpp("DBABTA~1NNN") == "gpp/sale denied");
    CHECK(effects_of_gpp("DBABTA~1---").empty());
    // 6 and 7: 1YNN beside an opt-out nationwide
    const auto both =
        tests::base64_of_bits("000011000001" + tests::bits_of(1, 12) + "1" + "10011" + "11");
    CHECK(effects_of_gpp(both + "~1YNN~CAAQAAAAAABA") == "gpp/sale denied");
    CHECK(effects_of_gpp(both + "~1YYN~CAAAAAAAAABA") == "gpp/sale denied");
}

TEST_CASE("a section that cannot be read denies what it could have said") {
    const auto all_of_gpp = text_of(effects_of_unreadable(SignalKind::gpp));
    const auto us = effects_of_gpp("DBABLA~DAAQAAAAAABA");
    CHECK(
        us.starts_with("gpp/sale denied; gpp/sharing denied; gpp/targeted_ads denied; "
                       "gpp/sensitive/1 denied"));
    CHECK(
        us.ends_with("gpp/sensitive/16 denied; gpp/known_child denied; gpp/personal_data denied"));
    CHECK(effects_of_gpp("DBABTA~2YNN") == "gpp/sale denied");
    const auto unknown =
        tests::base64_of_bits("000011000001" + tests::bits_of(1, 12) + "0" + "0000000011");  // 55
    CHECK(effects_of_gpp(unknown + "~any") == "gpp/unknown_section denied");
    CHECK(effects_of_gpp("DBABMA~CPX").starts_with("tcf/1 denied; tcf/2 denied"));
    for (const auto& text : {us, effects_of_gpp("DBABMA~CPX"), effects_of_gpp("DBABTA~2YNN")})
        CHECK(all_of_gpp.find(text) != std::string::npos);
}

TEST_CASE("a TC string speaks for a vendor only where vendor, purpose and publisher agree") {
    const auto yes_to_all = [](std::string_view vendors, std::string_view restrictions) {
        const auto day = tests::bits_of(17'489'088'000, 36);  // 2025-06-03
        return tests::base64_of_bits(
                   tests::bits_of(2, 6) + day + day + tests::bits_of(880, 12) +
                   tests::bits_of(0, 18) + tests::bits_of(4, 6) + tests::bits_of(13, 6) +
                   tests::bits_of(48, 12) + tests::bits_of(5, 6) + "10" +
                   tests::bits_of(0x800, 12) + std::string(24, '1') + std::string(24, '1') + "0" +
                   tests::bits_of(3, 6) + tests::bits_of(4, 6) + std::string(vendors) +
                   std::string(vendors) + std::string(restrictions)) +
               "." + tests::base64_of_bits("001" + tests::bits_of(9, 16) + "0" + "111111110");
    };
    const auto vendors = tests::bits_of(9, 16) + "0" + "111111101";  // not 8; 9 is not disclosed
    const auto restrict = [](unsigned purpose, unsigned type, unsigned vendor) {
        return tests::bits_of(1, 12) + tests::bits_of(purpose, 6) + tests::bits_of(type, 2) +
               tests::bits_of(1, 12) + "0" + tests::bits_of(vendor, 16);
    };
    const auto none = tests::bits_of(0, 12);
    const auto ask = [&](const std::string& restrictions, std::optional<TcfVendor> vendor,
                         std::string_view key) {
        const auto text = yes_to_all(vendors, restrictions);
        Tcf tcf;
        REQUIRE(read_tcf(text, tcf) == SignalFault::none);
        auto context = on("2025-07-01");
        context.vendor = vendor;
        const auto state = effects_of(tcf, context).of(key);
        return state ? state_name(*state) : "";
    };
    const TcfVendor one{.id = 1};
    CHECK(ask(none, {}, "tcf/3") == "granted");
    CHECK(ask(none, one, "tcf/3") == "granted");
    CHECK(ask(none, one, "tcf/li/7") == "noticed");
    CHECK(ask(none, one, "tcf/li/3") == "");  // no such key: policy forbids it
    CHECK(ask(none, one, "tcf/special/1") == "granted");
    CHECK(ask(none, one, "tcf/special/2") == "denied");
    CHECK(ask(none, TcfVendor{.id = 8}, "tcf/3") == "denied");
    CHECK(ask(none, TcfVendor{.id = 9}, "tcf/3") == "denied");
    CHECK(ask(none, TcfVendor{.id = 10}, "tcf/3") == "denied");
    CHECK(ask(none, TcfVendor{.id = 8}, "tcf/li/7") == "objected");
    CHECK(ask(restrict(7, 0, 1), one, "tcf/7") == "denied");
    CHECK(ask(restrict(7, 0, 1), one, "tcf/li/7") == "objected");
    CHECK(ask(restrict(7, 0, 2), one, "tcf/7") == "granted");
    CHECK(ask(restrict(7, 1, 1), one, "tcf/7") == "granted");
    CHECK(ask(restrict(7, 1, 1), one, "tcf/li/7") == "objected");
    CHECK(ask(restrict(7, 2, 1), one, "tcf/7") == "denied");
    CHECK(ask(restrict(7, 2, 1), one, "tcf/li/7") == "noticed");
    // declares purpose 7 for legitimate interest alone, then also as flexible
    const TcfVendor rigid{.id = 1, .consent = 0x1, .legitimate_interest = 0x40, .flexible = 0};
    CHECK(ask(none, rigid, "tcf/7") == "denied");
    CHECK(ask(none, rigid, "tcf/li/7") == "noticed");
    CHECK(ask(restrict(7, 1, 1), rigid, "tcf/li/7") == "objected");
    const TcfVendor flexible{
        .id = 1, .consent = 0x1, .legitimate_interest = 0x40, .flexible = 0x40};
    CHECK(ask(restrict(7, 1, 1), flexible, "tcf/7") == "granted");
}

TEST_CASE("a TC string that may not be acted on denies everything") {
    Tcf tcf;
    REQUIRE(read_tcf(kTcf, tcf) == SignalFault::none);
    const auto all = text_of(effects_of_unreadable(SignalKind::tcf));
    CHECK(text_of(effects_of(tcf, on("2027-01-01"))) == all);
    CHECK(text_of(effects_of(tcf, on("2025-01-01"))) == all);
    tcf.service_specific = false;
    CHECK(text_of(effects_of(tcf, on("2025-07-01"))) == all);
}

TEST_CASE("in Canada implied consent is a notice, and express consent outweighs it") {
    Tcf tcf;
    REQUIRE(read_tcf_canada("BPSG_8APSG_8AAyACAENGdCgf_gfgAfgfgBgABABAAABAB4AACACAAA.fHHHA4444ao",
                            tcf) == SignalFault::none);
    const auto effects = effects_of_canada(tcf, on("2022-02-01"));
    CHECK(effects.of("tcfca/1") == SignalState::granted);
    CHECK(effects.of("tcfca/6") == SignalState::granted);
    CHECK(effects.of("tcfca/7") == SignalState::noticed);
    CHECK(text_of(effects_of_canada(tcf, on("2027-01-01"))) ==
          text_of(effects_of_unreadable(SignalKind::tcf_canada)));
}

TEST_CASE("purpose one says nothing where it was not to be asked") {
    Tcf tcf;
    REQUIRE(read_tcf(kTcf, tcf) == SignalFault::none);
    CHECK(effects_of(tcf, on("2025-07-01")).of("tcf/1") == SignalState::denied);
    tcf.purpose_one_treatment = true;
    CHECK_FALSE(effects_of(tcf, on("2025-07-01")).of("tcf/1"));
}

TEST_CASE("GPC is the value 1 and no other") {
    CHECK(text_of(effects_of_gpc("1")) == "gpc objected");
    for (const auto* value : {"", "0", "true", "1 ", "11", "1;a=b"})
        CHECK(effects_of_gpc(value).empty());
}

TEST_CASE("only an authorized app may track") {
    CHECK(text_of(effects_of_att("authorized")) == "att noticed");
    CHECK(text_of(effects_of_att("denied")) == "att objected");
    for (const auto* status : {"notDetermined", "restricted", "", "Authorized", "3"})
        CHECK(text_of(effects_of_att(status)) == "att denied");
}

TEST_CASE("every key is said once") {
    const auto keys = signal_keys();
    for (std::size_t i = 0; i < keys.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) CHECK(keys[i] != keys[j]);
    SignalEffects effects;
    effects.add(2, SignalState::denied);
    effects.add(2, SignalState::granted);
    CHECK(text_of(effects) == "tcf/3 denied");
}

}  // namespace
