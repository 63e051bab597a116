#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>

#include "cdp/backlog.h"
#include "cdp/disclosures.h"
#include "tests/api/world.h"
#include "tests/support/faulty_journal.h"
#include "tests/support/forwarding_store.h"

namespace {

// Answers commits on a thread of its own, once it is let go.
class SlowStore : public tests::ForwardingStore {
public:
    ~SlowStore() override {
        release();
        for (auto& thread : threads_) thread.join();
    }
    void release() {
        const std::lock_guard lock(mutex_);
        stalled_ = false;
        released_.notify_all();
    }
    void stall() {
        const std::lock_guard lock(mutex_);
        stalled_ = true;
    }
    // Lets go of one that waits, or of the next.
    void let_through() {
        const std::lock_guard lock(mutex_);
        ++granted_;
        released_.notify_all();
    }
    // Lets go of what waits, and comes back when it is written.
    void release_and_settle() {
        release();
        std::unique_lock lock(mutex_);
        released_.wait(lock, [this] { return under_way_ == 0; });
    }

    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        const std::lock_guard lock(mutex_);
        ++under_way_;
        auto then = [this, done = std::move(done)](auto outcomes) {
            done(std::move(outcomes));
            const std::lock_guard settling(mutex_);
            --under_way_;
            released_.notify_all();
        };
        threads_.emplace_back(
            [this, transactions = std::move(transactions), then = std::move(then)]() mutable {
                {
                    std::unique_lock waiting(mutex_);
                    released_.wait(waiting, [this] { return !stalled_ || granted_ > 0; });
                    if (stalled_) --granted_;
                }
                ForwardingStore::commit(std::move(transactions), std::move(then));
            });
    }
    std::size_t waiting() const override { return 0; }

private:
    std::mutex mutex_;  // guards the numbers
    std::condition_variable released_;
    bool stalled_ = false;
    int granted_ = 0;  // that go on although it is stalled
    int under_way_ = 0;
    std::vector<std::thread> threads_;  // commits come one at a time here
};

std::string track(const std::string& id) {
    return R"({"event":"x","userId":"u","messageId":")" + id + "\"}";
}

// Serves on one thread, and has a journal that can stand still.
struct StillDisk {
    explicit StillDisk(std::uint32_t answer, std::size_t untold = api::Limits{}.untold_max)
        : world(limits(answer, untold), {.threads = 1}, storage::make_memory_store(),
                journal.hand_over()) {
        world.receive(R"({"type":"identify","userId":"u1","messageId":"m1",)"
                      R"("traits":{"email":"a@shop.example"}})");
        const auto granted =
            world.post("/v1/consents", world.till,
                       R"({"identifiers":[{"type":"email","value":"a@shop.example"}],)"
                       R"("purpose":"email_marketing","state":"granted"})");
        REQUIRE(granted.status == 200);
        REQUIRE(world.connect().send(read()).read().status == 200);
        REQUIRE(told() == 1);
    }
    ~StillDisk() { journal.release(); }
    StillDisk(const StillDisk&) = delete;
    StillDisk& operator=(const StillDisk&) = delete;

    static api::Limits limits(std::uint32_t answer, std::size_t untold) {
        auto limits = tests::fast_limits();
        limits.answer = answer;
        limits.untold_max = untold;
        return limits;
    }
    std::string read() const {
        return "GET /v1/profiles/user_id:u1?purpose=email_marketing HTTP/1.1\r\nHost: a\r\n" +
               tests::World::bearer(world.keys.at(cdp::Role::channel)) + "\r\n";
    }
    // How often the channel was, by what is listed.
    std::uint32_t told() const {
        const auto page = world.platform->disclosures().of_subject(
            world.vault.token("email", "a@shop.example"), {});
        REQUIRE(page);
        std::uint32_t count = 0;
        for (const auto& row : page->rows) count += row.row.count;
        return count;
    }

    tests::FaultyJournal journal;
    tests::World world;
};

constexpr std::uint32_t kPatient = 100'000;  // ticks

// Asks for so many keys, more0 and on; each has come to the server.
std::vector<std::unique_ptr<tests::Wire>> send_new_keys(const tests::World& world, int count) {
    std::vector<std::unique_ptr<tests::Wire>> wires;
    for (int i = 0; i < count; ++i) {
        const auto body = R"({"role":"source","name":"more)" + std::to_string(i) + "\"}";
        wires.push_back(std::make_unique<tests::Wire>(world.server->port()));
        wires.back()->send("POST /v1/keys HTTP/1.1\r\nHost: a\r\n" +
                           tests::World::bearer(world.keys.at(cdp::Role::admin)) +
                           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        CHECK(world.ask("GET", "/healthz").status == 200);
    }
    return wires;
}

}  // namespace

TEST_CASE("an answer that comes from another thread reaches its connection") {
    tests::World world(tests::fast_limits(), {.threads = 1}, std::make_unique<SlowStore>());
    auto wire = world.connect();
    for (int i = 0; i < 20; ++i) {
        const auto body = track(std::to_string(i));
        wire.send("POST /v1/track HTTP/1.1\r\nHost: a\r\n" + tests::World::bearer(world.till) +
                  "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        CHECK(wire.read().json()["results"][0]["verdict"] == "accepted");
    }
}

TEST_CASE("a disk that does not answer is a 503 in time, and others are served meanwhile") {
    auto limits = tests::fast_limits();
    limits.answer = 5;
    auto store = std::make_unique<SlowStore>();
    auto& slow = *store;
    tests::World world(limits, {.threads = 1}, std::move(store));
    slow.stall();
    auto wire = world.connect();
    const auto body = track("m1");
    wire.send("POST /v1/track HTTP/1.1\r\nHost: a\r\n" + tests::World::bearer(world.till) +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    CHECK(world.ask("GET", "/healthz").status == 200);
    const auto reply = wire.read();
    CHECK(reply.status == 503);
    CHECK(reply.code() == "storage_stalled");
    CHECK(reply.header("retry-after") == "1");
    CHECK(wire.closed());

    // Or what is sent again could overtake it.
    slow.release_and_settle();
    CHECK(world.post("/v1/track", world.till, body).json()["results"][0]["verdict"] == "duplicate");
}

TEST_CASE("a job has its time from when it began, however long it waited") {
    auto limits = tests::fast_limits();
    limits.answer = 400;
    auto store = std::make_unique<SlowStore>();
    auto& slow = *store;
    tests::World world(limits, {.threads = 1}, std::move(store));
    slow.stall();
    const auto wires = send_new_keys(world, 5);
    std::this_thread::sleep_for(limits.tick * limits.answer / 2);
    // Keys are stored one by one; whose turn it was is done, and the last one begins.
    slow.let_through();
    const auto status_of = [](const auto& wire) { return wire->read().status; };
    std::vector<int> statuses;
    std::transform(wires.begin(), wires.end() - 1, std::back_inserter(statuses), status_of);
    std::ranges::sort(statuses);
    CHECK(statuses == std::vector{201, 503, 503, 503});
    slow.release();
    CHECK(status_of(wires.back()) == 201);
}

TEST_CASE("what did not get its turn in time is told so, and is never done") {
    auto limits = tests::fast_limits();
    limits.answer = 100;
    auto store = std::make_unique<SlowStore>();
    auto& slow = *store;
    tests::World world(limits, {.threads = 1}, std::move(store));
    slow.stall();
    const auto wires = send_new_keys(world, 5);
    for (std::size_t i = 0; i < 4; ++i) CHECK(wires[i]->read().code() == "storage_stalled");
    const auto reply = wires[4]->read();
    CHECK(reply.status == 503);
    CHECK(reply.code() == "job_not_begun");
    CHECK(reply.header("retry-after") == "1");

    slow.release();
    world.server->stop();
    std::vector<std::string> added;
    for (const auto& principal : world.access->principals())
        if (principal.name.starts_with("more")) added.push_back(principal.name);
    std::ranges::sort(added);
    CHECK(added == std::vector<std::string>{"more0", "more1", "more2", "more3"});
}

TEST_CASE("stopping waits for answers that the disk still owes") {
    auto store = std::make_unique<SlowStore>();
    auto& slow = *store;
    tests::World world(tests::fast_limits(), {.threads = 1}, std::move(store));
    slow.stall();
    auto wire = world.connect();
    const auto body = track("m1");
    wire.send("POST /v1/track HTTP/1.1\r\nHost: a\r\n" + tests::World::bearer(world.till) +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    CHECK(world.ask("GET", "/healthz").status == 200);
    std::thread stopper([&] { world.server->stop(); });
    slow.release();
    CHECK(wire.read().json()["results"][0]["verdict"] == "accepted");
    stopper.join();
}

TEST_CASE(
    "batches that grow as they are read are refused while the disk stands, consents are not") {
    auto store = std::make_unique<SlowStore>();
    auto& slow = *store;
    auto limits = tests::fast_limits();
    limits.answer = 100'000;  // never, here
    tests::World world(limits, {.threads = 1}, std::move(store));
    const auto growing = [](const std::string& name, int count) {
        std::string events;
        for (int i = 0; i < count; ++i)
            events += (i > 0 ? "," : "") +
                      track(name + std::to_string(i)).insert(1, R"("type":"track",)");
        return tests::gzip(R"({"batch":[)" + events + R"(],"context":{"pad":")" +
                           std::string(31'000, 'x') + "\"}}");
    };
    const auto post = [&](const std::string& body) {
        return "POST /v1/batch HTTP/1.1\r\nHost: a\r\n" +
               tests::World::bearer(world.keys[cdp::Role::source]) +
               "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    };
    CHECK(world.connect().send(post(growing("most", 2500))).read().refusal() ==
          "400 batch_too_large /batch");

    slow.stall();
    std::vector<std::unique_ptr<tests::Wire>> waiting;
    const auto& backlog = world.platform->backlog();
    const auto refused = [&] { return backlog.refused(cdp::Backlog::Intake::events); };
    const auto await_judged = [&](std::size_t count) {
        while (backlog.requests() + refused() < count) std::this_thread::yield();
    };
    while (refused() == 0 && waiting.size() < 20) {
        waiting.push_back(std::make_unique<tests::Wire>(world.server->port()));
        waiting.back()->send(post(growing(std::to_string(waiting.size()) + ".", 500)));
        await_judged(waiting.size());
    }
    // 16 MB each, and as much sealed, of 234.
    CHECK(waiting.size() < 10);
    const auto reply = waiting.back()->read();
    CHECK(reply.refusal() == "429 overloaded");
    CHECK(reply.header("retry-after") == "1");
    CHECK(reply.header("x-ratelimit-reset") == "1");
    auto withdrawing = world.connect();
    const std::string withdrawal =
        R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"email_marketing",)"
        R"("state":"withdrawn"})";
    withdrawing.send(
        "POST /v1/consents HTTP/1.1\r\nHost: a\r\n" + tests::World::bearer(world.till) +
        "Content-Length: " + std::to_string(withdrawal.size()) + "\r\n\r\n" + withdrawal);
    await_judged(waiting.size() + 1);
    const auto metrics = world.ask("GET", "/metrics").body;
    const auto there = "\ncdp_backlog_requests " + std::to_string(waiting.size()) + "\n";
    CHECK(metrics.find(there) != std::string::npos);
    CHECK(metrics.find("\ncdp_backlog_refused_total{intake=\"events\"} 1\n") != std::string::npos);
    CHECK(metrics.find("\ncdp_backlog_refused_total{intake=\"consents\"} 0\n") !=
          std::string::npos);

    slow.release();
    CHECK(withdrawing.read().status == 200);
    CHECK(waiting.front()->read().json()["results"][499]["verdict"] == "accepted");
}

TEST_CASE("a journal that stands still keeps waiting only what it is to hold") {
    StillDisk disk(kPatient);
    const auto& world = disk.world;
    disk.journal.stall();
    auto first = world.connect();
    first.send(disk.read());
    disk.journal.await_append();
    CHECK(world.ask("GET", "/healthz").status == 200);
    // Further ones wait as it does.
    auto second = world.connect();
    second.send(disk.read());
    const auto accepted = world.post("/v1/track", world.till, track("m2"));
    CHECK(accepted.json()["results"][0]["verdict"] == "accepted");
    CHECK(world.ask("GET", "/metrics").status == 200);

    disk.journal.release();
    CHECK(first.read().status == 200);
    CHECK(second.read().status == 200);
    CHECK(disk.told() == 3);
    // The loop is run by its own thread again, or by the other: either serves.
    for (int i = 0; i < 10; ++i) CHECK(first.send(disk.read()).read().status == 200);
    CHECK(disk.told() == 13);
}

TEST_CASE("a read that the journal does not take in time is refused, and was not told") {
    StillDisk disk(/*answer=*/20);
    const auto& world = disk.world;
    disk.journal.stall();
    auto written = world.connect();
    written.send(disk.read());
    disk.journal.await_append();
    auto waiting = world.connect();
    waiting.send(disk.read());
    const auto looked_up = world.post(
        "/v1/profiles/lookup", world.keys.at(cdp::Role::channel),
        R"({"purpose":"email_marketing","identifiers":[)"
        R"({"type":"user_id","value":"u1"},{"type":"email","value":"a@shop.example"}]})");
    CHECK(looked_up.refusal() == "503 storage_stalled");
    CHECK(looked_up.body.find("a@shop.example") == std::string::npos);
    for (auto* wire : {&written, &waiting}) {
        const auto reply = wire->read();
        CHECK(reply.refusal() == "503 storage_stalled");
        CHECK(reply.header("retry-after") == "1");
        CHECK(wire->closed());
    }
    disk.journal.release();
    CHECK(world.connect().send(disk.read()).read().status == 200);
    CHECK(disk.told() == 2);
}

TEST_CASE("answers that wait for the journal hold so much memory and no more") {
    StillDisk disk(kPatient, /*untold=*/1);
    disk.journal.stall();
    auto waiting = disk.world.connect();
    waiting.send(disk.read());
    disk.journal.await_append();
    auto refused = disk.world.connect();
    CHECK(refused.send(disk.read()).read().refusal() == "503 storage_stalled");
    disk.journal.release();
    CHECK(waiting.read().status == 200);
    CHECK(disk.told() == 2);
    CHECK(refused.send(disk.read()).read().status == 200);
}

TEST_CASE("a look-up that cannot be written down is refused before it begins") {
    StillDisk disk(kPatient);
    disk.journal.appends_fail = true;
    const auto refused = disk.world.post(
        "/v1/profiles/lookup", disk.world.keys.at(cdp::Role::channel),
        R"({"purpose":"email_marketing","identifiers":[{"type":"user_id","value":"u1"}]})");
    CHECK(refused.refusal() == "503 disclosure_unrecorded");
    // Who is asked whether it serves says so, though the store is well, until the journal is again:
    // without a read that tries.
    CHECK(disk.world.ask("GET", "/readyz").refusal() == "503 store_read_only");
    disk.journal.appends_fail = false;
    CHECK(disk.told() == 1);
    const auto ready = [&] { return disk.world.ask("GET", "/readyz").status == 200; };
    for (int i = 0; i < 1000 && !ready(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(ready());
    CHECK(disk.world.connect().send(disk.read()).read().status == 200);
    CHECK(disk.told() == 2);
}

TEST_CASE("who stops while the journal stands still goes on stopping when it moves") {
    StillDisk disk(kPatient);
    disk.journal.stall();
    auto wire = disk.world.connect();
    wire.send(disk.read());
    disk.journal.await_append();
    CHECK(disk.world.ask("GET", "/healthz").status == 200);
    std::thread stopper([&] { disk.world.server->stop(); });
    disk.journal.release();
    CHECK(wire.read().status == 200);
    stopper.join();
}
