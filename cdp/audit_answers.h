#pragma once

#include "cdp/audit.h"

// The answers to the questions of audit.cc's table; each says there what it is asked.
namespace cdp {

// audit_consent.cc
Result<Shown> audit_consent(const AuditSources& sources, const AuditQuery& query);

// audit_disclosures.cc
Result<Shown> audit_disclosures(const AuditSources& sources, const AuditQuery& query);
Result<Shown> audit_access(const AuditSources& sources, const AuditQuery& query);
Result<Shown> audit_withheld(const AuditSources& sources, const AuditQuery& query);
Result<Shown> audit_recipients(const AuditSources& sources, const AuditQuery& query);
// audit_record.cc
Result<Shown> audit_record(const AuditSources& sources, const AuditQuery& query);

}  // namespace cdp
