#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "cdp/event.h"
#include "cdp/json_check.h"
#include "cdp/json_scan.h"
#include "tests/support/data.h"
#include "tests/support/seeds.h"

using namespace cdp;
using json::Strictness;

namespace {

std::optional<json::Fault> fault_in(std::string_view text) {
    return json::find_fault(text, kJsonDepthMax, Strictness::full);
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("a fault is named by reason, pointer and byte") {
    struct Row {
        std::string text, reason, pointer;
        std::size_t offset;
    };
    const Row rows[] = {
        {"", "invalid_json", "", 0},
        {"\xef\xbb\xbf{}", "invalid_json", "", 0},
        {"{} {}", "invalid_json", "", 3},
        {R"({"a":tru})", "invalid_json", "/a", 5},
        {R"({"a":[1,01]})", "invalid_json", "/a/1", 8},
        {R"({"a":1,})", "invalid_json", "", 7},
        {R"({"a" 1})", "invalid_json", "/a", 5},
        {R"({'a':1})", "invalid_json", "", 1},
        {R"({"a":"\x"})", "invalid_json", "/a", 6},
        {"{\"a\":\"\n\"}", "invalid_json", "/a", 6},
        {R"({"a":"x)", "invalid_json", "/a", 5},
        {R"({"a":NaN})", "invalid_json", "/a", 5},
        {"{\"a\":\"\xff\"}", "invalid_utf8", "/a", 6},
        {"{\"a\":\"\xed\xa0\x80\"}", "invalid_utf8", "/a", 6},
        {R"({"a":"\ud800"})", "invalid_utf8", "/a", 6},
        {R"({"a":"\ud800\u0041"})", "invalid_utf8", "/a", 6},
        {R"({"a":"\udc00"})", "invalid_utf8", "/a", 6},
        {R"({"a":1,"b":{},"a":2})", "duplicate_key", "/a", 14},
        {R"({"a":{"b":1,"\u0062":2}})", "duplicate_key", "/a/b", 12},
        {R"({"~/":{"":1,"":2}})", "duplicate_key", "/~0~1/", 12},
        {R"({"a":18446744073709551616})", "number_out_of_range", "/a", 5},
        {R"({"a":-9223372036854775809})", "number_out_of_range", "/a", 5},
        {R"({"a":[0,1e400]})", "number_out_of_range", "/a/1", 8},
        {R"({"a":-0.1e99999999999999999999})", "number_out_of_range", "/a", 5},
        {nested(65), "too_deep",
         [] {
             std::string zeros;
             for (int i = 0; i < 64; ++i) zeros += "/0";
             return zeros;
         }(),
         64},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const auto fault = fault_in(row.text);
        REQUIRE(fault);
        CHECK(fault->reason == row.reason);
        CHECK(fault->pointer == row.pointer);
        CHECK(fault->offset == row.offset);
        CHECK_FALSE(json::is_good(row.text));
    }
}

TEST_CASE("what JSON allows is no fault") {
    for (const std::string text :
         {"0", "-0", "18446744073709551615", "-9223372036854775808", "1e-400", "0e99999", "1E+2",
          R"("\ud83d\ude00")", R"("\u0000")", R"({"":0,"a":{"a":{"a":1}}})", " [ ] ", "\t{}\r\n",
          "\"\x7f\xf4\x8f\xbf\xbf\""}) {
        CAPTURE(text);
        CHECK_FALSE(fault_in(text));
        CHECK(json::is_good(text));
    }
    CHECK_FALSE(fault_in(nested(64)));
    CHECK(json::is_good(nested(64)));
}

TEST_CASE("a hundred thousand levels of brackets are refused, not followed") {
    CHECK(std::string(fault_in(nested(100'000))->reason) == "too_deep");
    CHECK_FALSE(json::is_good(nested(100'000)));
    CHECK_FALSE(json::is_good(std::string(100'000, '[')));
}

TEST_CASE("grammar alone lets doubled keys and large numbers pass") {
    CHECK_FALSE(json::find_fault(R"({"a":1e999,"a":1})", 8, Strictness::grammar));
    CHECK(json::find_fault(R"({"a":1e999,"a":})", 8, Strictness::grammar));
}

TEST_CASE("JSONTestSuite: what must parse parses, what must not does not") {
    const auto folder = tests::data("jsontestsuite/test_parsing");
    if (!folder) return;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
        const auto name = entry.path().filename().string();
        const auto text = tests::read_file(entry.path());
        CAPTURE(name);
        const auto fault = fault_in(text);
        CHECK(json::is_good(text) == !fault);
        // We refuse an object that says a key twice on purpose: parsers disagree about what it
        // means.
        const bool doubled = name.starts_with("y_object_duplicated_key");
        if (doubled)
            CHECK((fault && std::string(fault->reason) == "duplicate_key"));
        else if (name.starts_with("y_"))
            CHECK_FALSE(fault);
        else if (name.starts_with("n_"))
            CHECK(fault);
        ++files;
    }
    CHECK(files > 300);
}

// The fast judge and the exact one are two programs; texts one mutation away from good JSON are
// where they would part.
TEST_CASE("both judges agree on mutated JSON") {
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    Random random(seed);
    const std::string good =
        R"({"a":[1,-2.5e3,0.1,true,false,null,18446744073709551615],"é":"\ud83d\ude00 \u00e9\n😀",)"
        R"("b":{"a":{},"c":[[],{"d":"x\\\"y"}]},"number":1e308})";
    const std::string_view alphabet =
        "\"\\{}[],:0123456789eE+-.truefalsn \n\t\xc3\xa9\xf0\x80\xedudD8";
    for (int i = 0; i < 500; ++i) {
        std::string text = good;
        for (auto n = 1 + random.below(3); n > 0; --n) {
            const auto at = random.below(text.size());
            const char c = alphabet[random.below(alphabet.size())];
            switch (random.below(4)) {
                case 0: text[at] = c; break;
                case 1: text.insert(at, 1, c); break;
                case 2: text.erase(at, 1 + random.below(4)); break;
                default: text.insert(at, text.substr(random.below(text.size()), random.below(12)));
            }
            if (text.empty()) text = "x";
        }
        const auto fault = fault_in(text);
        CAPTURE(text, fault ? fault->message : "none");
        REQUIRE(json::is_good(text) == !fault);
    }
}

TEST_CASE("a scan cuts by brackets and strings and believes nothing else") {
    json::Scan scan(R"( [ {"a":tru, ]")"
                    R"(}, "x" , 01z , [{}] ])");
    CHECK(scan.take('['));
    CHECK_FALSE(json::Scan(R"({"a":[1})").value());
    CHECK_FALSE(json::Scan(R"({"a":"x})").value());
    CHECK_FALSE(json::Scan("]").value());
    CHECK_FALSE(json::Scan("").value());
    CHECK(*json::Scan(R"({"a":"}\\\"]", b tru 01} ,)").value() == R"({"a":"}\\\"]", b tru 01})");
    CHECK(*json::Scan("tru]").value() == "tru");
    CHECK(*json::Scan(R"("a\\" : 1)").key() == R"(a\\)");
}

TEST_CASE("a scan counts levels") {
    json::Scan scan(R"([[{"a":[]}],1] {} )");
    CHECK(scan.value());
    CHECK(scan.depth() == 4);
    scan.reset_depth();
    CHECK(scan.value());
    CHECK(scan.depth() == 1);
    CHECK(scan.at_end());
}

TEST_CASE("escapes are resolved as RFC 8259 says") {
    CHECK(*json::unescape(R"(\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00)") == "\"\\/\b\f\n\r\té€😀");
    for (const char* bad :
         {R"(\)", R"(\x)", R"(\u12)", R"(\u12g4)", R"(\ud800)", R"(\ud800x)", R"(\udc00\ud800)"})
        CHECK_FALSE(json::unescape(bad));
    CHECK(json::key_is(R"(b\u0061tch)", "batch"));
    CHECK_FALSE(json::key_is("Batch", "batch"));
}

TEST_CASE("minifying touches white space outside strings only") {
    CHECK(json::minify(" { \"a b\" : [ 1.10 , \"x \\\" y\" ] }\n") == R"({"a b":[1.10,"x \" y"]})");
}

TEST_CASE("a member is found by its resolved key") {
    CHECK(json::member_of(R"({"x":1,"\u0061": [2] })", "a") == "[2]");
    CHECK(json::member_of(R"({"x":1})", "a").empty());
    CHECK(json::member_of("{}", "a").empty());
    CHECK(json::members_of(R"({"a":1,"b":{"c":2}})").size() == 2);
}
