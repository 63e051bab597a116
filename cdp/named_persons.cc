#include "cdp/named_persons.h"

#include <algorithm>
#include <iterator>

#include "cdp/named.h"
#include "cdp/spellings.h"

namespace cdp {

Result<std::vector<NamedPerson>> named_persons(const identity::Graph& graph,
                                               storage::Transaction& transaction,
                                               std::span<const Token> named) {
    std::vector<NamedPerson> out;
    bool shared = false;
    std::vector<Token> had;
    for (const Token& token : named) {
        if (CDP_TRY(graph.find(transaction, token)))
            had.push_back(token);
        else
            std::ranges::copy(CDP_TRY(held_behind(transaction, token)), std::back_inserter(had));
    }
    for (const Token& token : had) {
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
