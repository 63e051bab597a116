#include "api/http_head.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/api/raw_requests.h"
#include "tests/api/wire.h"

namespace {

const std::string kGet = tests::kRawGet;

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
    for (const auto& row : tests::raw_requests()) {
        CAPTURE(row.what);
        CHECK(status_of(row.bytes) == row.status);
    }
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
