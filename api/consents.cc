#include "api/consent_request.h"
#include "api/handlers.h"
#include "api/json.h"
#include "api/problem.h"

namespace api {
namespace {

using cdp::RecordedConsent;

// One that was posted alone stands alone: the caller's pointers have no list.
std::string sent_as(bool several, const std::string& pointer) {
    constexpr std::string_view kFirst = "/consents/0";
    return several || !pointer.starts_with(kFirst) ? pointer : pointer.substr(kFirst.size());
}

// What each pending answer waits for, by its place in the request.
void append_confirmations(std::string& out, const std::vector<RecordedConsent>& records) {
    bool first = true;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto& confirmation = records[i].confirmation;
        if (!confirmation) continue;
        out += first ? ",\"confirmations\":[" : ",";
        first = false;
        out += "{\"index\":" + std::to_string(i) + ",\"request\":\"" + records[i].id +
               "\",\"token\":\"" + confirmation->token + "\",\"expires\":\"" +
               cdp::format_time(confirmation->expires) + "\"}";
    }
    if (!first) out += ']';
}

void append_warnings(std::string& out, bool several, const std::vector<RecordedConsent>& records) {
    bool first = true;
    for (const auto& record : records)
        for (const auto& warning : record.warnings) {
            out += first ? ",\"warnings\":[" : ",";
            first = false;
            out += "{\"code\":\"" + warning.code + "\",\"pointer\":";
            append_json_string(out, sent_as(several, warning.pointer));
            out += '}';
        }
    if (!first) out += ']';
}

Response answer_of(bool several, const std::vector<RecordedConsent>& records) {
    Response response;
    response.body = R"({"success":true,"records":[)";
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (i > 0) response.body += ',';
        append_json_string(response.body, records[i].id);
    }
    response.body += ']';
    append_confirmations(response.body, records);
    append_warnings(response.body, several, records);
    response.body += "}\n";
    return response;
}

}  // namespace

void record_consents(const Services& services, const Request& request, Answer answer) {
    auto consents = read_consents(request);
    if (!consents) return answer(problem(consents.error()));
    const bool several = consents->several;
    services.platform.record_consents(
        request.caller, std::move(consents->all),
        [answer = std::move(answer), several](cdp::Result<std::vector<RecordedConsent>> records) {
            if (records) return answer(answer_of(several, *records));
            auto error = records.error();
            error.pointer = sent_as(several, error.pointer);
            answer(problem(error));
        });
}

}  // namespace api
