#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cdp/base/result.h"
#include "identity/fold.h"
#include "identity/node.h"
#include "storage/store.h"

// A raw component as stored: loaded, folded, and written back where the fold says otherwise.
namespace identity {

using TypeOf = std::function<const IdentifierType&(std::string_view name)>;

// The error of stored identity data that cannot be read; `what` is for the log.
cdp::Error damaged(const char* what);

std::string link_key(const cdp::Token& from, const cdp::Token& to);
std::string member_key(const cdp::Token& anchor, const cdp::Token& member);

// Folds everything reachable from `start` through identifiers that are not shared, and writes the
// nodes and memberships that changed.
cdp::Result<void> refold(storage::Transaction& transaction, const TypeOf& type_of,
                         std::span<const cdp::Token> start);

}  // namespace identity
