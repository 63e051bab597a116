#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "storage/store.h"
#include "storage/transaction.h"

namespace cdp {

// What somebody asks of the data that are held of them.
using PrivacyRequestId = Id<struct PrivacyRequestTag>;

// That an identifier was erased: all that keeps facts from before from coming back.
struct Tombstone {
    Timestamp erased{};    // facts up to this moment are refused
    bool closing = false;  // the erasure is under way: nothing about the identifier is taken
    PrivacyRequestId request{};
    bool for_ever = false;  // later facts are refused too: whoever it is of is suppressed
    // Of what was erased by a hash alone: the type of what it is a hash of; see cdp/spellings.h.
    std::string behind = {};

    bool covers(Timestamp time) const { return for_ever || time <= erased; }

    friend bool operator==(const Tombstone&, const Tombstone&) = default;
};

std::string tombstone_key(const Token& token);
// Each erasure of an identifier that is done has a row behind the tombstone's, newest first.
std::string erased_by_key(const Token& token, const PrivacyRequestId& request);
std::string encode(const Tombstone& tombstone);
// nullopt when the bytes are not what encode wrote.
std::optional<Tombstone> decode_tombstone(std::string_view bytes);

// Whether a fact would bring back who was erased; docs/decisions/0026. Safe to use from many
// threads; the store must outlive it.
class Tombstones {
public:
    explicit Tombstones(const storage::Store& store) : store_(store) {}

    // True: a tombstone of one of the identifiers covers the fact, and it must not be stored.
    // Error unavailable, erasure_under_way. The transaction conflicts with an erasure of any of
    // them that is committed before it.
    Result<bool> suppress(storage::Transaction& transaction, std::span<const Token> tokens,
                          Timestamp time) const;

    // The identifier's, as of the transaction.
    static Result<std::optional<Tombstone>> find(storage::Transaction& transaction,
                                                 const Token& token);

    // By which requests the identifier was erased, from behind `after` on, newest first: at most so
    // many. Of those under way only the newest is named.
    static Result<std::vector<PrivacyRequestId>> requests(
        storage::Transaction& transaction, const Token& token,
        const std::optional<PrivacyRequestId>& after, std::size_t most);

    // Whether anything was erased by a hash alone, and whether that may have been an identifier of
    // the type. The transaction conflicts with the next such erasure that is committed before it.
    Result<bool> hides_any(storage::Transaction& transaction) const;
    bool hides(std::string_view type) const;

    // Writes one, and keeps what was there before; what was for ever, or behind a hash, stays so.
    // From now on its identifier is looked up; call it before the commit.
    Result<void> put(storage::Transaction& transaction, const Token& token,
                     const Tombstone& tombstone) const;

private:
    Result<void> load() const;
    bool may_have(const Token& token) const;

    const storage::Store& store_;
    mutable std::atomic<bool> loaded_ = false;
    mutable std::atomic<bool> any_ = false;
    mutable std::atomic<bool> any_behind_ = false;
    mutable std::mutex loading_;
    mutable std::shared_mutex mutex_;                    // starts_, behind_
    mutable std::unordered_set<std::uint64_t> starts_;   // of tokens that may have one
    mutable std::set<std::string, std::less<>> behind_;  // types that may have one behind a hash
};

}  // namespace cdp
