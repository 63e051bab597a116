#include "identity/email.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <vector>

#include "tests/identity/normal_forms.h"

using tests::form;

namespace {

struct Vector {
    int id = 0;
    std::string address;
    std::string category;
};

std::string between(std::string_view text, std::string_view open, std::string_view close) {
    const auto from = text.find(open);
    if (from == text.npos) return {};
    const auto start = from + open.size();
    return std::string{text.substr(start, text.find(close, start) - start)};
}

void append_utf8(std::string& out, unsigned long c) {
    if (c < 0x80) {
        out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
        out.push_back(static_cast<char>(0xc0 | (c >> 6)));
        out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
    } else {
        out.push_back(static_cast<char>(0xe0 | (c >> 12)));
        out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3f)));
        out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
    }
}

// The file writes control characters, which XML cannot hold, as the symbols from U+2400 on.
std::string decoded(std::string_view xml) {
    static const std::map<std::string, char> kNamed{
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    std::string out;
    for (std::size_t i = 0; i < xml.size(); ++i) {
        if (xml[i] != '&') {
            out.push_back(xml[i]);
            continue;
        }
        const auto name = between(xml.substr(i), "&", ";");
        if (name.starts_with("#")) {
            const bool hex = name.starts_with("#x");
            const auto code = std::stoul(name.substr(hex ? 2 : 1), nullptr, hex ? 16 : 10);
            append_utf8(out, code >= 0x2400 && code < 0x2420 ? code - 0x2400 : code);
        } else {
            out.push_back(kNamed.at(name));
        }
        i += name.size() + 1;
    }
    return out;
}

std::vector<Vector> isemail_vectors() {
    const auto xml = tests::test_data("email/tests.xml");
    std::vector<Vector> vectors;
    for (auto at = xml.find("<test id="); at != xml.npos; at = xml.find("<test id=", at + 1)) {
        const auto test = xml.substr(at, xml.find("</test>", at) - at);
        vectors.push_back({.id = std::stoi(between(test, "id=\"", "\"")),
                           .address = decoded(between(test, "<address>", "</address>")),
                           .category = between(test, "<category>ISEMAIL_", "</category>")});
    }
    return vectors;
}

// Valid for SMTP, whatever the DNS says; not what only a message header may hold.
bool is_good(const std::string& category) {
    static const std::set<std::string> kGood{"VALID_CATEGORY", "DNSWARN", "RFC5321"};
    return kGood.contains(category);
}

// Where we differ from the vectors, and why.
const std::map<int, std::string> kOnPurpose = [] {
    std::map<int, std::string> reasons;
    for (const int id : {88,  89,  99,  127, 128, 132, 141, 142, 143, 144, 145, 146,
                         147, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158})
        reasons[id] = "outer white space, line ends too, comes from forms and files; it is trimmed";
    for (const int id : {61, 68, 72, 75, 77, 79, 81})
        reasons[id] = "no provider gives a customer an address literal for a mailbox";
    reasons[23] = "no top-level domain is a number";
    reasons[24] = "no top-level domain is a number";
    reasons[167] = "a placeholder: null-like";
    return reasons;
}();

bool is_accepted(std::string_view raw) {
    const auto type = identity::IdentifierTypes::defaults().find("email");
    return std::holds_alternative<std::string>(identity::normal_form(type, raw, ""));
}

}  // namespace

TEST_CASE("isemail's vectors are answered as the RFC does, or differently on purpose") {
    const auto vectors = isemail_vectors();
    if (vectors.empty()) return;
    CHECK(vectors.size() == 164);
    for (const auto& [id, address, category] : vectors) {
        CAPTURE(id, category, address, form("email", address));
        const bool agrees = is_accepted(address) == is_good(category);
        CHECK(agrees != kOnPurpose.contains(id));
    }
}

TEST_CASE("the vectors are read as they were meant") {
    CHECK(decoded("a&amp;&#x2400;&#x240D;&#xA9;&#x20AC;") == std::string("a&\0\r©€", 9));
    const auto vectors = isemail_vectors();
    if (vectors.empty()) return;
    std::map<std::string, int> count;
    for (const auto& vector : vectors) ++count[vector.category];
    CHECK(count["ERR"] == 66);
    CHECK(count["VALID_CATEGORY"] == 14);
    CHECK(count["RFC5321"] == 16);
}

TEST_CASE("an address has one normal form") {
    struct Row {
        const char* raw;
        const char* normal;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {"a@shop.example",                   "a@shop.example"},
        {"  Jane.Doe@Shop.EXAMPLE\r\n",      "jane.doe@shop.example"},
        {"jane+news@shop.example",           "jane+news@shop.example"},   // tags stay
        {"j.a.n.e@gmail.com",                "j.a.n.e@gmail.com"},        // dots too
        {"<jane@shop.example>",              "jane@shop.example"},
        {"mailto:jane@shop.example",         "jane@shop.example"},
        {"MAILTO: jane@shop.example",        "jane@shop.example"},
        {"<mailto:jane@shop.example>",       "jane@shop.example"},
        {"mailto:<jane@shop.example>",       "jane@shop.example"},
        {"mailto:jane@shop.example?subject=Hello%20there", "jane@shop.example"},
        {"jane?doe@shop.example",            "jane?doe@shop.example"},
        {"\u200bjane@shop.example\ufeff",    "jane@shop.example"},        // copied from a page
        {"\u00a0jane@shop.example\u00a0",    "jane@shop.example"},
        {"ｊａｎｅ＠ｓｈｏｐ．ｅｘａｍｐｌｅ",   "jane@shop.example"},        // full-width
        {"jane@bücher.example",              "jane@xn--bcher-kva.example"},
        {"jane@BÜCHER.example",              "jane@xn--bcher-kva.example"},
        {"jane@XN--BCHER-KVA.example",       "jane@xn--bcher-kva.example"},
        {"jane@straße.example",              "jane@xn--strae-oqa.example"},  // not strasse
        {"jane@shop。example",               "jane@shop.example"},
        {"jane@r3---sn.bücher.example",      "jane@r3---sn.xn--bcher-kva.example"},
        {"jane@r3---sn.example",             "jane@r3---sn.example"},
        {"JÖRG@shop.example",                "jörg@shop.example"},
        {"jo\u0308rg@shop.example",          "jörg@shop.example"},        // composed
        {"Straße@shop.example",              "straße@shop.example"},      // lower case folds no ß
        {"ΟΔΟΣ@shop.example",                "οδοσ@shop.example"},
        {"İ@shop.example",                   "i@shop.example"},
        {"\"jane\"@shop.example",            "jane@shop.example"},        // quotes it does not need
        {"\"Jane\\.Doe\"@shop.example",     "jane.doe@shop.example"},
        {"\"jane doe\"@shop.example",        "\"jane doe\"@shop.example"},
        {"\"j\\ane\\ doe\"@shop.example",   "\"jane doe\"@shop.example"},
        {"\"a\\\"b\\\\c\"@shop.example",   "\"a\\\"b\\\\c\"@shop.example"},
        {"\"a@b\"@shop.example",             "\"a@b\"@shop.example"},
        {"\"\"@shop.example",                "\"\"@shop.example"},
        {"root@host",                        "root@host"},
    }));
    // clang-format on
    CAPTURE(row.raw);
    CHECK(form("email", row.raw) == row.normal);
    CHECK(form("email", row.normal) == row.normal);
}

TEST_CASE("what is no mailbox is malformed") {
    for (const char* raw : {"jane",
                            "@",
                            "jane@",
                            "@shop.example",
                            "jane@@shop.example",
                            "jane@shop@shop.example",
                            "jane doe@shop.example",
                            "jane@shop example",
                            "jane@shop.example.",
                            "jane@.example",
                            "jane@-shop.example",
                            "jane@shop-.example",
                            "jane@shop_one.example",
                            "jane@1.5",
                            "jane@127.0.0.1",
                            "jane@[127.0.0.1]",
                            "jane(home)@shop.example",
                            "jane.@shop.example",
                            "Jane Doe <jane@shop.example>",
                            "jane@shop.example, jo@shop.example",
                            "jane@shop.example;jo@shop.example",
                            "<jane@shop.example",
                            "mailto:",
                            "<>",
                            "jane@xn--a.example",
                            "jane@xn--.example",
                            "ja\u200bne@shop.example",
                            "ja\u00a0ne@shop.example",
                            "ja\u202ene@shop.example",
                            "\"jane@shop.example",
                            "\"a\"b\"@shop.example",
                            "\"a\\\"@shop.example",
                            "jane@\u202eshop.example",
                            "jane@a\u0300\u05d0.example"}) {
        CAPTURE(raw);
        CHECK(form("email", raw) == "!malformed");
    }
}

TEST_CASE("lengths are those of RFC 5321") {
    const std::string local(64, 'a');
    const std::string label(63, 'b');
    CHECK(form("email", local + "@shop.example") == local + "@shop.example");
    CHECK(form("email", "a" + local + "@shop.example") == "!malformed");
    CHECK(form("email", "jo@" + label + ".example") == "jo@" + label + ".example");
    CHECK(form("email", "jo@b" + label + ".example") == "!malformed");

    const auto tail = "." + label + "." + label;
    const auto longest = local + "@" + std::string(61, 'c') + tail;
    REQUIRE(longest.size() == 254);
    CHECK(form("email", longest) == longest);
    CHECK(form("email", local + "@" + std::string(62, 'c') + tail) == "!malformed");
    // 63 letters, but longer in lower case than they may be.
    std::string grows = "aa";
    for (int i = 0; i < 31; ++i) grows += "Ⱥ";
    CHECK(form("email", grows + "@shop.example") == "!malformed");
}
