#pragma once

#include "api/message.h"
#include "api/services.h"

// What the routes of routes.cc do.
namespace api {

// ingest.cc
void ingest(const Services& services, const Request& request, Answer answer);
Response take_sdk_metrics(const Services& services, const Request& request);

// settings.cc: what browser SDKs fetch before they send anything
Response segment_settings(const Services& services, const Request& request);
Response rudder_source_config(const Services& services, const Request& request);
Response empty_answer(const Services& services, const Request& request);

// privacy_control.cc
Response global_privacy_control(const Services& services, const Request& request);

// consents.cc
void record_consents(const Services& services, const Request& request, Answer answer);

// consent_views.cc
Response read_consents_of(const Services& services, const Request& request);
void decide(const Services& services, const Request& request, Answer answer);

// audit.cc
void answer_audit(const Services& services, const Request& request, Answer answer);

// notices.cc
void post_notice(const Services& services, const Request& request, Answer answer);
Response read_notice_versions(const Services& services, const Request& request);

// withdrawals.cc
void read_withdrawals(const Services& services, const Request& request, Answer answer);
void acknowledge_withdrawals(const Services& services, const Request& request, Answer answer);

// quarantines.cc
Response list_quarantines(const Services& services, const Request& request);
void release_quarantine(const Services& services, const Request& request, Answer answer);

// profiles.cc
Response read_profile(const Services& services, const Request& request);
Response read_timeline(const Services& services, const Request& request);
Response look_up_profiles(const Services& services, const Request& request);
Response read_google_consent(const Services& services, const Request& request);

// groups.cc
Response read_group(const Services& services, const Request& request);
Response read_groups_of_person(const Services& services, const Request& request);

// changes.cc
Response read_changes(const Services& services, const Request& request);

// key_changes.cc
void change_epoch(const Services& services, const Request& request, Answer answer);
void show_epochs(const Services& services, const Request& request, Answer answer);
void add_escrow(const Services& services, const Request& request, Answer answer);
void rotate_ledger_key(const Services& services, const Request& request, Answer answer);

// clock.cc
Response show_clock(const Services& services, const Request& request);
void accept_clock(const Services& services, const Request& request, Answer answer);

// backups.cc
void create_backup(const Services& services, const Request& request, Answer answer);
void verify_data(const Services& services, const Request& request, Answer answer);

// simulate.cc
void simulate(const Services& services, const Request& request, Answer answer);

// assertions.cc
void add_assertion(const Services& services, const Request& request, Answer answer);
void revoke_assertion(const Services& services, const Request& request, Answer answer);
Response list_assertions(const Services& services, const Request& request);
Response read_assertion(const Services& services, const Request& request);

// identity_view.cc
Response explain(const Services& services, const Request& request);
Response read_identity(const Services& services, const Request& request);

// administration.cc
void add_key(const Services& services, const Request& request, Answer answer);
Response list_keys(const Services& services, const Request& request);
void export_lines(const Services& services, const Request& request, Answer answer);

// ledger.cc
Response ledger_checkpoint(const Services& services, const Request& request);
Response ledger_tile(const Services& services, const Request& request);
Response ledger_keys(const Services& services, const Request& request);
Response read_ledger_proof(const Services& services, const Request& request);
void check_ledger(const Services& services, const Request& request, Answer answer);

// agents.cc
void add_agent(const Services& services, const Request& request, Answer answer);
Response list_agents(const Services& services, const Request& request);
void remove_agent(const Services& services, const Request& request, Answer answer);

// privacy_requests.cc
void add_privacy_request(const Services& services, const Request& request, Answer answer);
Response list_privacy_requests(const Services& services, const Request& request);
Response read_privacy_request(const Services& services, const Request& request);
void step_privacy_request(const Services& services, const Request& request, Answer answer);

// privacy.cc
void erase(const Services& services, const Request& request, Answer answer);
Response list_erasures(const Services& services, const Request& request);
Response read_erasure(const Services& services, const Request& request);
void certify_erasure(const Services& services, const Request& request, Answer answer);

// suppressions.cc
void suppress(const Services& services, const Request& request, Answer answer);
void revoke_suppression(const Services& services, const Request& request, Answer answer);
Response list_suppressions(const Services& services, const Request& request);

// reports.cc
void read_report(const Services& services, const Request& request, Answer answer);

// retention.cc
void read_retention(const Services& services, const Request& request, Answer answer);
void run_retention(const Services& services, const Request& request, Answer answer);

// receipts.cc
Response read_receipt(const Services& services, const Request& request);

// preferences.cc
Response make_preference_link(const Services& services, const Request& request);
Response show_preference(const Services& services, const Request& request);
void choose_preference(const Services& services, const Request& request, Answer answer);

// operations.cc
Response healthz(const Services& services, const Request& request);
Response readyz(const Services& services, const Request& request);
Response metrics(const Services& services, const Request& request);

}  // namespace api
