#include <memory>
#include <thread>
#include <vector>

#include "tests/api/slow_reader.h"
#include "tests/api/world.h"

using tests::SlowReader;
using tests::World;

namespace {

const std::string kHealth = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

// Everybody comes through a proxy on this machine.
api::ServerOptions behind_proxy() {
    api::ServerOptions options;
    REQUIRE(options.edge.trusted_proxies.add("127.0.0.1"));
    return options;
}

std::string from(const std::string& client) {
    return "X-Forwarded-For: " + client + "\r\n";
}

std::string metric(const World& world, const std::string& reason) {
    const auto text =
        world.ask("GET", "/metrics", World::bearer(world.keys.at(cdp::Role::admin))).body;
    const auto name = "\ncdp_http_refused_total{reason=\"" + reason + "\"} ";
    const auto at = text.find(name);
    return at == text.npos
               ? ""
               : text.substr(at + name.size(), text.find('\n', at + 1) - at - name.size());
}

template <typename Holds>
bool soon(const Holds& holds) {
    for (int i = 0; i < 500; ++i) {
        if (holds()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

// A batch whose answer is longer than what systems buffer between two sockets.
std::string long_batch() {
    std::string out = R"({"batch":[)";
    for (int i = 0; i < 2500; ++i)
        out += std::string(i == 0 ? "" : ",") + R"({"type":"track","messageId":")" +
               std::string(90, 'm') + std::to_string(i) + "\"}";
    return out + "]}";
}

std::string long_request(const World& world) {
    const auto body = long_batch();
    return "POST /v1/batch HTTP/1.1\r\nHost: a\r\n" + World::bearer(world.till) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("an address that asks too often is told when to come again, others are served") {
    auto options = behind_proxy();
    options.edge.address_requests = {.per_second = 1, .burst = 5};
    World world(tests::fast_limits(), options);
    auto wire = world.connect();
    for (int i = 0; i < 5; ++i)
        CHECK(wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\n" + from("192.0.2.1") + "\r\n")
                  .read()
                  .status == 200);
    wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\n" + from("192.0.2.1") + "\r\n");
    const auto refused = wire.read();
    CHECK(refused.status == 429);
    CHECK(refused.code() == "address_rate_exceeded");
    CHECK(refused.header("retry-after") == "1");
    CHECK(refused.header("x-ratelimit-reset") == "1");
    // The connection goes on, and the proxy's other clients with it.
    wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\n" + from("192.0.2.2") + "\r\n");
    CHECK(wire.read().status == 200);
    CHECK(metric(world, "address_rate") == "1");

    // What somebody claims in front of the address that the proxy saw changes nothing.
    CHECK(world.ask("GET", "/healthz", from("203.0.113.7, 192.0.2.1")).status == 429);
    CHECK(world.ask("GET", "/healthz", from("203.0.113.7") + from("192.0.2.1")).status == 429);
    // Nor does what other fields say.
    CHECK(world
              .ask("GET", "/healthz",
                   from("192.0.2.1") + "Forwarded: for=203.0.113.7\r\nX-Real-IP: 203.0.113.7\r\n"
                                       "X-User-ID: admin\r\n")
              .status == 429);
    // All addresses of an IPv6 network are one.
    for (int i = 0; i < 5; ++i)
        CHECK(world.ask("GET", "/healthz", from("2001:db8::" + std::to_string(i))).status == 200);
    CHECK(world.ask("GET", "/healthz", from("2001:db8::ffff:1")).status == 429);

    // A body that nobody will read ends the connection, after the answer.
    auto body = world.connect();
    body.send("POST /v1/track HTTP/1.1\r\nHost: a\r\n" + from("192.0.2.1") +
              "Content-Length: 5\r\n\r\nhello");
    const auto unread = body.read();
    CHECK(unread.status == 429);
    // A page may know why, and when to come again.
    CHECK(unread.header("access-control-allow-origin") == "*");
    CHECK(unread.header("access-control-expose-headers") == "Retry-After, X-RateLimit-Reset");
    CHECK(body.closed());
}

TEST_CASE("what cannot be read is not charged to the proxy that passed it on") {
    auto options = behind_proxy();
    options.edge.address_requests = {.per_second = 1, .burst = 3};
    World world(tests::fast_limits(), options);
    for (int i = 0; i < 10; ++i)
        CHECK(world.connect()
                  .send("FOO / HTTP/1.1\r\nHost: a\r\n" + from("192.0.2.1") + "\r\n")
                  .read()
                  .status == 501);
    // It asks for itself too.
    CHECK(world.ask("GET", "/healthz").status == 200);
}

TEST_CASE("the numbers of a server behind a proxy on its machine are its administrator's") {
    World world(tests::fast_limits(), behind_proxy());
    CHECK(world.ask("GET", "/metrics").code() == "key_missing");
    CHECK(world.ask("GET", "/metrics", World::bearer(world.keys.at(cdp::Role::admin))).status ==
          200);
    CHECK(World().ask("GET", "/metrics").status == 200);
}

TEST_CASE("who only waits gives way when places are few, who asks does not") {
    auto limits = tests::fast_limits();
    limits.connections_max = 16;
    limits.crowded = 20;
    limits.keep_alive = 100'000;
    World world(limits);
    std::vector<std::unique_ptr<tests::Wire>> idle;
    for (std::size_t i = 0; i < limits.connections_max; ++i) {
        idle.push_back(std::make_unique<tests::Wire>(world.server->port()));
        CHECK(idle.back()->send(kHealth).read().status == 200);
    }
    CHECK(soon([&] { return world.connect().send(kHealth).read().status == 200; }));
    CHECK(idle.front()->closed());
    CHECK(std::stoi(metric(world, "idle_when_crowded")) > 0);
    // Where there is room it waits for as long as it may.
    idle.clear();
    auto alone = world.connect();
    CHECK(soon([&] { return world.ask("GET", "/healthz").status == 200; }));
    CHECK(alone.send(kHealth).read().status == 200);
    std::this_thread::sleep_for(40 * limits.tick);
    CHECK(alone.send(kHealth).read().status == 200);
}

TEST_CASE("who is no trusted proxy speaks for nobody") {
    api::ServerOptions options;
    options.edge.bounds_loopback = true;
    options.edge.address_requests = {.per_second = 1, .burst = 3};
    World world(tests::fast_limits(), options);
    for (int i = 0; i < 3; ++i)
        CHECK(world.ask("GET", "/healthz", from("192.0.2." + std::to_string(i))).status == 200);
    CHECK(world.ask("GET", "/healthz", from("192.0.2.9")).status == 429);
}

TEST_CASE("a key that is used too often is refused wherever it comes from") {
    auto options = behind_proxy();
    options.edge.key_requests = {.per_second = 1, .burst = 3};
    World world(tests::fast_limits(), options);
    const auto ask = [&](cdp::Role role, int client) {
        return world.ask(
            "GET", "/v1/notices/terms",
            World::bearer(world.keys[role]) + from("192.0.2." + std::to_string(client)));
    };
    for (int i = 0; i < 3; ++i) CHECK(ask(cdp::Role::officer, i).status == 404);
    const auto refused = ask(cdp::Role::officer, 9);
    CHECK(refused.status == 429);
    CHECK(refused.code() == "key_rate_exceeded");
    CHECK(refused.header("retry-after") == "1");
    CHECK(ask(cdp::Role::admin, 9).status == 404);
    CHECK(metric(world, "key_rate") == "1");
}

TEST_CASE("who tries wrong keys is slowed down, and a right key is served all the same") {
    api::ServerOptions options;
    options.edge.wrong_keys = {.per_second = 1, .burst = 4};
    World world(tests::fast_limits(), options);
    const auto guess = [&](int n) {
        return world.get("/v1/keys", "c00000000000000000000000" + std::to_string(n % 10));
    };
    for (int i = 0; i < 4; ++i) CHECK(guess(i).code() == "key_unknown");
    const auto refused = guess(5);
    CHECK(refused.status == 429);
    CHECK(refused.code() == "wrong_keys_exceeded");
    CHECK(refused.header("retry-after") == "1");
    // Wherever it is tried.
    CHECK(world.ask("POST", "/v1/track?writeKey=c00", {}, "{}").status == 429);
    CHECK(world.ask("POST", "/v1/track", "X-Write-Key: c00\r\n", "{}").status == 429);
    CHECK(world.ask("GET", "/v1/keys", "Authorization: Basic Yzo=\r\n").status == 429);

    CHECK(world.get("/v1/keys", world.keys[cdp::Role::admin]).status == 200);
    CHECK(world.get("/v1/keys", world.keys[cdp::Role::source]).status == 403);
    // No key at all is no guess.
    CHECK(world.ask("GET", "/v1/keys").code() == "key_missing");
    CHECK(metric(world, "wrong_keys") == "4");
}

TEST_CASE("gzip from whoever shows no key in the head is inflated so often, with one always") {
    api::ServerOptions options;
    options.edge.bounds_loopback = true;
    options.edge.keyless_gzip = {.per_second = 1, .burst = 3};
    World world(tests::fast_limits(), options);
    const auto packed = tests::gzip(R"({"type":"track","event":"x","userId":"u","writeKey":")" +
                                    world.keys[cdp::Role::source] + "\"}");
    const std::string coded = "Content-Encoding: gzip\r\n";
    for (int i = 0; i < 3; ++i) CHECK(world.ask("POST", "/v1/track", coded, packed).status == 200);
    const auto refused = world.ask("POST", "/v1/track", coded, packed);
    CHECK(refused.status == 429);
    CHECK(refused.code() == "keyless_gzip_exceeded");
    CHECK(refused.header("retry-after") == "1");
    // Open doors inflate no more than that either.
    CHECK(world.ask("POST", "/v1/m", coded, packed).code() == "keyless_gzip_exceeded");
    CHECK(world.ask("POST", "/v1/track", coded + World::bearer(world.till), packed).status == 200);
    CHECK(metric(world, "keyless_gzip") == "2");
}

TEST_CASE("an address has so many connections, and gets them back") {
    api::ServerOptions options;
    options.edge.bounds_loopback = true;
    options.edge.connections_per_address = 3;
    World world(tests::fast_limits(), options);
    {
        auto a = world.connect();
        auto b = world.connect();
        auto c = world.connect();
        for (auto* wire : {&a, &b, &c}) CHECK(wire->send(kHealth).read().status == 200);
        auto d = world.connect();
        const auto refused = d.read();
        CHECK(refused.status == 429);
        CHECK(refused.code() == "address_connections_full");
        CHECK(refused.header("retry-after") == "1");
        CHECK(d.closed());
    }
    CHECK(soon([&] { return world.connect().send(kHealth).read().status == 200; }));
    CHECK(std::stoi(metric(world, "address_connections")) >= 1);
}

TEST_CASE("a proxy's connections are not those of one address") {
    auto options = behind_proxy();
    options.edge.bounds_loopback = true;
    options.edge.connections_per_address = 1;
    World world(tests::fast_limits(), options);
    auto a = world.connect();
    auto b = world.connect();
    CHECK(a.send(kHealth).read().status == 200);
    CHECK(b.send(kHealth).read().status == 200);
}

TEST_CASE("a body that comes slower than is asked is ended, though it never pauses") {
    auto limits = tests::fast_limits();
    limits.slow = 5;
    limits.bytes_min = 100;
    limits.body_whole = 100'000;
    World world(limits);
    const std::string head = "POST /v1/track HTTP/1.1\r\nHost: a\r\n" + World::bearer(world.till);
    for (const auto* framing :
         {"Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"}) {
        auto wire = world.connect();
        wire.send(head + framing);
        tests::Reply reply;
        std::thread reader([&] { reply = wire.read(); });
        const std::string piece = framing[0] == 'C' ? "x" : "1\r\nx\r\n";
        for (int i = 0; i < 100; ++i) {
            wire.send(piece);
            ::poll(nullptr, 0, 5);
        }
        reader.join();
        CHECK(reply.status == 408);
    }
    CHECK(metric(world, "slow_request") == "2");

    // As much as is asked is enough.
    const std::string event(2'000'000, ' ');
    auto steady = world.connect();
    steady.send(head + "Content-Length: 2000000\r\n\r\n");
    for (std::size_t sent = 0; sent < event.size(); sent += 50'000) {
        steady.send(std::string_view(event).substr(sent, 50'000));
        ::poll(nullptr, 0, 2);
    }
    CHECK(steady.read().status == 400);
}

TEST_CASE("who does not read an answer is let go, who reads slowly is not") {
    auto limits = tests::fast_limits();
    limits.slow = 20;
    limits.bytes_min = 100;
    limits.write = 200;
    World world(limits);
    SlowReader never(world.server->port());
    never.send(long_request(world));
    CHECK(soon([&] { return metric(world, "slow_reader") == "1"; }));

    // Its system takes a little at a time, in all far longer than `slow`, and never pauses.
    SlowReader slow(world.server->port());
    slow.send(long_request(world));
    std::size_t size = 0;
    std::string first = slow.take(1024);
    for (auto some = first; !some.empty() && !some.ends_with("]}\n"); some = slow.take(1024)) {
        size += some.size();
        ::poll(nullptr, 0, 1);
    }
    CHECK(first.starts_with("HTTP/1.1 200"));
    CHECK(size > 300'000);
    CHECK(metric(world, "slow_reader") == "1");
}

TEST_CASE("a reader that only just takes something is too slow too") {
    auto limits = tests::fast_limits();
    limits.slow = 10;
    limits.bytes_min = 100'000;
    limits.write = 100'000;
    World world(limits);
    SlowReader slow(world.server->port());
    slow.send(long_request(world));
    for (int i = 0; i < 100; ++i) {
        slow.take(64);
        ::poll(nullptr, 0, 2);
    }
    CHECK(soon([&] { return metric(world, "slow_reader") == "1"; }));
}

TEST_CASE("stopping ends a connection whose last answer is being written") {
    auto limits = tests::fast_limits();
    limits.slow = limits.write = 100'000;
    limits.drain = 6'000;  // a minute
    const std::string last = GENERATE("Connection: close\r\n", "");
    World world(limits);
    auto request = long_request(world);
    request.insert(request.find("Content-Length"), last);
    SlowReader reader(world.server->port());
    reader.send(request);
    CHECK(reader.take(12) == "HTTP/1.1 200");
    const auto began = std::chrono::steady_clock::now();
    std::thread stopper([&] { world.server->stop(); });
    ::poll(nullptr, 0, 100);
    CHECK(reader.take_all() > 300'000);
    stopper.join();
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
}

TEST_CASE("answers that wait for their readers share a bounded memory") {
    auto limits = tests::fast_limits();
    limits.slow = limits.write = 100'000;
    limits.unread_max = 500'000;
    World world(limits, {.threads = 1});
    std::vector<std::unique_ptr<SlowReader>> readers;
    for (int i = 0; i < 6; ++i) {
        readers.push_back(std::make_unique<SlowReader>(world.server->port()));
        readers.back()->send(long_request(world));
        CHECK(world.ask("GET", "/healthz").status == 200);
        ::poll(nullptr, 0, 30);
    }
    const auto ended = [&] { return std::stoi(metric(world, "slow_reader")); };
    CHECK(soon([&] { return ended() >= 4; }));
    CHECK(ended() < 6);
    // Whoever came last is served, whoever kept us waiting longest was let go.
    const auto whole = world.connect().send(long_request(world)).read().body.size();
    CHECK(readers.front()->take_all() < whole);
}
