#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "cdp/attribution.h"
#include "cdp/config.h"
#include "cdp/event_links.h"
#include "cdp/json_text.h"
#include "cdp/people.h"
#include "cdp/shown.h"
#include "cdp/source_names.h"
#include "identity/graph.h"
#include "identity/neighbourhood.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

struct IdentityNeeds {
    const storage::Store& store;
    const storage::Vault& vault;
    const identity::Graph& graph;
    const People& people;
    const Config& config;
    const SourceNames& sources;
};

// One read of who is who: a snapshot, some identifiers and what surrounds them, and the JSON of
// it. For one thread.
class IdentityReading {
public:
    explicit IdentityReading(const IdentityNeeds& needs);

    People::Reading reading() { return {*snapshot_, transaction_}; }
    // Before what follows, and again when more is wanted.
    Result<void> load(std::span<const Token> start);
    // Finds what retractions took from the links of those who are here, and of some of them from
    // their newest events: those that `of` names first.
    Result<void> load_taken_back(std::span<const Token> of);
    // Who was linked to somebody who is here and is not here now. A bounded number.
    std::vector<Token> lost_ones() const;
    identity::Neighbourhood& near() { return *near_; }
    std::uint32_t at(const Token& token) const { return *near_->find(token); }
    const identity::Component::Member& member(std::uint32_t node) const {
        return near_->members()[node];
    }
    PersonId person_of(std::uint32_t node) const;
    // The document, with every identifier that was written for it.
    Shown shown(std::string json) const;

    // Members of an object: "type":…,"value":…; a value that was erased is null.
    Result<std::string> identifier_members(const Token& token);
    // The object.
    Result<std::string> identifier(std::uint32_t node);
    // Members of an object: "class":…,"first_seen":…,"last_seen":…,"days":…,"sources":[…]. Of two
    // spellings of one identifier "hash_equality":true.
    Result<std::string> evidence(const identity::Evidence& evidence);
    // [{"id":…,…}]: some of the newest events that the two were both in.
    Result<std::string> events(const Token& a, const Token& b, const identity::Evidence& evidence);
    // Members of an object: "assertions":[ID,…],"said":[{"assertion":ID,"kind":…,…},…].
    Result<std::string> said_members(const std::vector<identity::AssertionId>& ids);
    // Members of an object: "reason":… and what it rests on.
    Result<std::string> refusal(const identity::Hop& hop);

    // The assertions of a kind that stand about an identifier, and about another one with it.
    Result<std::vector<identity::AssertionId>> assertions(const Token& token,
                                                          identity::AssertionKind kind,
                                                          const Token& other = {});

private:
    Result<std::string> open(const Token& token);
    Result<std::string> value_list(const std::vector<std::uint32_t>& nodes);
    Result<std::string> outsider(std::uint32_t node);
    Result<std::string> outsider_json(std::uint32_t node);
    Result<std::string> source(std::uint32_t hash);

    const IdentityNeeds& needs_;
    const std::unique_ptr<storage::Snapshot> snapshot_;
    storage::Transaction transaction_;
    Attribution attribution_;
    const EventLinks event_links_;
    const identity::Assertions assertions_;
    identity::Rules rules_ = {};
    std::optional<identity::Neighbourhood> near_ = {};
    std::unordered_map<Token, std::string> identifiers_ = {};
    std::unordered_map<std::uint32_t, std::string> sources_ = {};
    std::unordered_map<std::uint32_t, std::string> outsiders_ = {};  // by node
    std::size_t rows_left_;  // of events, for the whole answer
};

const char* json_bool(bool value);
// The members of an object: ,"NAME":"TIME"
std::string time_member(const char* name, Timestamp time);
std::string seen_with_json(const identity::SeenWith& seen);
// "assertions":[ID,…]
std::string assertions_member(const std::vector<identity::AssertionId>& ids);

}  // namespace cdp
