#include "consent/record.h"

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "tests/consent/world.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;

std::string random_text(cdp::Random& random) {
    std::string text(random.below(20), '\0');
    for (char& c : text) c = static_cast<char>(random.below(256));
    return text;
}

Record random_record(cdp::Random& random) {
    Record record{.id = tests::record_id(random.next())};
    for (auto n = 1 + random.below(3); n > 0; --n)
        record.asserted.push_back(tests::token(std::to_string(random.next())));
    record.purpose = "p" + random_text(random);
    for (auto n = random.below(3); n > 0; --n) record.channels.push_back("c" + random_text(random));
    record.state = static_cast<State>(1 + random.below(4));
    record.scope = static_cast<Scope>(1 + random.below(3));
    record.time = cdp::timestamp_of(static_cast<std::int64_t>(random.next() >> 8) - (1LL << 54));
    record.received = cdp::timestamp_of(static_cast<std::int64_t>(random.next() >> 8));
    if (random.one_in(2)) record.valid_until = record.time + std::chrono::milliseconds(1);
    record.origin = static_cast<Origin>(1 + random.below(4));
    record.source = random_text(random);
    record.method = random_text(random);
    record.notice = {random_text(random), random_text(random), random_text(random)};
    record.actor = random_text(random);
    return record;
}

TEST_CASE("a record reads back as it was written") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto record = random_record(random);
    REQUIRE(check(record));
    const auto read = decode(encode(record));
    REQUIRE(read);
    CHECK(*read == record);
}

TEST_CASE("bytes that are no record are refused, and never misread") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random(seed);
    auto bytes = encode(random_record(random));
    switch (random.below(3)) {
        case 0: bytes.resize(random.below(bytes.size())); break;
        case 1: bytes.push_back('x'); break;
        default: bytes[random.below(bytes.size())] ^= static_cast<char>(1 + random.below(255));
    }
    const auto read = decode(bytes);
    // A changed byte may make another record, but then the bytes are that record's.
    if (read) CHECK(encode(*read) == bytes);
    if (!read) CHECK(read.error().code == cdp::ErrorCode::corruption);
}

TEST_CASE("no two forms of bytes are one record") {
    cdp::Random random(1);
    const auto bytes = encode(random_record(random));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (int n = 1; n < 4; ++n) {
            auto other = bytes;
            other[i] = static_cast<char>(other[i] + n);
            const auto read = decode(other);
            CAPTURE(i, n);
            if (read) CHECK(encode(*read) == other);
        }
    }
}

TEST_CASE("a record of another format is refused") {
    cdp::Random random(1);
    auto bytes = encode(random_record(random));
    bytes[0] = 2;
    CHECK_FALSE(decode(bytes));
}

TEST_CASE("the same content has the same id, whenever it is received") {
    cdp::Random random(1);
    const auto record = random_record(random);
    auto again = record;
    again.id = tests::record_id(7);
    again.received += std::chrono::hours(1);
    CHECK(content_id(again) == content_id(record));
    again.purpose += "!";
    CHECK(content_id(again) != content_id(record));
}

TEST_CASE("a record that can mean nothing is refused") {
    cdp::Random random(1);
    auto record = random_record(random);
    const auto reason = [&](auto&& spoil) {
        auto spoilt = record;
        spoil(spoilt);
        const auto checked = check(spoilt);
        return checked ? std::string() : checked.error().reason;
    };
    CHECK(reason([](Record&) {}) == "");
    CHECK(reason([](Record& r) { r.asserted.clear(); }) == "no_identifier");
    CHECK(reason([](Record& r) { r.asserted.resize(65); }) == "too_many_identifiers");
    CHECK(reason([](Record& r) { r.purpose.clear(); }) == "no_purpose");
    CHECK(reason([](Record& r) { r.valid_until = r.time; }) == "never_valid");
    CHECK(reason([](Record& r) { r.channels.assign(65, "c"); }) == "too_many_channels");
    CHECK(reason([](Record& r) { r.channels.assign(1, ""); }) == "empty_channel");
    CHECK(reason([](Record& r) { r.method.assign(1025, 'm'); }) == "too_long");
    CHECK(reason([](Record& r) { r.channels.assign(64, std::string(1000, 'c')); }) == "too_long");
}

TEST_CASE("a client grants nothing on an address, and may deny everything") {
    CHECK_FALSE(counts(State::granted, Origin::client_stamp, /*contact=*/true));
    CHECK(counts(State::granted, Origin::client_stamp, /*contact=*/false));
    CHECK(counts(State::granted, Origin::server_stamp, /*contact=*/true));
    CHECK(counts(State::denied, Origin::client_stamp, /*contact=*/true));
    CHECK(counts(State::withdrawn, Origin::client_stamp, /*contact=*/true));
    CHECK(counts(State::objected, Origin::client_stamp, /*contact=*/true));
}

TEST_CASE("names on the wire read back, and no others are known") {
    for (const auto* name : {"granted", "denied", "withdrawn", "objected"})
        CHECK(to_string(parse_state(name).value()) == name);
    for (const auto* name : {"identifier", "device", "person"})
        CHECK(to_string(parse_scope(name).value()) == name);
    for (const auto* name : {"client_stamp", "server_stamp", "server", "officer"})
        CHECK(to_string(parse_origin(name).value()) == name);
    CHECK_FALSE(parse_state("Granted"));
    CHECK_FALSE(parse_scope(""));
    CHECK_FALSE(parse_origin("client"));
}

}  // namespace
