#include "api/consent_request.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"
#include "cdp/texts.h"
#include "consent/record.h"

namespace api {
namespace {

using nlohmann::json;

using Checked = cdp::Result<void>;

// The object below a name; nullptr when there is none. Its members are checked by whoever asks.
const json* find_member(const json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

cdp::Result<cdp::ConsentRequest::Subject> read_subject(const json& one, const std::string& at) {
    CDP_CHECK(check_members(one, at, {"type", "value", "strength"}));
    cdp::ConsentRequest::Subject out;
    out.type = CDP_TRY(string_member(one, "type", at));
    out.value = CDP_TRY(string_member(one, "value", at));
    out.strength = CDP_TRY(string_member(one, "strength", at));
    if (out.type.empty() || out.value.empty())
        return invalid("identifier_incomplete", "An identifier has a type and a value.", at);
    return out;
}

Checked read_subjects(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const auto* list = find_member(record, "identifiers");
    const auto pointer = at + "/identifiers";
    if (!list || !list->is_array() || list->empty() || list->size() > consent::kAssertedMax)
        return invalid("identifiers_missing", "1 to 64 identifiers are expected here.", pointer);
    for (std::size_t i = 0; i < list->size(); ++i)
        out.identifiers.push_back(
            CDP_TRY(read_subject((*list)[i], pointer + "/" + std::to_string(i))));
    return Checked::ok();
}

Checked read_notice(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const auto* notice = find_member(record, "notice");
    if (!notice) return Checked::ok();
    const auto here = at + "/notice";
    CDP_CHECK(
        check_members(*notice, here, {"id", "version", "hash", "language", "url", "code_hash"}));
    out.notice_id = CDP_TRY(string_member(*notice, "id", here));
    out.notice_version = CDP_TRY(string_member(*notice, "version", here));
    out.notice_hash = CDP_TRY(string_member(*notice, "hash", here));
    out.notice_language = CDP_TRY(string_member(*notice, "language", here));
    out.notice_url = CDP_TRY(string_member(*notice, "url", here));
    out.notice_code_hash = CDP_TRY(string_member(*notice, "code_hash", here));
    return Checked::ok();
}

// `sha256` and `parser_version` are ours to say; an export says them too.
Checked read_signal(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const auto* signal = find_member(record, "signal");
    if (!signal) return Checked::ok();
    const auto here = at + "/signal";
    CDP_CHECK(check_members(*signal, here, {"type", "raw", "sha256", "parser_version"}));
    cdp::ConsentRequest::Signal said;
    said.type = CDP_TRY(string_member(*signal, "type", here));
    said.raw = CDP_TRY(string_member(*signal, "raw", here));
    out.signal = std::move(said);
    return Checked::ok();
}

Checked read_evidence(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const auto* list = find_member(record, "evidence");
    if (!list) return Checked::ok();
    const auto pointer = at + "/evidence";
    if (!list->is_array() || list->size() > consent::kEvidenceMax)
        return invalid("too_many_evidence", "A list of at most 16 is expected here.", pointer);
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto here = pointer + "/" + std::to_string(i);
        const auto& one = (*list)[i];
        CDP_CHECK(check_members(one, here, {"kind", "sha256", "size", "location"}));
        auto& evidence = out.evidence.emplace_back();
        evidence.kind = CDP_TRY(string_member(one, "kind", here));
        evidence.sha256 = CDP_TRY(string_member(one, "sha256", here));
        evidence.location = CDP_TRY(string_member(one, "location", here));
        const auto size = one.find("size");
        if (size == one.end()) continue;
        if (!size->is_number_unsigned())
            return invalid("wrong_type", "A number of bytes is expected here.", here + "/size");
        evidence.size = size->get<std::uint64_t>();
    }
    return Checked::ok();
}

Checked read_double_opt_in(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const auto* doi = find_member(record, "double_opt_in");
    if (!doi) return Checked::ok();
    const auto here = at + "/double_opt_in";
    CDP_CHECK(
        check_members(*doi, here, {"request", "token", "token_hash", "expires", "confirmed_by"}));
    cdp::ConsentRequest::DoubleOptIn read;
    read.request = CDP_TRY(string_member(*doi, "request", here));
    read.token = CDP_TRY(string_member(*doi, "token", here));
    read.token_hash = CDP_TRY(string_member(*doi, "token_hash", here));
    read.confirmed_by = CDP_TRY(string_member(*doi, "confirmed_by", here));
    read.expires = CDP_TRY(time_member(*doi, "expires", here));
    out.double_opt_in = std::move(read);
    return Checked::ok();
}

Checked read_minor(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const auto* minor = find_member(record, "minor");
    if (!minor) return Checked::ok();
    const auto here = at + "/minor";
    CDP_CHECK(
        check_members(*minor, here, {"age_band", "guardian", "verification", "guardian_record"}));
    cdp::ConsentRequest::Minor read;
    read.age_band = CDP_TRY(string_member(*minor, "age_band", here));
    read.verification = CDP_TRY(string_member(*minor, "verification", here));
    read.guardian_record = CDP_TRY(string_member(*minor, "guardian_record", here));
    if (const auto* guardian = find_member(*minor, "guardian"))
        read.guardian = CDP_TRY(read_subject(*guardian, here + "/guardian"));
    out.minor = std::move(read);
    return Checked::ok();
}

// The kind as a word. As an object it is what an export says, and whoever posts it speaks now.
Checked read_actor(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const auto* actor = find_member(record, "actor");
    if (!actor || !actor->is_object()) {
        out.actor = CDP_TRY(string_member(record, "actor", at));
        return Checked::ok();
    }
    const auto here = at + "/actor";
    CDP_CHECK(check_members(*actor, here, {"kind", "id"}));
    return Checked::ok();
}

// What an export says of an answer beyond what was sent: who took it, and when. Whoever posts it
// now answers for it anew. What an event stamped must come with its event, or it would count for
// more.
Checked check_exported(const json& record, const std::string& at) {
    CDP_CHECK(string_member(record, "source", at));
    CDP_CHECK(time_member(record, "receivedAt", at));
    const auto name = CDP_TRY(string_member(record, "origin", at));
    const auto origin = consent::parse_origin(name);
    if (!name.empty() && origin != consent::Origin::server && origin != consent::Origin::officer)
        return invalid("not_an_answer", "Only answers of origin server or officer are taken here.",
                       at + "/origin");
    return Checked::ok();
}

Checked read_clocks(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    out.time = CDP_TRY(time_member(record, "time", at));
    out.effective_from = CDP_TRY(time_member(record, "effective_from", at));
    out.valid_until = CDP_TRY(time_member(record, "valid_until", at));
    out.reconfirm_due = CDP_TRY(time_member(record, "reconfirm_due", at));
    out.no_reask_until = CDP_TRY(time_member(record, "no_reask_until", at));
    // As it was spelled at first.
    if (!out.valid_until) out.valid_until = CDP_TRY(time_member(record, "validUntil", at));
    return Checked::ok();
}

Checked read_texts(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const std::pair<const char*, std::string*> texts[] = {
        {"purpose", &out.purpose},   {"state", &out.state},
        {"scope", &out.scope},       {"basis", &out.basis},
        {"method", &out.method},     {"jurisdiction", &out.jurisdiction},
        {"regime", &out.regime},     {"receipt_id", &out.receipt_id},
        {"id", &out.idempotency_key}};
    for (const auto& [name, text] : texts) *text = CDP_TRY(string_member(record, name, at));
    CDP_CHECK(cdp::check_idempotency_key(out.idempotency_key, at + "/id"));
    // A signal says of which purposes it speaks, and what.
    const bool by_signal = out.purpose.empty() && find_member(record, "signal");
    if (out.purpose.empty() && !by_signal)
        return invalid("purpose_required", "A purpose is expected here.", at + "/purpose");
    if (out.state.empty() && !by_signal)
        return invalid("state_required", "A state is expected here.", at + "/state");
    out.channels = CDP_TRY(strings_member(record, "channels", at));
    out.labels = CDP_TRY(strings_member(record, "labels", at));
    out.overrides = CDP_TRY(strings_member(record, "overrides", at));
    return Checked::ok();
}

cdp::Result<cdp::ConsentRequest> read_record(const json& record, const std::string& at) {
    CDP_CHECK(check_members(
        record, at,
        {"id",          "identifiers",   "purpose",        "state",        "scope",
         "channels",    "labels",        "basis",          "time",         "effective_from",
         "valid_until", "reconfirm_due", "no_reask_until", "jurisdiction", "regime",
         "method",      "notice",        "signal",         "evidence",     "double_opt_in",
         "minor",       "actor",         "overrides",      "receipt_id",   "validUntil",
         "receivedAt",  "origin",        "source",         "graph_version"}));
    CDP_CHECK(check_exported(record, at));
    cdp::ConsentRequest out;
    CDP_CHECK(read_subjects(record, at, out));
    CDP_CHECK(read_texts(record, at, out));
    CDP_CHECK(read_clocks(record, at, out));
    CDP_CHECK(read_notice(record, at, out));
    CDP_CHECK(read_signal(record, at, out));
    CDP_CHECK(read_evidence(record, at, out));
    CDP_CHECK(read_double_opt_in(record, at, out));
    CDP_CHECK(read_minor(record, at, out));
    CDP_CHECK(read_actor(record, at, out));
    return out;
}

}  // namespace

cdp::Result<PostedConsents> read_consents(const Request& request) {
    const auto document = CDP_TRY(parse_json(request.body));
    const bool several = document.is_object() && document.contains("consents");
    const auto& list = several ? document["consents"] : document;
    if (several && (!list.is_array() || list.empty() || list.size() > cdp::kConsentsMax))
        return invalid("consents_missing", "1 to 500 consents are expected here.", "/consents");

    if (several) CDP_CHECK(check_members(document, "", {"consents"}));
    CDP_CHECK(cdp::check_idempotency_key(request.head->idempotency_key, kIdempotencyPointer));
    PostedConsents out{.several = several};
    const std::size_t count = several ? list.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = several ? "/consents/" + std::to_string(i) : std::string();
        out.all.push_back(CDP_TRY(read_record(several ? list[i] : list, at)));
        // The header names the whole request; each record of it needs a name of its own.
        if (out.all.back().idempotency_key.empty() && !request.head->idempotency_key.empty())
            out.all.back().idempotency_key =
                std::string(request.head->idempotency_key) + "#" + std::to_string(i);
    }
    return out;
}

}  // namespace api
