#include "cdp/named_persons.h"

#include <algorithm>
#include <iterator>

#include "cdp/named.h"
#include "cdp/spellings.h"

namespace cdp {

Result<std::vector<Token>> held_of(const identity::Graph& graph, storage::Transaction& transaction,
                                   std::span<const Token> named) {
    std::vector<Token> out;
    for (const Token& token : named) {
        if (CDP_TRY(graph.find(transaction, token)))
            out.push_back(token);
        else
            std::ranges::copy(CDP_TRY(held_behind(transaction, token)), std::back_inserter(out));
    }
    return out;
}

Result<std::vector<NamedPerson>> named_persons(const identity::Graph& graph,
                                               storage::Transaction& transaction,
                                               std::span<const Token> named) {
    std::vector<NamedPerson> out;
    bool shared = false;
    for (const Token& token : CDP_TRY(held_of(graph, transaction, named))) {
        const auto node = CDP_TRY(graph.find(transaction, token));
        if (!node || !node->active) continue;
        shared = shared || node->shared;
        const auto person = node->person();
        if (!node->shared && std::ranges::find(out, person, &NamedPerson::person) == out.end())
            out.push_back({token, person});
    }
    if (out.empty() && shared) return identifier_shared("/identifiers");
    if (out.empty())
        return Error{.code = ErrorCode::not_found,
                     .reason = "person_unknown",
                     .message = "Nobody has these identifiers."};
    return out;
}

}  // namespace cdp
