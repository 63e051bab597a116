#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "consent/record.h"

namespace api {
namespace {

using nlohmann::json;

cdp::Result<std::vector<cdp::ConsentRequest::Subject>> read_subjects(const json& record,
                                                                     const std::string& at) {
    const auto list = record.find("identifiers");
    if (list == record.end() || !list->is_array() || list->empty() ||
        list->size() > consent::kAssertedMax)
        return invalid("identifiers_missing", "1 to 64 identifiers are expected here.",
                       at + "/identifiers");
    std::vector<cdp::ConsentRequest::Subject> out;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto here = at + "/identifiers/" + std::to_string(i);
        const auto& one = (*list)[i];
        CDP_CHECK(check_members(one, here, {"type", "value"}));
        auto type = CDP_TRY(string_member(one, "type", here));
        auto value = CDP_TRY(string_member(one, "value", here));
        if (type.empty() || value.empty())
            return invalid("identifier_incomplete", "An identifier has a type and a value.", here);
        out.push_back({std::move(type), std::move(value)});
    }
    return out;
}

cdp::Result<std::vector<std::string>> read_channels(const json& record, const std::string& at) {
    std::vector<std::string> out;
    const auto list = record.find("channels");
    if (list == record.end() || list->is_null()) return out;
    if (!list->is_array())
        return invalid("wrong_type", "A list of channels is expected here.", at + "/channels");
    for (const auto& one : *list) {
        if (!one.is_string())
            return invalid("wrong_type", "A channel's name is expected here.", at + "/channels");
        out.push_back(one.get<std::string>());
    }
    return out;
}

cdp::Result<std::optional<cdp::Timestamp>> read_time(const json& record, const char* name,
                                                     const std::string& at) {
    const auto text = CDP_TRY(string_member(record, name, at));
    if (text.empty()) return std::optional<cdp::Timestamp>();
    const auto time = cdp::parse_time(text);
    if (!time)
        return invalid("malformed_time", "An RFC 3339 time is expected here.", at + "/" + name);
    return time;
}

cdp::Result<void> read_notice(const json& record, const std::string& at, cdp::ConsentRequest& out) {
    const auto notice = record.find("notice");
    if (notice == record.end()) return cdp::Result<void>::ok();
    const auto here = at + "/notice";
    CDP_CHECK(check_members(*notice, here, {"id", "version", "hash"}));
    out.notice_id = CDP_TRY(string_member(*notice, "id", here));
    out.notice_version = CDP_TRY(string_member(*notice, "version", here));
    out.notice_hash = CDP_TRY(string_member(*notice, "hash", here));
    return cdp::Result<void>::ok();
}

// What an export says of an answer beyond what was sent: who took it, and when. Whoever posts it
// now answers for it anew. What an event stamped must come with its event, or it would count for
// more.
cdp::Result<void> check_exported(const json& record, const std::string& at) {
    CDP_CHECK(string_member(record, "source", at));
    CDP_CHECK(read_time(record, "receivedAt", at));
    const auto name = CDP_TRY(string_member(record, "origin", at));
    const auto origin = consent::parse_origin(name);
    if (!name.empty() && origin != consent::Origin::server && origin != consent::Origin::officer)
        return invalid("not_an_answer", "Only answers of origin server or officer are taken here.",
                       at + "/origin");
    return cdp::Result<void>::ok();
}

cdp::Result<cdp::ConsentRequest> read_record(const json& record, const std::string& at) {
    CDP_CHECK(check_members(record, at,
                            {"id", "identifiers", "purpose", "state", "scope", "channels", "time",
                             "validUntil", "method", "notice", "receivedAt", "origin", "source"}));
    CDP_CHECK(check_exported(record, at));
    cdp::ConsentRequest out;
    out.identifiers = CDP_TRY(read_subjects(record, at));
    out.purpose = CDP_TRY(string_member(record, "purpose", at));
    out.state = CDP_TRY(string_member(record, "state", at));
    if (out.purpose.empty())
        return invalid("purpose_required", "A purpose is expected here.", at + "/purpose");
    if (out.state.empty())
        return invalid("state_required", "A state is expected here.", at + "/state");
    out.scope = CDP_TRY(string_member(record, "scope", at));
    out.channels = CDP_TRY(read_channels(record, at));
    out.time = CDP_TRY(read_time(record, "time", at));
    out.valid_until = CDP_TRY(read_time(record, "validUntil", at));
    out.method = CDP_TRY(string_member(record, "method", at));
    CDP_CHECK(read_notice(record, at, out));
    out.idempotency_key = CDP_TRY(string_member(record, "id", at));
    return out;
}

cdp::Result<std::vector<cdp::ConsentRequest>> read_consents(const Request& request) {
    const auto document = CDP_TRY(parse_json(request.body));
    const bool several = document.is_object() && document.contains("consents");
    const auto& list = several ? document["consents"] : document;
    if (several && (!list.is_array() || list.empty() || list.size() > cdp::kConsentsMax))
        return invalid("consents_missing", "1 to 500 consents are expected here.", "/consents");

    if (several) CDP_CHECK(check_members(document, "", {"consents"}));
    std::vector<cdp::ConsentRequest> out;
    const std::size_t count = several ? list.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = several ? "/consents/" + std::to_string(i) : std::string();
        out.push_back(CDP_TRY(read_record(several ? list[i] : list, at)));
        // The header names the whole request; each record of it needs a name of its own.
        if (out.back().idempotency_key.empty() && !request.head->idempotency_key.empty())
            out.back().idempotency_key =
                std::string(request.head->idempotency_key) + "#" + std::to_string(i);
    }
    return out;
}

Response answer_of(const std::vector<std::string>& records) {
    Response response;
    response.body = R"({"success":true,"records":[)";
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (i > 0) response.body += ',';
        append_json_string(response.body, records[i]);
    }
    response.body += "]}\n";
    return response;
}

}  // namespace

void record_consents(const Services& services, const Request& request, Answer answer) {
    auto consents = read_consents(request);
    if (!consents) return answer(problem(consents.error()));
    services.platform.record_consents(
        request.caller, std::move(*consents),
        [answer = std::move(answer)](cdp::Result<std::vector<std::string>> records) {
            answer(records ? answer_of(*records) : problem(records.error()));
        });
}

}  // namespace api
