#include "cdp/erasures.h"

#include <algorithm>
#include <span>

// What an erasure has to do with who is never to be contacted again.
namespace cdp {

// Of who stays it would be lifted.
Result<void> Erasures::check_suppressed(People::Reading reading, const ErasureRequest& request,
                                        const std::vector<Token>& tokens, Timestamp at) const {
    if (request.scope != ErasureScope::identifier) return Result<void>::ok();
    for (const Token& token : tokens) {
        const auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
        if (!node || node->shared || !node->placed()) continue;
        const auto stand = CDP_TRY(
            suppressions_under(reading.transaction, needs_.graph, std::span(&token, 1), at));
        if (!stand.person) continue;
        const auto members = CDP_TRY(needs_.graph.members(reading.transaction, node->anchor));
        if (std::ranges::includes(tokens, members)) continue;
        return Error{.code = ErrorCode::conflict,
                     .reason = "identifier_suppressed",
                     .message =
                         "The person is suppressed by this identifier: erase the person, or "
                         "suppress another identifier of theirs first.",
                     .pointer = "/identifier"};
    }
    return Result<void>::ok();
}

Result<void> Erasures::suppress(People::Reading reading, const Erasure& erasure,
                                const ErasureRequest& request) const {
    if (!request.suppress) return Result<void>::ok();
    const NewSuppression never{.type = request.type,
                               .value = request.value,
                               .reason = *request.suppress,
                               .scope = request.scope == ErasureScope::person
                                            ? consent::SuppressionScope::person
                                            : consent::SuppressionScope::identifier,
                               .note = request.suppress_note,
                               .request = erasure.id};
    const auto made = needs_.suppressions.add(reading, erasure.author, never, erasure.requested);
    if (made) return Result<void>::ok();
    auto error = made.error();
    if (error.pointer == "/note") error.pointer = "/suppress/note";
    return error;
}

// Before their nodes go, which say what is shared.
Result<void> Erasures::note_suppressions(storage::Transaction& transaction,
                                         Erasure& erasure) const {
    const auto kept =
        CDP_TRY(suppressions_under(transaction, needs_.graph, erasure.tokens, erasure.requested));
    erasure.suppressions = kept.count;
    erasure.for_ever = kept.person;
    return Result<void>::ok();
}

}  // namespace cdp
