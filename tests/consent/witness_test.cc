#include "consent/witness.h"

#include <catch2/catch.hpp>

#include "tests/consent/ledger_world.h"

namespace {

using namespace consent;
using tests::LedgerWorld;

// What a server of this ledger serves.
struct Served {
    LedgerWorld world;
    std::map<std::string, std::string> instead = {};  // of what is true

    cdp::Result<std::string> operator()(const std::string& path) const {
        if (const auto lie = instead.find(path); lie != instead.end()) return lie->second;
        const auto& ledger = *world.ledger;
        const auto size = ledger.size();
        if (path == "checkpoint") return ledger.checkpoint()->note;
        for (std::uint64_t index = 0; index <= size / 256; ++index)
            for (unsigned level = 0; level < 3; ++level) {
                const auto width = width_of({level, index}, size);
                if (path == tile_path({level, index}, width))
                    return ledger.tile({level, index}, width).value().value();
                if (level == 0 && path == entries_path(index, width))
                    return ledger.entries(index, width).value().value();
            }
        return cdp::Error{.code = cdp::ErrorCode::not_found, .reason = "404"};
    }
    cdp::Result<Witnessed> look(const std::optional<SignedCheckpoint>& last = {}) const {
        return witness([this](const std::string& path) { return (*this)(path); },
                       world.ledger->public_keys().value(), last);
    }
    std::string reason(const std::optional<SignedCheckpoint>& last = {}) const {
        const auto seen = look(last);
        return seen ? "fine" : seen.error().reason;
    }
};

TEST_CASE("paths are written in threes") {
    CHECK(tile_path({0, 0}, 256) == "tile/0/000");
    CHECK(tile_path({2, 1234067}, 256) == "tile/2/x001/x234/067");
    CHECK(tile_path({0, 273}, 112) == "tile/0/273.p/112");
    CHECK(entries_path(1000, 1) == "tile/entries/x001/000.p/1");
}

TEST_CASE("a witness follows a ledger that only grows") {
    Served served;
    served.world.publish();
    auto seen = served.look();
    REQUIRE(seen);
    CHECK(seen->entries == 0);
    for (const auto more : {1, 254, 1, 1, 0, 600}) {
        served.world.append(static_cast<std::uint64_t>(more));
        served.world.publish();
        const auto next = served.look(seen->now);
        REQUIRE(next);
        CHECK(next->entries == static_cast<std::uint64_t>(more));
        CHECK(next->now.checkpoint.size == served.world.entries.size());
        seen = next;
    }
    CHECK(served.look()->entries == served.world.entries.size());
}

TEST_CASE("a witness sees a rollback, a fork and a lie about an entry or tile") {
    Served served;
    served.world.append(300);
    served.world.publish();
    const auto before = served.look()->now;
    served.world.append(300);
    served.world.publish();
    const auto after = served.look(before)->now;
    CHECK(served.reason(before) == "fine");

    SECTION("an old checkpoint") {
        served.instead["checkpoint"] = before.note;
        CHECK(served.reason(after) == "ledger_rolled_back");
    }
    SECTION("another tree under the same key") {
        Served other;
        other.world.keyring = served.world.keyring;
        other.world.restart();
        other.world.append(1);
        other.world.say("mail", State::granted);
        other.world.append_bytes("\x01" + std::string(view(sha256("x"))));
        other.world.append(700);
        other.world.publish();
        CHECK(other.reason() == "fine");
        CHECK(other.reason(after) == "ledger_forked");
    }
    SECTION("two trees of one size") {
        auto other = after;
        other.checkpoint.root[0] ^= 1;
        CHECK(served.reason(other) == "ledger_forked");
    }
    SECTION("an entry") {
        auto bundle = served(entries_path(2, 88)).value();
        bundle[20] = static_cast<char>(bundle[20] ^ 1);
        served.instead[entries_path(2, 88)] = bundle;
        CHECK(served.reason(before) == "ledger_untrue");
    }
    SECTION("a cut bundle") {
        served.instead[entries_path(2, 88)] = served(entries_path(2, 88)).value().substr(0, 99);
        CHECK(served.reason(before) == "ledger_untrue");
    }
    SECTION("a tile of what was there before") {
        auto tile = served(tile_path({1, 0}, 2)).value();
        tile[3] = static_cast<char>(tile[3] ^ 1);
        served.instead[tile_path({1, 0}, 2)] = tile;
        CHECK(served.reason(before) == "ledger_forked");
    }
    SECTION("a checkpoint of somebody else") {
        const NoteSigner stranger(after.checkpoint.origin, NoteSigner::Seed{1});
        served.instead["checkpoint"] = stranger.sign(render(after.checkpoint));
        CHECK(served.reason(before) == "signer_unknown");
    }
}

}  // namespace
