#pragma once

#include <set>
#include <span>
#include <vector>

#include "cdp/people.h"
#include "cdp/source_names.h"
#include "identity/explain.h"
#include "identity/graph.h"

namespace cdp {

// What blocks a request until an officer answers for the whole person, denies or mends.
inline constexpr const char* kMembershipUnverified = "membership_unverified";

// Whether who has proved identifiers has proved the persons they lead to. The key of a client
// source is public, so anybody can say that an address of their own and somebody else's account
// were seen together; what is one person by nothing better is not opened or taken by that address;
// docs/decisions/0029. Everything it refers to must outlive it.
class Membership {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const SourceNames& sources;
    };
    explicit Membership(Needs needs) : needs_(needs) {}

    // Ok: everybody who is one person with one of them is led to by identity::reach, with what
    // sources of trust server have said. membership_unverified (conflict); its detail is the types
    // of those who are not. Who nobody has, and what several people have, leads nowhere.
    Result<void> check(People::Reading reading, std::span<const Token> proved) const;

private:
    Result<std::set<std::uint32_t>> believed(const storage::Snapshot& snapshot,
                                             const identity::Folded& folded) const;

    Needs needs_;
};

}  // namespace cdp
