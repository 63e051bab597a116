#include "cdp/ledger_rows.h"

#include "cdp/disclosures.h"
#include "cdp/notices.h"
#include "cdp/policy_versions.h"
#include "cdp/quarantine_rows.h"
#include "cdp/quarantines.h"
#include "cdp/withdrawals.h"
#include "tests/cdp/stewardship_world.h"

using nlohmann::json;
using tests::PlatformWorld;

// The check of the ledger holds everything that has a salt against its entry.
namespace {

using namespace std::chrono_literals;

// One of everything.
struct Shop : PlatformWorld {
    Shop() {
        REQUIRE(platform().policies().adopt());
        cdp::NoticeRequest notice;
        notice.id = "n1";
        notice.version = "v1";
        notice.language = "en";
        notice.purposes = {"email_marketing"};
        notice.text = "We write to you.";
        REQUIRE(platform().notices().post(notice, "officer:lee"));
        disclose();
        quarantine();
    }

    void disclose() {
        send_one(R"({"type":"identify","userId":"u1","traits":{"firstName":"A"},)"
                 R"("messageId":"m1"})");
        say("granted");
        REQUIRE(profile("email_tool", "user_id", "u1", "email_marketing")
                    .at("traits")
                    .contains("firstName"));
        say("withdrawn");
        const cdp::Reader reader{.who = channel("email_tool"), .route = "a test"};
        const auto page = platform().withdrawals().feed(reader, {});
        REQUIRE(page);
        const auto one = json::parse(*page).at("withdrawals").at(0);
        const std::vector<cdp::Acknowledgement> all{{one.at("record"), one.at("person")}};
        REQUIRE(platform().withdrawals().acknowledge(channel("email_tool"), all));
        REQUIRE(platform().disclosures().drain());
    }
    void say(const std::string& state) {
        clock().advance(1min);
        consent("user_id", "u1", "email_marketing", state, "person", clock().now());
        clock().advance(1min);
    }
    void quarantine() {
        send_one(R"({"type":"track","event":"x","userId":"u2","anonymousId":"c2",)"
                 R"("messageId":"m2"})");
        consent("user_id", "u2", "email_marketing", "withdrawn", "person", clock().now());
        const auto said = tests::say(
            *this, tests::request("cannot_link", {{"user_id", "u2"}, {"anonymous_id", "c2"}}));
        REQUIRE(said.contains("id"));
        REQUIRE(platform().quarantines().release(said.at("id").get<std::string>(), "officer:lee",
                                                 "two customers"));
    }

    consent::LedgerChecked check() {
        const auto checked = platform().check_ledger([](auto, auto) { return true; });
        REQUIRE(checked);
        return *checked;
    }

    // Changes one byte of the first row of a space that `wanted` takes. False: there is none.
    template <typename Wanted>
    bool tamper(storage::Space space, Wanted wanted) {
        std::string key;
        std::string value;
        const auto snapshot = store().snapshot();
        REQUIRE(snapshot->scan(storage::space_prefix(space), "", [&](auto k, auto v) {
            if (!wanted(k, v)) return true;
            key = k;
            value = v;
            return false;
        }));
        if (key.empty()) return false;
        value.back() = static_cast<char>(value.back() ^ 1);
        storage::Transaction transaction(*snapshot, storage::kPartition);
        transaction.put(key, value);
        return storage::commit_and_wait(store(), std::move(transaction)).state ==
               storage::CommitState::ok;
    }
};

}  // namespace

TEST_CASE("the ledger fits everything that is kept with the salt of an entry") {
    Shop shop;
    const auto checked = shop.check();
    const auto& fault = checked.fault;
    CHECK((fault ? fault->what + " " + fault->id + ": " + fault->why : "") == "");
    CHECK(checked.others >= 5);
}

TEST_CASE("whatever was changed and has an entry in the ledger is named") {
    struct Row {
        const char* what;
        storage::Space space;
        const char* id;
    };
    const auto row = GENERATE(values<Row>({
        {"notice", storage::Space::notice, "n1/v1/en"},
        {"policy", storage::Space::policy, ""},
        {"release", storage::Space::quarantine, ""},
        {"acknowledgement", storage::Space::acknowledged, ""},
        {"disclosures", storage::Space::batch, "1"},
    }));
    CAPTURE(row.what);
    Shop shop;
    REQUIRE(shop.tamper(row.space, [&](std::string_view key, std::string_view value) {
        switch (row.space) {
            // Versions have a hash and a salt, and the parts of policies are longer.
            case storage::Space::policy: return value.size() == 64;
            case storage::Space::quarantine: return key.starts_with(cdp::quarantines_prefix());
            default: return true;
        }
    }));
    const auto fault = shop.check().fault;
    REQUIRE(fault);
    CHECK(fault->what == row.what);
    if (*row.id != '\0' && row.space != storage::Space::notice) CHECK(fault->id == row.id);
}
