#include "api/jobs.h"

#include <atomic>
#include <future>
#include <stdexcept>

#include "storage/key.h"
#include "tests/api/slow_reader.h"
#include "tests/api/world.h"
#include "tests/support/forwarding_store.h"

using api::JobQueue;
using tests::SlowReader;
using tests::World;

namespace {

// Holds a thread until it is let go.
class Gate {
public:
    // Once the thread stands at it.
    JobQueue::Job job() {
        return [this] {
            begun_.set_value();
            opened_.wait();
        };
    }
    void await() { begun_.get_future().wait(); }
    void open() { open_.set_value(); }

private:
    std::promise<void> begun_;
    std::promise<void> open_;
    std::shared_future<void> opened_ = open_.get_future().share();
};

// Fails in a way that nobody planned when a key is stored.
class ThrowingStore : public tests::ForwardingStore {
public:
    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        const auto of_keys = storage::KeyWriter(storage::Space::access_key, cdp::Token{}).str();
        for (const auto& transaction : transactions)
            for (const auto& write : transaction.writes())
                if (throws && write.key.front() == of_keys.front())
                    throw std::runtime_error("planted");
        ForwardingStore::commit(std::move(transactions), std::move(done));
    }
    std::atomic<bool> throws = false;
};

// Three megabytes of events: more than lies between a reader of the export and who writes it.
void fill(const World& world) {
    std::string batch = R"({"batch":[)";
    for (int i = 0; i < 110; ++i)
        batch += std::string(i == 0 ? "" : ",") + R"({"type":"track","event":"x","userId":"u)" +
                 std::to_string(i) + R"(","messageId":"m)" + std::to_string(i) +
                 R"(","properties":{"p":")" + std::string(28'000, 'p') + R"("}})";
    REQUIRE(world.post("/v1/batch", world.till, batch + "]}").status == 200);
}

const std::string kKey = R"({"role":"source","name":"more"})";

}  // namespace

TEST_CASE("a queue has room for as many as it has threads and places") {
    Gate gate;
    JobQueue queue({.threads = 1, .waiting_max = 2});
    CHECK(queue.give(gate.job()));
    gate.await();
    std::atomic<int> done = 0;
    const auto count = [&] { ++done; };
    CHECK(queue.give(count));
    CHECK(queue.give(count));
    CHECK_FALSE(queue.give(count));
    gate.open();
    queue.finish();
    CHECK(done == 2);
    // Too late.
    CHECK_FALSE(queue.give(count));
    CHECK(done == 2);
}

TEST_CASE("as many as there are threads have room before any of these has begun") {
    JobQueue queue({.threads = 2, .waiting_max = 0});
    std::promise<void> open;
    const auto opened = open.get_future().share();
    for (int i = 0; i < 2; ++i) CHECK(queue.give([opened] { opened.wait(); }));
    CHECK_FALSE(queue.give([] {}));
    open.set_value();
}

TEST_CASE("a job is under way from when it begins until it is done") {
    Gate gate;
    JobQueue queue({.threads = 1, .waiting_max = 1});
    const auto before = std::chrono::steady_clock::now();
    const auto first = queue.give(gate.job()).value();
    gate.await();
    const auto second = queue.give([] {}).value();
    const auto begun = queue.begun(first);
    REQUIRE(begun);
    CHECK(*begun >= before);
    CHECK(*begun <= std::chrono::steady_clock::now());
    CHECK_FALSE(queue.begun(second));
    gate.open();
    queue.finish();
    CHECK_FALSE(queue.begun(first));
}

TEST_CASE("what is withdrawn never begins, what has begun is not withdrawn") {
    Gate gate;
    JobQueue queue({.threads = 1, .waiting_max = 2});
    const auto first = queue.give(gate.job()).value();
    gate.await();
    bool ran = false;
    const auto second = queue.give([&] { ran = true; }).value();
    CHECK_FALSE(queue.withdraw(first));
    CHECK(queue.withdraw(second));
    CHECK_FALSE(queue.withdraw(second));
    gate.open();
    queue.finish();
    CHECK_FALSE(ran);
}

TEST_CASE("a job that throws ends alone") {
    JobQueue queue({.threads = 1, .waiting_max = 2});
    auto promise = std::make_shared<int>(0);
    const std::weak_ptr<int> owed = promise;
    queue.give([promise = std::move(promise)] { throw std::runtime_error("planted"); });
    bool forgotten = false;
    queue.give([&] { forgotten = owed.expired(); });
    queue.finish();
    CHECK(forgotten);
}

TEST_CASE("what nobody planned in work that was put aside is a 500 of that request alone") {
    auto store = std::make_unique<ThrowingStore>();
    auto& throwing = *store;
    World world(tests::fast_limits(), {}, std::move(store));
    throwing.throws = true;
    const auto failed = world.post("/v1/keys", world.keys[cdp::Role::admin], kKey);
    CHECK(failed.status == 500);
    CHECK(failed.code() == "internal");
    throwing.throws = false;
    CHECK(world.post("/v1/keys", world.keys[cdp::Role::admin], kKey).status == 201);
}

TEST_CASE("slow readers of long answers keep waiting only who wants one too") {
    auto limits = tests::fast_limits();
    limits.slow = limits.write = 100'000;
    limits.answer = 500;
    World world(limits, {.threads = 1});
    fill(world);
    const auto officer = World::bearer(world.keys[cdp::Role::officer]);
    const auto request = "GET /v1/exports/events HTTP/1.1\r\nHost: a\r\n" + officer + "\r\n";
    std::vector<std::unique_ptr<SlowReader>> readers;
    for (int i = 0; i < 8; ++i) {
        readers.push_back(std::make_unique<SlowReader>(world.server->port()));
        readers.back()->send(request);
        CHECK(readers.back()->take(12) == "HTTP/1.1 200");
    }
    CHECK(world
              .post("/v1/decisions", world.keys[cdp::Role::channel],
                    R"({"identifiers":[{"type":"email","value":"a@shop.example"}],)"
                    R"("purpose":"analytics"})")
              .status == 200);
    CHECK(world.post("/v1/keys", world.keys[cdp::Role::admin], kKey).status == 201);

    std::vector<std::unique_ptr<tests::Wire>> waiting;
    for (int i = 0; i < 16; ++i) {
        waiting.push_back(std::make_unique<tests::Wire>(world.server->port()));
        waiting.back()->send(request);
    }
    CHECK(world.ask("GET", "/healthz").status == 200);
    const auto full = world.get("/v1/ledger/check", world.keys[cdp::Role::officer]);
    CHECK(full.status == 503);
    CHECK(full.code() == "jobs_full");
    CHECK(full.header("retry-after") == "1");

    for (const auto& wire : waiting) CHECK(wire->read().code() == "job_not_begun");
    readers.clear();
    int status = 0;
    for (int i = 0; i < 500 && status != 200; ++i)
        status = world.get("/v1/ledger/check", world.keys[cdp::Role::officer]).status;
    CHECK(status == 200);
}
