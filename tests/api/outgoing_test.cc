#include "api/outgoing.h"

#include <boost/asio/ip/address.hpp>
#include <catch2/catch.hpp>
#include <chrono>

#include "api/public_address.h"
#include "api/url.h"
#include "tests/api/listener.h"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

std::string reason_of(const cdp::Result<api::OutgoingAnswer>& answer) {
    return answer ? "answered " + std::to_string(answer->status) : answer.error().reason;
}

std::string ask(const api::OutgoingRules& rules, const std::string& url) {
    return reason_of(api::Outgoing(rules).send({.url = url}));
}

using tests::answer_of;
using tests::Listener;
using tests::trusting_rules;
using Speaks = Listener::Speaks;

TEST_CASE("a request goes out as it is and its answer comes back") {
    const auto speaks = GENERATE(Speaks::plain, Speaks::tls);
    const Listener listener(speaks, answer_of("thanks"));
    api::Outgoing outgoing(trusting_rules());
    const api::OutgoingRequest request{.post = true,
                                       .url = listener.url("/callbacks?a=b"),
                                       .headers = {{"X-OpenDSR-Signature", "c2ln"}},
                                       .body = "{}"};
    const auto answer = outgoing.send(request);
    REQUIRE(reason_of(answer) == "answered 200");
    CHECK(answer->body == "thanks");
    CHECK(listener.asked().starts_with("POST /callbacks?a=b HTTP/1.1\r\nHost: localhost:"));
    CHECK(listener.asked().find("X-OpenDSR-Signature: c2ln\r\n") != std::string::npos);
    CHECK(listener.asked().find("Content-Length: 2\r\n") != std::string::npos);
}

TEST_CASE("a connection that stays open is used again") {
    const Listener listener(Speaks::tls, answer_of("", "200 OK", ""), /*stays_open=*/true);
    {
        api::Outgoing outgoing(trusting_rules());
        for (int i = 0; i < 3; ++i)
            CHECK(reason_of(outgoing.send({.url = listener.url()})) == "answered 200");
    }
    CHECK(listener.served() == 3);
    CHECK(listener.accepted() == 1);
}

TEST_CASE("a connection that was closed meanwhile is opened anew") {
    const auto speaks = GENERATE(Speaks::plain, Speaks::tls);
    const Listener listener(speaks, answer_of("", "200 OK", ""));
    {
        api::Outgoing outgoing(trusting_rules());
        for (int i = 0; i < 3; ++i)
            CHECK(reason_of(outgoing.send({.url = listener.url()})) == "answered 200");
    }
    CHECK(listener.served() == 3);
    CHECK(listener.accepted() == 3);
    // Whoever answers nothing at all is asked once.
    const Listener mute(speaks, "\r\n");
    CHECK(ask(trusting_rules(), mute.url()) != "answered 200");
    CHECK(mute.served() == 1);
    CHECK(mute.accepted() == 1);
}

TEST_CASE("a redirect is an answer, and nobody follows it") {
    const Listener elsewhere(Speaks::plain, answer_of(""));
    const Listener listener(Speaks::plain,
                            answer_of("", "302 Found", "Location: " + elsewhere.url() + "\r\n"));
    CHECK(ask(trusting_rules(), listener.url()) == "answered 302");
    CHECK(elsewhere.accepted() == 0);
}

TEST_CASE("inner addresses are no stranger's to have called") {
    const Listener listener(Speaks::plain, answer_of(""));
    const auto port = std::to_string(listener.port());
    auto rules = trusting_rules();
    rules.inner_hosts = {"other.example"};
    for (const auto* host : {"localhost", "LOCALHOST", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
                             "0.0.0.0", "169.254.169.254", "10.0.0.1"}) {
        CAPTURE(host);
        CHECK(ask(rules, "https://" + std::string(host) + ":" + port + "/") ==
              "address_not_public");
        CHECK(ask(rules, "http://" + std::string(host) + ":" + port + "/") == "url_not_https");
    }
    CHECK(listener.accepted() == 0);
}

TEST_CASE("only a certificate that somebody trusted vouches for, of the host asked, is taken") {
    const Listener listener(Speaks::tls, answer_of(""));
    auto rules = trusting_rules();
    rules.authorities.clear();
    CHECK(ask(rules, listener.url()) == "certificate_refused");
    rules = trusting_rules();
    rules.inner_hosts = {"127.0.0.1"};
    CHECK(ask(rules, "https://127.0.0.1:" + std::to_string(listener.port()) + "/") ==
          "certificate_refused");
    rules.authorities = "nothing of the kind";
    CHECK(ask(rules, "https://127.0.0.1:" + std::to_string(listener.port()) + "/") ==
          "authorities_malformed");
    CHECK(listener.served() == 0);
}

TEST_CASE("who speaks no TLS where it is due is told nothing") {
    const Listener listener(Speaks::plain, answer_of(""));
    auto rules = trusting_rules();
    rules.patience = 200ms;
    CHECK(ask(rules, "https://localhost:" + std::to_string(listener.port()) + "/") ==
          "answer_late");
    CHECK(listener.served() == 0);
}

TEST_CASE("patience ends, and is that of the whole request") {
    const Listener mute(Speaks::plain, "");
    // Something comes all the while.
    const Listener slow(Speaks::drips, answer_of(std::string(1'000, 'x')));
    auto rules = trusting_rules();
    rules.patience = 300ms;
    for (const auto* listener : {&mute, &slow}) {
        const auto begun = std::chrono::steady_clock::now();
        CHECK(ask(rules, listener->url()) == "answer_late");
        CHECK(std::chrono::steady_clock::now() - begun < 3s);
        CHECK(listener->served() == 1);
    }
}

TEST_CASE("what is cancelled ends at once, and nothing follows") {
    const Listener mute(Speaks::plain, "");
    auto rules = trusting_rules();
    rules.patience = 60s;
    api::Outgoing outgoing(rules);
    std::thread other([&] {
        while (mute.served() == 0) std::this_thread::sleep_for(5ms);
        outgoing.cancel();
    });
    const auto begun = std::chrono::steady_clock::now();
    CHECK(reason_of(outgoing.send({.url = mute.url()})) == "cancelled");
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
    other.join();
    CHECK(reason_of(outgoing.send({.url = mute.url()})) == "cancelled");
    CHECK(mute.accepted() == 1);
}

TEST_CASE("an answer is read to its bound and not further") {
    const Listener listener(Speaks::plain, answer_of(std::string(70'000, 'x')));
    CHECK(ask(trusting_rules(), listener.url()) == "answer_too_large");
    const Listener headers(Speaks::plain,
                           answer_of("", "200 OK", "X-Long: " + std::string(20'000, 'x') + "\r\n"));
    CHECK(ask(trusting_rules(), headers.url()) == "answer_too_large");
    const Listener cut(Speaks::plain, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal");
    CHECK(ask(trusting_rules(), cut.url()) == "answer_cut");
}

TEST_CASE("nobody there is said so") {
    std::string url;
    {
        const Listener listener(Speaks::plain, "");
        url = listener.url();
    }
    CHECK(ask(trusting_rules(), url) == "host_unreachable");
    CHECK(ask(trusting_rules(), "https://nobody.invalid/") == "host_unknown");
}

TEST_CASE("a URL is a scheme, a host, perhaps a port, and a target") {
    const auto url = api::parse_url("https://DSR.shop.example:8443/a/b?c=d");
    REQUIRE(url);
    CHECK(url->tls);
    CHECK(url->host == "dsr.shop.example");
    CHECK(url->authority() == "dsr.shop.example:8443");
    CHECK(url->target == "/a/b?c=d");
    CHECK(api::parse_url("http://[2001:DB8::1]")->authority() == "[2001:db8::1]");
    CHECK(api::parse_url("http://shop.example?x")->target == "/?x");
    for (const auto* bad :
         {"", "shop.example", "ftp://shop.example", "https://", "https:///a", "https://a:b@c/",
          "https://shop.example:0/", "https://shop.example:65536/", "https://shop.example:/",
          "https://shop.example#a", "https://shop.example/a b", "https://shop.example/\r\nX: y",
          "https://shop_example/", "https://[::1/", "https://[::1]x/", "https://sho\xc3\xb6p/"}) {
        CAPTURE(bad);
        CHECK_FALSE(api::parse_url(bad));
    }
}

TEST_CASE("an address is public unless a registry says otherwise") {
    const auto is_public = [](const char* text) {
        return api::is_public(asio::ip::make_address(text));
    };
    for (const auto* text : {"8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1",
                             "2606:4700::1111", "::ffff:8.8.8.8"}) {
        CAPTURE(text);
        CHECK(is_public(text));
    }
    for (const auto* text :
         {"0.0.0.0",      "10.1.2.3",        "100.64.0.1",  "127.0.0.1",       "169.254.169.254",
          "172.16.0.1",   "172.31.255.1",    "192.168.1.1", "192.0.2.1",       "198.18.0.1",
          "198.19.255.1", "203.0.113.1",     "224.0.0.1",   "255.255.255.255", "::",
          "::1",          "fe80::1",         "fc00::1",     "fd12::1",         "ff02::1",
          "2001:db8::1",  "2002:7f00::1",    "2001::1",     "64:ff9b::a00:1",  "::ffff:10.0.0.1",
          "::127.0.0.1",  "::ffff:127.0.0.1"}) {
        CAPTURE(text);
        CHECK_FALSE(is_public(text));
    }
}

}  // namespace
