#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "identity/assertion.h"
#include "storage/transaction.h"

// Announcements: what became of persons, when, and why. They depend on what was known when, are
// written in the commit that changed the persons, and are never rebuilt.
namespace identity {

// Why persons changed.
struct Cause {
    enum class What : std::uint8_t { evidence = 1, assertion, rules, erasure };

    What what = What::evidence;
    cdp::Timestamp time{};       // by our clock
    AssertionId assertion = {};  // of an assertion, made or revoked

    friend bool operator==(const Cause&, const Cause&) = default;
};

std::string_view to_string(Cause::What value);

enum class ChangeKind : std::uint8_t {
    merged = 1,  // all of `from` are now of another person, with others
    split,       // the identifiers of `from` are of several persons now
    moved,       // some identifiers of `from` went to a person that was there before
    redirected,  // the same identifiers have another person id
    erased,      // all that was held of `from` is gone; whoever remembers the id forgets it
};

std::string_view to_string(ChangeKind value);

struct Change {
    ChangeKind kind = ChangeKind::merged;
    Cause cause;
    cdp::PersonId from;
    std::vector<cdp::PersonId> to;  // sorted
    std::uint32_t identifiers = 0;  // of `from` that are elsewhere now, or have another person id

    friend bool operator==(const Change&, const Change&) = default;
};

// Key prefix of the log of changes; the version of an entry is its index plus one.
std::string change_log();
std::string encode(const Change& change);
std::optional<Change> decode_change(std::string_view bytes);

// One identifier's move.
struct Move {
    cdp::Token identifier;
    std::optional<cdp::PersonId> from;  // nullopt: it was nowhere
    std::optional<cdp::PersonId> to;    // nullopt: it does not count any more
    cdp::PersonId successor;            // where what asks for `from` through it finds itself
    cdp::Token from_anchor = {};
    cdp::Token to_anchor = {};
};

// What the moves mean for persons. `stayed`: of the persons that somebody leaves or comes to, those
// that somebody stays with.
std::vector<Change> changes_of(const std::vector<Move>& moves,
                               const std::set<cdp::PersonId>& stayed, const Cause& cause);

// Since when an identifier is a member: the value of a member row.
std::string encode_since(cdp::Timestamp since);
std::optional<cdp::Timestamp> decode_since(std::string_view bytes);

// Writes the interval that ends now, so that it can be asked who was who at any time.
void write_history(storage::Transaction& transaction, const cdp::Token& identifier,
                   const cdp::PersonId& person, cdp::Timestamp since, cdp::Timestamp until);

// The person that an identifier belonged to at a moment before its present place; nullopt: none
// that is known.
cdp::Result<std::optional<cdp::PersonId>> person_at(storage::Transaction& transaction,
                                                    const cdp::Token& identifier,
                                                    cdp::Timestamp at);
// The identifiers that a person had at that moment and lost since.
cdp::Result<std::vector<cdp::Token>> former_members(storage::Transaction& transaction,
                                                    const cdp::PersonId& person, cdp::Timestamp at);

}  // namespace identity
