#include "cdp/tombstones.h"

#include <cstring>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "storage/key.h"

namespace cdp {
namespace {

// The first when it can say all of it.
constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kForEverFormat = 2;
constexpr std::uint8_t kBehindFormat = 3;

std::uint64_t start_of(const Token& token) {
    std::uint64_t start = 0;
    std::memcpy(&start, token.bytes.data(), sizeof start);
    return start;
}

// Every tombstone behind a hash writes it: whoever looked for one before is told by that.
std::string behind_key() {
    return storage::KeyWriter(storage::Space::meta, Token::from("erased by hashes")).str();
}

std::uint8_t format_of(const Tombstone& tombstone) {
    if (!tombstone.behind.empty()) return kBehindFormat;
    return tombstone.for_ever ? kForEverFormat : kFormat;
}

}  // namespace

std::string tombstone_key(const Token& token) {
    return storage::KeyWriter(storage::Space::tombstone, token).str();
}

std::string erased_by_key(const Token& token, const PrivacyRequestId& request) {
    return storage::KeyWriter(storage::Space::tombstone, token).id(request).str();
}

std::string encode(const Tombstone& tombstone) {
    ByteWriter out;
    out.u8(format_of(tombstone)).i64(milliseconds_of(tombstone.erased));
    out.u8(tombstone.closing ? 1 : 0).raw(tombstone.request.view());
    if (!tombstone.behind.empty()) out.u8(tombstone.for_ever ? 1 : 0).bytes(tombstone.behind);
    return out.take();
}

std::optional<Tombstone> decode_tombstone(std::string_view bytes) {
    ByteReader in(bytes);
    const auto format = in.u8();
    const auto erased = timestamp_of(in.i64());
    const auto closing = in.u8();
    const auto request = in.id<PrivacyRequestId>();
    Tombstone out{erased, closing == 1, request, format == kForEverFormat};
    if (format == kBehindFormat) {
        out.for_ever = in.u8() != 0;
        out.behind = in.bytes();
    }
    if (!in.done() || closing > 1 || format != format_of(out)) return std::nullopt;
    return out;
}

Result<std::optional<Tombstone>> Tombstones::find(storage::Transaction& transaction,
                                                  const Token& token) {
    const auto row = CDP_TRY(transaction.get(tombstone_key(token)));
    if (!row) return std::optional<Tombstone>{};
    auto tombstone = decode_tombstone(*row);
    if (!tombstone) return damaged("a tombstone that cannot be read");
    return tombstone;
}

Result<bool> Tombstones::suppress(storage::Transaction& transaction, std::span<const Token> tokens,
                                  Timestamp time) const {
    CDP_CHECK(load());
    for (const Token& token : tokens) {
        // An erasure that is committed from here on is a conflict, whether or not it is seen.
        transaction.watch(tombstone_key(token));
        if (!any_.load(std::memory_order_acquire) || !may_have(token)) continue;
        const auto tombstone = CDP_TRY(find(transaction, token));
        if (!tombstone) continue;
        if (tombstone->closing)
            return Error{.code = ErrorCode::unavailable,
                         .reason = "erasure_under_way",
                         .message =
                             "Somebody named here is being erased; send it again in a "
                             "moment."};
        if (tombstone->covers(time)) return true;
    }
    return false;
}

Result<bool> Tombstones::hides_any(storage::Transaction& transaction) const {
    CDP_CHECK(load());
    transaction.watch(behind_key());
    return any_behind_.load(std::memory_order_acquire);
}

bool Tombstones::hides(std::string_view type) const {
    const std::shared_lock lock(mutex_);
    return behind_.contains(type);
}

// Ids of requests begin with their time, the newest first.
Result<std::vector<PrivacyRequestId>> Tombstones::requests(
    storage::Transaction& transaction, const Token& token,
    const std::optional<PrivacyRequestId>& after, std::size_t most) {
    std::vector<PrivacyRequestId> out;
    const auto newest = CDP_TRY(find(transaction, token));
    if (newest && !after && most > 0) out.push_back(newest->request);
    CDP_CHECK(transaction.scan(tombstone_key(token), [&](std::string_view key, std::string_view) {
        storage::KeyReader in(key);
        const auto request = in.id<PrivacyRequestId>();
        if (!in.ok() || (after && request <= *after) || request == newest->request) return true;
        if (out.size() < most) out.push_back(request);
        return out.size() < most;
    }));
    return out;
}

Result<void> Tombstones::put(storage::Transaction& transaction, const Token& token,
                             const Tombstone& tombstone) const {
    CDP_CHECK(load());
    const auto earlier = CDP_TRY(find(transaction, token));
    auto newest = tombstone;
    newest.for_ever = newest.for_ever || (earlier && earlier->for_ever);
    if (newest.behind.empty() && earlier) newest.behind = earlier->behind;
    {
        const std::unique_lock lock(mutex_);
        starts_.insert(start_of(token));
        if (!newest.behind.empty()) behind_.insert(newest.behind);
    }
    any_.store(true, std::memory_order_release);
    if (!newest.behind.empty()) {
        any_behind_.store(true, std::memory_order_release);
        transaction.put(behind_key(), ByteWriter().u8(kFormat).take());
    }
    for (const auto& one : {earlier, std::optional(newest)})
        if (one && !one->closing) transaction.put(erased_by_key(token, one->request), encode(*one));
    transaction.put(tombstone_key(token), encode(newest));
    return Result<void>::ok();
}

Result<void> Tombstones::load() const {
    if (loaded_.load(std::memory_order_acquire)) return Result<void>::ok();
    const std::lock_guard only_one(loading_);
    if (loaded_.load(std::memory_order_acquire)) return Result<void>::ok();
    std::unordered_set<std::uint64_t> found;
    std::set<std::string, std::less<>> behind;
    const auto prefix = storage::space_prefix(storage::Space::tombstone);
    CDP_CHECK(store_.snapshot()->scan(prefix, "", [&](std::string_view key, std::string_view row) {
        found.insert(start_of(storage::subject_in(key)));
        if (auto one = decode_tombstone(row); one && !one->behind.empty())
            behind.insert(std::move(one->behind));
        return true;
    }));
    const std::unique_lock lock(mutex_);
    starts_.merge(found);
    behind_.merge(behind);
    any_behind_.store(!behind_.empty(), std::memory_order_release);
    any_.store(!starts_.empty(), std::memory_order_release);
    loaded_.store(true, std::memory_order_release);
    return Result<void>::ok();
}

bool Tombstones::may_have(const Token& token) const {
    const std::shared_lock lock(mutex_);
    return starts_.contains(start_of(token));
}

}  // namespace cdp
