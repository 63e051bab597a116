#include <cctype>
#include <cstdio>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "cdp/base/time.h"
#include "consent/gpp.h"
#include "tests/consent/signals.h"

// The test cases of IAB's Java encoder, as data. What it encodes we decode, and find the fields it
// set; what it decodes we decode too.
namespace {

using namespace consent;
using nlohmann::json;

constexpr const char* kVectors = "gpp/iabgpp-java_tests.ndjson";
constexpr const char* kTcfVectors = "tcf/tcf_strings_decoded_by_iabtcf-core-1.5.6.ndjson";

// UsNatField.SALE_OPT_OUT, getSaleOptOut() and "SaleOptOut" are one name: SALE_OPT_OUT.
std::string field_name(std::string text) {
    if (const auto dot = text.rfind('.'); dot != text.npos) text = text.substr(dot + 1);
    if (text.starts_with("get")) text = text.substr(3);
    std::string name;
    bool last_lower = false;
    for (const char c : text) {
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') continue;
        if (std::isupper(static_cast<unsigned char>(c)) && last_lower) name += '_';
        last_lower = std::islower(static_cast<unsigned char>(c));
        name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return name;
}

// Whose field it is: tcfeuv2, usnat …
std::string section_name(std::string text) {
    std::smatch found;
    static const std::regex pattern("(tcfeuv2|tcfcav1|uspv1|headerv1|us[a-z][a-z]t?)",
                                    std::regex::icase);
    if (!std::regex_search(text, found, pattern)) return {};
    text = found[1];
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

json bools_of(const NumberSet& set) {
    auto list = json::array();
    for (unsigned n = 1; n <= set.size; ++n) list.push_back(set.has(n));
    return list;
}

json time_of(cdp::Timestamp time) {
    return cdp::format_time(time);
}

// A Java expression as the value it stands for; null if it is not one of those.
json value_of(const json& value) {
    if (!value.is_object()) return value;
    const auto java = value["java"].get<std::string>();
    // In GppModelTest: 2022-01-01, as the strings beside it show.
    if (java == "utcDateTime") return "2022-01-01T00:00:00.000Z";
    std::smatch found;
    static const std::regex pattern(R"(ZonedDateTime.of\((\d+), (\d+), (\d+), 0, 0, 0, 0, .*)");
    if (!std::regex_match(java, found, pattern)) return nullptr;
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00.000Z", std::stoi(found[1]),
                  std::stoi(found[2]), std::stoi(found[3]));
    return text;
}

json restrictions_of(const Tcf& tcf) {
    auto list = json::array();
    tcf.restrictions.each([&](const Restriction& restriction) {
        list.push_back({{"KEY", restriction.purpose},
                        {"TYPE", static_cast<int>(restriction.type)},
                        {"IDS", tests::numbers_of(restriction.vendors)}});
    });
    return list;
}

json fields_of(const Tcf& tcf, bool canada) {
    PublisherTc publisher;
    publisher.consents.size = publisher.legitimate_interests.size = 24;
    if (tcf.publisher) publisher = *tcf.publisher;
    const auto letters = [](const auto& two) { return std::string(two.begin(), two.end()); };
    json fields = {{"VERSION", tcf.version},
                   {"CREATED", time_of(tcf.created)},
                   {"LAST_UPDATED", time_of(tcf.updated)},
                   {"CMP_ID", tcf.cmp_id},
                   {"CMP_VERSION", tcf.cmp_version},
                   {"CONSENT_SCREEN", tcf.consent_screen},
                   {"CONSENT_LANGUAGE", letters(tcf.language)},
                   {"VENDOR_LIST_VERSION", tcf.vendor_list_version},
                   {"POLICY_VERSION", tcf.policy_version},
                   {"USE_NON_STANDARD_STACKS", tcf.non_standard_texts},
                   {"NUM_CUSTOM_PURPOSES", publisher.custom_consents.size}};
    const auto add = [&](const char* in_europe, const char* in_canada, json value) {
        fields[canada ? in_canada : in_europe] = std::move(value);
    };
    add("SPECIAL_FEATURE_OPTINS", "SPECIAL_FEATURE_EXPRESS_CONSENT",
        bools_of(tcf.special_features));
    add("PURPOSE_CONSENTS", "PURPOSES_EXPRESS_CONSENT", bools_of(tcf.purpose_consents));
    add("PURPOSE_LEGITIMATE_INTERESTS", "PURPOSES_IMPLIED_CONSENT",
        bools_of(tcf.purpose_legitimate_interests));
    add("VENDOR_CONSENTS", "VENDOR_EXPRESS_CONSENT", tests::numbers_of(tcf.vendor_consents));
    add("VENDOR_LEGITIMATE_INTERESTS", "VENDOR_IMPLIED_CONSENT",
        tests::numbers_of(tcf.vendor_legitimate_interests));
    add("PUBLISHER_RESTRICTIONS", "PUB_RESTRICTIONS", restrictions_of(tcf));
    add("PUBLISHER_CONSENTS", "PUB_PURPOSES_EXPRESS_CONSENT", bools_of(publisher.consents));
    add("PUBLISHER_LEGITIMATE_INTERESTS", "PUB_PURPOSES_IMPLIED_CONSENT",
        bools_of(publisher.legitimate_interests));
    add("PUBLISHER_CUSTOM_CONSENTS", "CUSTOM_PURPOSES_EXPRESS_CONSENT",
        bools_of(publisher.custom_consents));
    add("PUBLISHER_CUSTOM_LEGITIMATE_INTERESTS", "CUSTOM_PURPOSES_IMPLIED_CONSENT",
        bools_of(publisher.custom_legitimate_interests));
    add("VENDORS_DISCLOSED", "DISCLOSED_VENDORS", tests::numbers_of(tcf.disclosed_vendors));
    if (canada) return fields;
    fields["IS_SERVICE_SPECIFIC"] = tcf.service_specific;
    fields["PURPOSE_ONE_TREATMENT"] = tcf.purpose_one_treatment;
    fields["PUBLISHER_COUNTRY_CODE"] = letters(tcf.publisher_country);
    fields["VENDORS_ALLOWED"] = tests::numbers_of(tcf.allowed_vendors);
    return fields;
}

json fields_of(const UsSection& section) {
    static const std::map<UsField, std::string> names = {
        {UsField::sharing_notice, "SHARING_NOTICE"},
        {UsField::processing_notice, "PROCESSING_NOTICE"},
        {UsField::sale_opt_out_notice, "SALE_OPT_OUT_NOTICE"},
        {UsField::sharing_opt_out_notice, "SHARING_OPT_OUT_NOTICE"},
        {UsField::targeted_advertising_opt_out_notice, "TARGETED_ADVERTISING_OPT_OUT_NOTICE"},
        {UsField::sensitive_data_limit_use_notice, "SENSITIVE_DATA_LIMIT_USE_NOTICE"},
        {UsField::sale_opt_out, "SALE_OPT_OUT"},
        {UsField::sharing_opt_out, "SHARING_OPT_OUT"},
        {UsField::targeted_advertising_opt_out, "TARGETED_ADVERTISING_OPT_OUT"},
        {UsField::personal_data_consents, "PERSONAL_DATA_CONSENTS"},
        {UsField::additional_data_processing_consent, "ADDITIONAL_DATA_PROCESSING_CONSENT"},
        {UsField::mspa_covered_transaction, "MSPA_COVERED_TRANSACTION"},
        {UsField::mspa_opt_out_option_mode, "MSPA_OPT_OUT_OPTION_MODE"},
        {UsField::mspa_service_provider_mode, "MSPA_SERVICE_PROVIDER_MODE"},
        {UsField::mspa_mode, "MSPA_MODE"},
    };
    json fields = {{"VERSION", section.version},
                   {"GPC", section.gpc.value_or(false)},
                   {"GPC_SEGMENT_INCLUDED", section.gpc.has_value()}};
    for (const auto& item : section.layout->items)
        if (item.count > 0 && names.contains(item.field))
            fields[names.at(item.field)] = section[item.field];
    const auto notice = section[UsField::sensitive_data_opt_out_notice];
    fields["SENSITIVE_DATA_PROCESSING_OPT_OUT_NOTICE"] = notice;
    fields["SENSITIVE_DATA_OPT_OUT_NOTICE"] = notice;
    auto sensitive = json::array();
    for (std::size_t i = 0; i < section.sensitive_count; ++i)
        sensitive.push_back(section.sensitive[i]);
    auto children = json::array();
    for (std::size_t i = 0; i < section.children_count; ++i)
        children.push_back(section.children[i]);
    if (section.layout->section == 7) {  // Java fills usnat's first layout up to the second
        while (sensitive.size() < 16) sensitive.push_back(0);
        while (children.size() < 3) children.push_back(0);
    }
    fields["SENSITIVE_DATA_PROCESSING"] = sensitive;
    fields["KNOWN_CHILD_SENSITIVE_DATA_CONSENTS"] = children.size() == 1 ? children[0] : children;
    return fields;
}

// A decoded string: its sections by name, and the ids of its header.
struct Decoded {
    SignalFault fault = SignalFault::none;
    std::map<std::string, json> sections;
    std::vector<int> ids;
};

Decoded decode_model(const std::string& text) {
    Decoded decoded;
    Gpp gpp;
    decoded.fault = read_gpp(text, gpp);
    if (decoded.fault != SignalFault::none) return decoded;
    for (const auto& section : gpp.sections()) {
        decoded.ids.push_back(section.id);
        INFO(section.id);
        CHECK(fault_name(section.fault) == "none");
    }
    if (gpp.tcf_eu) decoded.sections["tcfeuv2"] = fields_of(*gpp.tcf_eu, false);
    if (gpp.tcf_canada) decoded.sections["tcfcav1"] = fields_of(*gpp.tcf_canada, true);
    if (gpp.usp)
        decoded.sections["uspv1"] = {{"VERSION", 1},
                                     {"NOTICE", std::string(1, gpp.usp->notice)},
                                     {"OPT_OUT_SALE", std::string(1, gpp.usp->opt_out_sale)},
                                     {"LSPA_COVERED", std::string(1, gpp.usp->lspa_covered)}};
    for (const auto& section : gpp.us())
        decoded.sections[std::string(section.layout->name)] = fields_of(section);
    return decoded;
}

// The header whose one section a name is, with "~" before the section.
std::string header_of(const std::string& section) {
    int id = section == "tcfeuv2" ? 2 : section == "tcfcav1" ? 5 : section == "uspv1" ? 6 : 0;
    for (const auto& layout : us_layouts())
        if (layout.name == section) id = layout.section;
    // Of each id the terms of its Fibonacci sum, smallest first.
    std::string code;
    std::vector<int> terms = {1, 2, 3, 5, 8, 13, 21};
    while (terms.back() > id) terms.pop_back();
    for (auto left = id; !terms.empty(); terms.pop_back()) {
        const bool in = terms.back() <= left;
        if (in) left -= terms.back();
        code.insert(code.begin(), in ? '1' : '0');
    }
    return tests::base64_of_bits("000011000001" + tests::bits_of(1, 12) + "0" + code + "1") + "~";
}

// The ids of a header, whose sections are left empty; -1 if it does not read.
std::vector<int> header_ids(const std::string& header) {
    for (std::size_t n = 0; n <= kGppSectionsMax; ++n) {
        Gpp gpp;
        const std::string text = header + std::string(n, '~');
        const auto fault = read_gpp(text, gpp);
        if (fault == SignalFault::section_count) continue;
        if (fault != SignalFault::none) break;
        std::vector<int> ids;
        for (const auto& section : gpp.sections()) ids.push_back(section.id);
        return ids;
    }
    return {-1};
}

// The ids that a Range(Fibonacci) says, read as a header's.
std::vector<int> ids_of(const std::string& range) {
    return header_ids(tests::base64_of_bits("000011000001" + range));
}

std::vector<int> numbers_in(const std::string& text) {
    std::vector<int> numbers;
    static const std::regex digits(R"(\d+)");
    for (auto at = std::sregex_iterator(text.begin(), text.end(), digits);
         at != std::sregex_iterator(); ++at)
        numbers.push_back(std::stoi(at->str()));
    std::ranges::sort(numbers);
    return numbers;
}

std::vector<int> vendors_of(const std::string& bits) {
    const auto text = tests::base64_of_bits(bits);
    BitReader in(text);
    auto fault = SignalFault::none;
    const auto set = VendorSet::read_ranges(in, text, fault);
    CHECK(fault == SignalFault::none);
    CHECK_FALSE(in.failed());
    return tests::numbers_of(set, 1000);
}

enum class Claim { held, not_ours, not_in_vector, java_fills_up };

// A claim about a data type: `FibonacciIntegerEncoder.encode(4)` is 1011.
Claim check_data_type(const std::string& of, const json& value) {
    std::smatch found;
    static const std::regex pattern(R"re((\w+) ?\.(encode|decode)\( ?(.*)\))re");
    if (!std::regex_match(of, found, pattern)) return Claim::not_ours;
    const std::string type = found[1];
    const bool encodes = found[2] == "encode";
    std::string argument = found[3];
    if (argument.find("max") != argument.npos) return Claim::not_in_vector;
    // Either way there are bits and what they mean.
    std::string bits =
        encodes ? value.get<std::string>() : argument.substr(1, argument.find('"', 1) - 1);
    const auto means = [&](const json& read) {
        if (!encodes) CHECK(read == value);
        return encodes ? numbers_in(argument) : std::vector<int>{};
    };
    if (type == "FibonacciIntegerRangeEncoder") {
        const auto ids = ids_of(bits);
        if (const auto meant = means(ids); encodes) CHECK(ids == meant);
    } else if (type == "FibonacciIntegerEncoder") {
        const auto ids = ids_of(tests::bits_of(1, 12) + "0" + bits);
        REQUIRE(ids.size() == 1);
        if (const auto meant = means(ids[0]); encodes) CHECK(ids == meant);
    } else if (type == "FixedIntegerRangeEncoder") {
        const auto vendors = vendors_of(bits);
        if (const auto meant = means(vendors); encodes) CHECK(vendors == meant);
    } else if (type == "FixedIntegerEncoder" || type == "FixedLongEncoder") {
        if (bits.empty()) return Claim::java_fills_up;
        const auto text = tests::base64_of_bits(bits);
        const auto read = BitReader(text).read(static_cast<unsigned>(bits.size()));
        if (encodes) CHECK(read == std::stoull(argument));
        if (!encodes) CHECK(read == value.get<std::uint64_t>());
    } else if (type == "FixedIntegerListEncoder") {
        if (bits.empty() || argument.starts_with("new ArrayList") ||
            (encodes && argument.find("(0),") != argument.npos))
            return Claim::java_fills_up;
        const auto text = tests::base64_of_bits(bits);
        BitReader in(text);
        const json read = {in.read(2), in.read(2)};
        if (!encodes) CHECK(read == value);
        static const std::regex list(R"(.*\((\d), (\d)\).*)");
        std::smatch items;
        if (encodes && std::regex_match(argument, items, list))
            CHECK(read == json{std::stoi(items[1]), std::stoi(items[2])});
    } else if (type == "FixedBitfieldEncoder" || type == "BooleanEncoder") {
        const auto text = tests::base64_of_bits(bits);
        BitReader in(text);
        auto read = json::array();
        for (std::size_t i = 0; i < bits.size(); ++i) read.push_back(in.bit());
        if (!encodes) CHECK((type == "BooleanEncoder" ? read[0] : read) == value);
        static const std::regex word("true|false");
        std::size_t at = 0;
        if (encodes)
            for (auto w = std::sregex_iterator(argument.begin(), argument.end(), word);
                 w != std::sregex_iterator(); ++w)
                CHECK(read[at++] == (w->str() == "true"));
    } else {
        return Claim::not_ours;
    }
    return Claim::held;
}

// Runs one test case of the vectors.
class Runner {
public:
    Runner(const json& test, std::string text) : test_(test), class_(test["class"]) {
        if (class_.ends_with("Test")) class_.resize(class_.size() - 4);
        section_ = section_name(class_);
        if (!text.empty()) take(text);
    }

    void run() {
        for (const auto& step : test_["steps"]) {
            const std::string op = step["op"];
            if (op == "throws") throws_ = true;
        }
        for (const auto& step : test_["steps"]) {
            const std::string op = step["op"];
            if (op == "set") set_.push_back(step["args"]);
            if (op == "set_invalid") count(Claim::not_ours);
            if (op == "decode") decode(step["string"]);
            if (op == "expect") expect(step["of"], step["value"]);
        }
        if (test_["steps"].empty()) count(Claim::not_in_vector);
    }
    const std::map<Claim, int>& claims() const { return claims_; }

private:
    void count(Claim claim) { ++claims_[claim]; }

    void take(const std::string& text) {
        if (section_ == "headerv1") {
            decoded_ = {};
            decoded_.ids = header_ids(text);
        } else {
            decoded_ = decode_model(section_.empty() ? text : header_of(section_) + text);
        }
    }

    void decode(const std::string& text) {
        if (!throws_ && text.empty())
            return count(Claim::not_ours);  // an empty model, to be filled
        const bool alone = !section_.empty() && section_ != "headerv1";
        if (throws_ || text.starts_with("DP48")) {
            Gpp gpp;
            const auto whole = alone ? header_of(section_) + text : text;
            const auto fault = read_gpp(whole, gpp);
            CHECK((fault != SignalFault::none || gpp.section_list[0].fault != SignalFault::none));
            return count(Claim::held);
        }
        take(text);
        CHECK(decoded_.fault == SignalFault::none);
        count(Claim::held);
    }

    // Whether the string has what was set until now.
    void expect_encoded(const std::string& text) {
        if (class_ == "UspV1" && text.starts_with('2')) {
            Usp usp;
            CHECK(read_usp(text, usp) == SignalFault::version_unknown);
            return count(Claim::held);
        }
        take(text);
        CHECK(decoded_.fault == SignalFault::none);
        count(Claim::held);
        for (const auto& args : set_) {
            const bool of_model = args.size() == 3;
            const auto section = of_model ? section_name(args[0]) : section_;
            const auto field = field_name(args[of_model ? 1 : 0]);
            const auto value = value_of(args[of_model ? 2 : 1]);
            if (section == "headerv1") {
                CHECK(json(decoded_.ids) == value);
                count(Claim::held);
            } else if (decoded_.sections.contains(section)) {  // not deleted since
                compare(section, field, value);
            }
        }
    }

    void compare(const std::string& section, const std::string& field, const json& expected) {
        const auto& fields = decoded_.sections.at(section);
        INFO(section << " " << field);
        if (expected.is_null() ||
            (expected.is_string() && expected.get<std::string>().ends_with(".VERSION")))
            return count(Claim::not_in_vector);
        if (field.ends_with("SEGMENT_TYPE") || field == "ID") return count(Claim::not_ours);
        REQUIRE(fields.contains(field));
        CHECK(fields[field] == expected);
        count(Claim::held);
    }

    void expect(const std::string& of, const json& value) {
        if (value.is_object() && value_of(value).is_null()) return count(Claim::not_in_vector);
        if (of == "gppString" || of.ends_with("encode()")) {
            if (class_.starts_with("Encodable")) return expect_encodable(of, value);
            return expect_encoded(value);
        }
        if (class_.find("Encoder") != class_.npos || class_.starts_with("Encodable"))
            return count(check_data_type(of, value));
        expect_member(of, value);
    }

    void expect_encodable(const std::string& of, const json& value) {
        if (class_ == "EncodableFixedIntegerRange") {
            CHECK(vendors_of(value.get<std::string>()).size() == 1);
        } else if (class_ == "EncodableOptimizedFixedRange") {
            const auto text = tests::base64_of_bits(value.get<std::string>());
            BitReader in(text);
            auto fault = SignalFault::none;
            const auto set = VendorSet::read(in, text, fault);
            CHECK(fault == SignalFault::none);
            CHECK_FALSE(in.failed());
            CHECK(tests::numbers_of(set).back() == set.max_id());
        } else {
            INFO(of);
            return count(Claim::not_ours);
        }
        count(Claim::held);
    }

    void expect_member(const std::string& of, const json& value) {
        std::smatch found;
        static const std::regex of_model(R"(\w+\.getFieldValue\((\w+)\.(?:ID|NAME), (\w+\.\w+)\))");
        static const std::regex of_field(R"re(.*getFieldValue\("?([\w.]+)"?\)(.toString\(\))?)re");
        static const std::regex of_has(R"(gppModel\.hasSection\((\w+)\.\w+\))");
        static const std::regex of_getter(R"((\w+)\.get(\w+)\(\))");
        static const std::regex of_size(R"re(.*getFieldValue\("(\w+)"\)\)?\.size\(\))re");
        static const std::regex of_item(R"((vendors\w+|pubRest\w+|rangeEntry)\.(.*)\(.*\))");
        if (of.find("getSectionIds") != of.npos || of.find("SectionsIds") != of.npos) {
            if (!set_.empty() && decoded_.sections.empty()) return count(Claim::not_in_vector);
            if (json(decoded_.ids) != value && !set_.empty()) return count(Claim::not_in_vector);
            CHECK(json(decoded_.ids) == value);
            return count(Claim::held);
        }
        if (decoded_.sections.empty()) return count(Claim::not_in_vector);
        if (std::regex_match(of, found, of_has)) {
            if (!set_.empty()) return count(Claim::not_in_vector);  // between sets
            CHECK(decoded_.sections.contains(section_name(found[1])) == value.get<bool>());
            return count(Claim::held);
        }
        if (std::regex_match(of, found, of_model))
            return compare(section_name(found[1]), field_name(found[2]), value_of(value));
        if (std::regex_match(of, found, of_size)) return expect_size(field_name(found[1]), value);
        if (std::regex_match(of, found, of_field)) {
            auto expected = value_of(value);
            if (found[2].matched) {  // 2019-10-07T05:17:54Z[UTC]
                auto text = expected.get<std::string>();
                text = cdp::format_time(*cdp::parse_time(text.substr(0, text.find('['))));
                expected = text;
            }
            return compare(section_, field_name(found[1]), expected);
        }
        if (std::regex_match(of, found, of_item)) return expect_item(of, value);
        if (std::regex_match(of, found, of_getter)) {
            const auto section = class_ == "GppModel" ? section_name(found[1]) : section_;
            return compare(section, field_name(found[2]), value_of(value));
        }
        count(Claim::not_ours);
    }

    void expect_size(const std::string& field, const json& value) {
        const auto& fields = decoded_.sections.at(section_);
        REQUIRE(fields.contains(field));
        CHECK(fields[field].size() == value.get<std::size_t>());
        count(Claim::held);
    }

    // pubRestictions.get(0).getIds(), vendorsAllowed.get(vendorsAllowed.size() - 9)
    void expect_item(const std::string& of, const json& value) {
        const auto& fields = decoded_.sections.at(section_);
        const auto canada = section_ == "tcfcav1";
        const auto& list = of.starts_with("vendorsAllowed")     ? fields["VENDORS_ALLOWED"]
                           : of.starts_with("vendorsDisclosed") ? fields["VENDORS_DISCLOSED"]
                           : canada                             ? fields["PUB_RESTRICTIONS"]
                                                                : fields["PUBLISHER_RESTRICTIONS"];
        CAPTURE(of);
        count(Claim::held);
        if (of.ends_with(".size()") && of.find("get") == of.npos) {
            CHECK(list.size() == value.get<std::size_t>());
        } else if (of.starts_with("vendors")) {
            const auto numbers = numbers_in(of.substr(of.find("get(")));
            REQUIRE(numbers.size() == 1);
            const auto n = static_cast<std::size_t>(numbers[0]);
            CHECK(list[of.find("size()") != of.npos ? list.size() - n : n] == value);
        } else {
            const auto member = field_name(of.substr(of.rfind('.') + 1));
            CHECK(list[0][member] == value);
        }
    }

    const json& test_;
    std::string class_;
    std::string section_;
    bool throws_ = false;
    std::vector<json> set_;
    Decoded decoded_;
    std::map<Claim, int> claims_;
};

// Some cases name their string elsewhere: the model's tests of decoding use what the test of
// encoding makes, and three TC strings stand among the TCF vectors.
std::map<std::string, std::string> strings_elsewhere(const std::vector<json>& vectors) {
    std::map<std::string, std::string> strings;
    for (const auto& vector : vectors) {
        if (vector["class"] != "GppModelTest") continue;
        auto name = vector["test"].get<std::string>();
        if (!name.starts_with("testEncodeUsp") && !name.starts_with("testEncodeTcf")) continue;
        if (name.starts_with("testEncodeUspV1")) name[13] = 'v';
        for (const auto& step : vector["steps"])
            if (step.value("of", "") == "gppString")
                strings["GppModelTest testDecode" + name.substr(10)] = step["value"];
    }
    if (const auto path = tests::data(kTcfVectors))
        for (const auto& vector : tests::read_ndjson(*path)) {
            const auto text = vector["tcstring"].get<std::string>();
            if (text.starts_with("CPcqBNJ")) strings["TcfEuV2Test testDecode3"] = text;
            if (text.starts_with("CPi8wgA")) strings["TcfEuV2Test testDecode4"] = text;
            if (text.starts_with("CPgA5EA")) strings["TcfEuV2Test testDecode5"] = text;
        }
    strings["HeaderV1Test testDecode1"] = "DBAA";
    strings["HeaderV1Test testDecode2"] = "DBABMA";
    strings["HeaderV1Test testDecode3"] = "DBACNYA";
    return strings;
}

TEST_CASE("every GPP vector reads as the Java encoder wrote or read it") {
    const auto path = tests::data(kVectors);
    if (!path) return;
    const auto vectors = tests::read_ndjson(*path);
    const auto elsewhere = strings_elsewhere(vectors);
    std::map<Claim, int> claims;
    std::size_t ran = 0;
    for (const auto& vector : vectors) {
        const auto name =
            vector["class"].get<std::string>() + " " + vector["test"].get<std::string>();
        INFO(name);
        const auto text = elsewhere.find(name);
        Runner runner(vector, text == elsewhere.end() ? "" : text->second);
        runner.run();
        for (const auto& [claim, n] : runner.claims()) claims[claim] += n;
        ran += runner.claims().contains(Claim::held);
    }
    CHECK(vectors.size() == 364);
    CHECK(claims[Claim::held] > 1300);
    std::printf("%zu GPP cases, %zu of them with something for a decoder\n", vectors.size(), ran);
    std::printf("  %d claims hold\n", claims[Claim::held]);
    std::printf("  %d are about encoding or about Java's own objects\n", claims[Claim::not_ours]);
    std::printf("  %d refer to a value that the vectors do not have\n",
                claims[Claim::not_in_vector]);
    std::printf("  %d have Java fill up bits that are missing, which is refused here\n",
                claims[Claim::java_fills_up]);
}

}  // namespace
