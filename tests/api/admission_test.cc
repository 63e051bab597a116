#include "api/admission.h"

#include <arpa/inet.h>

#include <catch2/catch.hpp>
#include <string>

using api::Admission;
using api::EdgeConfig;

namespace {

const Admission::Time kNow{std::chrono::hours(1)};

api::Address address(std::string_view text) {
    const auto read = api::read_address(text);
    REQUIRE(read);
    return *read;
}

std::string shown(const api::Address& address) {
    char text[INET6_ADDRSTRLEN];
    return ::inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
}

std::string client(const std::string& fields, const char* peer,
                   api::ForwardedField field = api::ForwardedField::x_forwarded_for) {
    EdgeConfig config;
    config.forwarded_field = field;
    REQUIRE(config.trusted_proxies.add("10.0.0.0/8"));
    REQUIRE(config.trusted_proxies.add("2001:db8:a::/48"));
    return shown(api::client_behind("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", config,
                                    address(peer)));
}

cdp::Principal source(const char* name) {
    return {.role = cdp::Role::source, .name = name, .channel = {}};
}

}  // namespace

TEST_CASE("a proxy's client is the right-most address that is no proxy") {
    const auto [fields, expected] = GENERATE(table<std::string, std::string>({
        {"", "::ffff:10.0.0.1"},
        {"X-Forwarded-For: 192.0.2.7\r\n", "::ffff:192.0.2.7"},
        {"x-FORWARDED-for:192.0.2.7:4711 \r\n", "::ffff:192.0.2.7"},
        {"X-Forwarded-For: 203.0.113.1, 192.0.2.7\r\n", "::ffff:192.0.2.7"},
        {"X-Forwarded-For: 203.0.113.1, 192.0.2.7, 10.0.0.2\r\n", "::ffff:192.0.2.7"},
        {"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 10.0.0.2\r\n", "::ffff:192.0.2.7"},
        {"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 203.0.113.1\r\n", "::ffff:203.0.113.1"},
        {"X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "::ffff:10.0.0.3"},
        {"X-Forwarded-For: [2001:db8::5]:80\r\n", "2001:db8::5"},
        {"X-Forwarded-For: 192.0.2.7, 2001:db8:a::9\r\n", "::ffff:192.0.2.7"},
        // What cannot be read ends the walk where it is.
        {"X-Forwarded-For: 192.0.2.7, unknown\r\n", "::ffff:10.0.0.1"},
        {"X-Forwarded-For: 192.0.2.7, , 10.0.0.2\r\n", "::ffff:10.0.0.2"},
        {"X-Forwarded-For: \r\n", "::ffff:10.0.0.1"},
        {"X-Forwarded-For: ,\r\n", "::ffff:10.0.0.1"},
        // The field that these proxies do not set is whatever their clients sent.
        {"Forwarded: for=192.0.2.7\r\n", "::ffff:10.0.0.1"},
        {"X-Real-IP: 192.0.2.7\r\nX-Forwarded-Fo: 192.0.2.7\r\n", "::ffff:10.0.0.1"},
    }));
    CAPTURE(fields);
    CHECK(client(fields, "10.0.0.1") == expected);
}

TEST_CASE("Forwarded is read as RFC 7239 has it") {
    const auto [fields, expected] = GENERATE(table<std::string, std::string>({
        {"Forwarded: for=192.0.2.7\r\n", "::ffff:192.0.2.7"},
        {"Forwarded: proto=https; For=\"192.0.2.7:80\";by=10.0.0.1\r\n", "::ffff:192.0.2.7"},
        {"Forwarded: for=203.0.113.1, for=\"[2001:db8::5]:80\"\r\n", "2001:db8::5"},
        {"Forwarded: for=192.0.2.7\r\nForwarded: for=10.0.0.2\r\n", "::ffff:192.0.2.7"},
        {"Forwarded: for=192.0.2.7, for=unknown\r\n", "::ffff:10.0.0.1"},
        {"Forwarded: for=192.0.2.7, for=_secret\r\n", "::ffff:10.0.0.1"},
        {"Forwarded: by=192.0.2.7\r\n", "::ffff:10.0.0.1"},
        {"Forwarded: for=\r\n", "::ffff:10.0.0.1"},
        {"X-Forwarded-For: 192.0.2.7\r\n", "::ffff:10.0.0.1"},
    }));
    CAPTURE(fields);
    CHECK(client(fields, "10.0.0.1", api::ForwardedField::forwarded) == expected);
}

TEST_CASE("only a trusted proxy is one") {
    EdgeConfig config;
    REQUIRE(config.trusted_proxies.add("10.0.0.0/8"));
    const Admission admission(config);
    CHECK(admission.is_proxy(address("10.1.2.3")));
    CHECK_FALSE(admission.is_proxy(address("192.0.2.1")));
    CHECK_FALSE(Admission(EdgeConfig{}).is_proxy(address("127.0.0.1")));
}

TEST_CASE("connections are counted by subscriber, and come free") {
    EdgeConfig config;
    config.connections_per_address = 2;
    REQUIRE(config.trusted_proxies.add("10.0.0.0/8"));
    Admission admission(config);
    const auto one = address("192.0.2.1");
    CHECK(admission.enter(one));
    CHECK(admission.enter(one));
    CHECK_FALSE(admission.enter(one));
    CHECK(admission.enter(address("192.0.2.2")));
    admission.leave(one);
    CHECK(admission.enter(one));
    CHECK_FALSE(admission.enter(one));

    CHECK(admission.enter(address("2001:db8::1")));
    CHECK(admission.enter(address("2001:db8::2")));
    CHECK_FALSE(admission.enter(address("2001:db8::3")));
    CHECK(admission.enter(address("2001:db8:0:1::3")));

    for (int i = 0; i < 10; ++i) {
        CHECK(admission.enter(address("10.0.0.1")));
        CHECK(admission.enter(address("127.0.0.1")));
    }
    config.connections_per_address = 0;
    Admission open(config);
    for (int i = 0; i < 10; ++i) CHECK(open.enter(one));
}

TEST_CASE("requests are counted by address and by key, wrong keys apart from them") {
    EdgeConfig config;
    config.address_requests = {.per_second = 1, .burst = 3};
    config.key_requests = {.per_second = 1, .burst = 2};
    config.wrong_keys = {.per_second = 1, .burst = 1};
    Admission admission(config);
    const auto one = address("2001:db8::1");
    const auto neighbour = address("2001:db8::ffff");
    const auto other = address("192.0.2.1");
    CHECK(admission.wait_for_request(one, kNow) == 0);
    CHECK(admission.wait_for_request(neighbour, kNow) == 0);
    CHECK(admission.wait_for_request(one, kNow) == 0);
    CHECK(admission.wait_for_request(neighbour, kNow) == 1);
    CHECK(admission.wait_for_request(other, kNow) == 0);

    // A key is counted wherever it comes from, each of a name and role alike.
    CHECK(admission.wait_for_key(source("web"), one, kNow) == 0);
    CHECK(admission.wait_for_key(source("web"), other, kNow) == 0);
    CHECK(admission.wait_for_key(source("web"), other, kNow) == 1);
    CHECK(admission.wait_for_key(source("app"), other, kNow) == 0);
    auto channel = source("web");
    channel.role = cdp::Role::channel;
    CHECK(admission.wait_for_key(channel, other, kNow) == 0);

    CHECK(admission.wait_after_wrong_key(other, kNow) == 0);
    CHECK(admission.wait_after_wrong_key(other, kNow) == 1);
    CHECK(admission.wait_after_wrong_key(one, kNow) == 0);
    CHECK(admission.wait_after_wrong_key(neighbour, kNow) == 1);
}

TEST_CASE("whoever is on this machine is not counted, but for wrong keys") {
    EdgeConfig config;
    config.address_requests = config.key_requests =
        config.wrong_keys = {.per_second = 1, .burst = 1};
    const auto here = address("127.0.0.1");
    Admission admission(config);
    for (int i = 0; i < 10; ++i) {
        CHECK(admission.wait_for_request(here, kNow) == 0);
        CHECK(admission.wait_for_key(source("web"), here, kNow) == 0);
    }
    CHECK(admission.wait_after_wrong_key(here, kNow) == 0);
    CHECK(admission.wait_after_wrong_key(here, kNow) == 1);

    config.bounds_loopback = true;
    Admission strict(config);
    CHECK(strict.wait_for_request(here, kNow) == 0);
    CHECK(strict.wait_for_request(here, kNow) == 1);
}
