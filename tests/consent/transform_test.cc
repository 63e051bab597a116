#include "consent/transform.h"

#include <catch2/catch.hpp>

namespace {

using namespace consent;

std::string out(const Value& value, const ChannelLabel& how) {
    return transformed(value, how).value_or("none");
}

ChannelLabel first(std::uint32_t characters) {
    return {.label = "l", .transform = Transform::truncate, .length = characters};
}

TEST_CASE("what is cut keeps its first characters, however they are written") {
    CHECK(out({.json = R"("04109")"}, first(2)) == R"("04")");
    CHECK(out({.json = R"("04109")"}, first(9)) == R"("04109")");
    CHECK(out({.json = R"("")"}, first(2)) == R"("")");
    CHECK(out({.json = R"("서울특별시")"}, first(2)) == R"("서울")");
    CHECK(out({.json = R"("a\"b")"}, first(2)) == R"("a\"")");
    CHECK(out({.json = R"("\u00e9tude")"}, first(2)) == R"("\u00e9t")");
    CHECK(out({.json = R"("\ud83d\ude00!")"}, first(1)) == R"("\ud83d\ude00")");
    CHECK(out({.json = R"("\\n")"}, first(1)) == R"("\\")");
    CHECK(out({.json = "12345"}, first(2)) == "none");
    CHECK(out({.json = R"(["12345"])"}, first(2)) == "none");
}

TEST_CASE("a hash is of our normal form, or the one that the destination's rule made") {
    const std::string other(64, 'a');
    const NamedHash hashes[] = {{"google", other}, {"meta", "a@shop.example"}};
    const Value value{.json = R"("A@shop.example")", .normal = "a@shop.example", .hashes = hashes};
    const auto how = [](const char* form) {
        return ChannelLabel{.label = "l", .transform = Transform::sha256, .form = form};
    };
    const std::string own = R"("f1a380e36299cc9e667d3485ebf78d8f0189d684d776a66cc9f26a54d82dc76c")";
    CHECK(out(value, how("")) == own);
    CHECK(out(value, how("plain")) == own);
    CHECK(out(value, how("google")) == '"' + other + '"');
    CHECK(out(value, how("snap")) == "none");
    CHECK(out(value, how("meta")) == "none");  // that is no hash
}

TEST_CASE("a keyed token stands for text, and for nothing when there is none") {
    const ChannelLabel how{.label = "l", .transform = Transform::keyed_token};
    CHECK(out({.json = R"("x")", .keyed_token = "0a1b"}, how) == R"("0a1b")");
    CHECK(out({.json = R"("x")"}, how) == "none");
    CHECK(out({.json = "7", .keyed_token = "0a1b"}, how) == "none");
}

TEST_CASE("of two forms the one that tells less is stricter") {
    const ChannelLabel raw{.label = "a"};
    const ChannelLabel hash{.label = "b", .transform = Transform::sha256};
    const ChannelLabel token{.label = "c", .transform = Transform::keyed_token};
    CHECK(is_stricter(first(3), raw));
    CHECK(is_stricter(first(2), first(3)));
    CHECK(is_stricter(hash, first(1)));
    CHECK(is_stricter(token, hash));
    CHECK_FALSE(is_stricter(raw, raw));
    CHECK_FALSE(is_stricter(raw, token));
}

}  // namespace
