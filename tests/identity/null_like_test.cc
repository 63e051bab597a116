#include "identity/null_like.h"

#include <sodium.h>

#include <catch2/catch.hpp>

#include "cdp/base/ids.h"
#include "tests/identity/normal_forms.h"

using tests::form;

namespace {

std::string sha256(std::string_view text) {
    std::string hash(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return cdp::to_hex(hash);
}

}  // namespace

TEST_CASE("what programs send for nothing identifies nobody, whatever the type") {
    const char* const value =
        GENERATE("", " ", "\t\n", "\u00a0", "\u200b", "\u3000 \ufeff", "0", "00", "-", "--", "0-0",
                 "-1", "00000000-0000-0000-0000-000000000000", "null", "NULL", "Null", "nil",
                 "none", "None", "NONE", "NaN", "nan", "NAN", "undefined", "Undefined", "(not set)",
                 "n/a", "N/A", "na", "unknown", "anonymous", "Anonymous", "guest", "GUEST", "user",
                 "test", "invalid", "not_authenticated", "id", "email", "distinct_id", "distinctid",
                 "distinctId", "true", "True", "false", "[object Object]", "$user_id", "user_id",
                 "void", "abc123", "#N/A", "\\N", "<null>", "(null)", "(none)");
    CAPTURE(value);
    for (const char* type :
         {"user_id", "anonymous_id", "email", "phone", "device_id", "crm_id", "email_sha256"})
        CHECK(form(type, value, "US") == "!null_like");
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
    for (const char* value :
         {"{{user.id}}", "{{ user_id }}", "x-{{id}}-y", "%7B%7Buser%7D%7D", "%7b%7buser%7d%7d",
          "${user.id}", "id=${id}", "#{id}", "<%= user.id %>", "{% user %}", "*|EMAIL|*"})
        CHECK(form("user_id", value) == "!null_like");
    CHECK(form("email", "{{email}}@shop.example") == "!null_like");
    CHECK(form("email", "${email}@shop.example") == "!null_like");
    CHECK(form("email", "\uff5b\uff5bemail\uff5d\uff5d@shop.example") == "!null_like");

    for (const char* value :
         {"{1}", "a{b", "}}{{", "{\"a\":{\"b\":1}}", "$5}", "100%", "a*b", "<b>"})
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
    for (const char* value : {"test@test.com", "TEST@Test.com", "a@a.com", "noreply@shop.example",
                              "no-reply@shop.example", "NoReply@x.org", "none@none.com",
                              "none@shop.example", "undefined@undefined.org", "null@shop.example",
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

TEST_CASE("the hash of nothing is nothing") {
    CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (const char* value : {"",
                              "null",
                              "NULL",
                              "None",
                              "none",
                              "NaN",
                              "undefined",
                              "n/a",
                              "unknown",
                              "-",
                              "0",
                              "test",
                              "test@test.com",
                              "a@a.com",
                              "0000000000",
                              "+10000000000",
                              "1234567890",
                              "+11234567890",
                              "5555555555",
                              "[object Object]"}) {
        CAPTURE(value);
        CHECK(form("email_sha256", sha256(value)) == "!null_like");
        CHECK(form("phone_sha256", sha256(value)) == "!null_like");
    }
    CHECK(form("email_sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") == "!null_like");
    CHECK(form("email_sha256", std::string(64, '0')) == "!null_like");
    CHECK(form("email_sha256", sha256("a@shop.example")) == sha256("a@shop.example"));
}
