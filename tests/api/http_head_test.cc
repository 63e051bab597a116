#include "api/http_head.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/api/wire.h"

namespace {

const std::string kGet = "GET /v1/batch HTTP/1.1\r\nHost: a\r\n";
const std::string kPost = "POST /v1/batch HTTP/1.1\r\nHost: a\r\n";

int status_of(const std::string& bytes) {
    const auto reading = tests::read_wire(bytes);
    return reading.refusal ? reading.refusal->status : reading.unfinished ? 0 : 200;
}

std::string decode_base64(const std::string& text) {
    std::string out;
    unsigned bits = 0;
    int count = 0;
    for (const char c : text) {
        static const std::string kDigits =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const auto digit = kDigits.find(c);
        if (digit == std::string::npos) break;
        bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xfff;
        if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xff);
    }
    return out;
}

// llhttp does not ask for a Host. With one, what it reads can be compared.
std::string with_host(std::string bytes) {
    std::string lower = bytes;
    for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto end = bytes.find("HTTP/1.1\r\n");
    if (end != bytes.npos && lower.find("\nhost:") == lower.npos)
        bytes.insert(end + 10, "Host: a\r\n");
    return bytes;
}

}  // namespace

TEST_CASE("requests that two readers could take differently are refused") {
    struct Row {
        const char* what;
        std::string bytes;
        int status;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {"plain", kGet + "\r\n", 200},
        {"body by length", kPost + "Content-Length: 5\r\n\r\nhello", 200},
        {"body by chunks", kPost + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200},
        {"coding in capitals", kPost + "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200},
        {"body shorter than said", kPost + "Content-Length: 5\r\n\r\nhell", 0},
        {"length zero on GET", kGet + "Content-Length: 0\r\n\r\n", 200},
        {"two pipelined", kGet + "\r\n" + kGet + "\r\n", 200},
        {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 200},
        {"OPTIONS of everything", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200},
        {"Host with a port", "GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n", 200},
        {"Host is an IPv6 address", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200},
        {"obs-text in a value", kGet + "X: \xe4\r\n\r\n", 200},

        {"xchunked", kPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
        {"chunked, identity", kPost + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
        {"gzip, chunked", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        {"identity, chunked", kPost + "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 501},
        {"identity", kPost + "Transfer-Encoding: identity\r\n\r\n", 501},
        {"empty coding", kPost + "Transfer-Encoding: \r\n\r\n", 501},
        {"quoted coding", kPost + "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
        {"vertical tab before coding", kPost + "Transfer-Encoding: \x0b" "chunked\r\n\r\n", 400},
        {"coding twice", kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"length, then coding", kPost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"coding, then length", kPost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
        {"two lengths", kPost + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
        {"the same length twice", kPost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
        {"list of lengths", kPost + "Content-Length: 5, 5\r\n\r\nhello", 400},
        {"length +5", kPost + "Content-Length: +5\r\n\r\nhello", 400},
        {"length 0x5", kPost + "Content-Length: 0x5\r\n\r\nhello", 400},
        {"length -1", kPost + "Content-Length: -1\r\n\r\n", 400},
        {"length 2^64", kPost + "Content-Length: 18446744073709551616\r\n\r\n", 400},
        {"length empty", kPost + "Content-Length:\r\n\r\n", 400},
        {"length with a space inside", kPost + "Content-Length: 4 2\r\n\r\n", 400},
        {"space before the colon", kPost + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
        {"space before the name", kGet + " X: 1\r\n\r\n", 400},
        {"folded line", kGet + "X: 1\r\n 2\r\n\r\n", 400},
        {"header without a colon", kGet + "X\r\n\r\n", 400},
        {"header without a name", kGet + ": 1\r\n\r\n", 400},
        {"NUL in a value", kGet + std::string("X: \0\r\n\r\n", 8), 400},
        {"DEL in a value", kGet + "X: \x7f\r\n\r\n", 400},
        {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
        {"bare CR", kGet + "X: a\rb\r\n\r\n", 400},
        {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"two Hosts", kGet + "Host: b\r\n\r\n", 400},
        {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"Host with a quote", "GET / HTTP/1.1\r\nHost: a\"b\r\n\r\n", 400},
        {"Host with user info", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        {"two Authorizations", kGet + "Authorization: a\r\nAuthorization: a\r\n\r\n", 400},
        {"raw byte in the target", "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"raw byte in the query", "GET /?\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"authority form", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"star on GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"dot segments", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"dot segment at the end", "GET /a/. HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"escaped dot segments", "GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"half escaped dot segment", "GET /a/.%2E HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"dots that are a name", "GET /a/...%2e/b HTTP/1.1\r\nHost: a\r\n\r\n", 200},
        {"escaped NUL", "GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"escaped line break in the query", "GET /?a=%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"cut escape", "GET /a%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"escape that is none", "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"GET with a body", kGet + "Content-Length: 5\r\n\r\nhello", 400},
        {"GET with chunks", kGet + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\n", 505},
        {"HTTP/0.9", "GET /\r\n\r\n", 400},
        {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"unknown expectation", kPost + "Expect: tea\r\n\r\n", 417},
        {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), 400},

        {"chunk size overflow", kPost + "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx", 400},
        {"chunk size in hexadecimal notation", kPost + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400},
        {"negative chunk size", kPost + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", 400},
        {"chunk longer than said", kPost + "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n", 400},
        {"chunk ended by LF", kPost + "Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n", 400},
    }));
    // clang-format on
    CAPTURE(row.what);
    CHECK(status_of(row.bytes) == row.status);
}

TEST_CASE("heads have limits") {
    const auto long_target = "GET /" + std::string(api::kTargetBytesMax, 'a');
    CHECK(status_of(long_target + " HTTP/1.1\r\nHost: a\r\n\r\n") == 414);
    CHECK(status_of(long_target + std::string(100, 'a')) == 414);
    CHECK(status_of(kGet + "X: " + std::string(api::kFieldBytesMax, 'a') + "\r\n\r\n") == 431);
    CHECK(status_of(kGet + std::string("X: ") + std::string(api::kHeadBytesMax, 'a')) == 431);

    std::string many;
    for (std::size_t i = 1; i < api::kFieldsMax; ++i) many += "X: 1\r\n";
    CHECK(status_of(kGet + many + "\r\n") == 200);
    CHECK(status_of(kGet + many + "X: 1\r\n\r\n") == 431);
}

TEST_CASE("a head is read into its parts") {
    api::Head head;
    REQUIRE_FALSE(
        api::read_head("POST /v1/t?writeKey=k+1&x=%C3%A4 HTTP/1.1\r\nHost: cdp.example:80\r\n"
                       "Origin: https://shop.example\r\nAuthorization: Basic azo=\r\n"
                       "X-Write-Key: \t k \r\nContent-Encoding: gzip\r\n"
                       "Content-Length: 12\r\nExpect: 100-Continue\r\n"
                       "Connection: x, Close\r\n\r\n",
                       head));
    CHECK(head.method == api::Method::post);
    CHECK(head.path == "/v1/t");
    CHECK(head.host == "cdp.example:80");
    CHECK(head.origin == "https://shop.example");
    CHECK(head.authorization == "Basic azo=");
    CHECK(head.write_key == "k");
    CHECK(head.content_encoding == "gzip");
    CHECK(head.content_length == 12u);
    CHECK(head.expects_continue);
    CHECK_FALSE(head.keep_alive);
    CHECK(api::query_value(head.query, "writeKey") == "k 1");
    CHECK(api::query_value(head.query, "x") == "\xc3\xa4");
    CHECK_FALSE(api::query_value(head.query, "y"));
    CHECK(api::percent_decode("a+b%2B") == "a+b+");
}

TEST_CASE("HTTP/1.0 closes unless it is asked to stay") {
    api::Head head;
    REQUIRE_FALSE(api::read_head("GET / HTTP/1.0\r\n\r\n", head));
    CHECK_FALSE(head.keep_alive);
    REQUIRE_FALSE(api::read_head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", head));
    CHECK(head.keep_alive);
}

TEST_CASE("whatever llhttp refuses is refused, and more is refused only for a reason") {
    const char* folder = std::getenv("CDP_TEST_DATA");
    if (!folder) {
        std::cout << "skipped: llhttp's vectors, CDP_TEST_DATA is not set\n";
        return;
    }
    const std::map<std::string, std::string> reasons{
        {"request/sample.md:297", "no empty line before a request line"},
        {"request/sample.md:485", "no empty line before a request line"},
        {"request/connection.md:167", "no empty line before a request line"},
        {"request/sample.md:320", "no HTTP/0.9"},
        {"request/method.md:10", "no methods but those of our routes"},
        {"request/method.md:144", "no methods but those of our routes"},
        {"request/method.md:224", "no methods but those of our routes"},
        {"request/method.md:252", "no methods but those of our routes"},
        {"request/method.md:282", "no methods but those of our routes"},
        {"request/method.md:319", "no methods but those of our routes"},
        {"request/method.md:351", "no methods but those of our routes"},
        {"request/method.md:492", "no methods but those of our routes"},
        {"request/method.md:379", "no other protocols"},
        {"request/method.md:409", "no other protocols"},
        {"request/method.md:437", "no other protocols"},
        {"request/uri.md:10", "no bytes in a target that RFC 3986 does not have"},
        {"request/uri.md:58", "no absolute form"},
        {"request/uri.md:81", "no absolute form"},
        {"request/uri.md:131", "no absolute form"},
        {"request/uri.md:228", "no absolute form"},
        {"request/uri.md:171", "no fragment"},
        {"request/transfer-encoding.md:763", "no fragment"},
        {"request/transfer-encoding.md:806", "no fragment"},
        {"request/connection.md:44", "every request needs its Host, the second too"},
        {"request/content-length.md:268", "no body on GET"},
        {"request/pipelining.md:19", "no empty line behind a body"},
    };
    std::ifstream in(std::string(folder) + "/llhttp/llhttp_vectors.ndjson");
    REQUIRE(in);
    std::string line;
    int seen = 0;
    auto unused = reasons;
    while (std::getline(in, line)) {
        const auto vector = nlohmann::json::parse(line);
        if (vector["meta"].value("type", "") != "request") continue;
        ++seen;
        const auto bytes = with_host(decode_base64(vector["input_b64"]));
        auto reading = tests::read_wire(bytes);
        const bool wrong = vector["expect_error"];
        // llhttp says no at the byte, we at the latest when the head ends.
        if (wrong && reading.unfinished) reading = tests::read_wire(bytes + "\r\n\r\n");
        const auto place = vector["file"].get<std::string>() + ":" + vector["line"].dump();
        CAPTURE(place, vector["name"]);
        if (wrong) {
            // llhttp pauses for the new protocol; we never upgrade and read on.
            if (place != "request/connection.md:687") CHECK((reading.refusal || reading.cut));
            continue;
        }
        CHECK(reading.refusal.has_value() == reasons.contains(place));
        unused.erase(place);
    }
    CHECK(seen > 100);
    CHECK(unused.empty());
}
