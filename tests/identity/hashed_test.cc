#include "identity/hashed.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cdp/base/random.h"
#include "tests/identity/normal_forms.h"
#include "tests/support/seeds.h"

using namespace identity;
using tests::form;

namespace {

// The hash of `value` by `rule`; empty if that rule gave none of its own.
std::string by(std::string_view rule, Form form, std::string_view value) {
    for (const auto& hashed : hashed_forms(form, value))
        if (hashed.rule == rule) return hashed.hex;
    return "";
}

bool knows(Form form, std::string_view value, std::string_view hex) {
    return std::ranges::any_of(hashed_forms(form, value),
                               [&](const HashedForm& hashed) { return hashed.hex == hex; });
}

// What the promise of hashed_forms says of every answer.
bool is_sound(const std::vector<HashedForm>& forms, std::string_view normal) {
    if (forms.empty() || forms.size() > 5) return false;
    if (forms.front() != HashedForm{.rule = "normal", .hex = sha256_hex(normal)}) return false;
    std::set<std::string> hexes;
    std::set<std::string_view> rules;
    for (const auto& [rule, hex] : forms) {
        if (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != hex.npos) return false;
        hexes.insert(hex);
        rules.insert(rule);
    }
    return hexes.size() == forms.size() && rules.size() == forms.size();
}

std::string random_bytes(cdp::Random& random) {
    static const std::vector<std::string> kPieces{
        "a", ".", "+", "@", "gmail.com", "googlemail.com", "xn--", "bcher-kva", "1", "\xff", ""};
    std::string text;
    for (auto n = random.below(9); n > 0; --n) {
        if (random.one_in(9))
            text.push_back(static_cast<char>(random.below(256)));
        else
            text += kPieces[random.below(kPieces.size())];
    }
    return text;
}

std::string random_address(cdp::Random& random) {
    static const std::vector<std::string> kDomains{"gmail.com", "googlemail.com", "shop.example",
                                                   "b\u00fccher.example", "gmail.com.example"};
    static const std::vector<std::string> kLetters{"a", "b", "7", ".", "+", "-", "\u00e9"};
    std::string address;
    for (auto n = 1 + random.below(8); n > 0; --n)
        address += kLetters[random.below(kLetters.size())];
    return address + "@" + kDomains[random.below(kDomains.size())];
}

}  // namespace

TEST_CASE("the hashes that destinations print in their documentation are recognised") {
    struct Row {
        const char* type;
        const char* raw;
        const char* hex;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        // Meta, customer information parameters
        {"email", "John_Smith@gmail.com",        "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"},
        {"phone", "(650)555-1212",               "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"},
        // Snap, parameters of the Conversions API
        {"email", "Person@Example.com",          "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"},
        {"phone", "+44 844 412 4653",            "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"},
        // UID2, normalization and encoding
        {"email", "MYEMAIL@example.com",         "16c18d336f0b250f0e2d907452ceb9658a74ecdae8bc94864c23122a72cc27a5"},
        {"email", "My.Email@example.com",        "e22b53bc6f871274f3a62ab37a3caed7214fc14d676215a96a242fcfada1c81f"},
        {"email", "Jane.Saoirse@example.com",    "b196432c7b989a2ca91c83799957c515da53e6c13abf20b78fea94f117e90bf8"},
        {"email", "JaneSaoirse+Work@example.com", "28aaee4815230cd3b4ebd88c515226550666e91ac019929e3adac3f66c288180"},
        {"email", "JANE.SAOIRSE@gmail.com",      "92ee26057ed9dea2535d6c8b141d48373932476599196e00352254896db5888f"},
        {"email", "JaneSaoirse+Work@gmail.com",  "92ee26057ed9dea2535d6c8b141d48373932476599196e00352254896db5888f"},
        {"phone", "+12345678901",                "10e6f0b47054a83359477dcb35231db6de5c69fb1816e1a6b98e192de9e5b9ee"},
        // Reddit's own example, of an address that its rule leaves alone
        {"email", "alice@example.com",           "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976"},
    }));
    // clang-format on
    CAPTURE(row.type, row.raw);
    const auto type = IdentifierTypes::defaults().find(row.type);
    CHECK(knows(type.form, form(row.type, row.raw, "US"), row.hex));
}

TEST_CASE("an address has a hash by each rule that tells it apart") {
    const auto rules = [](std::string_view address) {
        std::string out;
        for (const auto& hashed : hashed_forms(Form::email, address))
            out += (out.empty() ? "" : " ") + std::string{hashed.rule};
        return out;
    };
    CHECK(rules("jane@shop.example") == "normal hashed_twice");
    CHECK(rules("j.ane+x@shop.example") == "normal hashed_twice");
    CHECK(rules("jane@xn--bcher-kva.example") == "normal unicode_domain hashed_twice");
    CHECK(rules("jane@gmail.com") == "normal hashed_twice");
    CHECK(rules("j.ane@gmail.com") == "normal gmail_dotless hashed_twice");
    CHECK(rules("jane+x@googlemail.com") == "normal gmail_mailbox hashed_twice");
    CHECK(rules("j.ane+x@gmail.com") == "normal gmail_dotless gmail_mailbox hashed_twice");
    CHECK(rules("+x@gmail.com") == "normal hashed_twice");  // without its tag nobody is left
    CHECK(rules("j.ane@xgmail.com") == "normal hashed_twice");
    CHECK(rules("j.ane@gmail.com.example") == "normal hashed_twice");

    CHECK(by("normal", Form::email, "jane@shop.example") == sha256_hex("jane@shop.example"));
    CHECK(by("unicode_domain", Form::email, "jane@xn--bcher-kva.example") ==
          sha256_hex("jane@bücher.example"));
    CHECK(by("gmail_dotless", Form::email, "j.a.ne+b.c@gmail.com") ==
          sha256_hex("jane+bc@gmail.com"));
    CHECK(by("gmail_mailbox", Form::email, "j.a.ne+b.c@googlemail.com") ==
          sha256_hex("jane@googlemail.com"));
    CHECK(by("hashed_twice", Form::email, "jane@shop.example") ==
          sha256_hex(sha256_hex("jane@shop.example")));
}

TEST_CASE("a number has a hash with its plus and one without") {
    const auto forms = hashed_forms(Form::phone, "+16505551212");
    CHECK(forms == std::vector<HashedForm>{
                       {.rule = "normal", .hex = sha256_hex("+16505551212")},
                       {.rule = "digits", .hex = sha256_hex("16505551212")},
                       {.rule = "hashed_twice", .hex = sha256_hex(sha256_hex("+16505551212"))},
                   });
}

TEST_CASE("other identifiers are not hashed") {
    for (const auto other : {Form::opaque, Form::device, Form::sha256})
        CHECK(hashed_forms(other, "jane@gmail.com").empty());
}

TEST_CASE("each contact has its hashed type, and no other type has one") {
    const auto types = IdentifierTypes::defaults();
    std::set<std::string_view> hashed;
    for (const auto& [name, type] : types.all()) {
        CAPTURE(name);
        const bool is_address = type.form == Form::email || type.form == Form::phone;
        CHECK(hashed_type_of(name).has_value() == is_address);
        if (!is_address) continue;
        CHECK(*hashed_type_of(name) == name + "_sha256");  // as `encoding` in externalIds does
        CHECK(types.find(*hashed_type_of(name)).form == Form::sha256);
    }
    CHECK_FALSE(hashed_type_of("work_email"));
    CHECK_FALSE(hashed_type_of(""));
}

TEST_CASE("hashes are sound whatever they are made of", "[property]") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    cdp::Random random{seed};
    for (int i = 0; i < 50; ++i) {
        const auto text = random_bytes(random);
        CAPTURE(text);
        for (const auto contact : {Form::email, Form::phone}) {
            const auto forms = hashed_forms(contact, text);
            CHECK(is_sound(forms, text));
            CHECK(forms == hashed_forms(contact, text));
        }
    }
}

TEST_CASE("a contact that we hash and a sender sends is its own normal form", "[property]") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    cdp::Random random{seed};
    for (int i = 0; i < 50; ++i) {
        const auto address = form("email", random_address(random));
        if (address.starts_with("!")) continue;
        const auto number = "+4930" + std::to_string(20'000'000 + random.below(9'999'999));
        CAPTURE(address, number);
        for (const auto& hashed : hashed_forms(Form::email, address))
            CHECK(form("email_sha256", hashed.hex) == hashed.hex);
        for (const auto& hashed : hashed_forms(Form::phone, number))
            CHECK(form("phone_sha256", hashed.hex) == hashed.hex);
    }
}

TEST_CASE("two addresses share a hash only if Google delivers both to one mailbox", "[property]") {
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    cdp::Random random{seed};
    std::map<std::string, std::string> mailbox_of;
    for (int i = 0; i < 300; ++i) {
        const auto address = form("email", random_address(random));
        if (address.starts_with("!")) continue;
        auto local = address.substr(0, address.find('@'));
        const auto domain = address.substr(local.size());
        if (domain == "@gmail.com" || domain == "@googlemail.com") {
            local = local.substr(0, local.find('+'));
            // A tag and nothing else is no mailbox.
            if (local.empty()) local = address;
            std::erase(local, '.');
        }
        for (const auto& hashed : hashed_forms(Form::email, address)) {
            const auto [seen, fresh] = mailbox_of.emplace(hashed.hex, local + domain);
            CAPTURE(address, hashed.rule, seen->second);
            CHECK((fresh || seen->second == local + domain));
        }
    }
}

TEST_CASE("every number of the vectors is known by its hash with and without plus") {
    std::istringstream text{
        tests::test_data("phone/phone_vectors_google-libphonenumber-3.2.47.ndjson")};
    std::set<std::string> numbers;
    std::size_t hashes = 0;
    std::set<std::string> distinct;
    for (std::string line; std::getline(text, line);) {
        const auto number = form("phone", nlohmann::json::parse(line)["e164"].get<std::string>());
        if (number.starts_with("!") || !numbers.insert(number).second) continue;
        for (const auto& hashed : hashed_forms(Form::phone, number)) {
            ++hashes;
            distinct.insert(hashed.hex);
        }
        CHECK(knows(Form::phone, number, sha256_hex(number)));
        CHECK(knows(Form::phone, number, sha256_hex(number.substr(1))));
    }
    CHECK(hashes == 3 * numbers.size());
    CHECK(distinct.size() == hashes);
}

TEST_CASE("hashes are cheap", "[.bench]") {
    const auto row = GENERATE(values<std::pair<Form, const char*>>({
        {Form::email, "jane.doe+news@gmail.com"},
        {Form::email, "jane@shop.example"},
        {Form::email, "jane@xn--bcher-kva.example"},
        {Form::phone, "+493012345670"},
    }));
    constexpr int kRounds = 100'000;
    std::size_t kept = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRounds; ++i) kept += hashed_forms(row.first, row.second).size();
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    CHECK(kept >= 2 * kRounds);
    std::cout << row.second << ": " << kept / kRounds << " hashes, " << spent.count() / kRounds
              << " ns\n";
}

TEST_CASE("each destination's own form of an address or a number") {
    struct Row {
        identity::Form form;
        const char* normal;
        const char* destination;
        const char* text;
    };
    using identity::Form;
    const auto row = GENERATE(values<Row>({
        {Form::email, "j.a.ne+x@gmail.com", "plain", "j.a.ne+x@gmail.com"},
        {Form::email, "j.a.ne+x@gmail.com", "meta", "j.a.ne+x@gmail.com"},
        {Form::email, "j.a.ne+x@gmail.com", "google", "jane+x@gmail.com"},
        {Form::email, "j.a.ne+x@googlemail.com", "google", "jane+x@googlemail.com"},
        {Form::email, "j.a.ne+x@gmail.com", "google_data_manager", "jane@gmail.com"},
        {Form::email, "j.a.ne+x@gmail.com", "uid2", "jane@gmail.com"},
        {Form::email, "j.a.ne+x@googlemail.com", "uid2", "j.a.ne+x@googlemail.com"},
        {Form::email, "j.a-ne+x@shop.example", "google", "j.a-ne+x@shop.example"},
        {Form::email, "j.a-ne+x@shop.example", "microsoft", "ja-ne@shop.example"},
        {Form::email, "j.a-ne+x@shop.example", "reddit", "jane@shop.example"},
        {Form::email, "+x@shop.example", "microsoft", "+x@shop.example"},
        {Form::phone, "+821012345678", "google", "+821012345678"},
        {Form::phone, "+821012345678", "snap", "821012345678"},
    }));
    CAPTURE(row.normal, row.destination);
    CHECK(identity::destination_form(row.form, row.normal, row.destination) == row.text);
}

TEST_CASE("what is no address or number, or goes nowhere known, has no form") {
    CHECK_FALSE(identity::destination_form(identity::Form::opaque, "u1", "google"));
    CHECK_FALSE(identity::destination_form(identity::Form::email, "a@shop.example", "nowhere"));
}
