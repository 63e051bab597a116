#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cdp/privacy_request.h"
#include "cdp/queries.h"

// What is asked of the requests there are, and what protocols are told of them.
namespace cdp {

struct PrivacyRequestsQuery {
    std::string status = {};  // a state, `open` or `overdue`; empty: all
    std::string kind = {};
    // Open ones that are to be answered before, the most urgent first, instead of newest first.
    std::optional<Timestamp> due_before = {};
    PageQuery page = {};
};

// Where officers are sent on from a request. Empty: nowhere.
struct PrivacyUrls {
    std::string results = {};              // what was asked to be seen
    std::vector<std::string> proofs = {};  // for each of its identifiers: that the asker has it
};
using PrivacyUrlsOf = std::function<PrivacyUrls(const PrivacyRequest&)>;

// A change of state that a protocol is to be told of.
struct OwedCallback {
    PrivacyRequestId request{};
    std::uint32_t step = 0;  // its number
    PrivacyState state = PrivacyState::received;
    Timestamp since{};
    std::uint32_t attempts = 0;
    Timestamp not_before{};  // of the next one
};

}  // namespace cdp
