#include "consent/ledger.h"

#include <catch2/catch.hpp>

#include "cdp/base/bytes.h"
#include "cdp/base/random.h"
#include "consent/ledger_check.h"
#include "tests/consent/ledger_world.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;
using tests::LedgerWorld;

TEST_CASE("an empty ledger has a checkpoint, and nothing to serve") {
    LedgerWorld world;
    REQUIRE(world.ledger->publish({}).value());
    const auto at = world.ledger->checkpoint();
    REQUIRE(at);
    CHECK(at->checkpoint.size == 0);
    CHECK(at->checkpoint.origin.starts_with("cdp.local/ledger/"));
    const auto keys = world.ledger->public_keys().value();
    REQUIRE(keys.size() == 1);
    CHECK(open_checkpoint(at->note, keys));
    CHECK_FALSE(world.ledger->publish({}).value());
    CHECK_FALSE(world.ledger->tile({0, 0}, 1).value());
    CHECK_FALSE(world.ledger->entries(0, 1).value());
    CHECK_FALSE(world.check().fault);
}

TEST_CASE("tiles, bundles, checkpoint and proofs are those of the entries, at every size") {
    const auto seed = GENERATE(tests::seeds(4));
    CAPTURE(seed);
    cdp::Random random(seed);
    LedgerWorld world;
    TreeHasher hasher;
    Frontier oracle;
    std::vector<SignedCheckpoint> seen;
    while (world.entries.size() < 700) {
        world.append(1 + random.below(90));
        world.publish();
        while (oracle.size() < world.entries.size())
            oracle.append(hasher, hasher.leaf(world.entries[oracle.size()]));
        const auto at = world.ledger->checkpoint();
        REQUIRE(at->checkpoint.size == world.entries.size());
        REQUIRE(at->checkpoint.root == oracle.root(hasher));
        seen.push_back(*at);

        const auto index = random.below(world.entries.size());
        const auto entry = decode_entry(world.entries[index]).value();
        REQUIRE(world.ledger->index_of(entry.commitment).value() == index);
        const auto proof = world.ledger->prove(entry.commitment);
        REQUIRE(proof);
        CHECK(verify(parse_tlog_proof(render(*proof)).value(), world.entries[index],
                     world.ledger->public_keys().value()));
    }
    CHECK(world.ledger->tile({0, 1}, 256).value()->size() == 256 * 32);
    CHECK(world.ledger->tile({0, 1}, 7).value() ==
          world.ledger->tile({0, 1}, 256).value()->substr(0, 7 * 32));
    CHECK(world.ledger->tile({1, 0}, 2).value()->size() == 64);
    CHECK_FALSE(world.ledger->tile({1, 0}, 3).value());
    CHECK_FALSE(world.ledger->tile({2, 0}, 1).value());
    CHECK_FALSE(world.ledger->tile({63, 0}, 1).value());
    CHECK_FALSE(world.ledger->tile({0, std::uint64_t{1} << 60}, 1).value());
    CHECK_FALSE(world.ledger->tile({0, 0}, 0).value());

    const auto bundle = world.ledger->entries(1, 3).value().value();
    cdp::ByteReader in(bundle);
    for (std::size_t i = 256; i < 259; ++i) CHECK(in.raw(in.u16()) == world.entries[i]);
    CHECK(in.done());
    CHECK(world.check().published == world.entries.size());
    CHECK_FALSE(world.check().fault);
    CHECK(world.ledger->proof(0, world.entries.size() + 1).error().reason == "not_published_yet");
}

TEST_CASE("another process continues where one was killed between any two commits") {
    LedgerWorld world;
    cdp::Random random(7);
    for (std::uint64_t commits = 0; commits < 40; ++commits) {
        CAPTURE(commits);
        world.append(1 + random.below(300));
        world.store.commits_left() = random.below(3);
        const auto published = world.ledger->publish({});
        world.store.commits_left() = tests::FailingStore::kNever;
        CHECK_FALSE(world.ledger->halted());
        if (random.one_in(2)) world.restart();
        if (random.one_in(3)) {
            world.publish();
            CHECK(world.ledger->size() == world.entries.size());
            CHECK_FALSE(world.check().fault);
        }
    }
}

TEST_CASE("a checkpoint that the tiles do not lead to halts the ledger, and grants wait") {
    LedgerWorld world;
    world.append(300);
    world.publish();
    const auto tile = tile_key({1, 0});
    world.change(tile, 5);
    CHECK(world.ledger->accepts_grants());
    world.restart();
    CHECK(world.ledger->publish({}).error().reason == "ledger_damaged");
    CHECK_FALSE(world.ledger->accepts_grants());
    CHECK(world.ledger->halted());
    CHECK(world.check().fault->what == "tile");
}

TEST_CASE("a log that lost entries, or whose checkpoint was changed under it, halts") {
    LedgerWorld world;
    world.append(10);
    world.publish();
    SECTION("an entry is gone before it was published") {
        world.append(10);
        world.erase(entry_key(15));
    }
    SECTION("somebody else wrote a checkpoint") {
        world.append(1);
        world.change(checkpoint_key(), 3);
    }
    SECTION("an entry is no entry") {
        world.append(1);
        world.change(entry_key(10), 0);
    }
    CHECK_FALSE(world.ledger->publish({}));
    CHECK_FALSE(world.ledger->accepts_grants());
    CHECK(world.ledger->size() == 10);
}

TEST_CASE("a changed byte in an entry, a tile or the checkpoint is named") {
    LedgerWorld world;
    world.append(600);
    world.publish();
    world.append(2);
    CHECK_FALSE(world.check().fault);
    const auto seed = GENERATE(tests::seeds(30));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto index = random.below(600);
    switch (random.below(4)) {
        case 0: {
            world.change(entry_key(index), 10 + random.below(40));
            CHECK(world.check().fault == LedgerFault{.what = "entry",
                                                     .index = index,
                                                     .id = {},
                                                     .why = "It is not the one that was signed."});
            break;
        }
        case 1: {
            world.change(tile_key({0, index / 256}), index % 256 * 32 + random.below(32));
            const auto fault = world.check().fault;
            REQUIRE(fault);
            CHECK(fault->what == "tile");
            CHECK(fault->index == index);
            break;
        }
        case 2: {
            world.erase(entry_key(index));
            CHECK(world.check().fault ==
                  LedgerFault{.what = "entry", .index = index, .id = {}, .why = "It is missing."});
            break;
        }
        default: {
            world.change(checkpoint_key(), random.below(40));
            CHECK(world.check().fault->what == "checkpoint");
        }
    }
}

TEST_CASE("a record that no entry commits to is named, and one that was changed") {
    LedgerWorld world;
    world.say("mail", State::granted);
    world.say("mail", State::withdrawn);
    world.publish();
    world.say("account", State::granted);
    CHECK(world.check().records == 3);
    CHECK_FALSE(world.check().fault);
    SECTION("its entry's place is taken by another") {
        const auto entry = world.get(entry_key(1));
        world.put(entry_key(2), entry);
        CHECK(world.check().fault->what == "record");
    }
    SECTION("its row was changed") {
        world.change(world.first_record_key("mail"), 40);
        CHECK(world.check().fault->what == "record");
    }
    SECTION("it was put there by somebody else") {
        world.forge("mail");
        const auto fault = world.check().fault;
        REQUIRE(fault);
        CHECK(fault->what == "record");
        CHECK(fault->why == "No entry commits to what it says.");
        CHECK(fault->id == cdp::to_hex(tests::record_id(99).view()));
    }
}

TEST_CASE("a new key is told in the ledger, and what the old one signed still holds") {
    LedgerWorld world;
    world.append(5);
    world.publish();
    const auto before = *world.ledger->checkpoint();
    const auto entry = decode_entry(world.entries[2]).value();
    const auto proof = world.ledger->prove(entry.commitment).value();
    world.rotate();
    world.publish();
    const auto keys = world.ledger->public_keys().value();
    REQUIRE(keys.size() == 2);
    CHECK(keys[0].name == keys[1].name);
    CHECK(keys[0].id() != keys[1].id());
    CHECK(open_checkpoint(before.note, keys));
    CHECK(verify(proof, world.entries[2], keys));
    const auto after = world.ledger->checkpoint();
    CHECK(after->checkpoint.size == 6);
    CHECK_FALSE(open_checkpoint(after->note, std::vector{keys[0]}));
    CHECK(open_checkpoint(after->note, std::vector{keys[1]}));
    const auto told = decode_entry(world.get(entry_key(5))).value();
    CHECK(told.type == EntryType::key_rotation);
    CHECK(told.fields == std::vector<PublicField>{{PublicTag::name, keys[1].str()},
                                                  {PublicTag::former, keys[0].str()}});
    CHECK_FALSE(world.check().fault);
    world.restart();
    world.publish();
    CHECK(world.ledger->public_keys().value().size() == 2);
}

TEST_CASE("a key is changed while the ledger is open, after what the old one had to sign") {
    LedgerWorld world;
    world.append(5);
    const auto renew = [&]() -> cdp::Result<void> {
        CHECK(world.ledger->size() == 5);
        world.keyring.renew_ledger_key();
        world.vault->adopt(world.keyring, world.store);
        return cdp::Result<void>::ok();
    };
    const auto key = world.ledger->rotate({}, renew).value();
    const auto keys = world.ledger->public_keys().value();
    REQUIRE(keys.size() == 2);
    CHECK(keys[1] == key);
    CHECK(world.ledger->size() == 6);
    CHECK(open_checkpoint(world.ledger->checkpoint()->note, std::vector{keys[1]}));
    world.append(1);
    world.publish();
    CHECK_FALSE(world.check().fault);
    // A keyring that could not be written: nothing has changed.
    const auto failed = world.ledger->rotate(
        {}, []() -> cdp::Result<void> { return cdp::Error{.reason = "keyring_unwritten"}; });
    CHECK(failed.error().reason == "keyring_unwritten");
    CHECK(world.ledger->public_keys().value() == keys);
    world.append(1);
    world.publish();
    CHECK(open_checkpoint(world.ledger->checkpoint()->note, std::vector{keys[1]}));
    CHECK_FALSE(world.check().fault);
}

TEST_CASE("entries of the first form are published like others") {
    LedgerWorld world;
    world.append_bytes("\x01" + std::string(view(sha256("old"))));
    world.append(1);
    world.publish();
    CHECK(world.ledger->index_of(sha256("old")).value() == 0);
    CHECK_FALSE(world.check().fault);
}

}  // namespace
