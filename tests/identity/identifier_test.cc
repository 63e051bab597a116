#include "identity/identifier.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "cdp/base/random.h"
#include "tests/identity/normal_forms.h"
#include "tests/support/seeds.h"

using namespace identity;
using tests::form;

namespace {

const std::string kBadUtf8 = "a\xff\xfe";

IdentifierType of(Form form) {
    return {.name = "x", .form = form};
}

constexpr Form kForms[] = {Form::opaque, Form::email, Form::phone, Form::device, Form::sha256};

// A refusal, or a normal form that is its own normal form.
bool is_stable(const IdentifierType& type, std::string_view raw, std::string_view region) {
    const auto once = normal_form(type, raw, region);
    const auto* value = std::get_if<std::string>(&once);
    return !value || normal_form(type, *value, region) == once;
}

// Pieces that the parsers look at, in any order, now and then a byte of noise.
std::string random_text(cdp::Random& random) {
    static const std::vector<std::string> kPieces{
        "a",    "Z",   "é",      "İ",      "ß",    "Σ",      "ﬁ",      "Å",      "①",     "日本",
        "＠",   "@",   ".",      "\"",     "\\",   " ",      "\u00a0", "\u200b", "<",     ">",
        "{",    "｛",  "}",      "${",     "xn--", "-",      "+",      "(",      ")",     "0",
        "1",    "5",   "7",      "65025",  "3000", "+49",    "null",   "com",    "org",   "mailto:",
        "?",    "%7B", "\u0301", "\u0323", "。",   "５",     "ext",    "x",      ";",     "=",
        "shop", "'",   "\t",     "/",      "_",    "\u0130", "\u212a", "\u1e9e", "\u03c2"};
    std::string text;
    for (auto n = random.below(9); n > 0; --n) {
        if (random.one_in(25))
            text.push_back(static_cast<char>(random.below(256)));
        else
            text += kPieces[random.below(kPieces.size())];
    }
    return text;
}

}  // namespace

TEST_CASE("the types of the design are there from the start") {
    const auto types = IdentifierTypes::defaults();

    const auto user = types.find("user_id");
    CHECK(user.link_class == LinkClass::account);
    CHECK(user.unique);
    CHECK(user.shared_at_accounts == 0);
    for (const char* name : {"crm_id", "loyalty_id"}) {
        CHECK(types.find(name).link_class == LinkClass::crm);
        CHECK(types.find(name).unique);
    }
    for (const char* name : {"email", "phone", "email_sha256", "phone_sha256"}) {
        const auto contact = types.find(name);
        CHECK(contact.link_class == LinkClass::unverified_contact);
        CHECK_FALSE(contact.unique);
        CHECK(contact.shared_at_accounts == 3);
        CHECK(contact.cookies_max == 25);
        CHECK(contact.contacts_max == 0);
    }
    for (const char* name :
         {"device_id", "advertising_id", "ios.idfa", "ios.id", "android.idfa", "android.id"}) {
        const auto device = types.find(name);
        CHECK(device.link_class == LinkClass::device);
        CHECK(device.form == Form::device);
        CHECK(device.shared_at_accounts == 3);
        CHECK(device.contacts_max == 6);
    }
    const auto cookie = types.find("anonymous_id");
    CHECK(cookie.link_class == LinkClass::cookie);
    CHECK(cookie.form == Form::opaque);
    CHECK(cookie.shared_at_accounts == 2);
    CHECK(cookie.contacts_max == 6);
    for (const auto& [name, type] : types.all()) {
        CHECK(name == type.name);
        CHECK(is_type_name(name));
    }
}

TEST_CASE("a type nobody configured is a CRM id that need not be unique") {
    const auto type = IdentifierTypes::defaults().find("braze_id");
    CHECK(type.name == "braze_id");
    CHECK(type.link_class == LinkClass::crm);
    CHECK(type.form == Form::opaque);
    CHECK_FALSE(type.unique);
}

TEST_CASE("a type that is set again is replaced") {
    auto types = IdentifierTypes::defaults();
    const auto count = types.all().size();
    types.set({.name = "crm_id", .link_class = LinkClass::account});
    types.set({.name = "shop.card", .unique = true});
    CHECK(types.all().size() == count + 1);
    CHECK(types.find("crm_id").link_class == LinkClass::account);
    CHECK_FALSE(types.find("crm_id").unique);
    CHECK(types.find("shop.card").unique);
}

TEST_CASE("type names are short lower-case words") {
    CHECK(is_type_name("a"));
    CHECK(is_type_name("ios.idfa"));
    CHECK(is_type_name("shop_2-card"));
    CHECK(is_type_name(std::string(64, 'a')));
    for (const auto& name : {std::string{}, std::string(65, 'a'), std::string{"2fast"},
                             std::string{"_x"}, std::string{"Email"}, std::string{"a b"},
                             std::string{"a/b"}, std::string{"é"}, std::string("a\0", 2)})
        CHECK_FALSE(is_type_name(name));
}

TEST_CASE("an opaque identifier keeps its bytes") {
    CHECK(form("user_id", "u1") == "u1");
    CHECK(form("user_id", "AbC=") == "AbC=");
    CHECK(form("user_id", " \t\r\n\v\fa b ") == "a b");
    CHECK(form("user_id", "e\u0301") == "e\u0301");  // not composed
    CHECK(form("user_id", "\u00a0x") == "\u00a0x");
    CHECK(form("user_id", "\x7f") == "\x7f");
    CHECK(form("user_id", std::string(512, 'x')) == std::string(512, 'x'));
    CHECK(form("user_id", " " + std::string(512, 'x') + " ") == std::string(512, 'x'));
    CHECK(form("braze_id", "Some Thing") == "Some Thing");
}

TEST_CASE("what is no text is malformed, whatever the type") {
    for (const char* type : {"user_id", "email", "phone", "device_id", "email_sha256"}) {
        CAPTURE(type);
        CHECK(form(type, std::string(513, 'x')) == "!malformed");
        CHECK(form(type, kBadUtf8) == "!malformed");
        CHECK(form(type, std::string("a\0b", 3)) == "!malformed");
        CHECK(form(type, "a\nb") == "!malformed");
        CHECK(form(type,
                   "a\x1f"
                   "b") == "!malformed");
        CHECK(form(type, "\xed\xa0\x80") == "!malformed");      // a surrogate
        CHECK(form(type, "\xc0\xaf") == "!malformed");          // overlong
        CHECK(form(type, "\xf4\x90\x80\x80") == "!malformed");  // past U+10FFFF
    }
}

TEST_CASE("a UUID of a device has one spelling, everything else of a device its own") {
    const std::string uuid = "6d92078a-8246-4ba4-ae5b-76104861e7dc";
    CHECK(form("device_id", uuid) == uuid);
    CHECK(form("ios.idfa", "6D92078A-8246-4BA4-AE5B-76104861E7DC") == uuid);
    CHECK(form("device_id", "{6D92078A-8246-4BA4-AE5B-76104861E7DC}") == uuid);
    CHECK(form("anonymous_id", "6D92078A-8246-4BA4-AE5B-76104861E7DC") ==
          "6D92078A-8246-4BA4-AE5B-76104861E7DC");

    for (const char* other :
         {"AbCdEf01", "6D92078A82464BA4AE5B76104861E7DC", "6D92078A-8246-4BA4-AE5B-76104861E7D",
          "6D92078A-8246-4BA4-AE5B-76104861E7DG", "6D92078A-8246-4BA4-AE5B76104861E7DC-",
          "{6D92078A-8246-4BA4-AE5B-76104861E7DC", "6D92078A-82464-BA4-AE5B-76104861E7DC"})
        CHECK(form("device_id", other) == other);
}

TEST_CASE("a hash is 64 lower-case hexadecimal digits however it was written") {
    const std::string hex = "4f2b7e0c9d5a6b1830c7e4f1a2958d6c7b3e0f1d2c4a5968778695a4b3c2d1e0";
    CHECK(form("email_sha256", hex) == hex);
    CHECK(form("email_sha256",
               "4F2B7E0C9D5A6B1830C7E4F1A2958D6C7B3E0F1D2C4A5968778695A4B3C2D1E0") == hex);
    const std::string base64 = "Tyt+DJ1aaxgwx+TxopWNbHs+Dx0sSllod4aVpLPC0eA=";
    CHECK(form("email_sha256", base64) == hex);
    CHECK(form("email_sha256", base64.substr(0, 43)) == hex);
    CHECK(form("phone_sha256", "Tyt-DJ1aaxgwx-TxopWNbHs-Dx0sSllod4aVpLPC0eA") == hex);

    CHECK(form("email_sha256", hex.substr(1)) == "!malformed");
    CHECK(form("email_sha256", hex + "0") == "!malformed");
    CHECK(form("email_sha256", "g" + hex.substr(1)) == "!malformed");
    CHECK(form("email_sha256", "Tyt+DJ1aaxgwx+TxopWNbHs+Dx0sSllod4aVpLPC0eB=") == "!malformed");
    CHECK(form("email_sha256", "Tyt+DJ1aaxgwx+TxopWNbHs+Dx0sSllod4aVpLPC=eA=") == "!malformed");
    CHECK(form("email_sha256", "a@shop.example") == "!malformed");
}

TEST_CASE("blocked values are refused as sent and in normal form") {
    auto email = of(Form::email);
    email.blocked = {"Info@Shop.example", "<SALES@shop.example>"};
    CHECK(normal_form(email, "info@shop.example", "") ==
          std::variant<std::string, Refusal>{Refusal::blocked});
    CHECK(normal_form(email, " INFO@SHOP.EXAMPLE", "") ==
          std::variant<std::string, Refusal>{Refusal::blocked});
    CHECK(normal_form(email, "<SALES@shop.example>", "") ==
          std::variant<std::string, Refusal>{Refusal::blocked});
    CHECK(std::holds_alternative<std::string>(normal_form(email, "jo@shop.example", "")));

    auto user = of(Form::opaque);
    user.blocked = {"QA-robot"};
    CHECK(normal_form(user, "QA-robot ", "") ==
          std::variant<std::string, Refusal>{Refusal::blocked});
    CHECK(std::holds_alternative<std::string>(normal_form(user, "qa-robot", "")));

    auto phone = of(Form::phone);
    phone.blocked = {"+493012345670"};
    CHECK(normal_form(phone, "030 12345670", "DE") ==
          std::variant<std::string, Refusal>{Refusal::blocked});
}

TEST_CASE("a normal form is its own normal form", "[property]") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    cdp::Random random{seed};
    for (int i = 0; i < 100; ++i) {
        const auto text = random_text(random);
        const char* const region = random.one_in(2) ? "DE" : random.one_in(2) ? "US" : "";
        CAPTURE(text, region);
        for (const auto form : kForms) CHECK(is_stable(of(form), text, region));
        CHECK(is_stable(of(Form::email), text + "@shop.example", region));
        CHECK(is_stable(of(Form::email), "jo@" + text, region));
    }
}

TEST_CASE("the random texts reach acceptance and every refusal but blocked") {
    cdp::Random random{1};
    std::map<std::string, int> emails;
    std::map<std::string, int> phones;
    for (int i = 0; i < 5000; ++i) {
        const auto text = random_text(random);
        const auto email = form("email", text + "@shop.example");
        const auto phone = form("phone", text, "DE");
        ++emails[email.starts_with("!") ? email : "accepted"];
        ++phones[phone.starts_with("!") ? phone : "accepted"];
    }
    for (const char* answer : {"accepted", "!null_like", "!malformed"}) {
        CAPTURE(answer, emails[answer], phones[answer]);
        CHECK(emails[answer] > 10);
        CHECK(phones[answer] > 10);
    }
}

TEST_CASE("naughty strings are refused or stable") {
    const auto text = tests::test_data("blns/blns.json");
    if (text.empty()) return;
    const auto strings = nlohmann::json::parse(text);
    CHECK(strings.size() > 400);
    for (const std::string value : strings) {
        CAPTURE(value);
        for (const auto form : kForms)
            for (const char* region : {"", "US", "de", "??"})
                CHECK(is_stable(of(form), value, region));
    }
}

TEST_CASE("normal forms are cheap", "[.bench]") {
    struct Row {
        const char* type;
        const char* raw;
    };
    const auto row = GENERATE(values<Row>({
        {"user_id", "user-20993"},
        {"anonymous_id", "6d92078a-8246-4ba4-ae5b-76104861e7dc"},
        {"device_id", "6D92078A-8246-4BA4-AE5B-76104861E7DC"},
        {"email", "Jane.Doe+news@Shop.example"},
        {"email", "jörg@bücher.example"},
        {"email_sha256", "4f2b7e0c9d5a6b1830c7e4f1a2958d6c7b3e0f1d2c4a5968778695a4b3c2d1e0"},
        {"phone", "+493012345670"},
        {"phone", "030 / 123 456-70"},
    }));
    const auto type = IdentifierTypes::defaults().find(row.type);
    const int rounds = type.form == Form::phone ? 20'000 : 200'000;
    std::size_t kept = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) kept += normal_form(type, row.raw, "DE").index();
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    CHECK(kept == 0);
    std::cout << row.type << " " << row.raw << ": " << spent.count() / rounds << " ns\n";
}
