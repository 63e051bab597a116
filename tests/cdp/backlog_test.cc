#include "cdp/backlog.h"

#include <deque>
#include <thread>

#include "tests/cdp/holding_store.h"
#include "tests/cdp/world.h"

namespace {

using cdp::Backlog;
using tests::PlatformWorld;
using Intake = Backlog::Intake;

constexpr std::size_t kSome = 1000;  // requests that may be there, where their number is no matter

// Those who were let in, and stay.
struct Inside {
    bool enter(Intake intake) {
        auto place = backlog.enter(intake, 1);
        if (place) places.push_back(std::move(*place));
        return static_cast<bool>(place);
    }
    Backlog& backlog;
    std::deque<Backlog::Place> places;
};

std::string track(const std::string& id, std::size_t padding = 0) {
    return R"({"type":"track","event":"x","userId":"u)" + id + R"(","messageId":")" + id +
           R"(","properties":{"pad":")" + std::string(padding, 'x') + "\"}}";
}

std::string of_one_person(std::size_t count) {
    std::string events;
    for (std::size_t i = 0; i < count; ++i)
        events += std::string(i > 0 ? "," : "") +
                  R"({"type":"track","event":"x","userId":"u","messageId":"m)" + std::to_string(i) +
                  "\"}";
    return R"({"batch":[)" + events + "]}";
}

// What one request was told; empty while it was told nothing.
using Told = std::string;

// A platform on a disk that stands still until it is let go.
class Standstill {
public:
    explicit Standstill(std::size_t waiting_max) : world_(config(waiting_max), make_store()) {
        store().hold();
    }
    ~Standstill() { store().release(); }

    tests::HoldingStore& store() { return dynamic_cast<tests::HoldingStore&>(world_.store()); }
    const Backlog& backlog() { return world_.platform().backlog(); }
    PlatformWorld& world() { return world_; }

    // Comes back at once; what it was told comes later, or here.
    const Told& send(const std::string& body) {
        Told& told = told_.emplace_back();
        const auto from = PlatformWorld::source("web");
        auto batch =
            cdp::parse_body(body, std::nullopt, world_.platform().parse_context(from, false));
        REQUIRE(batch);
        world_.platform().ingest(from, std::move(*batch), [&](const auto& verdicts) {
            told = verdicts ? to_string(verdicts->back().kind) : verdicts.error().reason;
        });
        return told;
    }

    const Told& withdraw(const std::string& address) {
        Told& told = told_.emplace_back();
        cdp::ConsentRequest request;
        request.identifiers = {{"email", address}};
        request.purpose = "email_marketing";
        request.state = "withdrawn";
        world_.platform().record_consents(
            PlatformWorld::source("crm", cdp::Trust::server), {request},
            [&](const auto& records) { told = records ? "recorded" : records.error().reason; });
        return told;
    }

private:
    static cdp::Config config(std::size_t waiting_max) {
        cdp::Config config;
        config.waiting_max = waiting_max;
        return config;
    }
    static std::unique_ptr<storage::Store> make_store() {
        return std::make_unique<tests::HoldingStore>();
    }

    std::deque<Told> told_;
    PlatformWorld world_;
};

}  // namespace

TEST_CASE("a backlog is bounded in requests and in bytes, and a place that is left is free") {
    Backlog backlog(2);
    auto first = backlog.enter(Intake::events, 1);
    auto second = backlog.enter(Intake::events, 1);
    REQUIRE(first);
    REQUIRE(second);
    const auto third = backlog.enter(Intake::events, 1);
    REQUIRE_FALSE(third);
    CHECK(third.error().code == cdp::ErrorCode::overloaded);
    CHECK(third.error().reason == "overloaded");
    CHECK(backlog.requests() == 2);
    CHECK(backlog.bytes() == 2);
    CHECK(backlog.refused(Intake::events) == 1);

    second->leave();
    second->leave();
    CHECK(backlog.requests() == 1);
    CHECK_FALSE(backlog.enter(Intake::events, 2 * Backlog::kBytesEach));
    CHECK(backlog.enter(Intake::events, 2 * Backlog::kBytesEach - 1));
    first = cdp::Error{};
    CHECK(backlog.requests() == 0);
    CHECK(backlog.bytes() == 0);
}

TEST_CASE("what is larger than the whole backlog is let in alone, or first among its like") {
    constexpr auto kLarge = 100 * Backlog::kBytesEach;
    Backlog backlog(1);
    auto events = backlog.enter(Intake::events, kLarge);
    CHECK(events);
    CHECK_FALSE(backlog.enter(Intake::events, 1));
    auto consents = backlog.enter(Intake::consents, kLarge);
    CHECK(consents);
    CHECK_FALSE(backlog.enter(Intake::consents, 1));
    consents = cdp::Error{};
    CHECK(backlog.bytes() == kLarge);
    CHECK(backlog.enter(Intake::consents, 1));
    events = cdp::Error{};
    CHECK(backlog.bytes() == 0);
}

TEST_CASE("a backlog that events have filled has room for answers of consent, and no end") {
    Backlog backlog(16);
    Inside inside{backlog, {}};
    const auto enter = [&](Intake intake) { return inside.enter(intake); };
    for (int i = 0; i < 16; ++i) CHECK(enter(Intake::events));
    CHECK_FALSE(enter(Intake::events));
    CHECK(enter(Intake::consents));
    CHECK(enter(Intake::consents));
    CHECK_FALSE(enter(Intake::consents));
    CHECK(backlog.refused(Intake::events) == 1);
    CHECK(backlog.refused(Intake::consents) == 1);
}

TEST_CASE("answers of consent that were there first do not use up what is kept for later ones") {
    Backlog backlog(16);
    Inside inside{backlog, {}};
    const auto enter = [&](Intake intake) { return inside.enter(intake); };
    for (int i = 0; i < 8; ++i) CHECK(enter(Intake::consents));
    for (int i = 0; i < 8; ++i) CHECK(enter(Intake::events));
    CHECK_FALSE(enter(Intake::events));
    CHECK(enter(Intake::consents));
    CHECK(enter(Intake::consents));
    CHECK_FALSE(enter(Intake::consents));
    inside.places.clear();
    CHECK(backlog.requests() == 0);
    CHECK(backlog.bytes() == 0);
}

TEST_CASE("however many threads enter and leave, no place is lost or given twice") {
    Backlog backlog(2);
    std::atomic<int> inside{0};
    std::atomic<bool> crowded{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 5000; ++n) {
                auto place = backlog.enter(Intake::events, 100);
                if (!place) continue;
                if (++inside > 2) crowded = true;
                --inside;
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK_FALSE(crowded);
    CHECK(backlog.requests() == 0);
    CHECK(backlog.bytes() == 0);
}

TEST_CASE("while the disk stands still, events are taken up to what memory is granted") {
    Standstill now(4);
    const auto& large = now.send(track("1", 30'000));
    CHECK(now.backlog().bytes() > 60'000);
    CHECK(now.send(track("2")) == "overloaded");
    CHECK(large.empty());
    now.store().release();
    CHECK(large == "accepted");
    CHECK(now.backlog().bytes() == 0);
    CHECK(now.send(track("2")) == "accepted");
    CHECK(now.backlog().refused(Intake::events) == 1);
}

TEST_CASE("an envelope's context counts once for each event it is written into") {
    Standstill now(kSome);
    const auto batch = [](const std::string& first, const std::string& context) {
        return R"({"batch":[)" + track(first + "1") + "," + track(first + "2") +
               R"(],"context":{"a":")" + context + "\"}}";
    };
    now.send(batch("a", ""));
    const auto small = now.backlog().bytes();
    now.send(batch("b", std::string(10'000, 'x')));
    CHECK(now.backlog().bytes() - small - small >= std::size_t{4} * 10'000);
}

TEST_CASE("ids of refused events, which are answered with them, count too") {
    Standstill now(kSome);
    now.send(R"({"batch":[{"messageId":")" + std::string(20'000, 'x') + "\"}," + track("1") + "]}");
    CHECK(now.backlog().bytes() > 20'000);
}

TEST_CASE("answers of consent are bounded too, a little behind events") {
    Standstill now(16);
    for (int i = 0; i < 16; ++i) now.send(track(std::to_string(i)));
    CHECK(now.send(track("late")) == "overloaded");
    const auto& first = now.withdraw("a@shop.example");
    const auto& second = now.withdraw("b@shop.example");
    CHECK(now.withdraw("c@shop.example") == "overloaded");
    CHECK(now.backlog().refused(Intake::consents) == 1);
    now.store().release();
    CHECK(first == "recorded");
    CHECK(second == "recorded");
    CHECK(now.withdraw("c@shop.example") == "recorded");
    CHECK(now.backlog().requests() == 0);
}

TEST_CASE("however much one request of events holds, a withdrawal is let in") {
    Standstill now(16);
    now.send(of_one_person(130));
    REQUIRE(now.backlog().bytes() > 2 * 16 * Backlog::kBytesEach);
    CHECK(now.send(track("late")) == "overloaded");
    const auto& told = now.withdraw("a@shop.example");
    CHECK(told.empty());
    now.store().release();
    CHECK(told == "recorded");
}

TEST_CASE("a request of many transactions keeps its place until the last, also at the worker") {
    Standstill now(1);
    const auto& told = now.send(of_one_person(130));
    for (int i = 0; i < 3; ++i) {
        now.store().await_held(1);
        CHECK(now.backlog().requests() == 1);
        CHECK(told.empty());
        CHECK(now.send(track("other")) == "overloaded");
        if (i < 2) now.store().let_through();
    }
    now.store().release();
    CHECK(told == "accepted");
    CHECK(now.backlog().requests() == 0);
    CHECK(now.backlog().bytes() == 0);
}

TEST_CASE("answers that lost a race keep their place until they are stored") {
    Standstill now(1);
    const auto& first = now.withdraw("a@shop.example");
    const auto& second = now.withdraw("a@shop.example");
    now.store().let_through();
    CHECK(first == "recorded");
    now.store().await_held(1);
    CHECK(now.backlog().requests() == 1);
    CHECK(second.empty());
    now.store().release();
    CHECK(second == "recorded");
    CHECK(now.backlog().requests() == 0);
}

TEST_CASE("whoever is answered has left already") {
    PlatformWorld world;
    std::size_t left = 1;
    const auto from = PlatformWorld::source("web");
    auto batch =
        cdp::parse_body(track("1"), std::nullopt, world.platform().parse_context(from, false));
    REQUIRE(batch);
    world.platform().ingest(from, std::move(*batch), [&](const auto& verdicts) {
        CHECK(verdicts);
        left = world.platform().backlog().requests();
    });
    CHECK(left == 0);
}
