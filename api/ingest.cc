#include "api/handlers.h"
#include "api/json.h"
#include "api/problem.h"
#include "api/routes.h"

namespace api {
namespace {

void append_verdict(std::string& out, std::size_t index, const cdp::Verdict& verdict) {
    out += R"({"index":)" + std::to_string(index);
    if (!verdict.message_id.empty()) {
        out += R"(,"messageId":)";
        append_json_string(out, verdict.message_id);
    }
    out += R"(,"verdict":)";
    append_json_string(out, to_string(verdict.kind));
    if (verdict.kind == cdp::VerdictKind::rejected) {
        out += R"(,"code":)";
        append_json_string(out, verdict.error.reason);
        out += R"(,"detail":)";
        append_json_string(out, verdict.error.message);
        out += R"(,"pointer":)";
        append_json_string(out, verdict.error.pointer);
    }
    if (!verdict.warnings.empty()) {
        out += R"(,"warnings":[)";
        for (const auto& warning : verdict.warnings) {
            if (out.back() != '[') out += ',';
            append_json_string(out, warning);
        }
        out += ']';
    }
    out += '}';
}

Response answer_of(const std::vector<cdp::Verdict>& verdicts, bool says_ok) {
    Response response;
    auto& out = response.body;
    out.reserve(48 + verdicts.size() * 96);
    out += says_ok ? R"({"success":true,"ok":true,"results":[)" : R"({"success":true,"results":[)";
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (i > 0) out += ',';
        append_verdict(out, i, verdicts[i]);
    }
    out += "]}\n";
    return response;
}

bool is_one_refusal(const std::vector<cdp::Verdict>& verdicts) {
    return verdicts.size() == 1 && verdicts[0].kind == cdp::VerdictKind::rejected;
}

}  // namespace

void ingest(const Services& services, const Request& request, Answer answer) {
    const auto& route = *request.route;
    auto context = services.platform.parse_context(request.caller, route.import);
    // What is imported was not said by whoever sends it.
    context.gpc = !route.import && request.head->sec_gpc == "1";
    auto batch = cdp::parse_body(request.body, route.event_type, context);
    if (!batch) return answer(problem(batch.error()));

    const bool single = batch->single;
    const bool says_ok = route.says_ok;
    auto done = [answer = std::move(answer), single,
                 says_ok](cdp::Result<std::vector<cdp::Verdict>> verdicts) {
        if (!verdicts) return answer(problem(verdicts.error()));
        if (single && is_one_refusal(*verdicts)) return answer(problem(verdicts->front().error));
        answer(answer_of(*verdicts, says_ok));
    };
    services.platform.ingest(request.caller, std::move(*batch), std::move(done));
}

// What analytics-next counts about itself: taken, so that it does not ask elsewhere, and dropped.
Response take_sdk_metrics(const Services&, const Request&) {
    Response response;
    response.body = "{\"success\":true}\n";
    return response;
}

}  // namespace api
