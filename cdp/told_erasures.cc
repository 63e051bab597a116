#include "cdp/told_erasures.h"

#include <algorithm>
#include <map>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "identity/node.h"
#include "storage/key.h"
#include "storage/key_places.h"

namespace cdp {
namespace {

// The first when it can say all of it.
constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kSuppressionsFormat = 2;
constexpr std::uint8_t kBehindFormat = 3;
constexpr char kSuppression = 's';

using OwedId = Id<struct OwedErasuresTag>;

std::string owed_prefix(const storage::Vault& vault, const std::string& repository) {
    return storage::KeyWriter(storage::Space::meta,
                              vault.hash<OwedId>("erasures owed to", repository))
        .str();
}

// Of an erasure itself, not of events it takes.
bool is_done_row(std::string_view key) {
    return key.size() == storage::kGroupBytes + sizeof(PrivacyRequestId::bytes);
}

bool is_suppression_row(std::string_view key) {
    return key.size() == storage::kGroupBytes + sizeof(RecordId::bytes) + 1 &&
           key.back() == kSuppression;
}

storage::SubjectKey own_key(const storage::Vault& vault) {
    return vault.own_key("erasures owed");
}

void write(ByteWriter& out, std::span<const FiledEvent> events) {
    out.u32(static_cast<std::uint32_t>(events.size()));
    for (const auto& event : events)
        out.raw(event.id.view()).raw(event.home.view()).i64(milliseconds_of(event.time));
}

std::uint8_t format_of(const Told& told) {
    const auto hides = [](const ToldErasure& one) { return !one.behind.empty(); };
    if (std::ranges::any_of(told.erasures, hides)) return kBehindFormat;
    return told.suppressions.empty() ? kFormat : kSuppressionsFormat;
}

void write(ByteWriter& out, const ToldErasure& erasure, std::uint8_t format) {
    out.raw(erasure.id.view()).u8(static_cast<std::uint8_t>(erasure.scope));
    out.i64(milliseconds_of(erasure.requested)).bytes(erasure.author);
    out.u32(static_cast<std::uint32_t>(erasure.tokens.size()));
    for (const Token& token : erasure.tokens) out.raw(token.view());
    out.u8(erasure.events ? 1 : 0);
    if (erasure.events) write(out, *erasure.events);
    if (format < kBehindFormat) return;
    out.u32(static_cast<std::uint32_t>(erasure.behind.size()));
    for (const auto& [token, type] : erasure.behind) out.raw(token.view()).bytes(type);
}

std::optional<std::vector<FiledEvent>> read_events(ByteReader& in) {
    std::vector<FiledEvent> events;
    for (auto left = in.u32(); left > 0 && in.ok(); --left) {
        FiledEvent event;
        event.id = in.id<EventId>();
        event.home = in.id<Token>();
        event.time = timestamp_of(in.i64());
        events.push_back(event);
    }
    return in.ok() ? std::optional(std::move(events)) : std::nullopt;
}

}  // namespace

namespace {

// False: not what `write` wrote.
bool read(ByteReader& in, std::uint8_t format, std::vector<ToldErasure>& erasures) {
    for (auto left = in.u32(); left > 0 && in.ok(); --left) {
        ToldErasure erasure;
        erasure.id = in.id<PrivacyRequestId>();
        const auto scope = in.u8();
        erasure.scope = static_cast<ErasureScope>(scope);
        erasure.requested = timestamp_of(in.i64());
        erasure.author = in.bytes();
        for (auto tokens = in.u32(); tokens > 0 && in.ok(); --tokens)
            erasure.tokens.push_back(in.id<Token>());
        if (in.u8() > 0) erasure.events = read_events(in);
        for (auto behind = format < kBehindFormat ? 0 : in.u32(); behind > 0 && in.ok(); --behind) {
            const auto token = in.id<Token>();
            erasure.behind.emplace(token, in.bytes());
        }
        if (scope < 1 || scope > 2 || erasure.tokens.empty()) return false;
        erasures.push_back(std::move(erasure));
    }
    return in.ok();
}

// In each registered repository's list; `behind` is what the row's key ends with.
Result<void> owe(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                 const storage::Vault& vault, std::string_view behind, std::string_view plain) {
    for (const auto& place : CDP_TRY(storage::all_places(snapshot, vault))) {
        if (place.kind != storage::KeyPlace::Kind::backup) continue;
        auto key = owed_prefix(vault, place.path).append(behind);
        auto sealed = storage::Vault::seal(own_key(vault), key, plain);
        transaction.put(std::move(key), std::move(sealed));
    }
    return Result<void>::ok();
}

}  // namespace

std::string encode(const Told& told) {
    ByteWriter out;
    const auto format = format_of(told);
    out.u8(format).u32(static_cast<std::uint32_t>(told.erasures.size()));
    for (const auto& erasure : told.erasures) write(out, erasure, format);
    if (format == kFormat) return out.take();
    out.u32(static_cast<std::uint32_t>(told.suppressions.size()));
    for (const auto& one : told.suppressions) out.bytes(encode(one));
    return out.take();
}

std::optional<Told> decode_told(std::string_view bytes) {
    ByteReader in(bytes);
    const auto format = in.u8();
    Told told;
    if (format < kFormat || format > kBehindFormat || !read(in, format, told.erasures))
        return std::nullopt;
    if (format != kFormat)
        for (auto left = in.u32(); left > 0 && in.ok(); --left) {
            auto one = decode_listed_suppression(in.bytes());
            if (!one) return std::nullopt;
            told.suppressions.push_back(*std::move(one));
        }
    if (!in.done() || format != format_of(told)) return std::nullopt;
    return told;
}

Result<void> owe_to_backups(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                            const storage::Vault& vault, const ToldErasure& erasure) {
    storage::watch_places(transaction);
    return owe(transaction, snapshot, vault, erasure.id.view(),
               encode(Told{.erasures = {erasure}}));
}

Result<void> owe_to_backups(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                            const storage::Vault& vault, const ListedSuppression& suppression) {
    storage::watch_places(transaction);
    return owe(transaction, snapshot, vault, std::string(suppression.said.id.view()) + kSuppression,
               encode(Told{.suppressions = {suppression}}));
}

Result<void> owe_events(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                        const storage::Vault& vault, const PrivacyRequestId& id,
                        std::uint32_t number, std::span<const FiledEvent> events) {
    ByteWriter plain;
    write(plain, events);
    return owe(transaction, snapshot, vault,
               std::string(id.view()) + ByteWriter().u32(number).take(), plain.str());
}

Result<Owed> owed_to(const storage::Snapshot& snapshot, const storage::Vault& vault,
                     const std::string& repository) {
    const auto own = own_key(vault);
    Owed owed;
    auto& erasures = owed.told.erasures;
    auto outcome = Result<void>::ok();
    // An erasure's own row comes before those of its events; without it, it is not done.
    const auto visit = [&](std::string_view key, std::string_view sealed) -> Result<void> {
        const auto plain = CDP_TRY(storage::Vault::open(own, key, sealed));
        if (is_done_row(key) || is_suppression_row(key)) {
            auto told = decode_told(plain);
            if (!told) return damaged("what is owed to backups and cannot be read");
            std::ranges::move(told->erasures, std::back_inserter(erasures));
            std::ranges::move(told->suppressions, std::back_inserter(owed.told.suppressions));
            owed.rows.emplace_back(key);
            return Result<void>::ok();
        }
        const auto id = storage::KeyReader(key).id<PrivacyRequestId>();
        if (erasures.empty() || erasures.back().id != id) return Result<void>::ok();
        ByteReader in(plain);
        auto events = read_events(in);
        if (!events) return damaged("events owed to backups that cannot be read");
        std::ranges::move(*events, std::back_inserter(*erasures.back().events));
        owed.rows.emplace_back(key);
        return Result<void>::ok();
    };
    CDP_CHECK(snapshot.scan(owed_prefix(vault, repository), {},
                            [&](std::string_view key, std::string_view sealed) {
                                outcome = visit(key, sealed);
                                return static_cast<bool>(outcome);
                            }));
    CDP_CHECK(outcome);
    std::ranges::sort(erasures, {}, &ToldErasure::requested);
    return owed;
}

Result<std::uint64_t> count_owed(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                 const std::string& repository) {
    std::uint64_t count = 0;
    CDP_CHECK(snapshot.scan(owed_prefix(vault, repository), {},
                            [&](std::string_view key, std::string_view) {
                                count += is_done_row(key) || is_suppression_row(key) ? 1 : 0;
                                return true;
                            }));
    return count;
}

Result<bool> lacks_keys(const storage::Snapshot& snapshot, const storage::Vault& vault,
                        std::span<const Token> tokens) {
    for (const Token& token : tokens)
        if (CDP_TRY(snapshot.get(identity::node_key(token))) &&
            !CDP_TRY(vault.find(snapshot, token)))
            return true;
    return false;
}

Result<Told> told_in(const storage::Snapshot& snapshot, const storage::Vault& vault) {
    std::map<PrivacyRequestId, ToldErasure> found;
    auto outcome = Result<void>::ok();
    CDP_CHECK(
        snapshot.scan(erasures_prefix(), {}, [&](std::string_view key, std::string_view sealed) {
            const auto one = open_erasure(vault, key, sealed);
            if (!one) outcome = one.error();
            if (one && one->state == Erasure::State::completed)
                found[one->id] = {one->id, one->scope, one->requested, one->author, {}, {}, {}};
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
            at != found.end()) {
            at->second.tokens.push_back(storage::subject_in(key));
            if (!tombstone->behind.empty())
                at->second.behind.emplace(storage::subject_in(key), tombstone->behind);
        }
        return static_cast<bool>(tombstone);
    }));
    CDP_CHECK(outcome);
    Told told;
    told.suppressions = CDP_TRY(all_suppressions(snapshot, vault));
    for (auto& [id, erasure] : found)
        if (!erasure.tokens.empty()) told.erasures.push_back(std::move(erasure));
    std::ranges::stable_sort(told.erasures, {}, &ToldErasure::requested);
    return told;
}

}  // namespace cdp
