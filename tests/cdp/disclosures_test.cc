#include "cdp/disclosures.h"

#include <algorithm>
#include <future>
#include <set>

#include "cdp/base/bytes.h"
#include "cdp/base/random.h"
#include "cdp/stewardship.h"
#include "consent/disclosure_proof.h"
#include "consent/entry.h"
#include "storage/boot.h"
#include "storage/key.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/world.h"
#include "tests/support/faulty_journal.h"
#include "tests/support/seeds.h"

namespace {

using cdp::DisclosedPage;
using cdp::DisclosedQuery;
using tests::FailingStore;
using tests::FaultyJournal;
using tests::PlatformWorld;

// A shop with one person, a journal that outlives its platform and a store that can stop.
struct Shop {
    Shop() {
        auto failing = std::make_unique<FailingStore>();
        store = failing.get();
        world = std::make_unique<PlatformWorld>(cdp::Config{}, std::move(failing));
        world->restart_on(journal.hand_over());
        world->send_one(R"({"type":"identify","userId":"u1","messageId":"m1",)"
                        R"("traits":{"email":"a@shop.example","firstName":"A","secret":1}})",
                        PlatformWorld::source("till", cdp::Trust::server));
        world->consent("email", "a@shop.example", "email_marketing", "granted");
    }
    ~Shop() { journal.release(); }
    Shop(const Shop&) = delete;
    Shop& operator=(const Shop&) = delete;

    cdp::Token token(const std::string& type, const std::string& value) const {
        return world->vault().token(type, value);
    }
    cdp::Token mail() const { return token("email", "a@shop.example"); }
    cdp::Token user() const { return token("user_id", "u1"); }
    cdp::Disclosures& disclosures() const { return world->platform().disclosures(); }

    cdp::Result<cdp::ChannelAnswer> read(const std::string& name = "mailer") const {
        return world->platform().profile({cdp::Role::channel, name, "email_tool", {}}, "user_id",
                                         "u1", "email_marketing");
    }
    // What a read tells, not written yet.
    std::shared_ptr<cdp::Listing> gathered() const {
        cdp::Listing::Scope scope;
        REQUIRE(read());
        return scope.take();
    }
    DisclosedPage page(const cdp::Token& token, const DisclosedQuery& query = {}) const {
        auto page = disclosures().of_subject(token, query);
        REQUIRE(page);
        return *std::move(page);
    }
    std::uint32_t told(const cdp::Token& token) const {
        std::uint32_t n = 0;
        for (const auto& row : page(token).rows) n += row.row.count;
        return n;
    }
    std::uint64_t ledger() const {
        return *storage::log_size(*world->store().snapshot(), consent::ledger_prefix());
    }
    // The process ends where it is: what is not in the store yet stays in the journal.
    void kill() {
        store->commits_left() = 0;
        world->stop();
        store->commits_left() = FailingStore::kNever;
    }
    void start() { world->restart_on(journal.hand_over()); }

    FaultyJournal journal;
    FailingStore* store = nullptr;
    std::unique_ptr<PlatformWorld> world;
};

// section/within/name:form, and -name:reason for what stayed.
std::set<std::string> fields(const consent::Mask& mask) {
    std::set<std::string> out;
    for (const auto& field : mask)
        out.insert(std::string(field.withheld ? "-" : "") + std::string(to_string(field.section)) +
                   "/" + (field.within.empty() ? "" : field.within + "/") + field.name + ":" +
                   field.form);
    return out;
}

std::set<std::string> fields(const DisclosedPage& page) {
    std::set<std::string> out;
    for (const auto& row : page.rows) out.merge(fields(row.mask));
    return out;
}

bool has_name(const consent::Mask& mask, const std::string& name) {
    return std::ranges::any_of(mask, [&](const auto& field) { return field.name == name; });
}

}  // namespace

TEST_CASE("what a channel was sent, and what it was not, is listed under whose it is") {
    const Shop shop;
    REQUIRE(shop.read());
    CHECK(fields(shop.page(shop.user())) ==
          std::set<std::string>{"persons/person:raw", "fields/email:raw", "fields/firstName:raw",
                                "-fields/secret:unmapped",
                                "-identifiers/user_id:label_not_allowed"});
    CHECK(fields(shop.page(shop.mail())) == std::set<std::string>{"identifiers/email:raw"});
    const auto row = shop.page(shop.user()).rows.at(0);
    CHECK(row.batch.channel == "email_tool");
    CHECK(row.batch.reader == "mailer");
    CHECK(row.batch.purpose == "email_marketing");
    CHECK(row.batch.kind == consent::BatchKind::release);
    CHECK(row.batch.withheld ==
          std::map<std::string, std::uint64_t>{{"unmapped", 1}, {"label_not_allowed", 1}});
    CHECK_FALSE(row.evidence.empty());
    CHECK(row.row.first == shop.world->clock().now());
}

TEST_CASE("a decision id in an answer leads to its rows") {
    const Shop shop;
    const auto answer = shop.read();
    REQUIRE(answer);
    const auto decision = nlohmann::json::parse(*answer->body()).at("decision").get<std::string>();
    for (const auto& row : shop.page(shop.user()).rows)
        CHECK(cdp::to_hex(row.row.decision.view()) == decision);
}

TEST_CASE("equal answers are one row, and each reader has its own batch") {
    const Shop shop;
    for (int i = 0; i < 5; ++i) {
        REQUIRE(shop.read());
        shop.world->clock().advance(std::chrono::milliseconds(10));
    }
    REQUIRE(shop.read("other"));
    const auto page = shop.page(shop.mail());
    REQUIRE(page.rows.size() == 2);
    const auto& five = page.rows[page.rows[0].row.count == 5 ? 0 : 1];
    CHECK(five.row.count == 5);
    CHECK(five.row.last - five.row.first == std::chrono::milliseconds(40));
    CHECK(five.batch.reader == "mailer");
    CHECK(shop.told(shop.mail()) == 6);
    const auto batches = shop.disclosures().of_channel("email_tool", {});
    REQUIRE(batches);
    CHECK(batches->batches.size() == 2);
}

TEST_CASE("each row is proved by its batch, and the batch is in the ledger") {
    const Shop shop;
    REQUIRE(shop.read());
    const auto before = shop.ledger();
    REQUIRE(shop.disclosures().drain());
    CHECK(shop.ledger() == before + 1);
    consent::TreeHasher hasher;
    for (const auto& token : {shop.user(), shop.mail()})
        for (const auto& told : shop.page(token).rows) {
            const auto proof = shop.disclosures().prove(told.batch.number, told.index);
            REQUIRE(proof);
            CHECK(verify_row(hasher, told.row, told.index, told.batch, proof->path));
            const auto entry = shop.world->store().snapshot()->get(
                cdp::ByteWriter().raw(consent::ledger_prefix()).u64(before).take());
            REQUIRE((entry && *entry));
            CHECK(consent::decode_entry(**entry)->commitment ==
                  consent::commitment(consent::EntryType::disclosures, proof->salt,
                                      consent::encode(proof->batch)));
        }
    const auto batch = shop.disclosures().batch(1);
    REQUIRE((batch && *batch));
    CHECK((*batch)->rows.size() == (*batch)->batch.rows);
    CHECK(shop.disclosures().prove(1, 99).error().code == cdp::ErrorCode::not_found);
    CHECK_FALSE(*shop.disclosures().batch(99));
}

TEST_CASE("who received a field since a moment") {
    const Shop shop;
    REQUIRE(shop.read());
    REQUIRE(shop.disclosures().drain());
    shop.world->clock().advance(std::chrono::minutes(1));
    const auto withdrawn = shop.world->clock().now();
    shop.world->consent("email", "a@shop.example", "email_marketing", "withdrawn");
    shop.world->clock().advance(std::chrono::minutes(1));
    REQUIRE(shop.read());
    const auto got = [](const consent::Mask& mask) {
        return std::ranges::any_of(
            mask, [](const auto& field) { return field.name == "email" && !field.withheld; });
    };
    CHECK(shop.page(shop.user(), {.mask = got}).rows.size() == 1);
    CHECK(shop.page(shop.user(), {.since = withdrawn, .mask = got}).rows.empty());
    CHECK(shop.page(shop.user(), {.until = withdrawn}).rows.size() == 1);
    // That it stopped is on record too.
    CHECK(fields(shop.page(shop.mail(), {.since = withdrawn})) ==
          std::set<std::string>{"-identifiers/email:withdrawn"});
}

TEST_CASE("pages of rows are a list without gaps or repetitions") {
    const Shop shop;
    for (int i = 0; i < 7; ++i) {
        REQUIRE(shop.read());
        REQUIRE(shop.disclosures().drain());
        shop.world->clock().advance(std::chrono::seconds(1));
    }
    DisclosedQuery query{.limit = 3};
    std::vector<std::uint64_t> numbers;
    do {
        const auto page = shop.page(shop.mail(), query);
        for (const auto& row : page.rows) numbers.push_back(row.batch.number);
        query.after = page.next;
    } while (!query.after.empty());
    CHECK(numbers == std::vector<std::uint64_t>{7, 6, 5, 4, 3, 2, 1});
    query.after = "x";
    CHECK(shop.disclosures().of_subject(shop.mail(), query).error().reason == "malformed_cursor");
}

TEST_CASE("events and their properties are listed under the event, withheld ones too") {
    const Shop shop;
    shop.world->send_one(R"({"type":"track","event":"Order Completed","userId":"u1",)"
                         R"("messageId":"m2","properties":{"revenue":7,"odd":1}})",
                         PlatformWorld::source("till", cdp::Trust::server));
    REQUIRE(shop.world->platform().timeline({cdp::Role::channel, "mailer", "email_tool", {}},
                                            "user_id", "u1", {.purpose = "email_marketing"}));
    const auto listed = fields(shop.page(shop.user()));
    CHECK(listed.contains("events/Order Completed/event:raw"));
    CHECK(listed.contains("properties/Order Completed/revenue:raw"));
    CHECK(listed.contains("-properties/Order Completed/odd:unmapped"));
    CHECK(listed.contains("persons/person:raw"));
}

TEST_CASE("what is given out in a scope is listed when it is handed over, and not before") {
    Shop shop;
    const auto listing = shop.gathered();
    CHECK(shop.told(shop.mail()) == 0);
    REQUIRE(shop.disclosures().try_list({listing}));
    CHECK_FALSE(listing->refusal());
    CHECK_FALSE(listing->withdraw());
    CHECK(shop.told(shop.mail()) == 1);
    shop.journal.appends_fail = true;
    const auto refused = shop.gathered();
    REQUIRE(shop.disclosures().try_list({refused}));
    REQUIRE(refused->refusal());
    CHECK(refused->refusal()->reason == "disclosure_unrecorded");
    shop.journal.appends_fail = false;
    CHECK(shop.told(shop.mail()) == 1);
}

TEST_CASE("who gave up while the disk stood still was not told, and who waited was") {
    Shop shop;
    REQUIRE(shop.read());
    CHECK(shop.told(shop.mail()) == 1);
    // As before a drain, where it stands in full, and behind one.
    const bool known = GENERATE(false, true);
    if (known) REQUIRE(shop.read());
    const auto before = known ? 2u : 1u;
    const auto gone = shop.gathered();
    const auto staying = shop.gathered();
    shop.journal.stall();
    std::promise<void> done;
    shop.disclosures().list({gone, staying}, [&] { done.set_value(); });
    shop.journal.await_append();
    CHECK(gone->withdraw());
    // Meanwhile nobody has to wait to see that it cannot be written now.
    const auto late = shop.gathered();
    CHECK_FALSE(shop.disclosures().try_list({late}));
    shop.journal.release();
    done.get_future().wait();
    CHECK_FALSE(staying->refusal());
    CHECK_FALSE(staying->withdraw());
    CHECK(shop.told(shop.mail()) == before + 1);
    REQUIRE(shop.read());
    CHECK(shop.told(shop.mail()) == before + 2);
}

TEST_CASE("what was withdrawn does not pile up while the disk stands still") {
    Shop shop;
    REQUIRE(shop.read());
    shop.journal.stall();
    std::promise<void> first, last;
    shop.disclosures().list({shop.gathered()}, [&] { first.set_value(); });
    shop.journal.await_append();
    bool let_go = false;
    const auto withdrawn = shop.gathered();
    shop.disclosures().list({withdrawn}, [&] { let_go = true; });
    CHECK(withdrawn->withdraw());
    CHECK_FALSE(let_go);
    shop.disclosures().list({shop.gathered()}, [&] { last.set_value(); });
    CHECK(let_go);
    shop.journal.release();
    first.get_future().wait();
    last.get_future().wait();
    CHECK(shop.told(shop.mail()) == 3);
}

TEST_CASE("nothing leaves that cannot be recorded") {
    Shop shop;
    REQUIRE(shop.read());
    shop.journal.appends_fail = true;
    const auto refused = shop.read();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "disclosure_unrecorded");
    CHECK(refused.error().code == cdp::ErrorCode::unavailable);
    CHECK(shop.world->platform()
              .explain(PlatformWorld::officer(), {"user_id", "u1"}, {"email", "a@shop.example"})
              .error()
              .reason == "disclosure_unrecorded");
    bool sent = false;
    CHECK_FALSE(shop.world->platform().export_lines(PlatformWorld::officer(),
                                                    cdp::ExportKind::events, [&](auto) {
                                                        sent = true;
                                                        return true;
                                                    }));
    CHECK_FALSE(sent);
    shop.journal.appends_fail = false;
    REQUIRE(shop.read());
    CHECK(shop.told(shop.mail()) == 2);
}

TEST_CASE("what was listed before the process was killed is there afterwards, once") {
    Shop shop;
    REQUIRE(shop.read());
    REQUIRE(shop.disclosures().drain());
    REQUIRE(shop.read());
    REQUIRE(shop.read());
    shop.kill();
    shop.start();
    CHECK(shop.told(shop.mail()) == 3);
    CHECK(shop.disclosures().gaps({})->batches.empty());
}

TEST_CASE("a drain that is repeated writes nothing twice") {
    Shop shop;
    REQUIRE(shop.read());
    shop.journal.drops_fail = true;
    CHECK_FALSE(shop.disclosures().drain());
    shop.journal.drops_fail = false;
    const auto ledger = shop.ledger();
    shop.kill();
    shop.start();
    CHECK(shop.told(shop.mail()) == 1);
    CHECK(shop.ledger() == ledger);
}

TEST_CASE("every answer is listed exactly once, whatever fails and whenever the process ends") {
    const auto seed = GENERATE(tests::seeds(25));
    CAPTURE(seed);
    cdp::Random random(seed);
    Shop shop;
    std::uint32_t sent = 0;
    for (int step = 0; step < 60; ++step) {
        switch (random.below(8)) {
            case 0: shop.kill(), shop.start(); break;
            case 1: (void)shop.disclosures().drain(); break;
            case 2: shop.store->commits_left() = random.below(3); break;
            case 3: shop.store->commits_left() = FailingStore::kNever; break;
            case 4: shop.journal.appends_fail = random.one_in(2); break;
            case 5: shop.journal.drops_fail = random.one_in(2); break;
            default: sent += shop.read() ? 1 : 0;
        }
        shop.world->clock().advance(std::chrono::milliseconds(random.below(500)));
    }
    shop.store->commits_left() = FailingStore::kNever;
    shop.journal.drops_fail = shop.journal.appends_fail = false;
    CHECK(shop.told(shop.mail()) == sent);
    CHECK(shop.disclosures().gaps({})->batches.empty());
}

TEST_CASE("a large segment is several batches, and a crash between them repeats none") {
    Shop shop;
    std::vector<cdp::Token> tokens;
    for (int i = 0; i < 4500; ++i) tokens.push_back(shop.token("user_id", std::to_string(i)));
    REQUIRE(shop.disclosures().note_access(PlatformWorld::officer(), {.identifiers = tokens}));
    shop.store->commits_left() = 2;
    CHECK_FALSE(shop.disclosures().drain());
    shop.kill();
    shop.start();
    const auto noted = shop.disclosures().of_reader("officer", "officer", {});
    REQUIRE(noted);
    REQUIRE(noted->batches.size() == 3);
    std::uint64_t rows = 0;
    for (const auto& batch : noted->batches) rows += batch.rows;
    CHECK(rows == tokens.size());
    CHECK(shop.ledger() >= 3);
}

TEST_CASE("a machine that went down leaves a gap that is said, a clean end none") {
    Shop shop;
    REQUIRE(shop.read());
    REQUIRE(shop.disclosures().drain());
    const auto drained = shop.world->clock().now();
    shop.kill();
    {
        const auto snapshot = shop.world->store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        auto state = cdp::find_drain_state(transaction);
        REQUIRE(state);
        CHECK(state->running);
        CHECK(state->boot == storage::boot_id());
        state->boot = "another";
        transaction.put(cdp::drain_state_key(), encode(*state));
        REQUIRE(commit_and_wait(shop.world->store(), std::move(transaction)).state ==
                storage::CommitState::ok);
    }
    shop.world->clock().advance(std::chrono::minutes(3));
    const auto ledger = shop.ledger();
    shop.start();
    const auto gaps = shop.disclosures().gaps({});
    REQUIRE(gaps);
    REQUIRE(gaps->batches.size() == 1);
    CHECK(gaps->batches[0].first == drained);
    CHECK(gaps->batches[0].last == shop.world->clock().now());
    CHECK(shop.ledger() == ledger + 1);
    shop.start();
    CHECK(shop.disclosures().gaps({})->batches.size() == 1);
}

TEST_CASE("damage in the journal is a gap, and the rest is kept") {
    Shop shop;
    REQUIRE(shop.read());
    // Not a record of ours.
    REQUIRE(shop.journal.journal().append("nonsense"));
    CHECK(shop.told(shop.mail()) == 1);
    CHECK(shop.disclosures().gaps({})->batches.size() == 1);
}

TEST_CASE("rows of a subject whose key is gone are erased, not damaged, and others keep theirs") {
    Shop shop;
    REQUIRE(shop.read());
    const auto before = shop.page(shop.user()).rows.at(0);
    const auto key = storage::KeyWriter(storage::Space::subject_key, shop.mail()).str();
    const auto change = [&](const auto& with) {
        const auto snapshot = shop.world->store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        with(transaction);
        REQUIRE(commit_and_wait(shop.world->store(), std::move(transaction)).state ==
                storage::CommitState::ok);
        shop.world->vault().forget(shop.mail());
    };
    change([&](auto& transaction) { transaction.erase(key); });
    CHECK(shop.page(shop.mail()).rows.empty());
    CHECK(shop.page(shop.mail()).erased == 1);
    // The identifier begins anew.
    change([&](auto& transaction) {
        REQUIRE(shop.world->vault().find_or_make(transaction, shop.mail()));
    });
    CHECK(shop.page(shop.mail()).erased == 1);
    CHECK(shop.page(shop.user()).rows.at(0).row == before.row);
    consent::TreeHasher hasher;
    const auto proof = shop.disclosures().prove(before.batch.number, before.index);
    REQUIRE(proof);
    CHECK(verify_row(hasher, before.row, before.index, before.batch, proof->path));
    REQUIRE(*shop.disclosures().batch(before.batch.number));
    // What was changed is damage.
    const auto prefix = storage::KeyWriter(storage::Space::disclosed, shop.user()).str();
    change([&](auto& transaction) {
        std::pair<std::string, std::string> row;
        REQUIRE(transaction.scan(prefix, [&](std::string_view row_key, std::string_view value) {
            row = std::pair(std::string(row_key), std::string(value));
            return false;
        }));
        row.second.back() = static_cast<char>(row.second.back() ^ 1);
        transaction.put(row.first, row.second);
    });
    CHECK(shop.disclosures().of_subject(shop.user(), {}).error().code ==
          cdp::ErrorCode::corruption);
}

TEST_CASE("whoever looks at somebody without a gate is noted, with the reason") {
    const Shop shop;
    auto& platform = shop.world->platform();
    const auto officer = PlatformWorld::officer("case 7");
    const auto noted = [&](const cdp::Token& token) {
        std::size_t n = 0;
        for (const auto& row : shop.page(token).rows)
            if (row.batch.kind == consent::BatchKind::access) {
                CHECK(row.reason == "case 7");
                CHECK(row.batch.reader == "officer");
                CHECK(row.batch.role == "officer");
                CHECK(has_name(row.mask, "a test"));
                n += row.row.count;
            }
        return n;
    };
    REQUIRE(platform.explain(officer, {"user_id", "u1"}, {"email", "a@shop.example"}));
    CHECK(noted(shop.user()) == 1);
    CHECK(noted(shop.mail()) == 1);
    REQUIRE(platform.identity_of(officer, {"user_id", "u1"}, {}));
    CHECK(noted(shop.mail()) == 2);
    REQUIRE(platform.identity_of(officer, {"user_id", "u1"}, shop.world->clock().now()));
    CHECK(noted(shop.mail()) == 3);
    REQUIRE(platform.groups_of(officer, {"user_id", "u1"}, {}));
    CHECK(noted(shop.user()) == 4);
    CHECK_FALSE(platform.groups_of(officer, {"user_id", "nobody"}, {}));
    CHECK(platform.groups_of(PlatformWorld::officer(std::string(1025, 'x')), {"user_id", "u1"}, {})
              .error()
              .reason == "malformed_reason");
    CHECK(noted(shop.user()) == 4);
}

TEST_CASE("an export is an access to everybody, at the admin socket by the peer's number") {
    const Shop shop;
    const auto reader = cdp::Reader{.uid = 1000, .route = "cdp export events", .reason = "backup"};
    REQUIRE(shop.world->platform().export_lines(reader, cdp::ExportKind::events,
                                                [](auto) { return true; }));
    const auto noted = shop.disclosures().of_reader("peer", "uid:1000", {});
    REQUIRE(noted);
    REQUIRE(noted->batches.size() == 1);
    const auto batch = shop.disclosures().batch(noted->batches[0].number);
    REQUIRE((batch && *batch));
    REQUIRE((*batch)->rows.size() == 1);
    CHECK((*batch)->rows[0].subject == cdp::Token{});
    CHECK((*batch)->rows[0].reason == "backup");
    const auto mask = shop.disclosures().mask((*batch)->rows[0].mask);
    REQUIRE(mask);
    CHECK(fields(*mask) == std::set<std::string>{"routes/cdp export events:raw"});
}

TEST_CASE("a feed's ids are listed under the identifiers they come from") {
    const Shop shop;
    auto& platform = shop.world->platform();
    shop.world->send_one(R"({"type":"track","event":"x","anonymousId":"c1","messageId":"m5"})");
    shop.world->send_one(
        R"({"type":"identify","anonymousId":"c1","userId":"u1","messageId":"m6"})");
    const auto page = platform.changes({.who = PlatformWorld::channel("email_tool")}, {});
    REQUIRE(page);
    REQUIRE(page->find("merged") != page->npos);
    CHECK(fields(shop.page(shop.token("anonymous_id", "c1"))) ==
          std::set<std::string>{"persons/person:raw"});
}

TEST_CASE("nothing that was listed stands in the journal in the clear") {
    Shop shop;
    REQUIRE(shop.read());
    auto& journal = shop.journal.journal();
    std::string bytes;
    journal.cut();
    const auto segments = journal.segments();
    REQUIRE(segments);
    for (const auto segment : *segments)
        REQUIRE(journal.read(segment, [&](std::string_view record) { bytes += record; }));
    REQUIRE_FALSE(bytes.empty());
    for (const auto* text : {"email", "firstName", "mailer", "secret"})
        CHECK(bytes.find(text) == bytes.npos);
    CHECK(bytes.find(std::string(shop.mail().view())) == bytes.npos);
}
