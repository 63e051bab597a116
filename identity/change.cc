#include "identity/change.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "identity/damage.h"
#include "storage/key.h"

namespace identity {
namespace {

constexpr std::uint8_t kFormat = 1;
using LogId = cdp::Id<struct LogTag>;

// A record holds no more persons than fit a value; more take several records.
constexpr std::size_t kPersonsMax = 2000;

void add_change(std::vector<Change>& out, Change change) {
    for (std::size_t at = 0; at < change.to.size(); at += kPersonsMax) {
        Change part = change;
        const auto end = std::min(at + kPersonsMax, change.to.size());
        part.to.assign(change.to.begin() + static_cast<std::ptrdiff_t>(at),
                       change.to.begin() + static_cast<std::ptrdiff_t>(end));
        out.push_back(std::move(part));
    }
}

}  // namespace

std::string_view to_string(Cause::What value) {
    switch (value) {
        case Cause::What::evidence: return "evidence";
        case Cause::What::assertion: return "assertion";
        case Cause::What::rules: return "rules";
        case Cause::What::erasure: return "erasure";
    }
    return "evidence";
}

std::string_view to_string(ChangeKind value) {
    switch (value) {
        case ChangeKind::merged: return "merged";
        case ChangeKind::split: return "split";
        case ChangeKind::moved: return "moved";
        case ChangeKind::redirected: return "redirected";
        case ChangeKind::erased: return "erased";
    }
    return "merged";
}

std::string change_log() {
    return storage::KeyWriter(storage::Space::log, LogId::from("identity changes")).str();
}

std::string encode(const Change& change) {
    cdp::ByteWriter out;
    out.u8(kFormat)
        .u8(static_cast<std::uint8_t>(change.kind))
        .u8(static_cast<std::uint8_t>(change.cause.what))
        .i64(cdp::milliseconds_of(change.cause.time))
        .raw(change.cause.assertion.view())
        .raw(change.from.view())
        .u32(change.identifiers)
        .u16(static_cast<std::uint16_t>(change.to.size()));
    for (const auto& person : change.to) out.raw(person.view());
    return out.take();
}

std::optional<Change> decode_change(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != kFormat) return std::nullopt;
    Change change;
    const auto kind = in.u8();
    const auto what = in.u8();
    if (kind < 1 || kind > 5 || what < 1 || what > 4) return std::nullopt;
    change.kind = static_cast<ChangeKind>(kind);
    change.cause.what = static_cast<Cause::What>(what);
    change.cause.time = cdp::timestamp_of(in.i64());
    change.cause.assertion = in.id<AssertionId>();
    change.from = in.id<cdp::PersonId>();
    change.identifiers = in.u32();
    for (auto n = in.u16(); n > 0 && in.ok(); --n) change.to.push_back(in.id<cdp::PersonId>());
    if (!in.done()) return std::nullopt;
    return change;
}

std::vector<Change> changes_of(const std::vector<Move>& moves,
                               const std::set<cdp::PersonId>& stayed, const Cause& cause) {
    // Who goes where, and who was there before.
    std::map<cdp::PersonId, std::map<cdp::PersonId, std::uint32_t>> targets;
    std::map<cdp::PersonId, std::set<cdp::PersonId>> origins;
    for (const Move& move : moves) {
        if (!move.from) continue;
        ++targets[*move.from][move.successor];
        origins[move.successor].insert(*move.from);
    }
    for (const auto& person : stayed) origins[person].insert(person);
    std::vector<Change> out;
    for (const auto& [from, to] : targets) {
        const bool remains = stayed.contains(from);
        Change moved{ChangeKind::moved, cause, from, {}, 0};
        Change split{ChangeKind::split, cause, from, {}, 0};
        for (const auto& [person, n] : to) {
            const bool joined = origins[person].size() > 1 || person == from;
            if (to.size() == 1 && !remains) {
                const auto kind = joined ? ChangeKind::merged : ChangeKind::redirected;
                out.push_back({kind, cause, from, {person}, n});
                continue;
            }
            Change& change = joined ? moved : split;
            change.to.push_back(person);
            change.identifiers += n;
        }
        if (remains && !split.to.empty()) split.to.push_back(from);
        std::ranges::sort(split.to);
        add_change(out, std::move(split));
        add_change(out, std::move(moved));
    }
    return out;
}

std::string encode_since(cdp::Timestamp since) {
    cdp::ByteWriter out;
    out.u8(kFormat).i64(cdp::milliseconds_of(since));
    return out.take();
}

std::optional<cdp::Timestamp> decode_since(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != kFormat) return std::nullopt;
    const auto since = cdp::timestamp_of(in.i64());
    if (!in.done()) return std::nullopt;
    return since;
}

void write_history(storage::Transaction& transaction, const cdp::Token& identifier,
                   const cdp::PersonId& person, cdp::Timestamp since, cdp::Timestamp until) {
    if (since >= until) return;
    cdp::ByteWriter interval;
    interval.u8(kFormat).i64(cdp::milliseconds_of(since)).raw(person.view());
    transaction.put(
        storage::KeyWriter(storage::Space::history, identifier).newest_first(until).str(),
        interval.take());
    transaction.put(
        storage::KeyWriter(storage::Space::former, person).newest_first(until).id(identifier).str(),
        encode_since(since));
}

cdp::Result<std::optional<cdp::PersonId>> person_at(storage::Transaction& transaction,
                                                    const cdp::Token& identifier,
                                                    cdp::Timestamp at) {
    std::optional<cdp::PersonId> person;
    bool readable = true;
    // The interval with the least end behind the moment is the last one that ends behind it.
    CDP_CHECK(transaction.scan(storage::KeyWriter(storage::Space::history, identifier).str(),
                               [&](std::string_view key, std::string_view value) {
                                   const auto until = storage::KeyReader(key).newest_first();
                                   if (until <= at) return false;
                                   cdp::ByteReader in(value);
                                   const auto format = in.u8();
                                   const auto since = cdp::timestamp_of(in.i64());
                                   const auto id = in.id<cdp::PersonId>();
                                   readable = in.done() && format == kFormat;
                                   person.reset();
                                   if (since <= at) person = id;
                                   return readable;
                               }));
    if (!readable) return damaged("a history row that cannot be read");
    return person;
}

cdp::Result<std::vector<cdp::Token>> former_members(storage::Transaction& transaction,
                                                    const cdp::PersonId& person,
                                                    cdp::Timestamp at) {
    std::vector<cdp::Token> out;
    bool readable = true;
    CDP_CHECK(transaction.scan(storage::KeyWriter(storage::Space::former, person).str(),
                               [&](std::string_view key, std::string_view value) {
                                   storage::KeyReader reader(key);
                                   if (reader.newest_first() <= at) return false;
                                   const auto since = decode_since(value);
                                   const auto identifier = reader.id<cdp::Token>();
                                   readable = since.has_value() && reader.ok();
                                   if (readable && *since <= at) out.push_back(identifier);
                                   return readable;
                               }));
    if (!readable) return damaged("a history row that cannot be read");
    return out;
}

}  // namespace identity
