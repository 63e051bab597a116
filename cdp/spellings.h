#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/config.h"
#include "cdp/people.h"
#include "cdp/tombstones.h"
#include "identity/graph.h"
#include "identity/observation.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// An address or number and its hashes are one identifier in several spellings
// (docs/decisions/0012), and who is erased is erased in all of them (0026).
namespace cdp {

// The addresses and numbers that are held and have a hash. The transaction conflicts with one that
// comes to be held.
Result<std::vector<Token>> held_behind(storage::Transaction& transaction, const Token& hash);

// An identifier as it was named.
struct Spelling {
    Token token = {};
    std::string type = {};   // empty: its node tells
    std::string value = {};  // normal form
};

// Whom an erasure takes.
struct Spelled {
    std::vector<Token> tokens = {};            // sorted; those of hashes too, held or not
    std::map<Token, std::string> behind = {};  // of them, behind hashes: of what type they hide
};

class Spellings {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Config& config;
    };
    explicit Spellings(Needs needs) : needs_(needs) {}

    // What else is held that is the same identifier: of an address or number its hashes, of a hash
    // what it is known to be of and the other hashes of that.
    Result<std::vector<Token>> held_as(People::Reading reading, const Spelling& named) const;

    // Identifiers that go, with the spellings under which nothing of theirs comes back; `named` is
    // one of them, held or not. Those that who stays has are left to them.
    Result<Spelled> spell(People::Reading reading, std::vector<Token> going,
                          const Spelling& named) const;

    // Adds to the tokens of a fact those under which what it names may have been erased by a hash
    // alone. Costs nothing as long as nothing was.
    Result<void> add_behind(const Tombstones& tombstones, storage::Transaction& transaction,
                            std::span<const identity::Sighting> sightings,
                            std::vector<Token>& tokens) const;

private:
    identity::Form form_of(std::string_view type) const {
        return needs_.config.types.known(type).form;
    }
    Token behind(std::string_view hashed_type, std::string_view value) const;
    Result<void> add_hashes(storage::Transaction& transaction, const Spelling& contact,
                            std::vector<Token>& held) const;
    Result<std::vector<Spelling>> values_of(People::Reading reading, std::span<const Token> tokens,
                                            const Spelling& named) const;
    Result<bool> stays(storage::Transaction& transaction, const Token& hash,
                       std::span<const Token> going) const;

    Needs needs_;
};

}  // namespace cdp
