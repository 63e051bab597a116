#pragma once

#include <set>
#include <span>
#include <vector>

#include "cdp/config.h"
#include "cdp/people.h"
#include "cdp/source_names.h"
#include "cdp/spellings.h"
#include "identity/explain.h"
#include "identity/graph.h"

namespace cdp {

// What blocks a request until an officer answers for the whole person, denies or mends.
inline constexpr const char* kMembershipUnverified = "membership_unverified";

// Everybody who is one person with identifiers that are named, in whatever spelling, and what is
// shared beside them: what somebody has before them who answers for the whole of it.
Result<std::vector<Token>> whole_of(const Spellings::Needs& needs, People::Reading reading,
                                    std::span<const Spelling> named);

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
        const Config& config;
    };
    explicit Membership(Needs needs) : needs_(needs) {}

    struct Proved {
        std::vector<Spelling> named = {};  // with every spelling of each
        std::vector<Token> vouched = {};   // of whole_of, by whom somebody answers for
    };
    // Ok: by identity::reach, with what sources of trust server have said, those who were proved
    // lead to all in `taken` that are somebody's, to everybody who is one person with them, and to
    // what is shared beside these; the answer is the latter. membership_unverified (conflict); its
    // detail is the types of those to whom nothing leads, and `(links_cut)` where the fold cuts
    // links of theirs, so that not all of them may be there.
    Result<std::vector<Token>> check(People::Reading reading, const Proved& proved,
                                     std::span<const Token> taken) const;

private:
    Result<std::set<std::uint32_t>> believed(const storage::Snapshot& snapshot,
                                             const identity::Folded& folded) const;

    Needs needs_;
};

}  // namespace cdp
