#include "consent/gpp.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "tests/consent/signals.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;
using tests::base64_of_bits;
using tests::bits_of;

constexpr std::uint16_t kUsNat = 7;

std::string fault_of(std::string_view text) {
    Gpp gpp;
    return std::string(fault_name(read_gpp(text, gpp)));
}

std::string fault_of_section(std::uint16_t id, std::string_view text) {
    UsSection section;
    return std::string(fault_name(read_us_section(id, text, section)));
}

// Zeckendorf's sum of n, smallest term first, and the closing 1.
std::string fibonacci(unsigned n) {
    std::vector<unsigned> terms = {1, 2};
    while (terms.back() <= n) terms.push_back(terms.back() + terms[terms.size() - 2]);
    std::string code;
    for (auto at = terms.rbegin(); at != terms.rend(); ++at) {
        if (*at > n && code.empty()) continue;
        code.insert(code.begin(), *at <= n ? '1' : '0');
        if (*at <= n) n -= *at;
    }
    return code + "1";
}

std::string header(const std::string& ids) {
    return base64_of_bits("000011000001" + ids);
}

TEST_CASE("the peers' golden strings read as the peers read them") {
    struct Row {
        const char* text;
        int version;
        int sale;
        bool gpc;
    };
    const auto row = GENERATE(values<Row>({
        {"DBABLA~CAAQAAAAAABA.YA", 2, 1, true},
        {"DBABLA~BAAQAAAAAQA.YA", 1, 1, true},
        {"DBABLA~CAAAAAAAAABA.QA", 2, 0, false},
        {"DBABLA~CVVVkkkkkpFY.YA", 2, 1, true},
        {"DBABLA~BAAAVVVVUQA.QA", 1, 0, false},
        {"DBABLA~CAAAVVVVAFBA.QA", 2, 0, false},
        {"DBABLA~CAAAVVVVVVRA.QA", 2, 0, false},
        {"DBABLA~BAAAAAAAAABA.QA", 1, 0, false},  // Java: the second layout, called 1
    }));
    CAPTURE(row.text);
    const auto gpp = decode_gpp(row.text);
    REQUIRE(gpp);
    REQUIRE(gpp->us().size() == 1);
    const auto& section = gpp->us()[0];
    CHECK(section.version == row.version);
    CHECK(section[UsField::sale_opt_out] == row.sale);
    CHECK(section.gpc == row.gpc);
}

TEST_CASE("the sections of 2025 read in both of the forms that encoders wrote") {
    struct Row {
        std::uint16_t id;
        const char* text;
        int sensitive;
        int children;
    };
    const auto row = GENERATE(values<Row>({
        {24, "BVVU.Y", 0, 0},
        {24, "BQAA.QA", 0, 0},
        {25, "BVVVkkk.YA", 8, 1},
        {25, "BVVV.kkk", 8, 1},
        {25, "BQAA", 0, 1},
        {26, "BVVVkkk.YA", 8, 1},
        {26, "BVVV.kkk", 8, 1},
        {27, "BVVV.kkk", 8, 1},
        {27, "BQAA.AAA", 8, 1},
    }));
    CAPTURE(row.id, row.text);
    UsSection section;
    REQUIRE(read_us_section(row.id, row.text, section) == SignalFault::none);
    CHECK(section[UsField::mspa_covered_transaction] == 1);
    CHECK(section.sensitive_count == row.sensitive);
    CHECK(section.children_count == row.children);
    if (std::string_view(row.text).find("kkk") != std::string_view::npos)
        CHECK(section.sensitive[0] == 2);
}

TEST_CASE("the header reads in the specification's padding and in the encoders'") {
    struct Row {
        const char* header;
        std::vector<int> ids;
    };
    const auto row = GENERATE(values<Row>({
        {"DBAA", {}},
        {"DBABM", {2}},
        {"DBABMA", {2}},
        {"DBACNY", {2, 6}},
        {"DBACNYA", {2, 6}},
        {"DBABMAAA", {2}},
        {"DBABTA", {6}},
        {"DBABLA", {7}},
    }));
    CAPTURE(row.header);
    const auto text = row.header + std::string(row.ids.size(), '~');
    Gpp gpp;
    REQUIRE(read_gpp(text, gpp) == SignalFault::none);
    std::vector<int> ids;
    for (const auto& section : gpp.sections()) ids.push_back(section.id);
    CHECK(ids == row.ids);
}

TEST_CASE("an id of any size reads back, and only as written") {
    for (const unsigned id : {1U, 2U, 3U, 4U, 7U, 12U, 100U, 4000U, 46367U, 46368U, 65535U}) {
        CAPTURE(id);
        Gpp gpp;
        const auto text = header(bits_of(1, 12) + "0" + fibonacci(id)) + "~x";
        REQUIRE(read_gpp(text, gpp) == SignalFault::none);
        CHECK(gpp.sections()[0].id == id);
    }
    CHECK(fault_of(header(bits_of(1, 12) + "0" + fibonacci(65536)) + "~x") == "malformed");
    CHECK(fault_of(header(bits_of(2, 12) + "0" + fibonacci(65535) + "0" + fibonacci(1)) + "~~") ==
          "malformed");
    CHECK(fault_of(header(bits_of(1, 12) + "0" + std::string(60, '0')) + "~") == "malformed");
    CHECK(fault_of(header(bits_of(1, 12) + "1" + fibonacci(1) + fibonacci(60000))) ==
          "section_count");
    CHECK(fault_of(header(bits_of(4095, 12) + "0" + fibonacci(1)) + "~") == "truncated");
}

TEST_CASE("each way a GPP string can be wrong has a reason of its own") {
    CHECK(fault_of("") == "empty");
    CHECK(fault_of(std::string(kSignalBytesMax + 1, 'D')) == "too_long");
    CHECK(fault_of("invalid gpp string") == "bad_character");
    CHECK(fault_of("z") == "truncated");
    CHECK(fault_of("zBAA") == "malformed");
    CHECK(fault_of("CBAA") == "malformed");  // a TC string in the wrong place
    CHECK(fault_of("DCAA") == "version_unknown");
    CHECK(fault_of("DBAB") == "truncated");
    CHECK(fault_of("DBAAA_") == "trailing_bits");
    CHECK(fault_of("DBABMA") == "section_count");
    CHECK(fault_of("DBAA~") == "section_count");
    CHECK(fault_of("DBABTA~1YNN~1YNN") == "section_count");

    const auto nat = [](std::string_view text) { return fault_of_section(kUsNat, text); };
    CHECK(nat("CAAQAAAAAABA.YA") == "none");
    CHECK(nat("CAAQAAAAAABA.Y") == "none");
    CHECK(nat("CAAQAAAAAABA") == "none");
    CHECK(nat("") == "empty");
    CHECK(nat("CAAQ*AAAAABA") == "bad_character");
    CHECK(nat("CAAQAAAAAQA.YA") == "malformed");  // the first layout, called 2
    CHECK(nat("DAAQAAAAAABA.YA") == "version_unknown");
    CHECK(nat("DAAQAAAAAAAAABA.YA") == "version_unknown");
    CHECK(nat("CAAQAAAAA") == "truncated");
    CHECK(nat("CAAQAAAAAABAA") == "trailing_bits");
    CHECK(nat("CAAQAAAAAABA.") == "truncated");
    CHECK(nat("CAAQAAAAAABA.QA.QA") == "segment_repeated");
    CHECK(nat("CAAQAAAAAABA.gA") == "segment_unknown");
    CHECK(nat("CAAQAAAAAABA.QB") == "trailing_bits");
    CHECK(nat("CMAQAAAAAABA") == "malformed");                      // an answer of 3
    CHECK(nat("CAAQAAAAAAAA") == "malformed");                      // covered: neither yes nor no
    CHECK(fault_of_section(9, "BVWSSVY.YA") == "segment_unknown");  // Virginia has no GPC
    CHECK(fault_of_section(6, "1YNN") == "section_unknown");

    Usp usp;
    CHECK(read_usp("1YNN", usp) == SignalFault::none);
    CHECK(usp == Usp{'Y', 'N', 'N'});
    CHECK(read_usp("2YNN", usp) == SignalFault::version_unknown);
    CHECK(read_usp("1YN", usp) == SignalFault::truncated);
    CHECK(read_usp("1YNNN", usp) == SignalFault::too_long);
    CHECK(read_usp("1YXN", usp) == SignalFault::bad_character);
    CHECK(read_usp("x", usp) == SignalFault::bad_character);
    CHECK(read_usp("", usp) == SignalFault::empty);
}

TEST_CASE("a section that cannot be read leaves the others as they are") {
    const auto ids = bits_of(3, 12) + "0" + fibonacci(6) + "0" + fibonacci(1) + "0" + fibonacci(60);
    const auto text = header(ids) + "~1YNN~DAAQAAAAAABA~whatever.it~is";
    CHECK(fault_of(text) == "section_count");
    const auto good = header(ids) + "~1YNN~DAAQAAAAAABA~whatever it is";
    const auto gpp = decode_gpp(good);
    REQUIRE(gpp);
    REQUIRE(gpp->sections().size() == 3);
    CHECK(gpp->sections()[0].fault == SignalFault::none);
    CHECK(gpp->usp == Usp{'Y', 'N', 'N'});
    CHECK(gpp->sections()[1].id == 7);
    CHECK(gpp->sections()[1].fault == SignalFault::version_unknown);
    CHECK(gpp->us().empty());
    CHECK(gpp->sections()[2].id == 67);
    CHECK(gpp->sections()[2].fault == SignalFault::section_unknown);
    CHECK(gpp->sections()[2].text == "whatever it is");
}

TEST_CASE("the table has every section once a version and length") {
    std::vector<std::pair<int, std::size_t>> seen;
    for (const auto& layout : us_layouts()) {
        CAPTURE(layout.name);
        CHECK(is_us_section(layout.section));
        seen.emplace_back(layout.section, layout.bits());
        std::size_t sensitive = 0;
        for (const auto& item : layout.items) {
            if (item.field == UsField::sensitive_data_processing) sensitive += item.count;
            if (item.field == UsField::known_child_consents) CHECK(item.count <= kUsChildrenMax);
        }
        CHECK(sensitive <= kUsSensitiveMax);
    }
    std::ranges::sort(seen);
    CHECK(std::ranges::adjacent_find(seen) == seen.end());
    for (int id = 7; id <= 27; ++id)
        CHECK(std::ranges::any_of(seen, [&](const auto& row) { return row.first == id; }));
    CHECK_FALSE(is_us_section(6));
    CHECK_FALSE(is_us_section(28));
}

// A section of one of the layouts with random answers.
std::string random_section(cdp::Random& random, const UsLayout& layout) {
    auto bits = bits_of(layout.version, 6);
    for (const auto& item : layout.items)
        for (std::uint8_t i = 0; i < item.count; ++i)
            bits += bits_of(item.field == UsField::mspa_covered_transaction ? 1 + random.below(2)
                                                                            : random.below(3),
                            2);
    auto text = base64_of_bits(bits);
    if (layout.segment == UsSegment::gpc && random.one_in(2))
        text += random.one_in(2) ? ".YA" : ".QA";
    if (layout.segment == UsSegment::sensitive_data && random.one_in(2)) text += ".kkk";
    return text;
}

TEST_CASE("a US section cut short is refused, or is the same section without its last segment") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto& layout = us_layouts()[random.below(us_layouts().size())];
    const auto text = random_section(random, layout);
    CAPTURE(layout.name, text);
    UsSection whole;
    REQUIRE(read_us_section(layout.section, text, whole) == SignalFault::none);
    const auto core_size = std::min(text.find('.'), text.size());
    for (std::size_t size = 0; size < text.size(); ++size) {
        UsSection cut;
        const auto prefix = text.substr(0, size);
        const auto fault = read_us_section(layout.section, prefix, cut);
        // What is left of a segment may hold all of its bits, or be a whole older layout by chance
        // of its length, never a longer one.
        if (fault != SignalFault::none) continue;
        CAPTURE(prefix);
        if (cut.layout == whole.layout) {
            CHECK(cut.answers == whole.answers);
            CHECK(cut.children == whole.children);
            CHECK((!cut.gpc || cut.gpc == whole.gpc));
            CHECK(size + 1 >= core_size);
        } else {
            CHECK(cut.layout->section >= 25);  // the pairs of forms that share a version
        }
    }
}

TEST_CASE("no mutation of a GPP string crashes the decoder") {
    const auto seed = GENERATE(tests::seeds(300));
    CAPTURE(seed);
    cdp::Random random{seed};
    std::string text =
        "DBACOaw~CPSG_8APSG_8ANwAAAENAwCAAAAAAAAAAAAAAAAAAAAA.QAAA.IAAA~"
        "BPSG_8APSG_8AAyACAENGdCgf_gfgAfgfgBgABABAAABAB4AACACAAA.fHHHA4444ao";
    if (random.one_in(2)) {
        const auto& layout = us_layouts()[random.below(us_layouts().size())];
        text = header(bits_of(1, 12) + "0" + fibonacci(layout.section)) + "~" +
               random_section(random, layout);
    }
    for (auto n = 1 + random.below(4); n > 0 && !text.empty(); --n) {
        const auto at = random.below(text.size());
        if (random.one_in(3))
            text.erase(at, random.below(5));
        else if (random.one_in(3))
            text.insert(at, 1, "~.ABCD"[random.below(6)]);
        else
            text[at] = static_cast<char>(random.below(256));
    }
    const std::string exact = text;
    Gpp gpp;
    if (read_gpp(exact, gpp) != SignalFault::none) return;
    CHECK(gpp.sections().size() <= kGppSectionsMax);
    std::size_t sound = 0;
    for (const auto& section : gpp.sections()) sound += section.fault == SignalFault::none;
    CHECK(sound == gpp.us().size() + gpp.tcf_eu.has_value() + gpp.tcf_canada.has_value() +
                       gpp.usp.has_value());
}

}  // namespace
