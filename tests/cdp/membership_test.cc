#include "cdp/membership.h"

#include "cdp/base/bytes.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy.h"
#include "cdp/rebuild.h"
#include "cdp/source_names.h"
#include "identity/hashed.h"
#include "tests/cdp/privacy_desk.h"
#include "tests/cdp/reporting.h"

// Who proves an address opens and takes what is theirs, whatever anybody's web page has said.

namespace {

using cdp::PrivacyAct;
using cdp::PrivacyKind;
using cdp::PrivacyRequest;
using cdp::PrivacyState;
using tests::Desk;

constexpr const char* kOwn = "b@shop.example";  // of who asks; u1 is somebody else

const std::vector kOpening{PrivacyKind::access, PrivacyKind::portability,
                           PrivacyKind::access_categories, PrivacyKind::erasure,
                           PrivacyKind::rectification};

std::string identify(const std::string& id, const std::string& members) {
    return R"({"type":"identify","messageId":")" + id + R"(","timestamp":"2026-11-20T14:00:00Z",)" +
           members + "}";
}

// The web page's key is everybody's.
void join(Desk& world, cdp::Trust trust = cdp::Trust::client) {
    world.send_one(identify("join", R"("userId":"u1","traits":{"email":"b@shop.example"})"),
                   Desk::source(trust == cdp::Trust::server ? "till" : "web", trust));
    world.clock().advance(std::chrono::seconds(1));
}

cdp::NewPrivacyRequest of(PrivacyKind kind, std::vector<cdp::RequestedIdentifier> whom,
                          const std::string& verified_by = "mailbox") {
    cdp::NewPrivacyRequest out{
        .kind = kind, .identifiers = std::move(whom), .verified_by = verified_by};
    if (kind == PrivacyKind::rectification) out.traits = {{"plan", "\"tin\""}};
    return out;
}

PrivacyRequest done(Desk& world, const cdp::NewPrivacyRequest& wanted) {
    return world.advance(world.submit(wanted));
}

// One event of the web page, or of the till.
void page(Desk& world, const std::string& id, const std::string& members) {
    REQUIRE(world.send_one(identify(id, members)) == "accepted");
}
void till(Desk& world, const std::string& id, const std::string& members) {
    REQUIRE(world.send_one(identify(id, members), Desk::source("till", cdp::Trust::server)) ==
            "accepted");
}
std::string external(const std::string& type, const std::string& value,
                     const std::string& more = "") {
    return R"("context":{"externalIds":[{"collection":"users","type":")" + type + R"(","id":")" +
           value + "\"" + more + "}]}";
}

// What the results of a request show now.
std::string results(Desk& world, const PrivacyRequest& request) {
    const auto& privacy = world.platform().privacy();
    const auto found = privacy.requests.found_in(request.id);
    REQUIRE(found);
    std::string text;
    const auto read =
        privacy.reports.write({.who = {}, .route = "GET /privacy/results/{link}", .reason = {}},
                              {.persons = *found}, [&](std::string_view piece) {
                                  text += piece;
                                  return true;
                              });
    return read ? text : read.error().reason;
}

std::string plan_of_u1(Desk& world) {
    const auto report = tests::report(world, "user_id", "u1");
    return report.dump().find("\"gold\"") != std::string::npos ? "gold" : "another";
}

}  // namespace

TEST_CASE("whoever joins their mailbox to somebody's account by a web page is shown nothing") {
    for (const auto kind : kOpening) {
        CAPTURE(to_string(kind));
        Desk world;
        join(world);
        REQUIRE(tests::report(world, "email", kOwn)["identifiers"].size() == 4);
        const auto blocked = done(world, of(kind, {{"email", kOwn}}));
        CHECK(blocked.state == PrivacyState::in_progress);
        CHECK(blocked.blocked == cdp::kMembershipUnverified);
        // Which types are in doubt, and no value.
        CHECK(world.read(blocked).steps.back().detail == "anonymous_id email user_id");
        CHECK(world.platform().privacy().requests.found_in(blocked.id)->empty());
        CHECK(world.holds("u1"));
        CHECK(plan_of_u1(world) == "gold");
        // Looking again changes nothing; denying it ends it.
        CHECK(world.step(blocked, {.act = PrivacyAct::retry}) == "in_progress");
        CHECK(world.advance(blocked).blocked == cdp::kMembershipUnverified);
        CHECK(world.step(blocked, {.act = PrivacyAct::deny,
                                   .denial = cdp::PrivacyDenial::suspected_fraud}) == "denied");
        CHECK(world.holds("u1"));
        world.check_ledger();
    }
}

TEST_CASE("the same by a link that proves the mailbox, joined before or while it waits") {
    for (const bool before : {true, false}) {
        CAPTURE(before);
        Desk world;
        if (before) join(world);
        const auto waiting = done(world, of(PrivacyKind::erasure, {{"email", kOwn}}, ""));
        REQUIRE(waiting.state == PrivacyState::waiting_for_verification);
        if (!before) join(world);
        REQUIRE(world.requests().prove(waiting.id, {"email", kOwn}));
        CHECK(world.advance(waiting).blocked == cdp::kMembershipUnverified);
        CHECK(world.holds("u1"));
    }
}

TEST_CASE("an officer who answers for the whole person has it done") {
    for (const auto kind : kOpening) {
        CAPTURE(to_string(kind));
        Desk world;
        join(world);
        const auto blocked = done(world, of(kind, {{"email", kOwn}}));
        REQUIRE(blocked.blocked == cdp::kMembershipUnverified);
        // Not by saying again what was known before.
        CHECK(world.step(blocked, {.act = PrivacyAct::verify, .code = "mailbox"}) ==
              "step_not_possible");
        CHECK(world.step(blocked,
                         {.act = PrivacyAct::verify, .code = "in_person", .whole_person = true}) ==
              "in_progress");
        const auto ended = world.advance(blocked);
        CHECK(ended.state == PrivacyState::fulfilled);
        CHECK(ended.whole_person);
        CHECK(ended.verified_by == "in_person");
        CHECK(world.holds("u1") == (kind != PrivacyKind::erasure));
        world.check_ledger();
    }
    // Or says so from the start.
    Desk world;
    join(world);
    auto wanted = of(PrivacyKind::access, {{"email", kOwn}}, "in_person");
    wanted.whole_person = true;
    CHECK(done(world, wanted).state == PrivacyState::fulfilled);
}

TEST_CASE("verifying once more is for what waits for it") {
    Desk world;
    world.send_one(identify("s1", R"("userId":"u5","anonymousId":"tablet")"));
    world.send_one(identify("s2", R"("userId":"u6","anonymousId":"tablet")"));
    const auto blocked = done(world, of(PrivacyKind::access, {{"anonymous_id", "tablet"}}));
    REQUIRE(blocked.blocked == "identifier_shared");
    CHECK(world.step(blocked,
                     {.act = PrivacyAct::verify, .code = "in_person", .whole_person = true}) ==
          "step_not_possible");
    CHECK(world.step(blocked, {.act = PrivacyAct::retry, .code = "again", .whole_person = true}) ==
          "vouched_for_unexpected");
    auto wanted = of(PrivacyKind::access, {{"user_id", "u1"}}, "");
    wanted.whole_person = true;
    CHECK(world.refused(wanted) == "vouched_for_unexpected /vouched_for");
}

TEST_CASE("what a server has said needs no officer, nor do cookies that a page has said") {
    for (const auto kind : kOpening) {
        CAPTURE(to_string(kind));
        Desk world;
        join(world, cdp::Trust::server);
        world.send_one(identify("c9", R"("userId":"u1","anonymousId":"c9")"));
        CHECK(done(world, of(kind, {{"email", kOwn}})).state == PrivacyState::fulfilled);
    }
    // Both sides of what a page has said were proved.
    Desk world;
    join(world);
    CHECK(done(world, of(PrivacyKind::access, {{"email", kOwn}, {"user_id", "u1"}})).state ==
          PrivacyState::fulfilled);
    // As much as an officer has asserted.
    CHECK(done(world, of(PrivacyKind::access, {{"email", kOwn}})).blocked ==
          cdp::kMembershipUnverified);
    const auto asserted =
        tests::say(world, tests::request("must_link", {{"email", kOwn}, {"user_id", "u1"}}));
    REQUIRE(asserted.contains("id"));
    CHECK(done(world, of(PrivacyKind::access, {{"email", kOwn}})).state == PrivacyState::fulfilled);
}

TEST_CASE("a hash of the mailbox opens no more than the mailbox") {
    Desk world;
    join(world);
    const auto hash = identity::sha256_hex(kOwn);
    CHECK(done(world, of(PrivacyKind::access, {{"email_sha256", hash}})).blocked ==
          cdp::kMembershipUnverified);
    CHECK(done(world, of(PrivacyKind::erasure, {{"email_sha256", hash}})).blocked ==
          cdp::kMembershipUnverified);
    CHECK(world.holds("u1"));
}

TEST_CASE("what anybody may ask unproved is done") {
    Desk world;
    join(world);
    for (const auto kind :
         {PrivacyKind::objection, PrivacyKind::restriction, PrivacyKind::suppression})
        CHECK(done(world, of(kind, {{"email", kOwn}})).state == PrivacyState::fulfilled);
}

TEST_CASE("an erasure looks at whom it takes in the commit that begins it") {
    Desk world;
    int asked = 0;
    const auto erased = world.platform().privacy().erasures.carry_out(
        "kim",
        {.type = "user_id",
         .value = "u1",
         .check = [&](cdp::People::Reading,
                      std::span<const cdp::Token> whom) -> cdp::Result<std::vector<cdp::Token>> {
             ++asked;
             CHECK(whom.size() >= 3);
             return cdp::Error{.code = cdp::ErrorCode::conflict, .reason = "not_them"};
         }});
    REQUIRE_FALSE(erased);
    CHECK(erased.error().reason == "not_them");
    CHECK(asked == 1);
    CHECK(world.holds("u1"));
}

TEST_CASE("the trust of a source is kept, and rebuilt from its events") {
    Desk world;
    join(world);
    const auto& vault = world.vault();
    const auto kept = [&](const char* name) {
        const auto found = cdp::SourceNames(vault).find(*world.store().snapshot(),
                                                        cdp::source_hash_of(vault, name));
        REQUIRE(found);
        REQUIRE(*found);
        CHECK((*found)->name == name);
        return (*found)->trust;
    };
    CHECK(kept("till") == cdp::Trust::server);
    CHECK(kept("web") == cdp::Trust::client);

    // As it was kept before trust was: nobody is believed until they are heard again.
    storage::KeyWriter key(storage::Space::meta,
                           cdp::Id<struct NamesTag>::from("names of sources"));
    const auto row = key.number32(cdp::source_hash_of(vault, "till")).str();
    cdp::ByteWriter plain;
    plain.u8(1).raw("till");
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    transaction.put(row, storage::Vault::seal(vault.own_key("names of sources"), row, plain.str()));
    REQUIRE(storage::commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
    CHECK(kept("till") == cdp::Trust::client);
    auto scratch = storage::make_memory_store();
    const storage::Vault scratch_vault(tests::fixed_keyring());
    const auto config = tests::open_config();
    cdp::Rebuild rebuild({world.store(), vault, *scratch, scratch_vault, config, world.clock()},
                         {});
    REQUIRE(rebuild.mend());
    CHECK(kept("till") == cdp::Trust::server);
}

TEST_CASE("an address that nobody was seen with leads nowhere by its hash either") {
    Desk world;
    const auto joined = [&](const std::string& id, const std::string& user, const char* type,
                            const std::string& hashed) {
        page(world, id,
             R"("userId":")" + user + R"(",)" +
                 external(type, identity::sha256_hex(hashed), R"(,"encoding":"sha256")"));
    };
    joined("h1", "u1", "email", "never-sent@shop.example");
    joined("h2", "u2", "phone", "+4915112300077");
    for (const auto& [type, value] :
         {std::pair("email", "never-sent@shop.example"), std::pair("phone", "+4915112300077")}) {
        CAPTURE(type);
        CHECK(done(world, of(PrivacyKind::erasure, {{type, value}})).blocked ==
              cdp::kMembershipUnverified);
    }
    // Each form of one address with another account.
    joined("h3", "u1", "email", "a.b+shop@gmail.com");
    joined("h4", "u2", "email", "ab@gmail.com");
    const auto blocked = done(world, of(PrivacyKind::erasure, {{"email", "a.b+shop@gmail.com"}}));
    CHECK(blocked.blocked == cdp::kMembershipUnverified);
    CHECK(world.holds("u1"));
    CHECK(world.holds("u2"));
}

TEST_CASE("what is seen on an address that pages made several people's is nobody's by their word") {
    for (const bool before : {true, false}) {
        CAPTURE(before);
        Desk world;
        world.send_one(R"({"type":"track","event":"Ordered","messageId":"o1",)"
                       R"("timestamp":"2026-11-20T13:59:55Z","properties":{"item":"secret"},)" +
                           external("email", "v@shop.example") + "}",
                       Desk::source("till", cdp::Trust::server));
        till(world, "o2", R"("userId":"att")");
        const auto attack = [&] {
            for (const char* user : {"x1", "x2", "x3"})
                world.send_one(R"({"type":"track","event":"Seen","messageId":")" +
                               std::string(user) +
                               R"(","timestamp":"2026-11-18T09:00:00Z","userId":")" + user +
                               R"(",)" + external("email", "v@shop.example") + "}");
            page(world, "s att", R"("userId":"att",)" + external("email", "v@shop.example"));
        };
        if (before) attack();
        const auto access = done(world, of(PrivacyKind::access, {{"user_id", "att"}}));
        if (before) {
            CHECK(access.blocked == cdp::kMembershipUnverified);
            CHECK(world.read(access).steps.back().detail == "email");
            CHECK(done(world, of(PrivacyKind::erasure, {{"user_id", "att"}})).blocked ==
                  cdp::kMembershipUnverified);
            continue;
        }
        REQUIRE(access.state == PrivacyState::fulfilled);
        attack();
        // The whole of it would show that.
        REQUIRE(tests::report(world, "user_id", "att").dump().find("secret") != std::string::npos);
        CHECK(results(world, access).find("secret") == std::string::npos);
    }
}

TEST_CASE("sessions on what a server has seen somebody use are theirs, then and later") {
    Desk world;
    for (const char* user : {"u5", "u6"})
        till(world, user, R"("userId":")" + std::string(user) + R"(","anonymousId":"tablet")");
    world.send_one(R"({"type":"track","event":"Looked","anonymousId":"tablet","messageId":"t1",)"
                   R"("timestamp":"2026-11-20T14:01:00Z"})");
    const auto access = done(world, of(PrivacyKind::access, {{"user_id", "u6"}}));
    REQUIRE(access.state == PrivacyState::fulfilled);
    const auto whole = tests::report(world, "user_id", "u6").dump();
    CHECK((results(world, access).find("Looked") == std::string::npos) ==
          (whole.find("Looked") == std::string::npos));
    CHECK(results(world, access).find("Looked") != std::string::npos);
}

TEST_CASE("a cookie of somebody's choice and a known advertising id lead nobody to an account") {
    Desk world;
    till(world, "f1", R"("userId":"u8","anonymousId":"chosen","traits":{"plan":"secret"})");
    page(world, "f2", R"("anonymousId":"chosen","traits":{"email":"b@shop.example"})");
    CHECK(done(world, of(PrivacyKind::access, {{"email", kOwn}})).blocked ==
          cdp::kMembershipUnverified);

    const std::string ad =
        R"("context":{"device":{"type":"ios","advertisingId":"6d92078a-8246-4ba4-ae5b-76104861e7dc"}})";
    page(world, "f3", R"("anonymousId":"elsewhere","traits":{"email":"c@shop.example"},)" + ad);
    const auto blocked = done(world, of(PrivacyKind::access, {{"email", "c@shop.example"}}));
    CHECK(blocked.blocked == cdp::kMembershipUnverified);
    CHECK(world.read(blocked).steps.back().detail == "ios.idfa");
}

TEST_CASE("what a server passes on of a visitor's form is not believed beside an address") {
    Desk world;
    till(world, "n1", R"("anonymousId":"visitor","traits":{"email":"a@shop.example"})");
    till(world, "n2", R"("anonymousId":"visitor","traits":{"email":"b@shop.example"})");
    CHECK(done(world, of(PrivacyKind::access, {{"email", kOwn}})).blocked ==
          cdp::kMembershipUnverified);
}

TEST_CASE("who answers for a whole person answers for whom they were told of") {
    Desk world;
    join(world);
    const auto blocked = done(world, of(PrivacyKind::erasure, {{"email", kOwn}}));
    REQUIRE(blocked.blocked == cdp::kMembershipUnverified);
    till(world, "l1", external("loyalty_id", "L333") + R"(,"traits":{"tier":"secret"})");
    page(world, "l2", R"("userId":"u1",)" + external("loyalty_id", "L333"));
    const cdp::PrivacyStepRequest vouch{
        .act = PrivacyAct::verify, .code = "in_person", .whole_person = true};
    CHECK(world.step(blocked, vouch) == "in_progress");
    const auto again = world.advance(blocked);
    CHECK(again.blocked == cdp::kMembershipUnverified);
    CHECK_FALSE(again.whole_person);
    CHECK(world.read(again).steps.back().detail == "loyalty_id");
    CHECK(world.holds("u1"));
    // Now of that too.
    CHECK(world.step(blocked, vouch) == "in_progress");
    CHECK(world.advance(blocked).state == PrivacyState::fulfilled);
    CHECK_FALSE(world.holds("u1"));
}

TEST_CASE("who answers beforehand answers for who was there then") {
    Desk world;
    auto wanted = of(PrivacyKind::access, {{"user_id", "u1"}}, "controller");
    wanted.whole_person = true;
    wanted.not_before = world.clock().now() + std::chrono::hours(1);
    const auto waiting = done(world, wanted);
    REQUIRE(waiting.state == PrivacyState::verified);
    // Another browser of theirs is met on the way.
    page(world, "w1", R"("userId":"u1","anonymousId":"c7")");
    world.clock().advance(std::chrono::hours(2));
    CHECK(world.advance(waiting).state == PrivacyState::fulfilled);

    wanted.not_before = world.clock().now() + std::chrono::hours(1);
    wanted.reason = "another";
    const auto other = done(world, wanted);
    page(world, "w2", R"("userId":"u1",)" + external("loyalty_id", "L333"));
    world.clock().advance(std::chrono::hours(2));
    CHECK(world.advance(other).blocked == cdp::kMembershipUnverified);
}

TEST_CASE("a proof by link is for what waits for one") {
    Desk world;
    join(world);
    const auto blocked = done(world, of(PrivacyKind::access, {{"email", kOwn}}));
    REQUIRE(blocked.blocked == cdp::kMembershipUnverified);
    const auto proved = world.requests().prove(blocked.id, {"email", kOwn});
    REQUIRE_FALSE(proved);
    CHECK(proved.error().reason == "step_not_possible");
}

TEST_CASE("an erasure takes sessions on what was shared when it was asked, and on nothing else") {
    // What makes the address shared comes: before, with what would show it cut off or taken back;
    // or between the check and the list of what goes.
    enum class How { cut, retracted, between };
    for (const auto how : {How::cut, How::retracted, How::between}) {
        CAPTURE(static_cast<int>(how));
        Desk world;
        world.send_one(R"({"type":"track","event":"Ordered","messageId":"o1",)"
                       R"("timestamp":"2026-11-20T13:59:55Z","properties":{"item":"secret"},)" +
                           external("email", "v@shop.example") + "}",
                       Desk::source("till", cdp::Trust::server));
        world.send_one(R"({"type":"track","event":"Joined","messageId":"v1",)"
                       R"("timestamp":"2026-11-10T09:00:00Z","userId":"victim",)" +
                           external("email", "v@shop.example") + "}",
                       Desk::source("till", cdp::Trust::server));
        till(world, "o2", R"("userId":"att")");
        page(world, "s att", R"("userId":"att",)" + external("email", "v@shop.example"));
        const auto share = [&] {
            for (const char* user : {"x1", "x2", "x3"})
                world.send_one(R"({"type":"track","event":"Seen","messageId":")" +
                               std::string(user) +
                               R"(","timestamp":"2026-11-18T09:00:00Z","userId":")" + user +
                               R"(",)" + external("email", "v@shop.example") + "}");
        };
        if (how == How::retracted) {
            const auto said = tests::say(
                world,
                tests::request("retract", {{"user_id", "att"}, {"email", "v@shop.example"}}));
            REQUIRE(said.contains("id"));
        }
        if (how != How::between) share();
        if (how == How::cut)
            for (int i = 0; i < 1'100; ++i)
                page(world, "j" + std::to_string(i),
                     R"("userId":"att","traits":{"email":"j)" + std::to_string(i) +
                         R"(@shop.example"})");
        auto wanted = of(PrivacyKind::erasure, {{"user_id", "att"}});
        if (how == How::between) {
            // The check finds nothing shared; others make it so before what goes is listed.
            const auto done = world.platform().privacy().erasures.carry_out(
                "kim", {.type = "user_id",
                        .value = "att",
                        .check = [&](cdp::People::Reading, std::span<const cdp::Token>) {
                            share();
                            return cdp::Result<std::vector<cdp::Token>>(std::vector<cdp::Token>{});
                        }});
            REQUIRE(done);
        } else {
            const auto ended = done(world, wanted);
            CHECK((ended.state == PrivacyState::fulfilled) == (how == How::retracted));
        }
        std::size_t left = 0;
        for (const auto& line : world.exported(cdp::ExportKind::events))
            left += line.dump().find("secret") != std::string::npos;
        CHECK(left == 1);
    }
}

TEST_CASE(
    "who was cut apart by too many links waits for an officer instead of being done in part") {
    Desk world;
    for (int i = 0; i < 1'100; ++i)
        page(world, "j" + std::to_string(i),
             R"("userId":"u1","traits":{"email":"j)" + std::to_string(i) + R"(@shop.example"})");
    const auto blocked = done(world, of(PrivacyKind::access, {{"email", "a@shop.example"}}));
    CHECK(blocked.blocked == cdp::kMembershipUnverified);
    CHECK(world.read(blocked).steps.back().detail.starts_with("(links_cut)"));
    CHECK(world.step(blocked,
                     {.act = PrivacyAct::verify, .code = "in_person", .whole_person = true}) ==
          "in_progress");
    CHECK(world.advance(blocked).state == PrivacyState::fulfilled);
}

TEST_CASE("an address that was typed at two accounts is opened by neither") {
    Desk world;
    till(world, "t1", R"("userId":"victim","traits":{"email":"v@shop.example"})");
    till(world, "t2", R"("userId":"att","traits":{"email":"v@shop.example"})");
    const auto victim = done(world, of(PrivacyKind::access, {{"user_id", "victim"}}));
    const auto att = done(world, of(PrivacyKind::access, {{"user_id", "att"}}));
    // It is one person with one of the two, who waits.
    CHECK((victim.blocked == cdp::kMembershipUnverified) !=
          (att.blocked == cdp::kMembershipUnverified));
}
