#include "cdp/told_erasures.h"

#include <algorithm>
#include <map>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "storage/key.h"
#include "storage/key_places.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;

using OwedId = Id<struct OwedErasuresTag>;

std::string owed_prefix(const storage::Vault& vault, const std::string& repository) {
    return storage::KeyWriter(storage::Space::meta,
                              vault.hash<OwedId>("erasures owed to", repository))
        .str();
}

storage::SubjectKey own_key(const storage::Vault& vault) {
    return vault.own_key("erasures owed");
}

void write(ByteWriter& out, const ToldErasure& erasure) {
    out.raw(erasure.id.view()).u8(static_cast<std::uint8_t>(erasure.scope));
    out.i64(milliseconds_of(erasure.requested)).bytes(erasure.author);
    out.u32(static_cast<std::uint32_t>(erasure.tokens.size()));
    for (const Token& token : erasure.tokens) out.raw(token.view());
}

}  // namespace

std::string encode(const std::vector<ToldErasure>& erasures) {
    ByteWriter out;
    out.u8(kFormat).u32(static_cast<std::uint32_t>(erasures.size()));
    for (const auto& erasure : erasures) write(out, erasure);
    return out.take();
}

std::optional<std::vector<ToldErasure>> decode_told(std::string_view bytes) {
    ByteReader in(bytes);
    const auto format = in.u8();
    std::vector<ToldErasure> erasures;
    for (auto left = in.u32(); left > 0 && in.ok(); --left) {
        ToldErasure erasure;
        erasure.id = in.id<PrivacyRequestId>();
        const auto scope = in.u8();
        erasure.scope = static_cast<ErasureScope>(scope);
        erasure.requested = timestamp_of(in.i64());
        erasure.author = in.bytes();
        for (auto tokens = in.u32(); tokens > 0 && in.ok(); --tokens)
            erasure.tokens.push_back(in.id<Token>());
        if (scope < 1 || scope > 2 || erasure.tokens.empty()) return std::nullopt;
        erasures.push_back(std::move(erasure));
    }
    if (!in.done() || format != kFormat) return std::nullopt;
    return erasures;
}

Result<void> owe_to_backups(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                            const storage::Vault& vault, const ToldErasure& erasure) {
    storage::watch_places(transaction);
    for (const auto& place : CDP_TRY(storage::all_places(snapshot, vault))) {
        if (place.kind != storage::KeyPlace::Kind::backup) continue;
        auto key = owed_prefix(vault, place.path) + std::string(erasure.id.view());
        auto sealed = storage::Vault::seal(own_key(vault), key, encode({erasure}));
        transaction.put(std::move(key), std::move(sealed));
    }
    return Result<void>::ok();
}

Result<OwedErasures> owed_to(const storage::Snapshot& snapshot, const storage::Vault& vault,
                             const std::string& repository) {
    const auto own = own_key(vault);
    OwedErasures owed;
    auto outcome = Result<void>::ok();
    const auto visit = [&](std::string_view key, std::string_view sealed) -> Result<void> {
        auto told = decode_told(CDP_TRY(storage::Vault::open(own, key, sealed)));
        if (!told) return damaged("an erasure owed to backups that cannot be read");
        std::ranges::move(*told, std::back_inserter(owed.erasures));
        owed.rows.emplace_back(key);
        return Result<void>::ok();
    };
    CDP_CHECK(snapshot.scan(owed_prefix(vault, repository), {},
                            [&](std::string_view key, std::string_view sealed) {
                                outcome = visit(key, sealed);
                                return static_cast<bool>(outcome);
                            }));
    CDP_CHECK(outcome);
    std::ranges::sort(owed.erasures, {}, &ToldErasure::requested);
    return owed;
}

Result<std::uint64_t> count_owed(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                 const std::string& repository) {
    std::uint64_t count = 0;
    CDP_CHECK(snapshot.scan(owed_prefix(vault, repository), {},
                            [&](std::string_view, std::string_view) { return ++count > 0; }));
    return count;
}

Result<std::vector<ToldErasure>> erasures_in(const storage::Snapshot& snapshot,
                                             const storage::Vault& vault) {
    std::map<PrivacyRequestId, ToldErasure> found;
    auto outcome = Result<void>::ok();
    CDP_CHECK(
        snapshot.scan(erasures_prefix(), {}, [&](std::string_view key, std::string_view sealed) {
            const auto one = open_erasure(vault, key, sealed);
            if (!one) outcome = one.error();
            if (one && one->state == Erasure::State::completed)
                found[one->id] = {one->id, one->scope, one->requested, one->author, {}};
            return static_cast<bool>(one);
        }));
    CDP_CHECK(outcome);
    // Whom each took is told by the tombstones alone.
    const auto prefix = storage::space_prefix(storage::Space::tombstone);
    CDP_CHECK(snapshot.scan(prefix, {}, [&](std::string_view key, std::string_view bytes) {
        const auto tombstone = decode_tombstone(bytes);
        if (!tombstone) outcome = damaged("a tombstone that cannot be read");
        const bool newest = key.size() == storage::kGroupBytes;
        if (const auto at = tombstone && !newest ? found.find(tombstone->request) : found.end();
            at != found.end())
            at->second.tokens.push_back(storage::subject_in(key));
        return static_cast<bool>(tombstone);
    }));
    CDP_CHECK(outcome);
    std::vector<ToldErasure> erasures;
    for (auto& [id, erasure] : found)
        if (!erasure.tokens.empty()) erasures.push_back(std::move(erasure));
    std::ranges::stable_sort(erasures, {}, &ToldErasure::requested);
    return erasures;
}

}  // namespace cdp
