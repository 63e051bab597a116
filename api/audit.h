#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "cdp/audit.h"
#include "cdp/base/result.h"

// How an officer's question is asked: as a GET below /v1/audit/, as a verb of `cdp audit`.
namespace api {

// Every question under its whole path. What is returned lives as long as the process.
std::span<const std::pair<std::string, const cdp::AuditQuestion*>> audit_routes();

// The text of a parameter, if it is given; by name.
using AuditParameter = std::function<std::optional<std::string>(std::string_view name)>;

// Errors: malformed_identifier, malformed_time, malformed_limit; their pointer is the parameter's
// name.
cdp::Result<cdp::AuditQuery> read_audit_query(const cdp::AuditQuestion& question,
                                              const AuditParameter& parameter);

}  // namespace api
