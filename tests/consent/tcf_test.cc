#include "consent/tcf.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "consent/tcf_rules.h"
#include "tests/consent/signals.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;
using tests::base64_of_bits;
using tests::bits_of;

// The specification's own example of 2.3.
constexpr std::string_view kExample =
    "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA";

std::string fault_of(std::string_view text) {
    Tcf tcf;
    return std::string(fault_name(read_tcf(text, tcf)));
}

// A core whose fields after the head can be chosen.
struct Core {
    unsigned version = 2;
    std::uint64_t created = 17'600'000'000;  // deciseconds
    unsigned language = 4;
    std::string vendors = bits_of(0, 17) + bits_of(0, 17);
    std::string restrictions = bits_of(0, 12);

    std::string bits() const {
        return bits_of(version, 6) + bits_of(created, 36) + bits_of(created, 36) +
               bits_of(880, 12) + bits_of(1, 12) + bits_of(0, 6) + bits_of(language, 6) +
               bits_of(13, 6) + bits_of(48, 12) + bits_of(5, 6) + "10" + bits_of(0, 12) +
               bits_of(0xc00000, 24) + bits_of(0, 24) + "0" + bits_of(3, 6) + bits_of(4, 6) +
               vendors + restrictions;
    }
    std::string text() const { return base64_of_bits(bits()); }
};

std::string range(unsigned first, unsigned last) {
    return first == last ? "0" + bits_of(first, 16) : "1" + bits_of(first, 16) + bits_of(last, 16);
}

TEST_CASE("the specification's example reads as the specification says") {
    const auto tcf = decode_tcf(kExample);
    REQUIRE(tcf);
    CHECK(tcf->cmp_id == 880);
    CHECK(tcf->vendor_list_version == 48);
    CHECK(tcf->policy_version == 2);
    CHECK(tcf->service_specific);
    CHECK(cdp::format_time(tcf->created) == "2025-06-03T00:00:00.000Z");
    CHECK(tcf->publisher_country == std::array{'D', 'E'});
    CHECK(tests::numbers_of(tcf->vendor_consents) == std::vector{1, 2, 3, 4});
    CHECK(tcf->has_vendor_consent(4));
    CHECK_FALSE(tcf->has_vendor_consent(5));
    CHECK_FALSE(tcf->has_vendor_consent(0));
    CHECK(tests::numbers_of(tcf->vendor_legitimate_interests).empty());
    CHECK(tcf->restrictions.size() == 0);
    CHECK(tests::numbers_of(tcf->disclosed_vendors) == std::vector{1, 2, 3, 4, 5, 100, 404});
    CHECK(tcf->disclosed_vendors->max_id() == 404);
    REQUIRE(tcf->publisher);
    CHECK(tcf->publisher->custom_consents.size == 0);
    CHECK_FALSE(tcf->allowed_vendors);
}

TEST_CASE("each way a TC string can be wrong has a reason of its own") {
    const Core sound;
    REQUIRE(fault_of(sound.text()) == "none");
    const auto core = sound.text();
    CHECK(fault_of("") == "empty");
    CHECK(fault_of(std::string(kSignalBytesMax + 1, 'A')) == "too_long");
    CHECK(fault_of("C*" + core.substr(2)) == "bad_character");
    CHECK(fault_of(core + ".I AA") == "bad_character");
    CHECK(fault_of("C") == "truncated");
    CHECK(fault_of(core.substr(0, core.size() - 3)) == "truncated");
    CHECK(fault_of(core + ".") == "truncated");
    CHECK(fault_of(core + "..IAAA") == "truncated");
    CHECK(fault_of(core + ".IA") == "truncated");
    CHECK(fault_of(Core{.version = 1}.text()) == "version_unknown");
    CHECK(fault_of(Core{.version = 3}.text()) == "version_unknown");
    CHECK(fault_of("DBAA") == "version_unknown");  // a GPP string in the wrong place
    CHECK(fault_of(Core{.language = 26}.text()) == "malformed");
    CHECK(fault_of(core + "A_") == "trailing_bits");
    CHECK(fault_of(core + ".gAAA") == "segment_unknown");
    CHECK(fault_of(core + ".IAAA.IAAA") == "segment_repeated");

    const auto ranges = [](const std::string& list, unsigned entries, unsigned max_id) {
        return bits_of(max_id, 16) + "1" + bits_of(entries, 12) + list + bits_of(0, 17);
    };
    CHECK(fault_of(Core{.vendors = ranges(range(2, 9), 1, 9)}.text()) == "none");
    CHECK(fault_of(Core{.vendors = ranges(range(9, 2), 1, 9)}.text()) == "malformed");
    CHECK(fault_of(Core{.vendors = ranges(range(0, 2), 1, 9)}.text()) == "malformed");
    CHECK(fault_of(Core{.vendors = ranges(range(2, 10), 1, 9)}.text()) == "malformed");
    CHECK(fault_of(Core{.vendors = ranges(range(2, 9), 4095, 9)}.text()) == "truncated");

    const auto restricted = [](unsigned purpose, unsigned type) {
        return bits_of(1, 12) + bits_of(purpose, 6) + bits_of(type, 2) + bits_of(1, 12) +
               range(3, 4000);
    };
    CHECK(fault_of(Core{.restrictions = restricted(7, 2)}.text()) == "none");
    CHECK(fault_of(Core{.restrictions = restricted(7, 3)}.text()) == "malformed");
    CHECK(fault_of(Core{.restrictions = restricted(0, 1)}.text()) == "malformed");
    CHECK(fault_of(Core{.restrictions = restricted(25, 1)}.text()) == "malformed");
}

TEST_CASE("an error of a string names its fault and says nothing of the person") {
    const auto tcf = decode_tcf("CQSbk4AQ");
    REQUIRE_FALSE(tcf);
    CHECK(tcf.error().code == cdp::ErrorCode::invalid_argument);
    CHECK(tcf.error().reason == "signal_truncated");
    CHECK(tcf.error().message.find("CQSbk4AQ") == std::string::npos);
}

TEST_CASE("padding of every kind is accepted") {
    const auto core = Core{}.text();
    const auto disclosed = base64_of_bits("001" + bits_of(8, 16) + "0" + "10000001");
    for (const auto* tail : {"", "A", "AA", "AAAA", "AAAAAAAA", "=", "=="}) {
        CAPTURE(tail);
        const auto text = core + tail + "." + disclosed + tail;
        const auto tcf = decode_tcf(text);
        REQUIRE(tcf);
        CHECK(tests::numbers_of(tcf->disclosed_vendors) == std::vector{1, 8});
    }
    CHECK(fault_of(core + "===") == "bad_character");
}

TEST_CASE("a vendor beyond the last one is in no set, whatever bits follow") {
    const Core core{.vendors = bits_of(2, 16) + "0" + "11" + bits_of(0xffff, 16) + "1" +
                               bits_of(1, 12) + range(9, 9)};
    const auto text = core.text();
    const auto tcf = decode_tcf(text);
    REQUIRE(tcf);
    CHECK(tcf->has_vendor_consent(2));
    for (std::uint16_t id = 3; id < 20; ++id) CHECK_FALSE(tcf->has_vendor_consent(id));
    CHECK(tcf->vendor_legitimate_interests.has(9));
    CHECK_FALSE(tcf->vendor_legitimate_interests.has(10));
}

TEST_CASE("vendors are counted once each, in bits and in ranges that overlap") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    cdp::Random random{seed};
    std::string bits;
    for (int i = 0; i < 40; ++i) bits += random.one_in(3) ? '1' : '0';
    const auto ranges = random.below(5);
    std::string written = bits_of(ranges, 12);
    for (std::uint64_t i = 0; i < ranges; ++i) {
        const auto first = 1 + random.below(30);
        written +=
            range(static_cast<unsigned>(first), static_cast<unsigned>(first + random.below(9)));
    }
    const Core core{.vendors = bits_of(40, 16) + "0" + bits + bits_of(40, 16) + "1" + written};
    const auto text = core.text();
    const auto tcf = decode_tcf(text);
    REQUIRE(tcf);
    for (const auto* set : {&tcf->vendor_consents, &tcf->vendor_legitimate_interests})
        CHECK(set->count() == tests::numbers_of(*set).size());
}

TEST_CASE("a publisher's restrictions are found by purpose, type and vendor") {
    const Core core{.restrictions = bits_of(2, 12) + bits_of(7, 6) + "00" + bits_of(2, 12) +
                                    range(3, 5) + range(4000, 4000) + bits_of(2, 6) + "01" +
                                    bits_of(1, 12) + range(9, 9)};
    const auto text = core.text();
    const auto tcf = decode_tcf(text);
    REQUIRE(tcf);
    CHECK(tcf->restrictions.size() == 2);
    CHECK(tcf->restrictions.has(RestrictionType::forbidden, 7, 4));
    CHECK(tcf->restrictions.has(RestrictionType::forbidden, 7, 4000));
    CHECK(tcf->restrictions.has(RestrictionType::require_consent, 2, 9));
    CHECK_FALSE(tcf->restrictions.has(RestrictionType::forbidden, 7, 6));
    CHECK_FALSE(tcf->restrictions.has(RestrictionType::require_consent, 7, 4));
    CHECK_FALSE(tcf->restrictions.has(RestrictionType::forbidden, 2, 9));
}

TEST_CASE("what was decoded is acted on only within the framework's rules") {
    const auto day = [](std::string_view date) { return cdp::parse_time(date).value(); };
    Tcf tcf;
    REQUIRE(read_tcf(kExample, tcf) == SignalFault::none);  // made on 2025-06-03
    CHECK(check_tcf(tcf, day("2025-06-03")) == SignalFault::none);
    CHECK(check_tcf(tcf, day("2025-06-02")) == SignalFault::none);  // a clock that is ahead
    CHECK(check_tcf(tcf, day("2025-06-01")) == SignalFault::from_the_future);
    CHECK(check_tcf(tcf, day("2026-06-27")) == SignalFault::none);
    CHECK(check_tcf(tcf, day("2026-06-28")) == SignalFault::expired);

    auto without = tcf;
    without.disclosed_vendors.reset();
    CHECK(check_tcf(without, day("2026-03-02")) == SignalFault::none);  // made before the rule
    without.created = without.updated = day("2026-02-28T23:59:59Z");
    CHECK(check_tcf(without, day("2026-03-02")) == SignalFault::none);
    without.created = without.updated = day("2026-03-01");
    CHECK(check_tcf(without, day("2026-03-02")) == SignalFault::disclosed_vendors_missing);
    CHECK(check_tcf(without, day("2026-03-02"), {.disclosed_vendors_from = day("2027-01-01")}) ==
          SignalFault::none);

    auto global = tcf;
    global.service_specific = false;
    CHECK(check_tcf(global, day("2025-06-03")) == SignalFault::not_service_specific);
    auto nobody = tcf;
    nobody.cmp_id = 1;
    CHECK(check_tcf(nobody, day("2025-06-03")) == SignalFault::cmp_unknown);
}

// Whether a says yes to nothing that b says no to, in the segments that a has.
bool no_more_than(const Tcf& a, const Tcf& b) {
    const auto within = [](const NumberSet& x, const NumberSet& y) {
        return (x.bits & ~y.bits) == 0;
    };
    if (!within(a.purpose_consents, b.purpose_consents)) return false;
    if (!within(a.purpose_legitimate_interests, b.purpose_legitimate_interests)) return false;
    if (!within(a.special_features, b.special_features)) return false;
    return tests::numbers_of(a.vendor_consents) == tests::numbers_of(b.vendor_consents) &&
           tests::numbers_of(a.vendor_legitimate_interests) ==
               tests::numbers_of(b.vendor_legitimate_interests) &&
           a.restrictions.size() == b.restrictions.size();
}

std::string random_ranges(cdp::Random& random, unsigned entries, unsigned max_id) {
    std::string list;
    for (unsigned i = 0; i < entries; ++i) {
        const auto first = 1 + static_cast<unsigned>(random.below(max_id));
        const auto last = first + static_cast<unsigned>(random.below(max_id - first + 1));
        list +=
            random.one_in(2) ? range(first, first) : "1" + bits_of(first, 16) + bits_of(last, 16);
    }
    return list;
}

std::string random_vendors(cdp::Random& random) {
    const auto max_id = 1 + static_cast<unsigned>(random.below(300));
    if (random.one_in(2)) {
        std::string bits = bits_of(max_id, 16) + "0";
        for (unsigned i = 0; i < max_id; ++i) bits += random.one_in(3) ? '1' : '0';
        return bits;
    }
    const auto entries = static_cast<unsigned>(random.below(5));
    return bits_of(max_id, 16) + "1" + bits_of(entries, 12) +
           random_ranges(random, entries, max_id);
}

std::string random_string(cdp::Random& random) {
    const auto entries = 1 + static_cast<unsigned>(random.below(3));
    const Core core{.created = 17'000'000'000 + random.below(800'000'000),
                    .vendors = random_vendors(random) + random_vendors(random),
                    .restrictions = random.one_in(2)
                                        ? bits_of(0, 12)
                                        : bits_of(1, 12) + bits_of(1 + random.below(24), 6) +
                                              bits_of(random.below(3), 2) + bits_of(entries, 12) +
                                              random_ranges(random, entries, 2000)};
    auto text = core.text();
    if (random.one_in(2)) text += "." + base64_of_bits("001" + random_vendors(random));
    if (random.one_in(4)) text += "." + base64_of_bits("010" + random_vendors(random));
    if (random.one_in(2))
        text +=
            "." + base64_of_bits("011" + bits_of(random.next() >> 16, 48) + bits_of(2, 6) + "0110");
    return text;
}

TEST_CASE("a string cut short is refused, or is the same string without its last segments") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto text = random_string(random);
    Tcf whole;
    REQUIRE(read_tcf(text, whole) == SignalFault::none);
    const auto core_size = std::min(text.find('.'), text.size());
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto prefix = text.substr(0, size);
        Tcf cut;
        if (read_tcf(prefix, cut) != SignalFault::none) continue;
        CAPTURE(prefix);
        CHECK(size + 1 >= core_size);  // a last character of the core may hold padding alone
        CHECK(no_more_than(cut, whole));
        CHECK((!cut.disclosed_vendors || tests::numbers_of(cut.disclosed_vendors) ==
                                             tests::numbers_of(whole.disclosed_vendors)));
        // What is left out matters only where the rules let it be left out.
        if (whole.disclosed_vendors && !cut.disclosed_vendors)
            CHECK(check_tcf(cut, cut.created, {.disclosed_vendors_from = cut.created}) ==
                  SignalFault::disclosed_vendors_missing);
    }
}

TEST_CASE("no mutation of a string crashes the decoder or what reads its answer") {
    const auto seed = GENERATE(tests::seeds(300));
    CAPTURE(seed);
    cdp::Random random{seed};
    auto text = random_string(random);
    for (auto n = 1 + random.below(4); n > 0; --n) {
        const auto at = random.below(text.size());
        if (random.one_in(3))
            text.erase(at, random.below(5));
        else if (random.one_in(3))
            text.insert(at, 1, static_cast<char>(random.below(256)));
        else
            text[at] = static_cast<char>(random.below(256));
        if (text.empty()) text = "C";
    }
    const std::string exact = text;  // a heap block of its own, for the sanitizer
    Tcf tcf;
    if (read_tcf(exact, tcf) != SignalFault::none) return;
    for (const auto id : {0, 1, 2, 300, 0xffff}) {
        (void)tcf.vendor_consents.has(static_cast<std::uint16_t>(id));
        (void)tcf.vendor_legitimate_interests.has(static_cast<std::uint16_t>(id));
        (void)tcf.restrictions.has(RestrictionType::forbidden, 1, static_cast<std::uint16_t>(id));
        if (tcf.disclosed_vendors) (void)tcf.disclosed_vendors->has(static_cast<std::uint16_t>(id));
    }
    CHECK(tcf.version == 2);
}

}  // namespace
