#include "consent/record.h"

#include <functional>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "tests/consent/world.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;

std::string random_text(cdp::Random& random) {
    std::string text(random.below(20), '\0');
    for (char& c : text) c = static_cast<char>(0x20 + random.below(0x5f));
    return text + (random.one_in(4) ? "광고" : "");
}

Record random_record(cdp::Random& random) {
    Record record{.id = tests::record_id(random.next())};
    for (auto n = 1 + random.below(3); n > 0; --n)
        record.asserted.push_back({tests::token(std::to_string(random.next()))});
    record.purpose = "p" + random_text(random);
    for (auto n = random.below(3); n > 0; --n) record.channels.push_back("c" + random_text(random));
    record.state = static_cast<State>(1 + random.below(4));
    record.scope = static_cast<Scope>(1 + random.below(3));
    record.time = cdp::timestamp_of(static_cast<std::int64_t>(random.next() >> 8) - (1LL << 54));
    record.received = cdp::timestamp_of(static_cast<std::int64_t>(random.next() >> 8));
    if (random.one_in(2)) record.valid_until = record.time + std::chrono::milliseconds(1);
    record.origin = static_cast<Origin>(1 + random.below(4));
    record.source = random_text(random);
    set_method(record, random.one_in(2) ? "checkbox" : random_text(random));
    record.notice = {random_text(random), random_text(random), random_text(random)};
    record.actor.id = random_text(random);
    return record;
}

Sha256 random_hash(cdp::Random& random) {
    return sha256(std::to_string(random.next()));
}

cdp::Timestamp later(const Record& record, int days) {
    return record.time + std::chrono::days(days);
}

// What only format 2 can say. Each part is there half of the time.
Record random_full_record(cdp::Random& random) {
    auto record = random_record(random);
    record.valid_until.reset();
    const auto id = [&] { return tests::record_id(random.next()); };
    record.asserted[0].strength = static_cast<Strength>(1 + random.below(3));
    if (random.one_in(2)) record.labels = {"contact.email", "l" + random_text(random)};
    record.basis = Basis::explicit_consent;
    if (random.one_in(2)) record.jurisdiction = random.one_in(2) ? "KR" : "US-CA";
    record.regime = random_text(random);
    record.notice.language = random_text(random);
    record.notice.url = random_text(random);
    record.notice.code_hash = random_text(random);
    if (random.one_in(2)) {
        const auto raw = random_text(random);
        record.signal = {SignalType::gpp, raw, sha256(raw), random_text(random)};
    }
    if (random.one_in(2)) record.evidence = {{"form", random_hash(random), 7, random_text(random)}};
    if (random.one_in(2))
        record.minor = {AgeBand::age_14_15, tests::token("guardian"), "id card", id()};
    record.actor.kind = static_cast<ActorKind>(1 + random.below(5));
    record.graph_version = random.next();
    record.receipt_id = random_text(random);
    switch (random.below(3)) {
        case 0:
            record.state = State::granted;
            record.effective_from = later(record, 1);
            record.reconfirm_due = later(record, 9);
            record.overrides = {id(), id()};
            if (random.one_in(2))
                record.double_opt_in = {id(), random_hash(random), std::nullopt, id()};
            break;
        case 1:
            record.state = State::pending_doi;
            record.double_opt_in = {std::nullopt, random_hash(random), later(record, 2), {}};
            break;
        default:
            record.state = State::restricted;
            record.purpose = kAllPurposes;
            record.no_reask_until = later(record, 3);
    }
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

TEST_CASE("a record with everything there is to say reads back as it was written") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto record = random_full_record(random);
    const auto checked = check(record);
    if (!checked) INFO(checked.error().reason);
    REQUIRE(checked);
    CHECK(encode(record)[0] == 2);
    const auto read = decode(encode(record));
    REQUIRE(read);
    CHECK(*read == record);
}

TEST_CASE("what the first format could say is written in it") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    cdp::Random random(seed);
    CHECK(encode(random_record(random))[0] == 1);
}

TEST_CASE("the bytes and the id of a record of the first format stay for ever what they are") {
    Record record{.id = tests::record_id(1), .asserted = {{tests::token("mail")}}};
    record.purpose = "news";
    record.channels = {"tool"};
    record.state = State::granted;
    record.scope = Scope::identifier;
    record.time = tests::day(1);
    record.received = tests::day(2);
    record.valid_until = tests::day(9);
    record.origin = Origin::officer;
    record.source = "desk";
    set_method(record, "paper");
    record.notice = {"n", "2", "aa"};
    record.actor = {ActorKind::officer, "officer:desk"};
    CHECK(cdp::to_hex(encode(record)) ==
          "0100000000000000010000000000000000000000000a4cb80000016d61696c000000000000000000"
          "000000000000046e657773000100000004746f6f6c01010000000005265c0001000000002e593c00"
          "04000000046465736b000000057061706572000000016e00000001320000000261610000000c6f66"
          "66696365723a6465736b");
    CHECK(decode(encode(record)).value() == record);
}

TEST_CASE("bytes that are no record are refused, and never misread") {
    const auto seed = GENERATE(tests::seeds(400));
    CAPTURE(seed);
    cdp::Random random(seed);
    auto bytes = encode(random.one_in(2) ? random_record(random) : random_full_record(random));
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
    for (const char format : {'\0', '\2', '\3'}) {
        bytes[0] = format;
        CHECK_FALSE(decode(bytes));
    }
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
    CHECK(reason([](Record& r) { set_method(r, std::string(1025, 'm')); }) == "too_long");
    CHECK(reason([](Record& r) { r.asserted.push_back({r.asserted[0].token, Strength::weak}); }) ==
          "identifier_repeated");
    CHECK(reason([](Record& r) { r.channels.assign(64, std::string(1000, 'c')); }) == "too_long");
}

TEST_CASE("a record that contradicts itself is refused, naming the place") {
    struct Row {
        const char* reason;
        const char* pointer;
        std::function<void(Record&)> spoil;
    };
    const auto hash = sha256("x");
    const auto soon = tests::day(2);
    const std::vector<Row> rows = {
        {"", "", [](Record&) {}},
        {"purpose_not_specific", "/purpose", [](Record& r) { r.purpose = "*"; }},
        {"effective_from_unexpected", "/effectiveFrom",
         [&](Record& r) {
             r.state = State::withdrawn;
             r.effective_from = soon;
         }},
        {"effective_before_said", "/effectiveFrom",
         [](Record& r) { r.effective_from = tests::day(0); }},
        {"never_valid", "/validUntil",
         [](Record& r) {
             r.effective_from = tests::day(5);
             r.valid_until = tests::day(5);
         }},
        {"reconfirm_due_unexpected", "/reconfirmDue", [](Record& r) { r.reconfirm_due = r.time; }},
        {"no_reask_unexpected", "/noReaskUntil", [&](Record& r) { r.no_reask_until = soon; }},
        {"implied_too_long", "/validUntil", [](Record& r) { r.basis = Basis::kr_trade_6m; }},
        {"implied_too_long", "/validUntil",
         [](Record& r) {
             r.basis = Basis::casl_implied_6m;
             r.valid_until = tests::day(300);
         }},
        {"malformed_jurisdiction", "/jurisdiction", [](Record& r) { r.jurisdiction = "Korea"; }},
        {"malformed_method", "/method", [](Record& r) { r.method = Method::other; }},
        {"malformed_method", "/method",
         [](Record& r) {
             r.method = Method::other;
             r.method_other = "toggle";
         }},
        {"signal_missing", "/signal", [](Record& r) { r.method = Method::signal; }},
        {"signal_differs", "/signal/digest",
         [&](Record& r) { r.signal = {SignalType::gpc, "1", hash, "1"}; }},
        {"too_long", "/signal/raw",
         [](Record& r) {
             const std::string raw(kRecordSignalMax + 1, 'x');
             r.signal = {SignalType::tcf, raw, sha256(raw), "1"};
         }},
        {"evidence_incomplete", "/evidence/0",
         [](Record& r) { r.evidence = {{"form", {}, 1, ""}}; }},
        {"too_many_evidence", "/evidence",
         [&](Record& r) { r.evidence.assign(17, {"form", hash, 1, ""}); }},
        {"double_opt_in_missing", "/doubleOptIn", [](Record& r) { r.state = State::pending_doi; }},
        {"double_opt_in_incomplete", "/doubleOptIn/request",
         [&](Record& r) { r.double_opt_in = {std::nullopt, hash, soon, {}}; }},
        {"double_opt_in_incomplete", "/doubleOptIn",
         [&](Record& r) {
             r.state = State::pending_doi;
             r.double_opt_in = {std::nullopt, hash, r.time, {}};
         }},
        {"double_opt_in_contradicts", "/doubleOptIn",
         [&](Record& r) {
             r.state = State::pending_doi;
             r.double_opt_in = {tests::record_id(4), hash, soon, {}};
         }},
        {"double_opt_in_unexpected", "/doubleOptIn",
         [&](Record& r) {
             r.state = State::denied;
             r.double_opt_in = {tests::record_id(4), hash, soon, {}};
         }},
        {"guardian_incomplete", "/minor",
         [](Record& r) { r.minor = {AgeBand::age_13, {}, "card", tests::record_id(4)}; }},
        {"guardian_is_minor", "/minor/guardian",
         [](Record& r) { r.minor = {AgeBand::age_13, r.asserted[0].token, "card", {}}; }},
        {"overrides_unexpected", "/overrides",
         [](Record& r) {
             r.state = State::withdrawn;
             r.overrides = {tests::record_id(4)};
         }},
        {"overrides_unexpected", "/overrides",
         [](Record& r) {
             r.state = State::not_applicable;
             r.overrides = {tests::record_id(4)};
         }},
        {"overrides_itself", "/overrides", [](Record& r) { r.overrides = {r.id}; }},
        {"partly_invalidated", "/state", [](Record& r) { r.state = State::invalidated; }},
        {"invalidated_person", "/scope",
         [](Record& r) {
             r.state = State::invalidated;
             r.purpose = "*";
         }},
        {"too_many_labels", "/labels", [](Record& r) { r.labels.assign(65, "l"); }},
        {"empty_label", "/labels", [](Record& r) { r.labels = {""}; }},
        {"malformed_text", "/regime", [](Record& r) { r.regime = "a\nb"; }},
        {"malformed_text", "/method", [](Record& r) { set_method(r, std::string("a\0b", 3)); }},
        {"malformed_text", "/notice/id", [](Record& r) { r.notice.id = "\xc3("; }},
        {"malformed_text", "/labels", [](Record& r) { r.labels = {"\xe2\x80\xa8"}; }},
    };
    for (const auto& row : rows) {
        Record record{.id = tests::record_id(3), .asserted = {{tests::token("mail")}}};
        record.purpose = "news";
        record.state = State::granted;
        record.time = tests::day(1);
        record.origin = Origin::server;
        row.spoil(record);
        const auto checked = check(record);
        CAPTURE(row.reason, row.pointer);
        CHECK((checked ? std::string() : checked.error().reason) == row.reason);
        CHECK((checked ? std::string() : checked.error().pointer) == row.pointer);
    }
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
    for (const auto* name :
         {"granted", "denied", "withdrawn", "objected", "restricted", "pending_doi", "expired",
          "invalidated", "reconfirmed", "not_applicable", "noticed"})
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
