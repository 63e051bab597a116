#include "cdp/privacy_request_scrub.h"

#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "storage/key.h"
#include "tests/cdp/stewardship_world.h"

// `cdp verify` opens what is filed of requests.

namespace {

using tests::PlatformWorld;

// Of all rows of requests: how many there are, and how many cannot be read.
std::pair<int, int> looked_at(PlatformWorld& world) {
    const auto snapshot = world.store().snapshot();
    std::pair<int, int> out{0, 0};
    REQUIRE(snapshot->scan(storage::space_prefix(storage::Space::privacy_request), "",
                           [&](std::string_view key, std::string_view value) {
                               ++out.first;
                               if (!cdp::privacy_row_opens(*snapshot, world.vault(), key, value))
                                   ++out.second;
                               return true;
                           }));
    return out;
}

void damage(PlatformWorld& world, std::string_view prefix, std::size_t key_bytes) {
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    REQUIRE(snapshot->scan(prefix, "", [&](std::string_view key, std::string_view value) {
        if (key.size() != key_bytes || value.empty()) return true;
        std::string changed(value);
        changed.back() = static_cast<char>(changed.back() ^ 1);
        transaction.put(std::string(key), changed);
        return false;
    }));
    REQUIRE(storage::commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
}

}  // namespace

TEST_CASE("rows of requests that cannot be read are found, whatever they are filed under") {
    PlatformWorld world(tests::open_config());
    auto& requests = world.platform().privacy().requests;
    const cdp::NewPrivacyRequest wanted{.kind = cdp::PrivacyKind::erasure,
                                        .protocol = cdp::PrivacyProtocol::drp,
                                        .external_id = "x",
                                        .identifiers = {{"user_id", "u1"}},
                                        .callbacks = true};
    REQUIRE(requests.submit("HELPER", wanted));
    const auto before = looked_at(world);
    CHECK(before.first > 6);
    CHECK(before.second == 0);
    const auto token = world.vault().token("user_id", "u1");
    const auto under = storage::KeyWriter(storage::Space::privacy_request, token).str();
    damage(world, under, under.size() + 16);
    CHECK(looked_at(world).second == 1);
    const auto rows = cdp::privacy_requests_prefix();
    damage(world, rows, rows.size() + 16);
    CHECK(looked_at(world).second == 2);
}
