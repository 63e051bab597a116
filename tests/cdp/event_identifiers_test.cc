#include "tests/cdp/parsing.h"

using namespace cdp;
using namespace tests;

namespace {

Event identify(const std::string& members, Trust trust = Trust::client) {
    return event_of(R"({"type":"identify",)" + members + "}", context(trust));
}

std::string ids(const std::string& members, Trust trust = Trust::client) {
    return identifiers_of(identify(members, trust));
}

}  // namespace

TEST_CASE("identifiers are read from where SDKs put them, best first") {
    struct Row {
        const char* members;
        const char* expected;
    };
    const Row rows[] = {
        {R"("userId":"u1","anonymousId":"a1")", "account user_id u1, cookie anonymous_id a1"},
        {R"("anonymousId":"a1","userId":null)", "cookie anonymous_id a1"},
        {R"("anonymousId":"a1","userId":"")", "cookie anonymous_id a1"},
        {R"("anonymousId":"a1","userId":" \t ")", "cookie anonymous_id a1"},
        {R"("userId":12345678901234567)", "account user_id 12345678901234567"},
        {R"("userId":1.50e3)", "account user_id 1.50e3"},
        {R"("userId":"u1","traits":{"email":"Kim@shop.de","id":"x"})",
         "account user_id u1, unverified_contact email kim@shop.de"},
        {R"("userId":"u1","traits":{"phone":"+33 6 12 34 56 78"})",
         "account user_id u1, unverified_contact phone +33612345678"},
        {R"("userId":"u1","context":{"traits":{"email":"kim@shop.de"}})",
         "account user_id u1, unverified_contact email kim@shop.de"},
        // Stored traits may be an earlier user's.
        {R"("userId":"u1","traits":{"email":"kim@shop.de"},"context":{"traits":{"email":"lee@shop.de"}})",
         "account user_id u1, unverified_contact email kim@shop.de"},
        {R"("userId":"u1","traits":{"plan":1},"context":{"traits":{"email":"lee@shop.de"}})",
         "account user_id u1, unverified_contact email lee@shop.de"},
        {R"("anonymousId":"a1","context":{"device":{"id":"B5372DB0-C21E-11E4-8DFC-AA07A5B093DB"}})",
         "device device_id b5372db0-c21e-11e4-8dfc-aa07a5b093db, cookie anonymous_id a1"},
        {R"("anonymousId":"a1","context":{"device":{"advertisingId":"7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB","type":"ios"}})",
         "device ios.idfa 7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db, cookie anonymous_id a1"},
        {R"("anonymousId":"a1","context":{"os":{"name":"iPadOS"},"device":{"advertisingId":"7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"}})",
         "device ios.idfa 7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db, cookie anonymous_id a1"},
        {R"("anonymousId":"a1","context":{"os":{"name":"Android"},"device":{"type":"tablet","advertisingId":"7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB","adTrackingEnabled":true}})",
         "device android.idfa 7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db, cookie anonymous_id a1"},
        {R"("anonymousId":"a1","context":{"device":{"advertisingId":"7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"}})",
         "device advertising_id 7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db, cookie anonymous_id a1"},
        {R"("anonymousId":"a1","context":{"device":{"advertisingId":"7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB","type":"ios","adTrackingEnabled":false}})",
         "cookie anonymous_id a1"},
        // What is not clearly a yes to tracking is a no.
        {R"("anonymousId":"a1","context":{"device":{"advertisingId":"7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB","type":"ios","adTrackingEnabled":"no"}})",
         "cookie anonymous_id a1"},
        {R"("context":{"externalIds":[{"id":"L-7","type":"Loyalty_ID","collection":"users","encoding":"none"}]})",
         "crm loyalty_id L-7"},
        {R"("context":{"externalIds":[{"id":77,"type":"crm_id"},{"id":"z","type":"badge"}]})",
         "crm badge z, crm crm_id 77"},
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":"c","type":"crm_id","collection":"accounts"},
            {"id":"t","type":"ios.push_token"},{"id":"g","type":"group_id"},{"id":null,"type":"crm_id"}]})",
         "cookie anonymous_id a1"},
        {R"("userId":"u1","context":{"externalIds":[{"id":"u1","type":"user_id"},{"id":"u1","type":"user_id"}]})",
         "account user_id u1"},
        {R"("context":{"externalIds":[{"id":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","type":"email","encoding":"sha256"}]})",
         "unverified_contact email_sha256 "
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.members);
        const auto event = identify(row.members);
        CHECK(identifiers_of(event) == row.expected);
        CHECK(warnings_of(event).empty());
    }
}

TEST_CASE("only a server source makes a contact verified") {
    const char* const sayings[] = {
        R"("userId":"u1","traits":{"email":"kim@shop.de","email_verified":true})",
        R"("userId":"u1","traits":{"email":"kim@shop.de","emailVerified":true})",
        R"("userId":"u1","traits":{"email":"kim@shop.de"},"context":{"externalIds":[{"id":"kim@shop.de","type":"email","verified":true}]})",
        R"("userId":"u1","context":{"traits":{"email":"kim@shop.de","email_verified":true}})",
    };
    for (const auto* saying : sayings) {
        CAPTURE(saying);
        CHECK(ids(saying, Trust::server) ==
              "account user_id u1, verified_contact email kim@shop.de");
        CHECK(ids(saying, Trust::client) ==
              "account user_id u1, unverified_contact email kim@shop.de");
    }
    CHECK(
        ids(R"("userId":"u1","context":{"externalIds":[{"id":"kim@shop.de","type":"email","verified":true},
                 {"id":"kim@shop.de","type":"email"}]})",
            Trust::server) == "account user_id u1, verified_contact email kim@shop.de");
    for (const auto* flag : {"phone_verified", "phoneVerified", "phone_number_verified"}) {
        const auto saying = R"("userId":"u1","traits":{"phone":"+33612345678",")" +
                            std::string(flag) + R"(":true})";
        CHECK(ids(saying, Trust::server) ==
              "account user_id u1, verified_contact phone +33612345678");
    }
}

TEST_CASE("nothing but true in the same traits verifies a contact") {
    for (
        const auto* saying : {
            R"("userId":"u1","traits":{"email":"kim@shop.de","email_verified":"true"})",
            R"("userId":"u1","traits":{"email":"kim@shop.de","email_verified":1})",
            R"("userId":"u1","traits":{"email":"kim@shop.de","phone_verified":true})",
            R"("userId":"u1","traits":{"email":"kim@shop.de"},"context":{"traits":{"email":"kim@shop.de","email_verified":true}})",
            R"("userId":"u1","traits":{"email":"kim@shop.de"},"properties":{"email_verified":true})",
        }) {
        CAPTURE(saying);
        CHECK(ids(saying, Trust::server) ==
              "account user_id u1, unverified_contact email kim@shop.de");
    }
}

TEST_CASE("traits of a company and properties hold no identifiers") {
    CHECK(identifiers_of(event_of(
              R"({"type":"group","groupId":"g1","userId":"u1","traits":{"email":"desk@firm.de"},
                  "context":{"traits":{"email":"kim@shop.de"}}})")) ==
          "account user_id u1, unverified_contact email kim@shop.de");
    CHECK(identifiers_of(event_of(
              R"({"type":"track","event":"E","userId":"u1","traits":{"email":"x@shop.de"},
                  "properties":{"email":"kim@shop.de","userId":"u2","phone":"+33612345678"}})")) ==
          "account user_id u1");
}

TEST_CASE("what identifies nobody is dropped with a code") {
    struct Row {
        const char* members;
        const char* codes;
    };
    const Row rows[] = {
        {R"("userId":"null","anonymousId":"a1")", "null_like_user_id"},
        {R"("userId":true,"anonymousId":"a1")", "malformed_user_id"},
        {R"("userId":["u1"],"anonymousId":"a1")", "malformed_user_id"},
        {R"("anonymousId":"a1","traits":{"email":"not an address"})", "malformed_email"},
        {R"("anonymousId":"a1","traits":{"email":{"a":1}})", "malformed_email"},
        {R"("anonymousId":"a1","traits":{"phone":"0612345678"})", "malformed_phone"},
        {R"("anonymousId":"a1","context":{"device":{"advertisingId":"00000000-0000-0000-0000-000000000000","type":"ios"}})",
         "null_like_ios.idfa"},
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":"1","type":"Ünique"}]})",
         "invalid_external_id_type"},
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":"1","type":"Person"}]})",
         "invalid_external_id_type"},
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":"1"}]})",
         "invalid_external_id_type"},
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":"1","type":"crm_id","encoding":"rot13"}]})",
         "unsupported_external_id_encoding"},
        {R"("anonymousId":"a1","context":{"externalIds":{"id":"1"}})", "invalid_external_ids"},
        {R"("anonymousId":"a1","context":{"externalIds":["1","2"]})", "invalid_external_ids"},
        // A type that only the sender named may be somebody's name: it is not repeated.
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":"null","type":"jane.doe"}]})",
         "null_like_external_id"},
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":[1],"type":"jane.doe"}]})",
         "malformed_external_id"},
        {R"("anonymousId":"a1","traits":{"email":"{{user.email}}"})", "null_like_email"},
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","type":"email","encoding":"sha256"}]})",
         "null_like_email_sha256"},
        {R"("anonymousId":"a1","context":{"externalIds":[{"id":"kim@shop.de","type":"email","encoding":"sha256"}]})",
         "malformed_email_sha256"},
        {R"("userId":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","anonymousId":"a1")",
         "null_like_user_id"},
        {R"("anonymousId":"a1","context":"web")", "invalid_context"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.members);
        const auto event = identify(row.members);
        CHECK(identifiers_of(event) == "cookie anonymous_id a1");
        CHECK(warnings_of(event) == row.codes);
    }
}

TEST_CASE("a configured value is blocked") {
    auto own = identity::IdentifierTypes::defaults();
    auto cookie = own.find("anonymous_id");
    cookie.blocked = {"kiosk"};
    own.set(cookie);
    auto how = context();
    how.types = &own;
    const auto event = event_of(R"({"type":"identify","userId":"u1","anonymousId":"kiosk"})", how);
    CHECK(identifiers_of(event) == "account user_id u1");
    CHECK(warnings_of(event) == "blocked_anonymous_id");
}

TEST_CASE("an event keeps its best identifiers when it lists too many") {
    std::string list;
    for (int i = 100; i < 200; ++i)
        list += R"({"type":"badge","id":"b)" + std::to_string(i) + R"("},)";
    list.pop_back();
    const auto event = identify(R"("userId":"u1","context":{"externalIds":[)" + list + "]}");
    REQUIRE(event.identifiers.size() == kIdentifiersMax);
    CHECK(event.identifiers.front().value == "u1");
    CHECK(event.identifiers.back().value == "b130");
    CHECK(warnings_of(event) == "too_many_identifiers");
}

TEST_CASE("an identifier keeps its raw form") {
    const auto event = identify(R"("userId":"u1","traits":{"email":" Kim@Shop.DE "})");
    CHECK(event.identifiers[1].value == "kim@shop.de");
    CHECK(event.identifiers[1].raw == " Kim@Shop.DE ");
}
