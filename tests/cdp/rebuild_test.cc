#include "cdp/rebuild.h"
#include "cdp/privacy.h"

#include <algorithm>
#include <set>

#include "cdp/base/bytes.h"
#include "cdp/base/random.h"
#include "cdp/erasures.h"
#include "cdp/facts.h"
#include "consent/withdrawal.h"
#include "identity/change.h"
#include "identity/component.h"
#include "identity/hashed.h"
#include "identity/upkeep.h"
#include "storage/key.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/world.h"
#include "tests/support/seeds.h"

// Folds can be thrown away: whatever was sent, answered and asserted, in any order, the facts give
// the stored folds again; and what is damaged of them is mended.

namespace {

using identity::Assertion;
using identity::AssertionKind;
using nlohmann::json;
using storage::Space;
using tests::PlatformWorld;

using Rows = std::map<std::string, std::string>;

Rows rows_of(const storage::Store& store, Space space) {
    Rows rows;
    const auto prefix = storage::KeyWriter(space, cdp::Token{}).str().substr(0, 3);
    REQUIRE(store.snapshot()->scan(prefix, "", [&](std::string_view key, std::string_view value) {
        rows.emplace(key, value);
        return true;
    }));
    return rows;
}

void write(storage::Store& store, const std::string& key, std::optional<std::string> value) {
    const auto snapshot = store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    if (value)
        transaction.put(key, *value);
    else
        transaction.erase(key);
    REQUIRE(storage::commit_and_wait(store, std::move(transaction)).state ==
            storage::CommitState::ok);
}

// Random traffic of a small crowd: every kind of call, answers also about who was never seen, and
// assertions.
class Traffic {
public:
    Traffic(PlatformWorld& world, std::uint64_t seed)
        : world_(world),
          random_(seed),
          graph_(world.store(), world.vault(), types_),
          upkeep_(world.store(), world.vault(), graph_, types_, world.clock()),
          assertions_(world.vault()) {}

    void run(int n, bool assertions = true) {
        for (int i = 0; i < n; ++i) {
            world_.clock().advance(std::chrono::milliseconds{1000});
            if (random_.one_in(8))
                consent();
            else if (assertions && random_.one_in(6))
                assert_something();
            else
                send();
        }
    }

    std::string token_of(const std::string& type, const std::string& value) const {
        return std::string(world_.vault().token(type, value).view());
    }

    void say(Assertion assertion) {
        assertion.said = {"somebody", "a reason", world_.clock().now()};
        assertion.id = identity::new_assertion_id(world_.clock().now(),
                                                  storage::KeyWriter(Space::meta, cdp::Token{})
                                                      .number(++serial_)
                                                      .str()
                                                      .substr(storage::kGroupBytes));
        change([&](storage::Transaction& transaction) -> cdp::Result<identity::AssertionId> {
            const auto id = CDP_TRY(assertions_.add(transaction, assertion));
            identity::Upkeep::owe(transaction, id);
            return id;
        });
    }

    // Somebody of the crowd, or one identifier of theirs. What is refused, as being shared, stays.
    void erase() {
        const auto [type, value] = identifier();
        const auto scope =
            random_.one_in(3) ? cdp::ErasureScope::identifier : cdp::ErasureScope::person;
        const auto tell = [&](bool dry_run) {
            const auto answer = world_.platform().privacy().erasures.erase(
                PlatformWorld::officer(), "officer:kim",
                {.type = type, .value = value, .scope = scope, .dry_run = dry_run});
            if (!answer) {
                INFO(answer.error().message + " " + answer.error().detail);
                REQUIRE(answer.error().reason == "identifier_shared");
            }
            return answer ? json::parse(*answer)["erased"] : json();
        };
        auto told = tell(/*dry_run=*/true);
        auto done = tell(/*dry_run=*/false);
        // That somebody was tried on is told of too.
        for (auto* counts : {&told, &done})
            if (!counts->is_null()) counts->erase("disclosures");
        CHECK(told == done);
    }

private:
    std::string pick(const char* prefix, std::uint64_t n) {
        return prefix + std::to_string(random_.below(n));
    }

    std::pair<std::string, std::string> identifier() {
        switch (random_.below(4)) {
            case 0: return {"user_id", pick("u", 4)};
            case 1: return {"email", pick("e", 5) + "@shop.example"};
            case 2: return {"email_sha256", identity::sha256_hex(pick("e", 7) + "@shop.example")};
            default: return {"anonymous_id", pick("a", 8)};
        }
    }

    void send() {
        json event{{"messageId", "m" + std::to_string(++serial_)}, {"type", "track"}};
        event["event"] = "A";
        char time[32];
        std::snprintf(time, sizeof time, "2026-%02d-%02d %02d:00:00Z",
                      static_cast<int>(9 + random_.below(3)),
                      static_cast<int>(1 + random_.below(20)), static_cast<int>(random_.below(24)));
        event["timestamp"] = time;
        if (random_.one_in(2)) event["userId"] = pick("u", 4);
        if (!event.contains("userId") || !random_.one_in(3)) event["anonymousId"] = pick("a", 8);
        if (random_.one_in(3)) {
            event["type"] = "identify";
            event["traits"] = {{"plan", pick("plan", 3)},
                               {"email", pick("e", 5) + "@shop.example"}};
        } else if (event.contains("userId") && random_.one_in(5)) {
            event["type"] = "alias";
            event["previousId"] = random_.one_in(2) ? pick("a", 8) : pick("u", 4);
        } else if (random_.one_in(5)) {
            event["type"] = "group";
            event["groupId"] = pick("g", 3);
            event["traits"] = {{"name", pick("Shop ", 3)}};
        }
        if (random_.one_in(6))
            event["context"]["externalIds"] = {
                {{"type", "email_sha256"},
                 {"id", identity::sha256_hex(pick("e", 7) + "@shop.example")},
                 {"collection", "users"},
                 {"encoding", "none"}}};
        if (random_.one_in(2))
            event["context"]["consent"]["categoryPreferences"] = {
                {"Advertising", random_.one_in(2)}};
        const bool server = random_.one_in(3);
        world_.send_one(event.dump(),
                        PlatformWorld::source(server ? "till" : "web",
                                              server ? cdp::Trust::server : cdp::Trust::client));
    }

    void consent() {
        auto [type, value] = identifier();
        // Somebody of whom nothing else is known.
        if (random_.one_in(3)) std::tie(type, value) = std::pair("user_id", pick("silent", 5));
        world_.consent(type, value, "advertising", random_.one_in(2) ? "granted" : "denied");
    }

    void assert_something() {
        const auto token = [&] {
            const auto [type, value] = identifier();
            return world_.vault().token(type, value);
        };
        Assertion assertion;
        assertion.kind = static_cast<AssertionKind>(1 + random_.below(5));
        switch (assertion.kind) {
            case AssertionKind::must_link:
            case AssertionKind::cannot_link: assertion.identifiers = {token(), token()}; break;
            case AssertionKind::block:
            case AssertionKind::shared: assertion.identifiers = {token()}; break;
            case AssertionKind::retract:
                assertion.range.source = cdp::source_hash_of(world_.vault(), "web");
                assertion.source_name = "web";
                assertion.range.first_day = 20'700;
                assertion.range.last_day = 20'700 + static_cast<std::int32_t>(random_.below(20));
                if (random_.one_in(2)) assertion.identifiers = {token(), token()};
                break;
        }
        if (said_.empty() || !random_.one_in(4)) return say(std::move(assertion));
        const auto id = said_[random_.below(said_.size())];
        change([&](storage::Transaction& transaction) -> cdp::Result<identity::AssertionId> {
            CDP_TRY(assertions_.revoke(transaction, id, {"somebody", "", world_.clock().now()}));
            identity::Upkeep::owe(transaction, id);
            return id;
        });
    }

    // What is refused is not said.
    template <typename Say>
    void change(const Say& say_it) {
        const auto snapshot = world_.store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto id = say_it(transaction);
        if (!id) return;
        REQUIRE(storage::commit_and_wait(world_.store(), std::move(transaction)).state ==
                storage::CommitState::ok);
        said_.push_back(*id);
        REQUIRE(upkeep_.settle(*id));
    }

    PlatformWorld& world_;
    cdp::Random random_;
    const identity::IdentifierTypes types_ = identity::IdentifierTypes::defaults();
    const identity::Graph graph_;
    const identity::Upkeep upkeep_;
    const identity::Assertions assertions_;
    std::vector<identity::AssertionId> said_;
    std::uint64_t serial_ = 0;
};

enum class What { check, mend };

cdp::Result<cdp::Rebuilt> try_rebuild(PlatformWorld& world, What what,
                                      const cdp::Config& config = {}) {
    const auto scratch = storage::make_memory_store();
    const storage::Vault vault(tests::fixed_keyring());
    cdp::Rebuild rebuild({world.store(), world.vault(), *scratch, vault, config, world.clock()},
                         nullptr);
    return what == What::check ? rebuild.check() : rebuild.mend();
}

cdp::Rebuilt rebuild(PlatformWorld& world, What what) {
    auto out = try_rebuild(world, what);
    if (!out) FAIL(out.error().reason + ": " + out.error().message + " " + out.error().detail);
    return *out;
}

std::string found(const cdp::Rebuilt& rebuilt) {
    std::string text;
    for (const auto& fold : rebuilt.found)
        if (fold.all() > 0)
            text += std::string(fold.fold) + " -" + std::to_string(fold.missing) + " +" +
                    std::to_string(fold.extra) + " !" + std::to_string(fold.different) + " ";
    return text;
}

using Exports = std::vector<std::multiset<std::string>>;

Exports exports(PlatformWorld& world) {
    Exports out;
    for (const auto& name : cdp::export_kind_names()) {
        auto& lines = out.emplace_back();
        for (const auto& line : world.exported(*cdp::parse_export_kind(name)))
            lines.insert(line.dump());
    }
    return out;
}

// As data folders of format 1 held an identifier.
std::string node_of_format_1(const identity::Node& node) {
    cdp::ByteWriter out;
    out.u8(1)
        .u8(static_cast<std::uint8_t>((node.seen ? 1 : 0) | (node.shared ? 2 : 0) |
                                      (node.contested ? 4 : 0) | (node.active ? 8 : 0) |
                                      (node.twin ? 16 : 0)))
        .u8(static_cast<std::uint8_t>(node.link_class))
        .u8(static_cast<std::uint8_t>(node.anchor_class))
        .raw(node.rank.view())
        .raw(node.anchor.view())
        .raw(node.anchor_rank.view())
        .i64(cdp::milliseconds_of(node.first_seen));
    if (node.twin) out.raw(node.twin->view());
    return out.bytes(node.type).bytes(node.sealed).take();
}

// Makes the store what the program of format 1 would have left.
void turn_into_format_1(PlatformWorld& world) {
    auto& store = world.store();
    for (const auto& [key, value] : rows_of(store, Space::link)) {
        write(store, key, std::nullopt);
        write(store, key.substr(0, 19) + key.substr(20, 16), "\x01 a summary of days");
    }
    for (const auto& [key, value] : rows_of(store, Space::node))
        write(store, key, node_of_format_1(*identity::decode_node(value)));
    for (const auto& [key, value] : rows_of(store, Space::member)) write(store, key, "");
    for (const char letter : std::string_view("QGUYZHh"))
        for (const auto& [key, value] : rows_of(store, static_cast<Space>(letter)))
            write(store, key, std::nullopt);
}

std::uint64_t announced(PlatformWorld& world) {
    return *storage::log_size(*world.store().snapshot(), identity::change_log());
}

constexpr std::string_view kFolds = "NLQMRPTGUYZ";

// Deletes, changes or swaps rows of folds by hand.
int damage(PlatformWorld& world, cdp::Random& random) {
    int damaged = 0;
    for (const char letter : kFolds) {
        const auto rows = rows_of(world.store(), static_cast<Space>(letter));
        for (const auto& [key, value] : rows) {
            if (!random.one_in(5)) continue;
            ++damaged;
            // Of somebody known from consents alone nothing else has the value.
            if (letter == 'N' || random.one_in(2)) {
                auto other = value;
                if (auto node = identity::decode_node(value)) {
                    node->first_seen += std::chrono::hours{1};
                    node->shared = !node->shared;
                    node->anchor = node->anchor_rank == node->rank
                                       ? node->anchor
                                       : cdp::Token::from(key.substr(3, 16));
                    node->anchor_rank = node->anchor == cdp::Token::from(key.substr(3, 16))
                                            ? node->rank
                                            : node->anchor_rank;
                    other = encode(*node);
                } else if (other.empty()) {
                    write(world.store(), key, std::nullopt);
                    continue;
                } else {
                    other.back() = static_cast<char>(other.back() ^ 1);
                }
                write(world.store(), key, other);
            } else {
                write(world.store(), key, std::nullopt);
            }
        }
    }
    return damaged;
}

}  // namespace

TEST_CASE("facts give the stored folds again, whatever was sent, answered and asserted") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    PlatformWorld world;
    Traffic(world, seed).run(70);
    const auto checked = rebuild(world, What::check);
    CHECK(found(checked) == "");
    CHECK(checked.unread == 0);
    CHECK(checked.events > 20);
}

TEST_CASE(
    "what is left of a crowd some of whom were erased is the fold of the facts that are left") {
    const auto seed = GENERATE(tests::seeds(80));
    CAPTURE(seed);
    PlatformWorld world;
    Traffic traffic(world, seed);
    for (int i = 0; i < 4; ++i) {
        traffic.run(40);
        traffic.erase();
        CHECK(found(rebuild(world, What::check)) == "");
    }
}

TEST_CASE(
    "checking writes nothing, and mending what is whole changes no row but that of the rules") {
    PlatformWorld world;
    Traffic(world, 7).run(70);
    const auto all = [&] {
        Rows rows;
        for (int letter = 'A'; letter <= 'z'; ++letter)
            rows.merge(rows_of(world.store(), static_cast<Space>(letter)));
        return rows;
    };
    const auto before = all();
    rebuild(world, What::check);
    CHECK(all() == before);
    const auto mended = rebuild(world, What::mend);
    CHECK(mended.differed == 0);
    CHECK(mended.announced == 0);
    auto after = all();
    std::erase_if(after, [&](const auto& row) { return before.contains(row.first); });
    REQUIRE(after.size() == 1);
    CHECK(after.begin()->first[2] == 'X');
}

TEST_CASE("damaged folds are mended: exports are those of before") {
    const auto seed = GENERATE(tests::seeds(40));
    CAPTURE(seed);
    PlatformWorld world;
    Traffic(world, seed).run(70);
    const auto before = exports(world);
    // Whoever reads the log of withdrawals is told of each once.
    const auto withdrawals = [&] {
        auto rows = rows_of(world.store(), Space::log);
        std::erase_if(rows, [](const auto& row) {
            return !row.first.starts_with(consent::withdrawal_log());
        });
        return rows;
    };
    const auto logged = withdrawals();
    cdp::Random random{seed};
    REQUIRE(damage(world, random) > 0);
    CHECK(found(rebuild(world, What::check)) != "");
    const auto mended = rebuild(world, What::mend);
    CHECK(mended.left == 0);
    CHECK(found(rebuild(world, What::check)) == "");
    CHECK(withdrawals() == logged);
    world.restart();
    CHECK(exports(world) == before);
}

TEST_CASE("all rows of a fold may be gone") {
    const auto letter = GENERATE(from_range(std::string("LQMRPTGUYZ")));
    CAPTURE(letter);
    PlatformWorld world;
    Traffic(world, 3).run(70);
    const auto before = exports(world);
    for (const auto& [key, value] : rows_of(world.store(), static_cast<Space>(letter)))
        write(world.store(), key, std::nullopt);
    CHECK(rebuild(world, What::mend).left == 0);
    world.restart();
    CHECK(exports(world) == before);
    CHECK(found(rebuild(world, What::check)) == "");
}

TEST_CASE(
    "a store of format 1 comes up to date with the same people, and nobody is told of changes") {
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    PlatformWorld world;
    Traffic(world, seed).run(70, /*assertions=*/false);
    const auto before = exports(world);
    const auto told = announced(world);
    turn_into_format_1(world);
    CHECK(rebuild(world, What::check).differed > 0);
    const auto mended = rebuild(world, What::mend);
    CHECK(mended.left == 0);
    CHECK(mended.announced == 0);
    CHECK(announced(world) == told);
    world.restart();
    CHECK(exports(world) == before);
}

TEST_CASE("a rebuild that was interrupted anywhere goes on where it was") {
    const auto seed = GENERATE(tests::seeds(15));
    CAPTURE(seed);
    cdp::Random random{seed};
    auto failing = std::make_unique<tests::FailingStore>(storage::make_memory_store());
    auto& fuse = failing->commits_left();
    PlatformWorld world({}, std::move(failing));
    Traffic(world, seed).run(70, /*assertions=*/false);
    const auto before = exports(world);
    turn_into_format_1(world);
    int interrupted = 0;
    for (;;) {
        fuse = random.below(3) + 1;
        const auto mended = try_rebuild(world, What::mend);
        fuse = tests::FailingStore::kNever;
        if (mended) break;
        CHECK(mended.error().reason == "interrupted");
        REQUIRE(++interrupted < 100);
    }
    CHECK(found(rebuild(world, What::check)) == "");
    world.restart();
    CHECK(exports(world) == before);
}

TEST_CASE("a member whose person the damage changed is announced, and was there until now") {
    PlatformWorld world;
    world.send_one(R"({"type":"track","event":"A","userId":"u","anonymousId":"a"})");
    const auto before = exports(world);
    const auto cookie = world.vault().token("anonymous_id", "a");
    const auto row = identity::node_key(cookie);
    auto node = *identity::decode_node(rows_of(world.store(), Space::node).at(row));
    const auto account = node.anchor;
    REQUIRE(account != cookie);
    // As if the two had never been linked, in every fold.
    for (const auto& [key, value] : rows_of(world.store(), Space::link))
        write(world.store(), key, std::nullopt);
    node.anchor = cookie;
    node.anchor_rank = node.rank;
    node.anchor_class = node.link_class;
    write(world.store(), row, encode(node));
    const auto since = rows_of(world.store(), Space::member);
    write(world.store(), identity::member_key(account, cookie), std::nullopt);
    write(world.store(), identity::member_key(cookie, cookie), since.begin()->second);
    world.clock().advance(std::chrono::hours{1});

    const auto told = announced(world);
    const auto mended = rebuild(world, What::mend);
    CHECK(mended.announced == 1);
    CHECK(announced(world) == told + 1);
    CHECK(exports(world) == before);
    const auto snapshot = world.store().snapshot();
    storage::Transaction reading(*snapshot, storage::kPartition);
    const auto was =
        identity::person_at(reading, cookie, world.clock().now() - std::chrono::minutes{1});
    REQUIRE(was);
    CHECK(*was == cdp::PersonId{node.rank.bytes});
}

TEST_CASE("a link that only a retracted event said is no fold any more") {
    PlatformWorld world;
    world.send_one(
        R"({"type":"track","event":"A","messageId":"m","userId":"u","anonymousId":"a"})");
    world.send_one(R"({"type":"track","event":"A","userId":"u"})");
    Traffic traffic(world, 1);
    Assertion retract{.id = {}, .kind = AssertionKind::retract, .identifiers = {}};
    retract.events = {{cdp::event_id_of(world.vault(), "web", "m"), "web", "m"}};
    traffic.say(retract);
    CHECK(found(rebuild(world, What::check)).starts_with("identifiers"));
    CHECK(rebuild(world, What::mend).left == 0);
    CHECK(rows_of(world.store(), Space::link).empty());
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
}

TEST_CASE("an event that today's rules read otherwise stays where it was filed") {
    PlatformWorld world;
    world.send_one(R"({"type":"track","event":"A","userId":"u","anonymousId":"a"})");
    world.send_one(R"({"type":"track","event":"A","userId":"other"})");
    cdp::Config config;
    auto blocked = config.types.find("user_id");
    blocked.blocked = {"u"};
    config.types.set(blocked);
    const auto mended = try_rebuild(world, What::mend, config);
    REQUIRE(mended);
    CHECK(mended->unread == 1);
    CHECK(mended->left == 0);
    CHECK(world.exported(cdp::ExportKind::events).size() == 2);
    CHECK(world.exported(cdp::ExportKind::links).empty());
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
}

TEST_CASE("persons made under other rules are not called damaged") {
    PlatformWorld world;
    Traffic(world, 5).run(30);
    rebuild(world, What::mend);
    cdp::Config config;
    auto type = config.types.find("anonymous_id");
    type.shared_at_accounts = 9;
    config.types.set(type);
    const auto checked = try_rebuild(world, What::check, config);
    REQUIRE(!checked);
    CHECK(checked.error().reason == "other_rules");
    CHECK(found(rebuild(world, What::check)) == "");
}

TEST_CASE("a fact that cannot be read stops a rebuild before anything is written") {
    PlatformWorld world;
    Traffic(world, 5).run(40);
    const auto [key, value] = *rows_of(world.store(), Space::event).begin();
    auto damaged = value;
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    write(world.store(), key, damaged);
    for (const auto& [link, days] : rows_of(world.store(), Space::link))
        write(world.store(), link, std::nullopt);
    const auto mended = try_rebuild(world, What::mend);
    REQUIRE(!mended);
    CHECK(mended.error().code == cdp::ErrorCode::corruption);
    CHECK(rows_of(world.store(), Space::link).empty());
}
