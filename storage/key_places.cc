#include "storage/key_places.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "storage/key.h"
#include "storage/key_text.h"
#include "storage/rocks_error.h"

namespace storage {
namespace {

constexpr std::uint8_t kFormat = 1;

using PlaceId = cdp::Id<struct KeyPlaceTag>;

KeyWriter prefix() {
    return KeyWriter(Space::meta, PlaceId::from("places of keys.."));
}

std::string key_of(const Vault& vault, KeyPlace::Kind kind, const std::string& path) {
    return prefix()
        .byte(static_cast<char>(kind))
        .id(vault.hash<PlaceId>("place of keys", path))
        .str();
}

SubjectKey own_key(const Vault& vault) {
    return vault.own_key("places of keys");
}

cdp::Result<KeyPlace> open_place(const SubjectKey& own, std::string_view key,
                                 std::string_view sealed) {
    const auto plain = CDP_TRY(Vault::open(own, key, sealed));
    cdp::ByteReader in(plain);
    KeyPlace place;
    const auto format = in.u8();
    place.kind = static_cast<KeyPlace::Kind>(in.u8());
    place.path = in.bytes();
    const auto recipient = in.raw(place.recipient.size());
    if (recipient.size() == place.recipient.size())
        std::ranges::copy(recipient, place.recipient.begin());
    place.lowest = in.u32();
    place.highest = in.u32();
    place.written = cdp::timestamp_of(in.i64());
    place.failing = in.bytes();
    if (!in.done() || format != kFormat)
        return store_damaged("the row of a place of keys cannot be read");
    return place;
}

}  // namespace

void put_place(Transaction& transaction, const Vault& vault, const KeyPlace& place) {
    auto key = key_of(vault, place.kind, place.path);
    cdp::ByteWriter plain;
    plain.u8(kFormat).u8(static_cast<std::uint8_t>(place.kind)).bytes(place.path);
    plain.raw(view_of(place.recipient)).u32(place.lowest).u32(place.highest);
    plain.i64(cdp::milliseconds_of(place.written)).bytes(place.failing);
    auto sealed = Vault::seal(own_key(vault), key, plain.str());
    transaction.put(std::move(key), std::move(sealed));
}

void forget_place(Transaction& transaction, const Vault& vault, const KeyPlace& place) {
    transaction.erase(key_of(vault, place.kind, place.path));
}

cdp::Result<std::optional<KeyPlace>> find_place(const Snapshot& snapshot, const Vault& vault,
                                                KeyPlace::Kind kind, const std::string& path) {
    const auto key = key_of(vault, kind, path);
    const auto sealed = CDP_TRY(snapshot.get(key));
    if (!sealed) return std::optional<KeyPlace>{};
    return std::optional(CDP_TRY(open_place(own_key(vault), key, *sealed)));
}

cdp::Result<std::vector<KeyPlace>> all_places(const Snapshot& snapshot, const Vault& vault) {
    const auto own = own_key(vault);
    std::vector<KeyPlace> places;
    auto outcome = cdp::Result<void>::ok();
    CDP_CHECK(snapshot.scan(prefix().str(), {}, [&](std::string_view key, std::string_view sealed) {
        auto place = open_place(own, key, sealed);
        if (!place) {
            outcome = place.error();
            return false;
        }
        places.push_back(*std::move(place));
        return true;
    }));
    CDP_CHECK(outcome);
    return places;
}

void watch_places(Transaction& transaction) {
    transaction.watch(prefix().str());
}

cdp::Result<std::optional<std::string>> rewrap_copy(const Snapshot& snapshot, const Vault& vault,
                                                    std::string_view row_key,
                                                    std::string_view row) {
    auto today = CDP_TRY(snapshot.get(row_key));
    if (!today || !CDP_TRY(vault.same_key(row_key, row, *today)))
        return std::optional<std::string>{};
    auto again = CDP_TRY(vault.rewrap(row_key, *today));
    if (again.state == Rewrapped::State::rewrapped) return std::optional(std::move(again.row));
    return today;
}

}  // namespace storage
