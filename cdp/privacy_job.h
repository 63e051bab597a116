#pragma once

#include <functional>
#include <vector>

#include "cdp/privacy_request_rows.h"
#include "cdp/privacy_results.h"
#include "cdp/spellings.h"

namespace cdp {

// What an executor works on.
struct PrivacyJob {
    PrivacyRequest request = {};
    std::vector<NamedToken> named = {};  // of whom a key is left
    std::vector<Token> plan = {};        // all that were named when it began
    std::vector<Token> vouched = {};     // for whom somebody answers besides
    Timestamp begun{};
};

// Does what a kind of request asks. It may be called again, also by another process, after it has
// done all or part of it, and is to come to the same end. An error that is `unavailable`,
// `overloaded` or `storage_full` is tried again later; any other blocks the request.
using PrivacyExecutor = std::function<Result<PrivacyResults>(const PrivacyJob&)>;

Spelling spelling_of(const NamedToken& named);

}  // namespace cdp
