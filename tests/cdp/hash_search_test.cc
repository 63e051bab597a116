#include "cdp/hash_search.h"

#include "cdp/own_secrets.h"
#include "cdp/privacy.h"
#include "identity/hashed.h"
#include "tests/cdp/world.h"

namespace {

using cdp::HashKind;

std::string found(const cdp::Result<std::vector<cdp::FoundIdentifier>>& found) {
    if (!found) return found.error().reason;
    std::string out;
    for (const auto& one : *found) out += one.type + ":" + one.value + " ";
    return out;
}

TEST_CASE("a hash finds the identifier that was hashed, whichever way") {
    tests::PlatformWorld world;
    CHECK(world.send_one(R"({"type":"identify","userId":"u1","messageId":"1",
        "traits":{"email":"Jane.Doe@Gmail.com","phone":"+4915112345678"},
        "context":{"device":{"type":"ios","advertisingId":"6D92078A-8246-4BA4-AE5B-76104861E7DC"}}})") ==
          "accepted");
    const auto& hashes = world.platform().privacy().hashes;
    const auto find = [&](std::string type, HashKind kind, std::string hex) {
        const std::vector<cdp::HashedName> wanted{{std::move(type), kind, std::move(hex)}};
        return found(hashes.find(wanted));
    };
    CHECK(find("email", HashKind::sha256, identity::sha256_hex("jane.doe@gmail.com")) ==
          "email:jane.doe@gmail.com ");
    CHECK(find("email", HashKind::sha256, identity::sha256_hex("janedoe@gmail.com")) ==
          "email:jane.doe@gmail.com ");
    CHECK(find("phone", HashKind::sha256, identity::sha256_hex("4915112345678")) ==
          "phone:+4915112345678 ");
    // printf %s jane.doe@gmail.com | sha1sum, md5sum
    CHECK(find("email", HashKind::sha1, "2be428ff8265d8c0531940846d6d219082531b83") ==
          "email:jane.doe@gmail.com ");
    CHECK(find("email", HashKind::md5, "1df66fbb427ff7e64ac46af29cc74b71") ==
          "email:jane.doe@gmail.com ");
    // Of janedoe@gmail.com, which is the same mailbox.
    CHECK(find("email", HashKind::md5, "a9601f3839e5d5da764c1861a5e1daf6") ==
          "email:jane.doe@gmail.com ");
    CHECK(find("phone", HashKind::md5, "5442c29a5e0e69775f2e636f0caa1b7b") ==
          "phone:+4915112345678 ");
    // Of the device's id in capitals.
    CHECK(find("ios.idfa", HashKind::sha1, "b4454fc62a7a0c64dbc1525b539f561064544125") ==
          "ios.idfa:6d92078a-8246-4ba4-ae5b-76104861e7dc ");
    CHECK(find("user_id", HashKind::sha256, identity::sha256_hex("u1")) == "user_id:u1 ");
    CHECK(find("phone", HashKind::sha1, "2be428ff8265d8c0531940846d6d219082531b83") == "");
    CHECK(find("email", HashKind::sha256, identity::sha256_hex("nobody@shop.example")) == "");
}

TEST_CASE("a walk over more than its bound is refused, a look-up never") {
    tests::PlatformWorld world;
    CHECK(world.send_one(R"({"type":"identify","userId":"u1","messageId":"1",
        "traits":{"email":"a@shop.example"}})") == "accepted");
    const identity::IdentifierTypes types = identity::IdentifierTypes::defaults();
    const identity::Graph graph(world.store(), world.vault(), types);
    const cdp::Config config;
    const cdp::HashSearch hashes({world.store(), world.vault(), graph, config}, /*walk_max=*/1);
    const std::vector<cdp::HashedName> walked{
        {"email", HashKind::md5, "d41d8cd98f00b204e9800998ecf8427e"}};
    CHECK(found(hashes.find(walked)) == "too_many_held");
    const std::vector<cdp::HashedName> looked_up{
        {"email", HashKind::sha256, identity::sha256_hex("a@shop.example")}};
    CHECK(found(hashes.find(looked_up)) == "email:a@shop.example ");
}

TEST_CASE("a hash is hexadecimal of its length, in any case") {
    CHECK(cdp::read_hash(HashKind::md5, "D41D8CD98F00B204E9800998ECF8427E") ==
          "d41d8cd98f00b204e9800998ecf8427e");
    CHECK_FALSE(cdp::read_hash(HashKind::sha1, "d41d8cd98f00b204e9800998ecf8427e"));
    CHECK_FALSE(cdp::read_hash(HashKind::md5, "g41d8cd98f00b204e9800998ecf8427e"));
    CHECK_FALSE(cdp::read_hash(HashKind::sha256, ""));
}

TEST_CASE("a secret is made once, by whoever is first, and lies sealed") {
    tests::PlatformWorld world;
    const cdp::OwnSecrets secrets(world.store(), world.vault());
    int made = 0;
    const auto make = [&]() -> cdp::Result<std::string> {
        ++made;
        return std::string("a very private key");
    };
    CHECK(secrets.find_or_make("a", make).value() == "a very private key");
    world.restart();
    CHECK(world.platform().privacy().secrets.find_or_make("a", make).value() ==
          "a very private key");
    CHECK(made == 1);
    CHECK(secrets.find_or_make("b", make));
    CHECK(made == 2);
    const auto fails = []() -> cdp::Result<std::string> { return cdp::Error{}; };
    CHECK_FALSE(secrets.find_or_make("c", fails));
    // Another who makes one in between is not overwritten.
    const auto outrun = [&]() -> cdp::Result<std::string> {
        CHECK(secrets.find_or_make("d", make));
        return std::string("too late");
    };
    CHECK(secrets.find_or_make("d", outrun).value() == "a very private key");
    REQUIRE(world.store().snapshot()->scan("", "", [&](std::string_view, std::string_view value) {
        CHECK(value.find("private") == value.npos);
        return true;
    }));
}

}  // namespace
