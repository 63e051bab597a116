#include "identity/phone.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/identity/normal_forms.h"

using tests::form;

namespace {

std::vector<nlohmann::json> lines(const std::string& path) {
    std::istringstream text{tests::test_data(path)};
    std::vector<nlohmann::json> out;
    for (std::string line; std::getline(text, line);) out.push_back(nlohmann::json::parse(line));
    return out;
}

// Numbers of the newer library that we refuse or write otherwise, and why.
const std::map<std::string, std::string> kOtherNumbers{
    {"+13101234", "no area code: possible only as a local number"},
    {"+5212221234567",
     "Mexico dropped the 1 of mobile numbers in 2019, the other library keeps it"},
    {"+12015550123", "null-like: 555-01xx"},
    {"+2250123456789", "null-like: a row of digits"},
    {"+33123456789", "null-like: a row of digits"},
    {"+431234567890", "null-like: a row of digits"},
    {"+48123456789", "null-like: a row of digits"},
    {"+60123456789", "null-like: a row of digits"},
    {"+979123456789", "null-like: a row of digits"},
};

// Calls that the library's own tests let through and we do not. They run on made-up tables in which
// numbers are shorter than anywhere on earth.
const std::map<std::string, std::vector<std::string>> kOtherCalls{
    {"too long for the country",
     {"0734567 8901", "0012 16502530000", "1800 six-flags", "1800 SIX-FLAGS", "800 six-flags",
      "(1800) 7493.5247", "0~0 1800 7493 5247", "0~0 1800 7493 5247 ~1234"}},
    {"too short for the country",
     {"0777012", "*1234", "1234", "+81 *2345", "12", "8123", "81234", "011", "001"}},
    {"lacks the area code",
     {"2530000", "tel:253-0000;phone-context=www.google.com", "011xx5481429712",
      "tel:253-0000;isub=12345;phone-context=www.google.com",
      "tel:2530000;isub=12345;phone-context=1-650",
      "tel:2530000;isub=12345;phone-context=1234.com"}},
    {"null-like",
     {"123-456-7890", "0123456789", "(0) 123456789", "0 123456789", "(0xx) 123456789",
      "+979 123 456 789", "+1123-456-7890 666666#", "000", "0000"}},
    {"holds a control character",
     {"(212)123-1234 x508\\\x12"
      "34"}},
    {"an extension that the real tables do not read",
     {"03 3316005 extension\\t12345678901234567890", "03 3316005 :12345678901234567890"}},
};

bool is_listed(const std::string& input) {
    for (const auto& [reason, inputs] : kOtherCalls)
        if (std::ranges::find(inputs, input) != inputs.end()) return true;
    return false;
}

}  // namespace

TEST_CASE("every spelling of a number becomes the E.164 that a newer library gives") {
    const auto vectors = lines("phone/phone_vectors_google-libphonenumber-3.2.47.ndjson");
    if (vectors.empty()) return;
    CHECK(vectors.size() == 1131);
    for (const auto& vector : vectors) {
        const std::string e164 = vector["e164"];
        const std::string region = vector["region"];
        const bool nowhere = region == "001";  // satellites, freephone: no region has them
        CAPTURE(e164, region);

        std::vector<std::string> forms{form("phone", e164, region),
                                       form("phone", std::string{vector["international"]}),
                                       form("phone", std::string{vector["rfc3966"]})};
        if (!nowhere) forms.push_back(form("phone", std::string{vector["national"]}, region));
        for (const auto& one : forms) CHECK((one == e164) != kOtherNumbers.contains(e164));
    }
}

TEST_CASE("what the library cannot parse is refused, what it parses is kept or listed") {
    const auto calls = lines("phone/parse_calls.ndjson");
    if (calls.empty()) return;
    CHECK(calls.size() == 192);
    for (const auto& call : calls) {
        const std::string input = call["input"];
        const std::string region = call["region"];
        CAPTURE(input, region);
        const bool parses = call["result"] == "NO_PARSING_ERROR";
        const bool kept = form("phone", input, region).starts_with("+");
        CHECK(kept == (parses && !is_listed(input)));
    }
}

TEST_CASE("a number has one normal form") {
    struct Row {
        const char* raw;
        const char* region;
        const char* normal;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {"+493012345670",            "",   "+493012345670"},
        {"+49 (0) 30 / 123 456-70",  "",   "+493012345670"},
        {"030 12345670",             "DE", "+493012345670"},
        {"030 12345670",             "de", "+493012345670"},
        {"0049 30 12345670",         "DE", "+493012345670"},
        {"tel:+49-30-12345670",      "",   "+493012345670"},
        {"＋４９３０１２３４５６７０", "",   "+493012345670"},
        {"+٤٩٣٠١٢٣٤٥٦٧٠",            "",   "+493012345670"},   // Arabic digits
        {"+493012345670 ext. 12",    "",   "+493012345670"},   // the extension stays out
        {"+493012345670",            "US", "+493012345670"},
        {"02 3661 8300",             "IT", "+390236618300"},   // Italy keeps its zero
        {"0343 15 555 1212",         "AR", "+5493435551212"},  // Argentina moves a 15 to a 9
        {"+52 1 222 123 4567",       "",   "+522221234567"},
        {"(650) 253-0000",           "US", "+16502530000"},
        {"+1 650 253 0000",          "GB", "+16502530000"},
        {"+12001230101",             "",   "+12001230101"},    // possible, but no area code 200 yet
        {"030 12345670",             "",   "!malformed"},      // of which country?
        {"030 12345670",             "XX", "!malformed"},
        {"030 12345670",             "Germany", "!malformed"},
        {"+49",                      "",   "!malformed"},
        {"+49 30 1234567012345670",  "",   "!malformed"},
        {"+999 12345670",            "",   "!malformed"},
        {"253-0000",                 "US", "!malformed"},      // local only
        {"jane@shop.example",        "US", "!malformed"},
        {"call me",                  "US", "!malformed"},
        {"+490/065025",              "",   "!malformed"},      // with one zero less each time it is read
        {"112",                      "DE", "!malformed"},
    }));
    // clang-format on
    CAPTURE(row.raw, row.region);
    CHECK(form("phone", row.raw, row.region) == row.normal);
}

TEST_CASE("numbers may be read by many threads at once") {
    const std::vector<std::string> raws{"030 12345670", "+1 650 253 0000", "0211 1234567", "+49"};
    std::vector<std::string> alone;
    for (const auto& raw : raws) alone.push_back(form("phone", raw, "DE"));

    std::vector<int> wrong(4);
    {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < wrong.size(); ++thread)
            threads.emplace_back([&, thread] {
                for (std::size_t i = 0; i < 400; ++i) {
                    const auto n = (i + thread) % raws.size();
                    if (form("phone", raws[n], "DE") != alone[n]) ++wrong[thread];
                }
            });
    }
    CHECK(wrong == std::vector<int>(4));
}
