#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/problem.h"

namespace api {
namespace {

using nlohmann::json;

constexpr std::size_t kConsentsMax = 1000;
constexpr std::size_t kIdentifiersMax = 100;  // of one record

cdp::Error invalid(std::string reason, std::string message, std::string pointer) {
    return {cdp::ErrorCode::invalid_argument,
            std::move(reason),
            std::move(message),
            std::move(pointer),
            {}};
}

cdp::Result<std::vector<cdp::ConsentRequest::Subject>> read_subjects(const json& record,
                                                                     const std::string& at) {
    const auto list = record.find("identifiers");
    if (list == record.end() || !list->is_array() || list->empty() ||
        list->size() > kIdentifiersMax)
        return invalid("identifiers_missing", "1 to 100 identifiers are expected here.",
                       at + "/identifiers");
    std::vector<cdp::ConsentRequest::Subject> out;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto here = at + "/identifiers/" + std::to_string(i);
        const auto& one = (*list)[i];
        if (!one.is_object()) return invalid("wrong_type", "An object is expected here.", here);
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

cdp::Result<std::string> first_string(const json& record, const char* first, const char* second,
                                      const std::string& at) {
    auto text = CDP_TRY(string_member(record, first, at));
    return text.empty() ? string_member(record, second, at) : std::move(text);
}

cdp::Result<cdp::ConsentRequest> read_record(const json& record, const std::string& at) {
    if (!record.is_object()) return invalid("wrong_type", "An object is expected here.", at);
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
    out.valid_until = CDP_TRY(read_time(record, "valid_until", at));
    out.method = CDP_TRY(string_member(record, "method", at));
    out.notice_id = CDP_TRY(string_member(record, "notice_id", at));
    out.notice_version = CDP_TRY(string_member(record, "notice_version", at));
    out.notice_hash = CDP_TRY(string_member(record, "notice_hash", at));
    out.idempotency_key = CDP_TRY(first_string(record, "id", "idempotency_key", at));
    return out;
}

cdp::Result<std::vector<cdp::ConsentRequest>> read_consents(const Request& request) {
    const auto document = CDP_TRY(parse_json(request.body));
    const bool several = document.is_object() && document.contains("consents");
    const auto& list = several ? document["consents"] : document;
    if (several && (!list.is_array() || list.empty() || list.size() > kConsentsMax))
        return invalid("consents_missing", "1 to 1000 consents are expected here.", "/consents");

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
