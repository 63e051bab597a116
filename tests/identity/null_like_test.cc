#include "identity/null_like.h"

#include <catch2/catch.hpp>

#include "cdp/base/ids.h"
#include "identity/hashed.h"
#include "tests/identity/normal_forms.h"

using identity::sha256_hex;
using tests::form;

namespace {

constexpr const char* kTypes[] = {"user_id", "anonymous_id", "email",       "phone",
                                  "crm_id",  "device_id",    "email_sha256"};

constexpr const char* kSentForNothing[] = {
    "",         "0",         "00",        "-",           "00000000-0000-0000-0000-000000000000",
    "-1",       "null",      "NULL",      "Null",        "nil",
    "none",     "None",      "NONE",      "NaN",         "nan",
    "NAN",      "undefined", "Undefined", "(not set)",   "n/a",
    "N/A",      "na",        "unknown",   "anonymous",   "Anonymous",
    "guest",    "GUEST",     "user",      "test",        "invalid",
    "id",       "email",     "userId",    "distinct_id", "distinctid",
    "true",     "True",      "false",     "distinctId",  "[object Object]",
    "$user_id", "user_id",   "void",      "abc123",      "not_authenticated",
    "#N/A",     "\\N",       "<null>",    "(null)",      "(none)",
};

std::string base64(std::string_view bytes) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0;
    int held = 0;
    for (const char c : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(c);
        for (held += 8; held >= 6; held -= 6) out.push_back(kDigits[(bits >> (held - 6)) & 63]);
    }
    if (held > 0) out.push_back(kDigits[(bits << (6 - held)) & 63]);
    while (out.size() % 4 != 0) out.push_back('=');
    return out;
}

// However a hash is written, and whatever it is sent as.
void check_null_like(const std::string& hex) {
    std::string upper = hex;
    for (char& c : upper)
        if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
    for (const char* type : kTypes)
        for (const auto& written : {hex, upper, base64(cdp::from_hex(hex).value())}) {
            CAPTURE(type, written);
            CHECK(form(type, written) == "!null_like");
        }
}

}  // namespace

TEST_CASE("what programs send for nothing identifies nobody, whatever the type") {
    for (const char* value : kSentForNothing)
        for (const char* type : kTypes) {
            CAPTURE(value, type);
            CHECK(form(type, value, "US") == "!null_like");
        }
    for (const char* value : {" ", "\t\n", "\u00a0", "\u200b", "\u3000 \ufeff", "--", "0-0"})
        for (const char* type : kTypes) CHECK(form(type, value, "US") == "!null_like");
}

TEST_CASE("quotes do not make something of nothing") {
    for (const char* value : {"\"null\"", "'null'", "`null`", "'\"undefined\"'", "\"\"", "''",
                              "\" \"", "\"0\"", "' None '", " \"guest\" "})
        CHECK(form("user_id", value) == "!null_like");
    CHECK(form("user_id", "\"") == "\"");
    CHECK(form("user_id", "\"null") == "\"null");
    CHECK(form("user_id", "\"null'") == "\"null'");
    CHECK(form("user_id", "\"jo\"") == "\"jo\"");
}

TEST_CASE("a template nobody filled in is refused") {
    for (const char* value : {"{{user.id}}", "{{ user_id }}", "x-{{id}}-y", "%7B%7Buser%7D%7D",
                              "%7b%7buser%7d%7d", "${user.id}", "id=${id}", "#{id}",
                              "<%= user.id %>", "{% user %}", "*|EMAIL|*", "%%emailaddr%%"})
        CHECK(form("user_id", value) == "!null_like");
    CHECK(form("email", "{{email}}@shop.example") == "!null_like");
    CHECK(form("email", "${email}@shop.example") == "!null_like");
    CHECK(form("email", "\uff5b\uff5bemail\uff5d\uff5d@shop.example") == "!null_like");

    for (const char* value :
         {"{1}", "a{b", "}}{{", "{\"a\":{\"b\":1}}", "$5}", "100%", "a*b", "<b>", "%%", "50%%"})
        CHECK(form("user_id", value) == value);
}

TEST_CASE("ordinary ids are not null-like") {
    for (const char* value : {"u1",      "u2",      "user1",  "user123",   "test1",
                              "a0",      "abc-1",   "abc",    "abc1234",   "1",
                              "10",      "-2",      "00001",  "0a",        "01",
                              "x",       "Nan",     "nano",   "guest7",    "anonymous-7",
                              "ID7",     "nullman", "truely", "test@test", "97980cfea0067",
                              "\u00a0x", "usuario", "tester"})
        CHECK(form("user_id", value) == value);
}

TEST_CASE("placeholder addresses are refused, example.com is not among them") {
    for (const char* value :
         {"test@test.com", "TEST@Test.com", "a@a.com", "noreply@shop.example",
          "no-reply@shop.example", "NoReply@x.org", "none@none.com", "none@shop.example",
          "undefined@undefined.org", "null@shop.example", "no.reply@shop.example", "test@gmail.com",
          "deleted-7@gone.invalid", "a@invalid", "\"noreply\"@shop.example"})
        CHECK(form("email", value) == "!null_like");
    for (const char* value :
         {"jo@example.com", "test@example.com", "a@example.org", "user@example.net", "jo@shop.test",
          "a@shop.example", "test@shop.example", "nonette@shop.example", "a@aa.com", "a@iana.org"})
        CHECK(form("email", value) == value);
}

TEST_CASE("placeholder numbers are refused") {
    for (const char* value :
         {"0000000000", "1111111111", "1234567890", "5555555555", "555-555-5555", "+1 555 555 5555",
          "+15555555555", "+1 (999) 999-9999", "+12025550100", "(202) 555-0199", "+1 123 456 7890",
          "9876543210", "123456789"}) {
        CAPTURE(value);
        CHECK(form("phone", value, "US") == "!null_like");
    }
    CHECK(form("phone", "1234567890") == "!null_like");
    CHECK(form("phone", "01234567890", "GB") == "!null_like");
    CHECK(form("phone", "+12025550200") == "+12025550200");
    CHECK(form("phone", "+442025550100", "US") == "+442025550100");  // 555-01xx is +1's
}

TEST_CASE("ids that whole series of devices share are refused") {
    for (const char* value : {"9774d56d682e549c", "9774D56D682E549C", "02:00:00:00:00:00",
                              "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
                              "{00000000-0000-0000-0000-000000000000}", "000000000000000"}) {
        CAPTURE(value);
        CHECK(form("device_id", value) == "!null_like");
    }
    CHECK(form("user_id", "9774d56d682e549c") == "9774d56d682e549c");
}

TEST_CASE("UUIDs that nobody drew are refused for devices") {
    for (const char* value :
         {"11111111-1111-1111-1111-111111111111", "AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAAAA",
          "{11111111-1111-1111-1111-111111111111}", "12345678-1234-1234-1234-123456789012",
          "12345678-1234-1234-1234-123456789ABC"}) {
        CAPTURE(value);
        CHECK(form("ios.idfa", value) == "!null_like");
    }
    for (const char* value :
         {"11111111-1111-1111-1111-111111111112", "111111111111111111111111111111111111"})
        CHECK(form("ios.idfa", value) == value);
}

TEST_CASE("the hash of nothing is nothing") {
    for (const char* value : kSentForNothing) {
        CAPTURE(value);
        for (const std::string quote : {"", "'", "\""})
            check_null_like(sha256_hex(quote + value + quote));
        check_null_like(sha256_hex(sha256_hex(value)));  // hashed twice
    }
    CHECK(form("email_sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") == "!null_like");
    CHECK(form("email_sha256", std::string(64, '0')) == "!null_like");
    CHECK(form("email_sha256", sha256_hex("a@shop.example")) == sha256_hex("a@shop.example"));
    CHECK(form("user_id", sha256_hex("a@shop.example")) == sha256_hex("a@shop.example"));
}

TEST_CASE("the hash of a placeholder is nothing, by whatever rule it was hashed") {
    for (const char* address :
         {"test@test.com", "a@a.com", "noreply@gmail.com", "no.reply@gmail.com",
          "noreply@example.com", "none@none.com", "noemail@noemail.com", "null@outlook.com"})
        for (const auto& hashed : identity::hashed_forms(identity::Form::email, address)) {
            CAPTURE(address, hashed.rule);
            check_null_like(hashed.hex);
        }
    for (const char* number :
         {"+0000000000", "+10000000000", "+11111111111", "+1234567890", "+11234567890",
          "+5555555555", "+15555555555", "+19999999999", "+999999999999999"})
        for (const auto& hashed : identity::hashed_forms(identity::Form::phone, number)) {
            CAPTURE(number, hashed.rule);
            check_null_like(hashed.hex);
        }
    // What a shop hashes may also be its own short numbers.
    CHECK(form("phone_sha256", sha256_hex("7777777")) == sha256_hex("7777777"));
    CHECK(form("phone_sha256", sha256_hex("+16505551212")) == sha256_hex("+16505551212"));
}
