#include <algorithm>

#include <span>
#include <utility>
#include "cdp/privacy_change.h"

#include "cdp/privacy_requests.h"

// That whoever asks has an identifier they named.
namespace cdp {
namespace {

constexpr const char* kByLink = "link";

Error unnamed() {
    return {.code = ErrorCode::not_found,
            .reason = "request_unknown",
            .message = "No request names this identifier."};
}

}  // namespace

Result<PrivacyRequest> PrivacyRequests::prove(const PrivacyRequestId& id,
                                              const RequestedIdentifier& has) {
    const auto token = needs_.graph.token(has.type, has.value);
    const Decide decide = [&](PrivacyChange& change, const auto& snapshot) -> Result<bool> {
        auto& request = change.request();
        if (request.state != PrivacyState::waiting_for_verification)
            return Error{.code = ErrorCode::conflict,
                         .reason = "step_not_possible",
                         .message = "The request does not wait for a proof."};
        const auto subjects = CDP_TRY(subjects_of(snapshot, needs_.vault, id));
        const auto proved = std::ranges::find(subjects.named, token, &NamedToken::token);
        if (proved == subjects.named.end()) return unnamed();
        // Also those that nobody can read any more.
        auto others = CDP_TRY(tokens_of(snapshot, id));
        std::erase(others, token);
        CDP_CHECK(change.take(PrivacyAct::verify, kOurselves, kByLink,
                              others.empty() ? "" : "what else was named is left out"));
        request.verified_by = kByLink;
        if (others.empty()) return true;
        for (const Token& other : others) erase_subject(change.transaction(), id, other);
        CDP_CHECK(put_subjects(change.transaction(), needs_.vault, id, std::span(&*proved, 1),
                               token, subjects.words));
        return true;
    };
    CDP_TRY(change(id, decide));
    return read(id);
}

}  // namespace cdp
