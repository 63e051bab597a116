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

// audit_decision.cc
Result<Shown> audit_decision(const AuditSources& sources, const AuditQuery& query);
// audit_grants.cc
Result<Shown> audit_grants(const AuditSources& sources, const AuditQuery& query);
// audit_withdrawals.cc
Result<Shown> audit_withdrawals(const AuditSources& sources, const AuditQuery& query);
// audit_minors.cc
Result<Shown> audit_minors(const AuditSources& sources, const AuditQuery& query);
// audit_conflicts.cc
Result<Shown> audit_conflicts(const AuditSources& sources, const AuditQuery& query);
// audit_records.cc
Result<Shown> audit_records(const AuditSources& sources, const AuditQuery& query);
// audit_gpc.cc
Result<Shown> audit_gpc(const AuditSources& sources, const AuditQuery& query);
// audit_signals.cc
Result<Shown> audit_signals(const AuditSources& sources, const AuditQuery& query);

// audit_merges.cc
Result<Shown> audit_merges(const AuditSources& sources, const AuditQuery& query);
// audit_night.cc
Result<Shown> audit_night(const AuditSources& sources, const AuditQuery& query);
// audit_purpose.cc
Result<Shown> audit_purpose_limitation(const AuditSources& sources, const AuditQuery& query);
// audit_unmapped.cc
Result<Shown> audit_unmapped(const AuditSources& sources, const AuditQuery& query);
// audit_unused.cc
Result<Shown> audit_unused(const AuditSources& sources, const AuditQuery& query);
// audit_processing.cc
Result<Shown> audit_processing(const AuditSources& sources, const AuditQuery& query);

// audit_erasures.cc
Result<Shown> audit_erasures(const AuditSources& sources, const AuditQuery& query);
// audit_requests.cc
Result<Shown> audit_rights_requests(const AuditSources& sources, const AuditQuery& query);

}  // namespace cdp
