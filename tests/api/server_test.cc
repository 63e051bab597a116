#include <thread>

#include "tests/api/raw_requests.h"
#include "tests/api/world.h"

using tests::World;

namespace {

const std::string kHealth = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

std::string track(const std::string& id, std::size_t padding = 0) {
    return R"({"type":"track","event":"x","userId":"u1","messageId":")" + id +
           R"(","properties":{"p":")" + std::string(padding, 'p') + "\"}}";
}

std::string post_head(const std::string& key, const std::string& more) {
    return "POST /v1/track HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + key + "\r\n" + more +
           "\r\n";
}

}  // namespace

TEST_CASE("answers come in the order of the requests, however they were sent") {
    World world;
    auto wire = world.connect();
    std::string all;
    for (int i = 0; i < 100; ++i)
        all += i % 3 == 0 ? kHealth
               : i % 3 == 1
                   ? "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
                   : post_head(world.till,
                               "Content-Length: " + std::to_string(track("m").size()) + "\r\n") +
                         track("m");
    wire.send(all);
    for (int i = 0; i < 100; ++i) {
        CAPTURE(i);
        CHECK(wire.read().status == (i % 3 == 1 ? 404 : 200));
    }
    for (const char c : kHealth) wire.send(std::string_view(&c, 1));
    CHECK(wire.read().status == 200);
}

TEST_CASE("every answer has a request id, a date, a type and a length") {
    World world;
    const auto reply = world.ask("GET", "/healthz");
    CHECK(reply.status == 200);
    CHECK(reply.header("content-type") == "application/json");
    CHECK(reply.header("request-id").size() == 16);
    CHECK(reply.header("date").size() == 29);
    CHECK(reply.header("date").ends_with(" GMT"));
    CHECK(reply.header("request-id") != world.ask("GET", "/healthz").header("request-id"));

    const auto refusal = world.ask("GET", "/nowhere");
    CHECK(refusal.header("content-type") == "application/problem+json");
    CHECK(refusal.header("request-id").size() == 16);
    for (const auto* member : {"type", "title", "status", "code", "detail"})
        CHECK(refusal.json().contains(member));
}

TEST_CASE("HEAD is GET without the body") {
    World world;
    auto wire = world.connect();
    wire.send("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + kHealth);
    const auto head = wire.read(/*to_head=*/true);
    CHECK(head.status == 200);
    CHECK(head.header("content-length") == "16");
    CHECK(wire.read().body.size() == 16);
}

TEST_CASE("OPTIONS and 405 name the methods of the path") {
    World world;
    CHECK(world.ask("OPTIONS", "/healthz").header("allow") == "GET, HEAD, OPTIONS");
    CHECK(world.ask("OPTIONS", "*").status == 204);
    const auto wrong = world.ask("DELETE", "/v1/keys");
    CHECK(wrong.status == 405);
    CHECK(wrong.header("allow") == "POST, GET, HEAD, OPTIONS");
    CHECK(world.ask("TRACE", "/healthz").status == 501);
    CHECK(world.ask("BREW", "/healthz").status == 501);
}

TEST_CASE("a path has one spelling") {
    World world;
    for (const auto* path :
         {"//healthz", "/healthz/", "/Healthz", "/healthz;x", "/healthz.", "/v1//batch",
          "/%2fhealthz", "/v1/profiles/", "/v1/profiles/a/b/events"})
        CHECK(world.ask("GET", path).status == 404);
    for (const auto* path : {"/x/../healthz", "/%2e%2e/healthz", "/healthz%00"})
        CHECK(world.ask("GET", path).status == 400);
}

TEST_CASE("a refused request ends the connection and hides nothing behind it") {
    World world;
    for (const auto* bytes :
         {"POST /v1/batch HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
          "POST /v1/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"}) {
        auto wire = world.connect();
        wire.send(bytes + kHealth);
        CHECK(wire.read().status >= 400);
        CHECK(wire.closed());
    }
    auto lines = world.connect();
    lines.send("GET / HTTP/1.1\nHost: a\n\n");
    CHECK(lines.read().status == 400);
}

TEST_CASE("whatever is refused is answered once, and what stands behind it is never read") {
    World world;
    int refused = 0;
    for (const auto& row : tests::raw_requests()) {
        if (row.status < 400) continue;
        CAPTURE(row.what);
        ++refused;
        auto wire = world.connect();
        wire.send(row.bytes + kHealth);
        CHECK(wire.read().status == row.status);
        CHECK(wire.closed());
    }
    CHECK(refused > 60);
}

TEST_CASE("HTTP/1.0 and Connection: close end after one answer") {
    World world;
    auto old = world.connect();
    old.send("GET /healthz HTTP/1.0\r\n\r\n");
    CHECK(old.read().status == 200);
    CHECK(old.closed());

    auto stays = world.connect();
    stays.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + kHealth);
    CHECK(stays.read().header("connection") == "keep-alive");
    CHECK(stays.read().status == 200);

    auto asked = world.connect();
    asked.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(asked.read().header("connection") == "close");
    CHECK(asked.closed());
}

TEST_CASE("a body may come by length, in chunks, after 100 Continue, byte by byte") {
    World world;
    const auto body = track("m1");
    auto chunked = world.connect();
    chunked.send(post_head(world.till, "Transfer-Encoding: chunked\r\n") + "5\r\n" +
                 body.substr(0, 5) + "\r\n");
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", body.size() - 5);
    chunked.send(size + body.substr(5) + "\r\n0\r\n\r\n" + kHealth);
    CHECK(chunked.read().json()["results"][0]["verdict"] == "accepted");
    CHECK(chunked.read().status == 200);

    auto patient = world.connect();
    const auto length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
    patient.send(post_head(world.till, length + "Expect: 100-continue\r\n"));
    CHECK(patient.read().status == 100);
    for (const char c : body) patient.send(std::string_view(&c, 1));
    CHECK(patient.read().json()["results"][0]["verdict"] == "duplicate");

    // HTTP/1.0 knows no such answer.
    auto old = world.connect();
    old.send("POST /v1/track HTTP/1.0\r\n" + World::bearer(world.till) + length +
             "Expect: 100-continue\r\n\r\n");
    ::poll(nullptr, 0, 20);
    CHECK(old.send(body).read().status == 200);
}

TEST_CASE("a body over the limit is refused before it is read") {
    World world;
    const auto big = std::to_string(cdp::kBodyBytesMax + 1);
    auto ingest = world.connect();
    ingest.send(post_head(world.till, "Content-Length: " + big + "\r\nExpect: 100-continue\r\n"));
    const auto refusal = ingest.read();
    CHECK(refusal.status == 400);
    CHECK(refusal.code() == "body_too_large");
    CHECK(ingest.closed());

    auto document = world.connect();
    document.send("POST /v1/consents HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");
    CHECK(document.read().status == 413);

    auto chunked = world.connect();
    chunked.send(post_head(world.till, "Transfer-Encoding: chunked\r\n") + "ffffff\r\n");
    CHECK(chunked.read().status == 400);
    CHECK(chunked.closed());
}

TEST_CASE("who may not is told so from the head, before a byte of the body is asked for") {
    World world;
    const std::string wrong = "c00000000000000000000000a";
    const std::string body = "Content-Length: 1000000\r\nExpect: 100-continue\r\n";
    struct Row {
        const char* target;
        std::string fields;
        const char* code;
    };
    const std::vector<Row> rows{
        {"/v1/consents", "", "key_missing"},
        {"/v1/consents", "X-Write-Key: " + world.till + "\r\n", "key_missing"},
        {"/v1/consents", World::bearer(wrong), "key_unknown"},
        {"/v1/consents", World::bearer(world.keys[cdp::Role::steward]), "role_forbidden"},
        {"/v1/consents", World::bearer(world.keys[cdp::Role::source]), "server_source_required"},
        {"/v1/decisions", World::bearer(world.keys[cdp::Role::source]), "server_source_required"},
        {"/v1/preferences/links", World::bearer(world.keys[cdp::Role::source]),
         "server_source_required"},
        {"/v1/batch", World::bearer(wrong), "key_unknown"},
        {"/v1/batch", "Authorization: Basic Yzo=\r\n", "key_unknown"},
        {"/v1/batch", "X-Write-Key: " + wrong + "\r\n", "key_unknown"},
        {"/v1/batch?writeKey=c00", "", "key_unknown"},
        {"/v1/batch", World::bearer(world.keys[cdp::Role::officer]), "role_forbidden"},
    };
    for (const auto& row : rows)
        for (const std::string& framing : {body, std::string("Transfer-Encoding: chunked\r\n")}) {
            CAPTURE(row.target, row.fields, framing);
            auto wire = world.connect();
            wire.send("POST " + std::string(row.target) + " HTTP/1.1\r\nHost: a\r\n" + row.fields +
                      framing + "\r\n");
            const auto refused = wire.read();
            CHECK(refused.code() == row.code);
            CHECK(refused.header("connection") == "close");
            wire.finish_sending();
            CHECK(wire.closed());
        }

    // What is there already is passed over, and is no request.
    auto goes_on = world.connect();
    goes_on.send("POST /v1/batch HTTP/1.1\r\nHost: a\r\n" + World::bearer(wrong) +
                 "Content-Length: " + std::to_string(kHealth.size()) + "\r\n\r\n" + kHealth +
                 "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(goes_on.read().code() == "key_unknown");
    CHECK(goes_on.read().code() == "no_such_route");

    // Nothing is inflated for whoever may not.
    CHECK(world
              .ask("POST", "/v1/batch", World::bearer(wrong) + "Content-Encoding: gzip\r\n",
                   "no gzip")
              .code() == "key_unknown");
}

TEST_CASE("a key may come in the body, and what is there before it is known is bounded by itself") {
    auto limits = tests::fast_limits();
    limits.keyless_max = 2 << 20;
    limits.body_idle = limits.body_whole = 3'000;  // half a minute: nobody is late here
    World world(limits, {.threads = 1});
    const auto post = [](std::size_t length, const std::string& fields = "") {
        return "POST /v1/track HTTP/1.1\r\nHost: a\r\n" + fields +
               "Content-Length: " + std::to_string(length) + "\r\n\r\n";
    };
    auto whole = R"({"type":"track","event":"x","userId":"u","messageId":"m","writeKey":")" +
                 world.keys[cdp::Role::source] + "\"}";
    whole += std::string(1'200'000, ' ');
    for (int i = 0; i < 5; ++i)
        CHECK(world.connect().send(post(whole.size()) + whole).read().status == 200);

    auto holds = world.connect();
    holds.send(post(4'000'000) + std::string(600'000, ' '));
    // The one loop reads of it in each turn: by then it has all.
    for (int i = 0; i < 100; ++i) CHECK(world.ask("GET", "/healthz").status == 200);
    auto second = world.connect();
    second.send(post(4'000'000) + std::string(600'000, ' '));
    const auto refused = second.read();
    CHECK(refused.status == 503);
    CHECK(refused.code() == "buffers_full");
    // Open doors are of the same crowd.
    auto open = world.connect();
    open.send("POST /v1/m HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" +
              std::string(600'000, ' '));
    CHECK(open.read().code() == "buffers_full");

    // Whoever shows a key is not in it.
    CHECK(
        world.connect().send(post(whole.size(), World::bearer(world.till)) + whole).read().status ==
        200);
    holds.reset();
    int status = 0;
    for (int i = 0; i < 500 && status != 200; ++i)
        status = world.connect().send(post(whole.size()) + whole).read().status;
    CHECK(status == 200);
}

TEST_CASE("whoever goes on sending after a refusal is cut off, and stopping does not wait for it") {
    auto limits = tests::fast_limits();
    limits.drain = 100'000;
    World world(limits, {.threads = 1});
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i)
        clients.emplace_back([&] {
            auto wire = world.connect();
            wire.send(post_head(world.till, "Content-Length: 50000000\r\n"));
            const std::string piece(1 << 20, 'x');
            while (wire.sends(piece)) {
            }
        });
    for (auto& client : clients) client.join();
    CHECK(world.ask("GET", "/healthz").status == 200);
    world.server->stop();
}

TEST_CASE("an answer reaches a client that is still sending") {
    World world;
    auto wire = world.connect();
    wire.send(post_head(world.till, "Content-Length: 50000000\r\n") + std::string(3'000'000, 'x'));
    CHECK(wire.read().status == 400);
}

TEST_CASE("half a body stores nothing") {
    World world;
    const auto body = track("half", 100'000);
    const auto head =
        post_head(world.till, "Content-Length: " + std::to_string(body.size()) + "\r\n");
    {
        auto ended = world.connect();
        ended.send(head + body.substr(0, 50'000)).finish_sending();
        CHECK(ended.closed());
        auto reset = world.connect();
        reset.send(head + body.substr(0, 50'000)).reset();
    }
    CHECK(world.ask("GET", "/healthz").status == 200);
    CHECK(world.accepted() == 0);
}

TEST_CASE("late heads, bodies and readers are ended, and idle connections closed") {
    auto limits = tests::fast_limits();
    limits.head = limits.body_idle = limits.keep_alive = limits.write = 3;
    World world(limits);

    auto idle = world.connect();
    CHECK(idle.closed());

    auto head = world.connect();
    head.send("GET /healthz HTT");
    CHECK(head.read().status == 408);
    CHECK(head.closed());

    auto body = world.connect();
    body.send(post_head(world.till, "Content-Length: 100\r\n") + "{");
    CHECK(body.read().status == 408);
    CHECK(body.closed());
}

TEST_CASE("a body that trickles in is ended") {
    auto limits = tests::fast_limits();
    limits.body_whole = 10;
    World world(limits);
    auto wire = world.connect();
    wire.send(post_head(world.till, "Content-Length: 1000000\r\n"));
    tests::Reply reply;
    std::thread reader([&] { reply = wire.read(); });
    for (int i = 0; i < 60; ++i) {
        wire.send("x");
        std::this_thread::yield();
        ::poll(nullptr, 0, 5);
    }
    reader.join();
    CHECK(reply.status == 408);
}

TEST_CASE("connections over the limit are told so") {
    auto limits = tests::fast_limits();
    limits.connections_max = 3;
    World world(limits);
    auto a = world.connect();
    auto b = world.connect();
    auto c = world.connect();
    for (auto* wire : {&a, &b, &c}) CHECK(wire->send(kHealth).read().status == 200);
    auto d = world.connect();
    const auto refused = d.read();
    CHECK(refused.status == 503);
    CHECK(refused.code() == "connections_full");
    CHECK(refused.header("retry-after") == "1");
}

TEST_CASE("large requests share a bounded memory") {
    auto limits = tests::fast_limits();
    limits.buffered_max = 1 << 20;
    World world(limits, {.threads = 1});
    const auto head = post_head(world.till, "Content-Length: 4000000\r\n");
    auto first = world.connect();
    first.send(head + std::string(3'000'000, 'x'));
    CHECK(first.read().code() == "buffers_full");
    CHECK(world.post("/v1/track", world.till, track("m", 1000)).status == 200);
}

TEST_CASE("stopping answers what runs, refuses what is new, and tells readyz") {
    World world;
    auto wire = world.connect();
    CHECK(wire.send(kHealth).read().status == 200);
    auto half = world.connect();
    half.send("GET /readyz HTTP/1.1\r\nHost: a\r\n");
    auto before = world.connect();
    CHECK(before.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").read().status == 200);

    std::thread stopper([&] { world.server->stop(); });
    CHECK(wire.closed());
    half.send("\r\n");
    const auto draining = half.read();
    CHECK((draining.status == 503 || draining.status == 0));
    stopper.join();
}

TEST_CASE("stopping does not wait for clients that never finish") {
    auto limits = tests::fast_limits();
    limits.drain = 5;
    World world(limits);
    auto half = world.connect();
    half.send(kHealth + "GET /hea");
    CHECK(half.read().status == 200);
    world.server->stop();
    CHECK(half.closed());
}

TEST_CASE("many clients on few threads get their own answers") {
    World world;
    std::vector<std::thread> clients;
    std::atomic<int> wrong{0};
    for (int n = 0; n < 8; ++n)
        clients.emplace_back([&, n] {
            auto wire = world.connect();
            for (int i = 0; i < 50; ++i) {
                const auto id = std::to_string(n) + "-" + std::to_string(i);
                const auto body = track(id, static_cast<std::size_t>(i) * 40);
                wire.send(post_head(world.till,
                                    "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                          body);
                const auto reply = wire.read();
                if (reply.status != 200 || reply.json()["results"][0]["messageId"] != id) ++wrong;
            }
        });
    for (auto& client : clients) client.join();
    CHECK(wrong == 0);
    CHECK(world.accepted() == 400);
}
