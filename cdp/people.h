#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/config.h"
#include "cdp/facts.h"
#include "cdp/field.h"
#include "cdp/suppressed_tokens.h"
#include "consent/consents.h"
#include "consent/decision.h"
#include "identity/graph.h"

// Persons as they are read: a person is looked up by any identifier and loaded identifier by
// identifier. Every read goes through the caller's transaction, so that the caller knows what its
// answer rests on.
namespace cdp {

struct PersonMember {
    Token token;
    identity::Node node;
    identity::NodeValue value;
    storage::SubjectKey key;
    std::optional<Token> suppressed = {};  // as of a field's class
};

struct Person {
    PersonId id{};
    std::vector<PersonMember> members;      // by token
    std::vector<consent::Member> consents;  // the same order; whom an operator split off and
                                            // identifiers that only values name follow
};

class People {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const consent::Consents& consents;
        const SuppressedTokens& suppressed;
        const Config& config;
    };
    explicit People(Needs needs) : needs_(needs) {}

    // One read: a snapshot and what was read from it.
    struct Reading {
        const storage::Snapshot& snapshot;
        storage::Transaction& transaction;
    };

    // The token of an identifier as a caller names it; `person` with a person id names its anchor.
    // As read_asked refuses (named.h), at /identifier; not_found when it can be nobody's.
    Result<Token> resolve(Reading reading, std::string_view type, std::string_view value) const;

    // The identifier's node, which names its person. not_found when nobody has the identifier.
    Result<identity::Node> find(Reading reading, const Token& token) const;

    // Everybody that goes when the person of this identifier goes: its members, and what alias
    // calls might have meant of them. Sorted. Of what is a member of nobody itself alone.
    Result<std::vector<Token>> tokens_of(Reading reading, const Token& token,
                                         const identity::Node& node) const;

    // not_found when nobody has the identifier. With everything said about consent.
    Result<Person> load(Reading reading, const Token& token) const;

    // One identifier that has a node and a key.
    Result<PersonMember> load_member(Reading reading, const Token& token) const;

    // Makes what was said about an identifier count that a datum of the person *is* but that is not
    // the person's: shared, or of somebody else. It opens nothing but itself.
    Result<void> add_foreign(Reading reading, Person& person, const Contact& contact) const;

    // The same of whatever a text is or names, before a gate is made; what of it is suppressed
    // `now` is noted in its class. Costs nothing more while nobody is suppressed.
    Result<void> heed_named(Reading reading, Person& person, const FieldText& text,
                            FieldClass& what, Timestamp now) const;
    // The same of the person's identifiers, which are no addresses and may be called like one.
    Result<void> heed_identifiers(Reading reading, Person& person, Timestamp now) const;

    // Makes what was said under a shared identifier count for data that are filed there and are the
    // person's all the same. `days` are those the data are of. Of other days on which an SDK's
    // stamps contradict each other only the denials count, so that not every event of the
    // identifier need be read: what is refused may be more than must be, never less.
    Result<void> add_shared(Reading reading, Person& person, const Token& token,
                            const std::set<std::int32_t>& days) const;

    // Everything said under one identifier, whether or not anybody has it.
    Result<consent::Member> said_under(Reading reading, const Token& token,
                                       std::string_view type) const;

    // Visits the events filed under an identifier, newest first, from (time, id) on. The visit
    // returns false to stop.
    using VisitEvent =
        std::function<bool(Timestamp time, const EventId& id, const StoredEvent& event)>;
    Result<void> events_of(Reading reading, const Token& home, const storage::SubjectKey& key,
                           Timestamp from, const VisitEvent& visit) const;

private:
    Result<void> add_quarantined(Reading reading, Person& person) const;
    // Of contested days those are read again that `days` holds; nullptr: all.
    Result<consent::Member> load_consents(Reading reading, const Token& token,
                                          const identity::Node& node,
                                          const std::set<std::int32_t>* days = nullptr) const;
    Result<void> add_said(Reading reading, consent::Member& member) const;
    Result<void> add_said_of_nobody(Reading reading, consent::Member& member,
                                    const Contact& contact) const;
    Result<bool> may_be_suppressed(Reading reading, const Contact& contact) const;
    Result<std::optional<Token>> first_suppressed(Reading reading, Person& person,
                                                  const std::vector<Contact>& contacts,
                                                  Timestamp now) const;
    Result<std::vector<consent::Stamp>> stamps_on(Reading reading, const Token& token,
                                                  std::int32_t day) const;

    Needs needs_;
};

// Called with all who are concerned, within the transaction that is about to change them: an error
// ends it. The answer: on what is shared their sessions count.
using CheckWhom =
    std::function<Result<std::vector<Token>>(People::Reading, std::span<const Token> whom)>;

}  // namespace cdp
