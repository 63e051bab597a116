#include "cdp/destination_forms.h"

#include "identity/hashed.h"
#include "tests/cdp/world.h"

using tests::PlatformWorld;

namespace {

const auto kCrm = PlatformWorld::source("crm", cdp::Trust::server);

cdp::Config asking_for(consent::ChannelLabel email, consent::ChannelLabel name) {
    cdp::Config config;
    email.label = "contact.email";
    name.label = "name";
    config.policy.channels[1].labels = {email, name};
    return config;
}

// What the advertising tool is given of somebody at Gmail who agreed.
nlohmann::json given(cdp::Config config) {
    PlatformWorld world(std::move(config));
    world.send(R"({"type":"identify","userId":"u1","traits":{"email":"J.Ane+x@gmail.com",)"
               R"("firstName":"제인"},)"
               R"("context":{"consent":{"categoryPreferences":{"Advertising":true}}}})",
               kCrm);
    world.consent("email", "J.Ane+x@gmail.com", "advertising", "granted");
    const auto read = world.profile("ads_tool", "user_id", "u1", "advertising");
    CAPTURE(read.dump());
    REQUIRE(read.at("traits").contains("email"));
    return read;
}

}  // namespace

TEST_CASE("a channel is given the hash that its destination makes itself") {
    const auto read = given(asking_for({.transform = consent::Transform::sha256, .form = "google"},
                                       {.transform = consent::Transform::raw}));
    const auto hash = identity::sha256_hex("jane+x@gmail.com");
    CHECK(read["traits"]["email"]["value"] == hash);
    CHECK(read["traits"]["firstName"]["value"] == "제인");
    for (const auto& identifier : read["identifiers"])
        if (identifier["type"] == "email") CHECK(identifier["value"] == hash);
}

TEST_CASE("a channel is given a token that stands for the value there and nowhere else") {
    const consent::ChannelLabel token{.transform = consent::Transform::keyed_token};
    const auto read = given(asking_for(token, token));
    const auto email = read["traits"]["email"]["value"].get<std::string>();
    CHECK(email.size() == 32);
    CHECK(read["traits"]["firstName"]["value"].get<std::string>().size() == 32);
    for (const auto& identifier : read["identifiers"])
        if (identifier["type"] == "email") CHECK(identifier["value"] == email);
}

TEST_CASE("a channel is given the beginning of a value") {
    const auto read = given(asking_for({.transform = consent::Transform::sha256},
                                       {.transform = consent::Transform::truncate, .length = 1}));
    CHECK(read["traits"]["firstName"]["value"] == "제");
    CHECK(read["traits"]["email"]["value"] == identity::sha256_hex("j.ane+x@gmail.com"));
}

TEST_CASE("every form that a channel may ask for is known where addresses are") {
    for (const auto form : consent::hash_forms()) {
        CAPTURE(form);
        CHECK(identity::destination_form(identity::Form::email, "a@shop.example", form));
        CHECK(identity::destination_form(identity::Form::phone, "+821012345678", form));
    }
}
