#pragma once

#include "cdp/audit.h"

// The answers to the questions of audit.cc's table; each says there what it is asked.
namespace cdp {

// audit_consent.cc
Result<Shown> audit_consent(const AuditSources& sources, const AuditQuery& query);

}  // namespace cdp
