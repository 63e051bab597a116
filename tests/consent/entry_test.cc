#include "consent/entry.h"

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;

Entry random_entry(cdp::Random& random) {
    Entry entry{.type = static_cast<EntryType>(1 + random.below(13))};
    entry.time = cdp::timestamp_of(static_cast<std::int64_t>(random.next() >> 20));
    for (auto& byte : entry.tenant) byte = static_cast<std::uint8_t>(random.next());
    entry.commitment = sha256(std::to_string(random.next()));
    for (auto n = random.below(4); n > 0; --n)
        entry.fields.push_back({static_cast<PublicTag>(random.below(9)),
                                std::string(random.below(300), static_cast<char>(random.next()))});
    return entry;
}

TEST_CASE("an entry has the form that outsiders read") {
    const Entry entry{.type = EntryType::gap,
                      .time = cdp::timestamp_of(0x0102030405060708),
                      .tenant = {9, 9, 9, 9, 9, 9, 9, 9},
                      .commitment = sha256(""),
                      .fields = {{PublicTag::name, "ab"}}};
    CHECK(cdp::to_hex(encode(entry)) ==
          "010d01020304050607080909090909090909"
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
          "0100026162");
    CHECK(to_string(entry.type) == "gap");
    CHECK(to_string(EntryType::record) == "record");
}

TEST_CASE("an entry reads back as it was written, and cut or longer it is none") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto entry = random_entry(random);
    const auto bytes = encode(entry);
    const auto read = decode_entry(bytes);
    REQUIRE(read);
    CHECK(*read == entry);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        // What ends between two fields is a shorter entry; of 33 bytes there was an older form.
        const auto cut = decode_entry(bytes.substr(0, size));
        if (cut && size != 33) CHECK(encode(*cut) == bytes.substr(0, size));
    }
    CHECK_FALSE(decode_entry(bytes.substr(0, 49)));
    CHECK_FALSE(decode_entry(bytes + "x"));
}

TEST_CASE("entries of the first form stay good") {
    const auto hash = sha256("x");
    const auto read = decode_entry("\x02" + std::string(view(hash)));
    REQUIRE(read);
    CHECK(read->type == EntryType::cell);
    CHECK(read->commitment == hash);
    CHECK(read->fields.empty());
    CHECK_FALSE(decode_entry("\x0f" + std::string(view(hash))));
    CHECK_FALSE(decode_entry(std::string_view("\0", 1)));
    CHECK_FALSE(decode_entry({}));
}

TEST_CASE("a commitment is of the type, the salt and the bytes") {
    const auto salt = sha256("salt");
    const auto one = commitment(EntryType::record, salt, "bytes");
    CHECK(one == sha256(std::string("cdp-ledger/commit/v1\0\x01", 22) + std::string(view(salt)) +
                        std::string("\0\0\0\x05"
                                    "bytes",
                                    9)));
    CHECK(one != commitment(EntryType::cell, salt, "bytes"));
    CHECK(one != commitment(EntryType::record, sha256("other"), "bytes"));
    CHECK(one != commitment(EntryType::record, salt, "byte"));
}

}  // namespace
