#include "api/address.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>

namespace {

std::string shown(const api::Address& address) {
    char text[INET6_ADDRSTRLEN];
    return ::inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
}

std::string read(std::string_view text) {
    const auto address = api::read_address(text);
    return address ? shown(*address) : "";
}

}  // namespace

TEST_CASE("addresses are read as proxies write them, and nothing else is") {
    const auto [text, address] = GENERATE(table<std::string, std::string>({
        {"192.0.2.1", "::ffff:192.0.2.1"},
        {"192.0.2.1:4711", "::ffff:192.0.2.1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"", ""},
        {"unknown", ""},
        {"_hidden", ""},
        {"192.0.2", ""},
        {"192.0.2.256", ""},
        {"192.0.2.1:", ""},
        {"192.0.2.1:x", ""},
        {"192.0.2.1, 10.0.0.1", ""},
        {"192.0.2.1/24", ""},
        {"[2001:db8::1", ""},
        {"[2001:db8::1]x", ""},
        {"[192.0.2.1]", ""},
        {"fe80::1%eth0", ""},
        {"2001:db8::1::", ""},
    }));
    CAPTURE(text);
    CHECK(read(text) == address);
}

TEST_CASE("a network holds what its prefix says") {
    struct Row {
        const char* network;
        const char* inside;
        const char* outside;
    };
    const auto row = GENERATE(values<Row>({
        {"10.0.0.0/8", "10.255.0.1", "11.0.0.1"},
        {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
        {"192.0.2.128/25", "192.0.2.129", "192.0.2.127"},
        {"0.0.0.0/0", "203.0.113.9", "2001:db8::1"},
        {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"},
        {"::1", "::1", "127.0.0.1"},
        {"::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.1"},
    }));
    CAPTURE(row.network);
    api::Networks networks;
    REQUIRE(networks.add(row.network));
    CHECK(networks.contains(*api::read_address(row.inside)));
    CHECK_FALSE(networks.contains(*api::read_address(row.outside)));
}

TEST_CASE("a network that is none is refused") {
    api::Networks networks;
    for (const auto* text :
         {"", "x", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.1/8", "2001:db8::/129",
          "2001:db8::1/32", "[2001:db8::]/32", "10.0.0.0:80", "10.0.0.0/-1", "/8"}) {
        CAPTURE(text);
        CHECK_FALSE(networks.add(text));
    }
    CHECK_FALSE(networks.contains(*api::read_address("10.0.0.1")));
}

TEST_CASE("an IPv6 network of 64 bits is one subscriber, an IPv4 address is one") {
    const auto of = [](const char* text) {
        return shown(api::subscriber_of(*api::read_address(text)));
    };
    CHECK(of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
    CHECK(of("2001:db8:1:2:ffff::") == of("2001:db8:1:2::1"));
    CHECK(of("2001:db8:1:3::1") != of("2001:db8:1:2::1"));
    CHECK(of("192.0.2.1") == "::ffff:192.0.2.1");
}

TEST_CASE("loopback is known in both kinds") {
    for (const auto* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
        CHECK(api::read_address(text)->is_loopback());
    for (const auto* text : {"128.0.0.1", "::2", "::", "2001:db8::1"})
        CHECK_FALSE(api::read_address(text)->is_loopback());
}
