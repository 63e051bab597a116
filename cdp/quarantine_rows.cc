#include "cdp/quarantine_rows.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "storage/key.h"

namespace cdp {
namespace {

using identity::AssertionId;
using storage::KeyWriter;
using storage::Space;

const Token kAll = Token::from("all quarantines.");
const Token kOpen = Token::from("open quarantines");

constexpr char kRefusing = 'r';

// Which persons of an assertion an identifier was of.
using SplitOf = std::pair<AssertionId, Token>;

std::string open_key(const AssertionId& assertion) {
    return KeyWriter(Space::quarantine, kOpen).id(assertion).str();
}

std::string open_count_key() {
    return KeyWriter(Space::quarantine, kOpen).str();
}

KeyWriter refusing_prefix(const SplitOf& split) {
    KeyWriter key(Space::quarantine, split.first);
    key.byte(kRefusing).id(split.second);
    return key;
}

Result<void> add_to_count(storage::Transaction& transaction, std::int32_t by) {
    const auto count = static_cast<std::int32_t>(CDP_TRY(open_quarantines(transaction))) + by;
    transaction.put(open_count_key(), ByteWriter().u32(static_cast<std::uint32_t>(count)).take());
    return Result<void>::ok();
}

// Of an identifier: the splits that are not released.
Result<void> add_open_splits(storage::Transaction& transaction, const Token& token,
                             std::map<AssertionId, bool>& known, std::set<SplitOf>& out) {
    std::vector<SplitOf> found;
    CDP_CHECK(transaction.scan(KeyWriter(Space::quarantine, token).str(),
                               [&](std::string_view key, std::string_view) {
                                   storage::KeyReader at(key);
                                   const auto assertion = at.id<AssertionId>();
                                   found.emplace_back(assertion, at.id<Token>());
                                   return at.ok();
                               }));
    for (const auto& split : found) {
        const auto [open, fresh] = known.try_emplace(split.first, false);
        if (fresh) open->second = CDP_TRY(is_open(transaction, split.first));
        if (open->second) out.insert(split);
    }
    return Result<void>::ok();
}

}  // namespace

std::string quarantines_prefix() {
    return KeyWriter(Space::quarantine, kAll).str();
}

std::string quarantine_key(const AssertionId& assertion) {
    return KeyWriter(Space::quarantine, kAll).id(assertion).str();
}

void write_split(storage::Transaction& transaction, const Split& split) {
    const SplitOf which{split.assertion, split.anchor};
    const auto since = ByteWriter().i64(milliseconds_of(split.time)).take();
    for (const auto& token : split.refusing)
        transaction.put(refusing_prefix(which).id(token).str(), since);
    for (const auto& token : split.members)
        transaction.put(
            KeyWriter(Space::quarantine, token).id(split.assertion).id(split.anchor).str(), "");
}

Result<std::uint32_t> open_quarantines(storage::Transaction& transaction) {
    const auto row = CDP_TRY(transaction.get(open_count_key()));
    if (!row) return std::uint32_t{0};
    ByteReader in(*row);
    const auto count = in.u32();
    if (!in.done()) return damaged("a count of quarantines that cannot be read");
    return count;
}

Result<bool> is_open(storage::Transaction& transaction, const AssertionId& assertion) {
    return CDP_TRY(transaction.get(open_key(assertion))).has_value();
}

Result<std::vector<AssertionId>> all_open(storage::Transaction& transaction) {
    std::vector<AssertionId> out;
    CDP_CHECK(transaction.scan(open_count_key(), [&](std::string_view key, std::string_view) {
        storage::KeyReader at(key);
        const auto id = at.id<AssertionId>();
        if (at.ok()) out.push_back(id);  // the count has none
        return true;
    }));
    return out;
}

Result<bool> was_split(storage::Transaction& transaction, const Token& token,
                       const AssertionId& assertion) {
    bool found = false;
    CDP_CHECK(transaction.scan(KeyWriter(Space::quarantine, token).id(assertion).str(),
                               [&](std::string_view, std::string_view) {
                                   found = true;
                                   return false;
                               }));
    return found;
}

Result<void> open_quarantine(storage::Transaction& transaction, const AssertionId& assertion) {
    if (CDP_TRY(is_open(transaction, assertion))) return Result<void>::ok();
    transaction.put(open_key(assertion), "");
    return add_to_count(transaction, 1);
}

Result<void> close_quarantine(storage::Transaction& transaction, const AssertionId& assertion) {
    if (!CDP_TRY(is_open(transaction, assertion))) return Result<void>::ok();
    transaction.erase(open_key(assertion));
    return add_to_count(transaction, -1);
}

Result<std::vector<Quarantined>> quarantined_from(storage::Transaction& transaction,
                                                  std::span<const Token> members) {
    std::vector<Quarantined> out;
    if (CDP_TRY(open_quarantines(transaction)) == 0) return out;
    std::map<AssertionId, bool> known;
    std::set<SplitOf> splits;
    for (const auto& token : members) CDP_CHECK(add_open_splits(transaction, token, known, splits));
    const std::set<Token> own(members.begin(), members.end());
    std::map<Token, Timestamp> found;
    bool readable = true;
    for (const auto& split : splits)
        CDP_CHECK(transaction.scan(
            refusing_prefix(split).str(), [&](std::string_view key, std::string_view value) {
                storage::KeyReader at(key);
                at.byte();
                at.id<Token>();
                const auto token = at.id<Token>();
                ByteReader in(value);
                const auto since = timestamp_of(in.i64());
                readable = at.ok() && in.done();
                if (!readable) return false;
                // Split off twice: what was said up to the later moment counts.
                if (!own.contains(token)) {
                    auto& last = found.try_emplace(token, since).first->second;
                    last = std::max(last, since);
                }
                return found.size() <= kQuarantinedMax;
            }));
    if (!readable) return damaged("a quarantine row that cannot be read");
    if (found.size() > kQuarantinedMax)
        return Error{.code = ErrorCode::unavailable,
                     .reason = "quarantine_too_large",
                     .message =
                         "So many identifiers were split off from this person that an "
                         "officer must release some of them first."};
    for (const auto& [token, since] : found) out.push_back({token, since});
    return out;
}

}  // namespace cdp
