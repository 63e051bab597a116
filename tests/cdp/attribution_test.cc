#include <algorithm>
#include <map>
#include <set>

#include "cdp/erasures.h"
#include "cdp/person_events.h"
#include "cdp/privacy.h"
#include "cdp/sessions.h"
#include "tests/cdp/counting_store.h"
#include "tests/cdp/world.h"
#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

// Whose events on shared identifiers are, from outside: exports, timelines, what leaves.

namespace {

using nlohmann::json;
using tests::PlatformWorld;

// A channel that may see every event, whatever was said.
cdp::Config open_config() {
    return tests::config_with_desk({"service", "advertising"}, {{"behaviour"}, {"contact.email"}});
}

// A track call named `name`, so many minutes into a day.
json event(const std::string& name, std::int64_t minutes, json identifiers) {
    const auto time = *cdp::parse_time("2026-11-01T00:00:00Z") + std::chrono::minutes{minutes};
    json out = {{"type", "track"},
                {"event", name},
                {"messageId", name},
                {"timestamp", cdp::format_time(time)}};
    out.update(identifiers);
    return out;
}

json visitor(const std::string& cookie) {
    return {{"anonymousId", cookie}};
}
json login(const std::string& user, const std::string& cookie) {
    return {{"userId", user}, {"anonymousId", cookie}};
}

// So few at a time that each batch is one transaction, and answered at once.
void send(PlatformWorld& world, const std::vector<json>& events) {
    for (std::size_t i = 0; i < events.size(); i += 32) {
        json batch = {{"batch", json::array()}};
        for (auto k = i; k < std::min(i + 32, events.size()); ++k)
            batch["batch"].push_back(events[k]);
        for (const auto& verdict : world.send(batch.dump()))
            REQUIRE(verdict.kind != cdp::VerdictKind::rejected);
    }
}

// The names of everything a person did, newest first, in pages of `limit`.
std::vector<std::string> names_of(PlatformWorld& world, const std::string& type,
                                  const std::string& value, std::size_t limit = 50) {
    std::vector<std::string> names;
    cdp::TimelineQuery query{.purpose = "service", .limit = limit};
    for (int pages = 0; pages < 1000; ++pages) {
        const auto page = world.timeline("desk", type, value, query);
        REQUIRE(page.contains("events"));
        REQUIRE(page.at("withheld").empty());
        for (const auto& one : page.at("events")) names.push_back(one.at("name"));
        if (page.at("next").is_null()) return names;
        query.cursor = page.at("next");
    }
    FAIL("a timeline without an end");
    return names;
}

using Names = std::vector<std::string>;

std::map<std::string, std::string> owners_exported(PlatformWorld& world) {
    std::map<std::string, std::string> owners;
    for (const auto& line : world.exported(cdp::ExportKind::events)) {
        const bool fresh = owners.emplace(line.at("event"), line.at("person")).second;
        REQUIRE(fresh);
    }
    return owners;
}

std::map<std::pair<std::string, std::string>, std::string> persons_exported(PlatformWorld& world) {
    std::map<std::pair<std::string, std::string>, std::string> persons;
    for (const auto& line : world.exported(cdp::ExportKind::persons))
        for (const auto& one : line.at("identifiers"))
            persons[{one.at("type"), one.at("value")}] = line.at("person");
    return persons;
}

}  // namespace

TEST_CASE("on a tablet of two, what is done before a login is of whom logs in") {
    PlatformWorld world(open_config());
    send(world, {event("browse", 0, visitor("tab")), event("login one", 10, login("u1", "tab")),
                 event("read", 30, visitor("tab")),
                 event("look", 75, visitor("tab")),  // a pause of 45 minutes on either side
                 event("come", 120, visitor("tab")), event("login two", 130, login("u2", "tab")),
                 event("stay", 160, visitor("tab")), event("gone", 191, visitor("tab"))});
    CHECK(names_of(world, "user_id", "u1") == Names{"read", "login one", "browse"});
    CHECK(names_of(world, "user_id", "u2") == Names{"stay", "login two", "come"});
    CHECK(names_of(world, "anonymous_id", "tab") == Names{"gone", "look"});

    const auto persons = persons_exported(world);
    const auto owners = owners_exported(world);
    CHECK(owners.at("browse") == persons.at({"user_id", "u1"}));
    CHECK(owners.at("stay") == persons.at({"user_id", "u2"}));
    CHECK(owners.at("look") == persons.at({"anonymous_id", "tab"}));
}

TEST_CASE("the session is as long as is configured") {
    auto config = open_config();
    config.session = std::chrono::minutes{5};
    PlatformWorld world(std::move(config));
    send(world, {event("a", 0, login("u1", "tab")), event("b", 5, visitor("tab")),
                 event("c", 11, visitor("tab")), event("d", 100, login("u2", "tab"))});
    CHECK(names_of(world, "user_id", "u1") == Names{"b", "a"});
    CHECK(names_of(world, "anonymous_id", "tab") == Names{"c"});
}

TEST_CASE("a cookie that becomes shared leaves its session to whom it was of") {
    PlatformWorld world(open_config());
    send(world, {event("before", 0, visitor("tab")), event("login", 10, login("u1", "tab")),
                 event("weeks before", -9000, visitor("tab"))});
    CHECK(names_of(world, "user_id", "u1") == Names{"login", "before", "weeks before"});

    send(world, {event("other", 5000, login("u2", "tab"))});
    CHECK(names_of(world, "user_id", "u1") == Names{"login", "before"});
    CHECK(names_of(world, "user_id", "u2") == Names{"other"});
    CHECK(names_of(world, "anonymous_id", "tab") == Names{"weeks before"});

    // Nothing that comes later gives it back.
    for (int i = 0; i < 5; ++i)
        send(world, {event("again" + std::to_string(i), 6000 + i, login("u1", "tab"))});
    CHECK(names_of(world, "anonymous_id", "tab") == Names{"weeks before"});
}

TEST_CASE("an event on a shared home is of its own next best identifier") {
    PlatformWorld world(open_config());
    const json mail = {{"context", {{"traits", {{"email", "shop@shop.example"}}}}}};
    std::vector<json> events;
    for (int i = 0; i < 3; ++i) {
        events.push_back(event("login" + std::to_string(i), i,
                               login("u" + std::to_string(i), "c" + std::to_string(i))));
        events.back().update(mail);
    }
    // Filed under the address, which is of all three.
    events.push_back(event("order", 5000, visitor("c1")));
    events.back().update(mail);
    send(world, events);
    CHECK(names_of(world, "user_id", "u1") == Names{"order", "login1"});
    CHECK(names_of(world, "user_id", "u0") == Names{"login0"});
    CHECK(names_of(world, "email", "shop@shop.example").empty());
    CHECK(owners_exported(world).at("order") == persons_exported(world).at({"user_id", "u1"}));
}

namespace {

// Visits to three shared cookies, two tablets that come to be shared, and some private ones.
std::vector<json> random_events(cdp::Random& random, std::size_t n, bool ties) {
    std::vector<json> events;
    std::int64_t minute = 0;
    for (std::size_t i = 0; i < n; ++i) {
        minute += static_cast<std::int64_t>(random.below(random.one_in(6) ? 200 : 25) + !ties);
        json who;
        if (random.one_in(4)) who["userId"] = "u" + std::to_string(random.below(4));
        if (who.empty() || !random.one_in(4))
            who["anonymousId"] = "a" + std::to_string(random.below(4));
        if (random.one_in(2))
            who["context"]["device"]["id"] = "device-" + std::to_string(random.below(2));
        events.push_back(event("e" + std::to_string(i), minute, who));
    }
    return events;
}

// One kiosk that never rests, with a login now and then: chains longer than what anybody owns.
std::vector<json> restless_events(cdp::Random& random, std::size_t n) {
    std::vector<json> events;
    std::int64_t minute = 0;
    for (std::size_t i = 0; i < n; ++i) {
        minute += static_cast<std::int64_t>(random.below(30));
        const auto user = "u" + std::to_string(i < 2 ? i : random.below(4));
        events.push_back(event("e" + std::to_string(i), minute,
                               i < 2 || random.one_in(60) ? login(user, "a0") : visitor("a0")));
    }
    return events;
}

using Identifier = std::pair<std::string, std::string>;

// Best first.
std::vector<Identifier> identifiers_of(const json& event) {
    std::vector<Identifier> out;
    if (event.contains("userId")) out.emplace_back("user_id", event.at("userId"));
    if (event.contains("context"))
        out.emplace_back("device_id", event.at("context").at("device").at("id"));
    if (event.contains("anonymousId")) out.emplace_back("anonymous_id", event.at("anonymousId"));
    return out;
}

// Who owns each event, from the calls themselves and the exported persons.
std::map<std::string, std::string> oracle(const std::vector<json>& events,
                                          const std::map<Identifier, std::string>& persons) {
    std::map<Identifier, std::set<Identifier>> accounts;
    for (const json& one : events)
        for (const auto& id : identifiers_of(one))
            if (one.contains("userId")) accounts[id].insert(identifiers_of(one).front());
    const auto shared = [&](const Identifier& id) {
        return id.first != "user_id" && accounts[id].size() >= (id.first == "device_id" ? 3U : 2U);
    };
    const auto person_id = [&](const Identifier& id) {
        return cdp::PersonId::from(*cdp::from_hex(persons.at(id)));
    };
    std::map<std::string, std::string> owners;
    std::map<Identifier, std::vector<cdp::Touch>> seen;
    std::map<std::int64_t, std::string> names;
    for (const json& one : events) {
        cdp::Touch touch;
        touch.place.time = *cdp::parse_time(one.at("timestamp").get<std::string>());
        names[cdp::milliseconds_of(touch.place.time)] = one.at("event");
        for (const auto& id : identifiers_of(one)) {
            if (touch.owner || shared(id)) continue;
            touch.owner = cdp::Owner{person_id(id), {}};
        }
        for (const auto& id : identifiers_of(one)) {
            touch.filed = id == identifiers_of(one).front();
            seen[id].push_back(touch);
        }
    }
    for (const auto& [id, touches] : seen)
        for (const auto& touch : cdp::attribute(touches, std::chrono::minutes{30}))
            if (touch.filed)
                owners[names.at(cdp::milliseconds_of(touch.place.time))] =
                    touch.owner ? cdp::to_hex(touch.owner->person.view()) : persons.at(id);
    return owners;
}

}  // namespace

TEST_CASE("an export says of every event whose it is") {
    const auto seed = GENERATE(tests::seeds(25));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto events = random_events(random, 80, /*ties=*/false);
    PlatformWorld world(open_config());
    send(world, events);
    CHECK(owners_exported(world) == oracle(events, persons_exported(world)));
}

TEST_CASE("timelines hold what the export says, each event once, in pages of any length") {
    const auto seed = GENERATE(tests::seeds(25));
    CAPTURE(seed);
    cdp::Random random{seed};
    auto events =
        seed % 3 == 0 ? restless_events(random, 250) : random_events(random, 80, /*ties=*/true);
    std::map<std::string, std::string> times;
    for (const json& one : events) times[one.at("event")] = one.at("timestamp");
    tests::shuffle(events, random);
    PlatformWorld world(open_config());
    send(world, events);

    std::map<std::string, Names> expected;
    for (const auto& [name, person] : owners_exported(world)) expected[person].push_back(name);
    for (const auto& [identifier, person] : persons_exported(world)) {
        CAPTURE(identifier);
        auto names = names_of(world, identifier.first, identifier.second, 1 + random.below(9));
        CHECK(names == names_of(world, "person", person, 1000));
        CHECK(std::ranges::is_sorted(names, std::greater{},
                                     [&](const auto& name) { return times.at(name); }));
        std::ranges::sort(names);
        std::ranges::sort(expected[person]);
        CHECK(names == expected[person]);
    }
}

TEST_CASE("pages that end early go on where they ended") {
    const auto seed = GENERATE(tests::seeds(15));
    CAPTURE(seed);
    cdp::Random random{seed};
    PlatformWorld world(open_config());
    send(world, random_events(random, 80, /*ties=*/true));
    const auto config = open_config();
    const identity::Graph graph(world.store(), world.vault(), config.types);
    const consent::Consents consents(world.vault());
    const cdp::SuppressedTokens suppressed(world.store(), world.vault());
    const cdp::People people({world.vault(), graph, consents, suppressed, config});
    const auto walk = [&](const std::string& person, std::size_t rows_max, int& pages) {
        Names names;
        std::optional<cdp::Place> after;
        for (pages = 0; pages < 1000; ++pages) {
            const auto snapshot = world.store().snapshot();
            storage::Transaction transaction(*snapshot, storage::kPartition);
            const cdp::People::Reading reading{*snapshot, transaction};
            const auto found = people.load(reading, *people.resolve(reading, "person", person));
            REQUIRE(found);
            cdp::Attribution attribution({world.vault(), graph, config}, reading);
            const auto page = cdp::events_of_person(attribution, *found, after,
                                                    {.events = 100, .rows_max = rows_max});
            REQUIRE(page);
            for (const auto& one : page->events) names.push_back(one.event.name);
            if (!page->next) break;
            REQUIRE((!after || after->before(*page->next)));
            after = page->next;
        }
        return names;
    };
    int most = 0;
    for (const auto& [identifier, person] : persons_exported(world)) {
        CAPTURE(identifier);
        int pages = 0;
        const auto whole = walk(person, 10'000, pages);
        REQUIRE(pages == 0);
        CHECK(walk(person, random.below(20), pages) == whole);
        most = std::max(most, pages);
    }
    CHECK(most > 0);
}

TEST_CASE("what is somebody's on identifiers of nobody is found in one walk as in pages") {
    const auto seed = GENERATE(tests::seeds(25));
    CAPTURE(seed);
    cdp::Random random{seed};
    PlatformWorld world(open_config());
    send(world,
         seed % 3 == 0 ? restless_events(random, 250) : random_events(random, 80, /*ties=*/true));
    const auto config = open_config();
    const identity::Graph graph(world.store(), world.vault(), config.types);
    const consent::Consents consents(world.vault());
    const cdp::SuppressedTokens suppressed(world.store(), world.vault());
    const cdp::People people({world.vault(), graph, consents, suppressed, config});
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const cdp::People::Reading reading{*snapshot, transaction};
    std::size_t most = 0;
    for (const auto& [identifier, person] : persons_exported(world)) {
        CAPTURE(identifier);
        const auto token = *people.resolve(reading, "person", person);
        const auto found = *people.load(reading, token);
        cdp::Attribution attribution({world.vault(), graph, config}, reading);
        if (!*attribution.person_of(token)) continue;
        std::vector<cdp::FiledEvent> paged;
        std::optional<cdp::Place> after;
        do {
            const auto page = *cdp::events_of_person(attribution, found, after, {.events = 7});
            for (const auto& one : page.events)
                if (one.through) paged.push_back({one.place.id, one.home, one.place.time});
            after = page.next;
        } while (after);
        CHECK(*cdp::events_elsewhere(attribution, found, nullptr) == paged);
        most = std::max(most, paged.size());
    }
    CHECK(most > 0);
}

TEST_CASE("whose an event is does not depend on the order events arrive in") {
    const auto seed = GENERATE(tests::seeds(25));
    CAPTURE(seed);
    cdp::Random random{seed};
    auto events = random_events(random, 60, /*ties=*/true);
    const auto run = [&] {
        PlatformWorld world(open_config());
        send(world, events);
        std::vector<Names> timelines;
        for (int i = 0; i < 4; ++i) {
            timelines.push_back(names_of(world, "user_id", "u" + std::to_string(i), 7));
            timelines.push_back(names_of(world, "anonymous_id", "a" + std::to_string(i), 7));
        }
        return std::pair(owners_exported(world), timelines);
    };
    // All of them are known, whatever is drawn.
    for (int i = 0; i < 4; ++i)
        events.push_back(event("last" + std::to_string(i), 20'000 + 500 * i,
                               login("u" + std::to_string(i), "a" + std::to_string(i))));
    const auto in_order = run();
    for (auto n = random.below(20); n > 0; --n) events.push_back(events[random.below(60)]);
    tests::shuffle(events, random);
    CHECK(run() == in_order);
}

TEST_CASE("a page reads what lies near it in time, not all that a kiosk saw") {
    auto counting = std::make_unique<tests::CountingStore>(storage::make_memory_store());
    auto& reads = counting->reads();
    PlatformWorld world(open_config(), std::move(counting));
    // Somebody is at the kiosk every three quarters of an hour; twice it is who we ask for.
    std::vector<json> events;
    for (int i = 0; i < 4000; ++i)
        events.push_back(event("k" + std::to_string(i), i * 45 - 160'000, visitor("kiosk")));
    const std::int64_t visit = 2000 * 45 - 160'000;
    events.push_back(event("early", visit - 20'000 * 2, login("u1", "kiosk")));
    events.push_back(event("login", visit + 5, login("u1", "kiosk")));
    for (int i = 0; i < 5; ++i)
        events.push_back(event("other" + std::to_string(i), 1000 * i - 120'000,
                               login("o" + std::to_string(i), "kiosk")));
    send(world, events);

    reads = 0;
    const auto names = names_of(world, "user_id", "u1");
    CHECK(names.size() >= 4);
    CHECK(names[0] == "login");
    CHECK(names[1] == "k2000");
    CAPTURE(reads);
    CHECK(reads < 150);

    // The kiosk's own first page is made of its newest rows.
    reads = 0;
    const auto page =
        world.timeline("desk", "anonymous_id", "kiosk", {.purpose = "service", .limit = 20});
    CHECK(page.at("events").size() == 20);
    CAPTURE(reads);
    CHECK(reads < 300);
}

TEST_CASE("of a kiosk that never rests a page reads a day") {
    auto counting = std::make_unique<tests::CountingStore>(storage::make_memory_store());
    auto& reads = counting->reads();
    PlatformWorld world(open_config(), std::move(counting));
    std::vector<json> events;
    for (int i = 0; i < 3000; ++i)
        events.push_back(event("k" + std::to_string(i), i * 10, visitor("kiosk")));
    for (int i = 0; i < 4; ++i)
        events.push_back(event("login" + std::to_string(i), 5 + 7000 * i,
                               login("u" + std::to_string(i), "kiosk")));
    send(world, events);
    reads = 0;
    const auto names = names_of(world, "user_id", "u2");
    // Half a day on either side.
    CHECK(names.size() == 1 + 72 + 72);
    // A day's rows on either side, opened, and pages that begin again half a day above their end.
    CAPTURE(reads);
    CHECK(reads < 3000);
    CHECK(names_of(world, "user_id", "u0").size() == 1 + 1 + 72);
}

TEST_CASE(
    "of a tablet that saw thousands of events at once each is read a few times, not each time") {
    // All of one moment, or as close to each other as moments are.
    const auto apart = std::chrono::milliseconds{GENERATE(0, 1)};
    CAPTURE(apart.count());
    auto counting = std::make_unique<tests::CountingStore>(storage::make_memory_store());
    auto& reads = counting->reads();
    PlatformWorld world(open_config(), std::move(counting));
    constexpr std::size_t kEach = 1500;
    std::vector<json> events;
    const auto begin = *cdp::parse_time("2026-11-01T00:00:00Z");
    for (std::size_t i = 0; i < 2 * kEach; ++i) {
        events.push_back(
            event("e" + std::to_string(i), 0, login(i % 2 == 0 ? "u0" : "u1", "tablet")));
        events.back()["timestamp"] = cdp::format_time(begin + static_cast<int>(i) * apart);
    }
    send(world, events);

    reads = 0;
    const auto page = world.timeline("desk", "user_id", "u0", {.purpose = "service", .limit = 50});
    CHECK(page.at("events").size() == 50);
    CAPTURE(reads);
    CHECK(reads < 40 * kEach);

    reads = 0;
    const auto erased = world.platform().privacy().erasures.erase(
        PlatformWorld::officer(), "officer:kim",
        {.type = "user_id", .value = "u0", .dry_run = true});
    REQUIRE(erased);
    CHECK(json::parse(*erased)["erased"]["events"] == kEach);
    CAPTURE(reads);
    CHECK(reads < 80 * kEach);
}

TEST_CASE("an event of a session leaves by what its person said, and nothing said at the device") {
    PlatformWorld world(open_config());
    const auto said = [&](const std::string& user) {
        json out = json::object();  // of each event: released, or why not
        const auto page = world.timeline("desk", "user_id", user, {.purpose = "advertising"});
        for (const auto& one : page.at("events")) out[one.at("name")] = "released";
        for (const auto& one : page.at("withheld")) out["withheld"] = one.at("reason");
        return out;
    };
    using Said = json;
    send(world, {event("browse", 0, visitor("tab")), event("login", 10, login("u1", "tab")),
                 event("other", 5000, login("u2", "tab"))});
    const auto at = [](int minutes) {
        return *cdp::parse_time("2026-11-02T00:00:00Z") + std::chrono::minutes{minutes};
    };
    CHECK(said("u1") == Said{{"withheld", "never_asked"}});

    SECTION("a grant at the device opens nobody's") {
        world.consent("anonymous_id", "tab", "advertising", "granted", "", at(0));
        CHECK(said("u1") == Said{{"withheld", "never_asked"}});
    }
    SECTION("a grant of the account opens it, until the device or the account says no") {
        world.consent("user_id", "u1", "advertising", "granted", "", at(0));
        CHECK(said("u1") == Said{{"login", "released"}, {"browse", "released"}});
        CHECK(said("u2") == Said{{"withheld", "never_asked"}});

        world.consent("anonymous_id", "tab", "advertising", "denied", "identifier", at(1));
        CHECK(said("u1") == Said{{"login", "released"}, {"withheld", "denied"}});
        world.consent("anonymous_id", "tab", "advertising", "granted", "", at(2));
        CHECK(said("u1") == Said{{"login", "released"}, {"browse", "released"}});
        world.consent("user_id", "u1", "advertising", "withdrawn", "", at(3));
        CHECK(said("u1") == Said{{"withheld", "withdrawn"}});
    }
    SECTION("what was collected under the device's denial stays") {
        world.consent("anonymous_id", "tab", "advertising", "denied", "identifier",
                      at(0) - std::chrono::days{3});
        world.consent("anonymous_id", "tab", "advertising", "granted", "identifier", at(1));
        world.consent("user_id", "u1", "advertising", "granted", "", at(2));
        CHECK(said("u1") == Said{{"login", "released"}, {"withheld", "captured_under_denial"}});
    }
    SECTION("no account vouches for an address typed into the device") {
        auto typed = event("typed", 20, visitor("tab"));
        typed["properties"]["email"] = "one@shop.example";
        auto known = event("known", 6000, login("u1", "private"));
        known["properties"]["email"] = "one@shop.example";
        known["context"]["traits"]["email"] = "one@shop.example";
        send(world, {typed, known});
        const auto addresses = [&] {
            Names names;
            const auto page = world.timeline("desk", "user_id", "u1", {.purpose = "advertising"});
            for (const auto& one : page.at("events"))
                if (one.at("properties").contains("email")) names.push_back(one.at("name"));
            return names;
        };
        world.consent("user_id", "u1", "advertising", "granted", "", at(0));
        CHECK(addresses() == Names{"known"});
        world.consent("email", "one@shop.example", "advertising", "granted", "", at(1));
        CHECK(addresses() == Names{"known", "typed"});
    }
    SECTION("another account's grant opens nothing") {
        world.consent("user_id", "u2", "advertising", "granted", "", at(0));
        CHECK(said("u1") == Said{{"withheld", "never_asked"}});
        CHECK(said("u2") == Said{{"other", "released"}});
    }
}

TEST_CASE("what visitors of other days said at a kiosk is not all read to release one visit") {
    auto counting = std::make_unique<tests::CountingStore>(storage::make_memory_store());
    auto& reads = counting->reads();
    PlatformWorld world(open_config(), std::move(counting));
    const auto stamped = [](json visit, bool granted) {
        visit["context"]["consent"]["categoryPreferences"]["Advertising"] = granted;
        return visit;
    };
    // Every day somebody accepts, somebody refuses, and the last one accepts.
    std::vector<json> events;
    for (int day = 0; day < 20; ++day)
        for (int i = 0; i < 40; ++i)
            events.push_back(stamped(
                event("k" + std::to_string(day * 40 + i), day * 1440 + i * 20, visitor("kiosk")),
                i % 3 != 1));
    events.push_back(event("login", 10 * 1440 + 801, login("u1", "kiosk")));
    events.push_back(event("other", 3 * 1440, login("u2", "kiosk")));
    send(world, events);
    world.consent("user_id", "u1", "advertising", "granted", "", *cdp::parse_time("2026-11-01"));

    reads = 0;
    const auto page =
        world.timeline("desk", "user_id", "u1", {.purpose = "advertising", .limit = 10});
    CAPTURE(reads);
    CHECK(reads < 600);
    Names names;
    for (const auto& one : page.at("events")) names.push_back(one.at("name"));
    CHECK(names == Names{"login", "k439", "k438", "k436", "k435", "k433", "k432"});
    CHECK(page.at("withheld").at(0).at("reason") == "captured_under_denial");
}
