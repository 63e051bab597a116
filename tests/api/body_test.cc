#include "api/body.h"

#include <catch2/catch.hpp>
#include <iostream>

#include "api/json.h"
#include "cdp/base/random.h"
#include "tests/api/world.h"
#include "tests/support/seeds.h"

namespace {

// The body, or the code of the refusal, when `wire` comes in pieces of `piece` bytes.
std::string unchunk(std::string_view wire, std::size_t piece, std::size_t bytes_max = 1 << 20) {
    api::ChunkedBody body(bytes_max);
    std::string waiting;
    while (!body.done()) {
        if (wire.empty()) return "unfinished";
        waiting += wire.substr(0, piece);
        wire.remove_prefix(std::min(piece, wire.size()));
        const auto fed = body.feed(waiting);
        if (const auto* refusal = std::get_if<api::Refusal>(&fed)) return refusal->code;
        waiting.erase(0, std::get<std::size_t>(fed));
    }
    return body.take();
}

}  // namespace

TEST_CASE("chunks give the same body in whatever pieces they come") {
    const std::string wire =
        "5;a=\"b\"\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    for (std::size_t piece = 1; piece <= wire.size(); ++piece)
        CHECK(unchunk(wire, piece) == "hello 0123456789");
}

TEST_CASE("random bodies survive chunking") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    cdp::Random random{seed};
    std::string body;
    std::string wire;
    for (auto chunks = random.below(20); chunks > 0; --chunks) {
        std::string chunk(1 + random.below(300), '\0');
        for (auto& c : chunk) c = static_cast<char>(random.next());
        char size[20];
        std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
        wire += size + chunk + "\r\n";
        body += chunk;
    }
    CHECK(unchunk(wire + "0\r\n\r\n", 1 + random.below(500)) == body);
}

TEST_CASE("tiny chunks, long extensions and long bodies are refused") {
    std::string tiny;
    for (std::size_t i = 0; i <= api::kChunksMax; ++i) tiny += "1\r\nx\r\n";
    CHECK(unchunk(tiny + "0\r\n\r\n", 1 << 20) == "chunks_too_many");
    CHECK(unchunk("1;" + std::string(100'000, 'a') + "\r\nx\r\n0\r\n\r\n", 4096) ==
          "chunks_too_many");
    CHECK(unchunk("1;" + std::string(2'000, 'a') + "\r\nx\r\n0\r\n\r\n", 4096) ==
          "chunks_too_many");
    CHECK(unchunk("1;a=\"b\r\nx\r\n0\r\n\r\n", 4096) == "malformed_chunk");
    CHECK(unchunk("5\r\nhello\r\n0\r\n\r\n", 4096, 5) == "hello");
    CHECK(unchunk("5\r\nhello\r\n0\r\n\r\n", 4096, 4) == "body_too_large");
    CHECK(unchunk("ffffff\r\n", 4096) == "body_too_large");
}

TEST_CASE("gzip is taken whole, once, and within its limit") {
    const std::string plain(100'000, 'a');
    const auto packed = tests::gzip(plain);
    CHECK(api::gunzip(packed, plain.size()).value() == plain);
    CHECK(api::gunzip(packed, plain.size() - 1).error().reason == "body_too_large");
    CHECK(api::gunzip(packed.substr(0, packed.size() - 1), plain.size()).error().reason ==
          "malformed_gzip");
    CHECK(api::gunzip(packed + "x", plain.size()).error().reason == "malformed_gzip");
    CHECK(api::gunzip(packed + packed, plain.size() * 2).error().reason == "malformed_gzip");
    CHECK(api::gunzip("", 10).error().reason == "malformed_gzip");
    CHECK(api::gunzip("{\"a\":1}", 10).error().reason == "malformed_gzip");
    auto flipped = packed;
    flipped[packed.size() - 6] ^= 1;
    CHECK(api::gunzip(flipped, plain.size()).error().reason == "malformed_gzip");
    CHECK(api::gunzip(tests::gzip(""), 10).value().empty());
}

TEST_CASE("a gzip bomb stops at the limit") {
    const auto bomb = tests::gzip(std::string(64 << 20, '\0'));
    CHECK(bomb.size() < 100'000);
    CHECK(api::gunzip(bomb, 4 << 20).error().reason == "body_too_large");
}

TEST_CASE("only gzip alone is a known coding") {
    CHECK(api::coding_of("gzip") == api::Coding::gzip);
    CHECK(api::coding_of("X-GZIP") == api::Coding::gzip);
    CHECK(api::coding_of("identity") == api::Coding::identity);
    CHECK(api::coding_of("") == api::Coding::identity);
    for (const auto* other : {"gzip, gzip", "deflate", "br", ","})
        CHECK(api::coding_of(other) == api::Coding::unknown);
}

TEST_CASE("documents are bounded before they are built") {
    const auto reason = [](const std::string& text) {
        const auto document = api::parse_json(text);
        return document ? std::string("fine") : document.error().reason;
    };
    CHECK(reason(R"({"a":[1,2,{"b":null}]})") == "fine");
    CHECK(reason(std::string(64, '[') + std::string(64, ']')) == "fine");
    CHECK(reason(std::string(65, '[') + std::string(65, ']')) == "malformed_json");
    CHECK(reason(std::string(100'000, '[')) == "malformed_json");
    CHECK(reason(R"({"a":1,"a":2})") == "duplicate_key");
    CHECK(reason(R"({"a":1,"\u0061":2})") == "duplicate_key");
    CHECK(reason(R"({"a":{"a":1}})") == "fine");
    for (const auto* text : {"", "{", "{} {}", "01", "1e400", "NaN", "\"\\ud800\"", "\"\xff\"",
                             "\xef\xbb\xbf{}", "tru", "{\"a\":}", "// x\n{}"}) {
        CAPTURE(text);
        CHECK(reason(text) == "malformed_json");
    }
}

TEST_CASE("any bytes become one JSON string") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random{seed};
    std::string text(random.below(60), '\0');
    for (auto& c : text)
        c = static_cast<char>(random.one_in(2) ? random.below(128) : random.next());
    std::string out;
    api::append_json_string(out, text);
    const auto read = nlohmann::json::parse(out, nullptr, false);
    REQUIRE(read.is_string());
    const bool well_formed =
        !nlohmann::json::parse(
             nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::ignore),
             nullptr, false)
             .is_discarded() &&
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore) ==
            nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (well_formed) CHECK(read.get<std::string>() == text);
}
