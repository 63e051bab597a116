#include "cdp/person_then.h"

#include <set>

#include "cdp/facts.h"
#include "identity/change.h"
#include "storage/key.h"

namespace cdp {
namespace {

// The members that a person has today and had by then.
Result<void> add_members(storage::Transaction& transaction, const Token& anchor, Timestamp at,
                         std::set<Token>& out) {
    bool readable = true;
    CDP_CHECK(transaction.scan(storage::KeyWriter(storage::Space::member, anchor).str(),
                               [&](std::string_view key, std::string_view value) {
                                   const auto since = identity::decode_since(value);
                                   readable = since.has_value();
                                   if (readable && *since <= at)
                                       out.insert(storage::KeyReader(key).id<Token>());
                                   return readable;
                               }));
    if (!readable) return damaged("a member row that cannot be read");
    return Result<void>::ok();
}

}  // namespace

Result<std::optional<PersonThen>> person_then(const identity::Graph& graph,
                                              storage::Transaction& transaction, const Token& token,
                                              Timestamp at) {
    auto person = CDP_TRY(identity::person_at(transaction, token, at));
    std::set<Token> members;
    if (!person) {
        const auto node = CDP_TRY(graph.find(transaction, token));
        if (!node || !node->active || !node->placed()) return std::optional<PersonThen>();
        CDP_CHECK(add_members(transaction, node->anchor, at, members));
        if (!members.contains(token)) return std::optional<PersonThen>();
        person = node->person();
    } else if (const auto anchor = CDP_TRY(graph.find_person(transaction, *person))) {
        CDP_CHECK(add_members(transaction, *anchor, at, members));
    }
    for (const auto& member : CDP_TRY(identity::former_members(transaction, *person, at)))
        members.insert(member);
    return std::optional(PersonThen{*person, {members.begin(), members.end()}});
}

// The rows of its history are keyed by when each ended.
Result<std::vector<Timestamp>> person_turns(storage::Transaction& transaction, const Token& token) {
    std::vector<Timestamp> out;
    CDP_CHECK(transaction.scan(storage::KeyWriter(storage::Space::history, token).str(),
                               [&](std::string_view key, std::string_view) {
                                   out.push_back(storage::KeyReader(key).newest_first());
                                   return true;
                               }));
    return out;
}

}  // namespace cdp
