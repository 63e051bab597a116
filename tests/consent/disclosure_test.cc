#include "consent/disclosure.h"

#include <catch2/catch.hpp>
#include <set>

#include "cdp/base/random.h"
#include "consent/disclosure_proof.h"
#include "tests/consent/world.h"
#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;

MaskField mask_field(const std::string& name) {
    return {.section = Section::fields, .name = name, .labels = {"contact.email"}, .form = "raw"};
}

DisclosureRow random_row(cdp::Random& random) {
    DisclosureRow row;
    for (auto* bytes : {&row.salt, &row.subject.bytes, &row.mask.bytes, &row.decision.bytes})
        for (auto& byte : *bytes) byte = static_cast<std::uint8_t>(random.next());
    row.count = static_cast<std::uint32_t>(random.below(1000));
    row.first = cdp::timestamp_of(static_cast<std::int64_t>(random.below(1u << 30)));
    row.last = row.first + std::chrono::milliseconds(random.below(1000));
    return row;
}

}  // namespace

TEST_CASE("a mask is what it says, and named by all of it") {
    const Mask mask{mask_field("email"), mask_field("phone")};
    const auto bytes = encode(mask);
    REQUIRE(decode_mask(bytes));
    CHECK(*decode_mask(bytes) == mask);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(decode_mask(bytes.substr(0, size)));
    std::set<MaskId> ids{mask_id(bytes)};
    const auto add = [&](const auto& change) {
        auto other = mask;
        change(other[0]);
        CHECK(ids.insert(mask_id(encode(other))).second);
    };
    add([](auto& field) { field.section = Section::identifiers; });
    add([](auto& field) { field.within = "x"; });
    add([](auto& field) { field.name = "x"; });
    add([](auto& field) { field.labels.push_back("x"); });
    add([](auto& field) { field.labels.clear(); });
    add([](auto& field) { field.withheld = true; });
    add([](auto& field) { field.form = "sha256"; });
}

TEST_CASE("what was listed is folded by subject, whatever its order and repetition") {
    const auto ann = tests::token("ann");
    const auto bob = tests::token("bob");
    const auto seed = GENERATE(tests::seeds(10));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto id = short_id("record");
    std::vector<Listing> listings{{ann, mask_field("email"), id},
                                  {ann, mask_field("name"), {}},
                                  {bob, mask_field("email"), {}}};
    const auto folded = subjects_of(listings, {cdp::PersonId{}});
    REQUIRE(folded.size() == 3);
    CHECK(folded[2].kind == SubjectMask::Kind::person);
    for (const auto& one : folded)
        if (one.id == ann.bytes && one.kind == SubjectMask::Kind::identifier) {
            CHECK(one.mask == Mask{mask_field("email"), mask_field("name")});
            CHECK(one.evidence == std::vector{id});
        }
    tests::repeat_and_shuffle(listings, random);
    CHECK(subjects_of(listings, {cdp::PersonId{}, cdp::PersonId{}}) == folded);

    const Disclosure disclosure{
        .purpose = "p", .decision = {}, .ledger_size = 7, .subjects = folded};
    REQUIRE(decode_disclosure(encode(disclosure)));
    CHECK(*decode_disclosure(encode(disclosure)) == disclosure);
}

TEST_CASE("very many fields of one subject are several masks, and none is lost") {
    std::vector<Listing> listings;
    for (int i = 0; i < 2000; ++i)
        listings.push_back({tests::token("ann"), mask_field("field" + std::to_string(i)), {}});
    const auto folded = subjects_of(listings, {});
    CHECK(folded.size() > 1);
    std::size_t fields = 0;
    for (const auto& one : folded) {
        CHECK(encode(one.mask).size() < kMaskBytesMax + 1024);
        fields += one.mask.size();
    }
    CHECK(fields == 2000);
}

TEST_CASE("each row of a batch is proved, and no other") {
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    cdp::Random random(seed);
    TreeHasher hasher;
    std::vector<DisclosureRow> rows;
    std::vector<Sha256> leaves;
    const auto n = 1 + random.below(40);
    for (std::size_t i = 0; i < n; ++i) {
        rows.push_back(random_row(random));
        leaves.push_back(hasher.leaf(leaf_entry(rows.back())));
    }
    Batch batch{.number = 3,
                .kind = BatchKind::release,
                .role = "channel",
                .reader = "mail",
                .channel = "email_tool",
                .rows = static_cast<std::uint32_t>(n),
                .withheld = {{"withdrawn", 4}}};
    batch.root = root_of(hasher, leaves);
    REQUIRE(decode_batch(encode(batch)));
    CHECK(*decode_batch(encode(batch)) == batch);
    for (std::uint32_t i = 0; i < n; ++i) {
        const auto proof = prove_row(hasher, leaves, i);
        REQUIRE(proof);
        CHECK(verify_row(hasher, rows[i], i, batch, *proof));
        auto other = rows[i];
        switch (random.below(6)) {
            case 0: other.salt[random.below(16)] ^= 1; break;
            case 1: other.subject.bytes[random.below(16)] ^= 1; break;
            case 2: other.mask.bytes[random.below(16)] ^= 1; break;
            case 3: other.decision.bytes[random.below(16)] ^= 1; break;
            case 4: ++other.count; break;
            case 5: other.last += std::chrono::milliseconds(1); break;
        }
        CHECK_FALSE(verify_row(hasher, other, i, batch, *proof));
        if (n > 1) CHECK_FALSE(verify_row(hasher, rows[i], (i + 1) % batch.rows, batch, *proof));
    }
    CHECK_FALSE(prove_row(hasher, leaves, batch.rows));
}
