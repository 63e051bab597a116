#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/config.h"
#include "cdp/hash_kind.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// A hash by which somebody names an identifier of one type.
struct HashedName {
    std::string type = {};
    HashKind kind = HashKind::sha256;
    std::string hex = {};  // lower case
};

struct FoundIdentifier {
    std::string type = {};
    std::string value = {};  // normal form

    friend bool operator==(const FoundIdentifier&, const FoundIdentifier&) = default;
};

// What stands for an identifier that nobody has, or not yet, named by its hash alone: what nothing
// sends, in the form that its type has. SHA-256 of an address or number is what is sent as such.
FoundIdentifier standing_for(const HashedName& name);
// All that may stand so for an identifier; of an address or number the hashes of
// identity::hashed_forms first.
std::vector<FoundIdentifier> all_standing_for(identity::Form form, const FoundIdentifier& one);
// Whether it may stand for another identifier of its own type.
bool stands_for_other(const FoundIdentifier& one);

// Whose identifiers have a hash that somebody sent; docs/decisions/0032. Safe to use from many
// threads; all of it must outlive it.
class HashSearch {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Config& config;
    };
    // `walk_max`: how many identifiers are walked over at most.
    explicit HashSearch(Needs needs, std::size_t walk_max = 1'000'000)
        : needs_(needs), walk_max_(walk_max) {}

    // Each that is held, once. SHA-256 of addresses and numbers is looked up, whichever of the ways
    // of docs/decisions/0012 it was made by; the rest is found by hashing what is held: it waits
    // for the disk, for seconds when much is held. Errors: too_many_held (invalid_argument), busy
    // (overloaded): one walk at a time.
    Result<std::vector<FoundIdentifier>> find(std::span<const HashedName> wanted) const;
    // Whether one that was found is one that has this hash of what is wanted.
    bool has(const FoundIdentifier& found, const HashedName& wanted) const;

private:
    Result<void> look_up(const HashedName& wanted, std::vector<FoundIdentifier>& found) const;
    Result<void> walk(std::span<const HashedName> wanted,
                      std::vector<FoundIdentifier>& found) const;

    Needs needs_;
    const std::size_t walk_max_;
    mutable std::mutex walking_;
};

}  // namespace cdp
