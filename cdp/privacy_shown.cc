#include "cdp/privacy_shown.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cdp/privacy_regimes.h"
#include "cdp/refuse.h"

namespace cdp {
namespace {

void time_if(consent::JsonWriter& out, std::string_view name,
             const std::optional<Timestamp>& time) {
    if (time) out.text(name, format_time(*time));
}

void put_results(consent::JsonWriter& out, const PrivacyResults& results) {
    out.open("results").flag("matched", results.matched);
    const std::pair<const char*, const std::vector<std::string>*> lists[] = {
        {"erasures", &results.erasures},
        {"records", &results.records},
        {"lifted", &results.lifted},
        {"made", &results.made}};
    for (const auto& [name, list] : lists)
        if (!list->empty()) out.texts(name, *list);
    if (!results.counts.empty()) {
        out.open("counts");
        for (const auto& [name, count] : results.counts)
            out.number(name, static_cast<std::int64_t>(count));
        out.close();
    }
    if (!results.stayed.empty()) {
        out.open("stayed");
        for (const auto& [why, types] : results.stayed) out.texts(why, types);
        out.close();
    }
    time_if(out, "until", results.until);
    out.close();
}

}  // namespace

void put_privacy_request(consent::JsonWriter& out, const PrivacyRequest& one, Timestamp now) {
    out.text("id", to_hex(one.id.view())).text("kind", to_string(one.kind));
    out.text("protocol", to_string(one.protocol)).text("status", to_string(one.state));
    out.text("regime", one.regime);
    if (const auto* regime = find_privacy_regime(one.regime)) out.text("law", regime->source);
    out.text("sender", one.sender).text_if("external_id", one.external_id);
    out.number("named", one.asked);
    if (!one.purposes.empty()) out.texts("purposes", one.purposes);
    out.text_if("suppression", one.suppression).text_if("verified_by", one.verified_by);
    if (!one.verified_by.empty())
        out.text("vouched_for", one.whole_person ? "person" : "identifiers");
    out.text("received", format_time(one.received));
    time_if(out, "acknowledge_by", one.acknowledge_by);
    out.text("answer_by", format_time(one.answer_by));
    time_if(out, "extended_until", one.extended_until);
    out.text_if("extended_for", one.extended_for);
    time_if(out, "not_before", one.not_before);
    if (one.denial) out.text("denial", to_string(*one.denial));
    out.text_if("blocked", one.blocked);
    out.flag("overdue", !is_final(one.state) && one.due() < now);
    if (is_final(one.state)) put_results(out, one.results);
}

void put_privacy_step(consent::JsonWriter& out, const PrivacyRequestId& request,
                      const PrivacyStep& step) {
    out.text("request", to_hex(request.view()))
        .number("number", step.number)
        .text("time", format_time(step.time));
    out.text("author", step.author).text("step", to_string(step.act));
    if (step.from) out.text("from", to_string(*step.from));
    out.text("to", to_string(step.to));
    out.text_if("code", step.code).text_if("detail", step.detail);
    if (step.remark != consent::Sha256{})
        out.text("detail_digest", to_hex(consent::view(step.remark)));
}

Result<void> check_privacy_status(std::string_view status) {
    if (status.empty() || status == "open" || status == "overdue" || parse_privacy_state(status))
        return Result<void>::ok();
    return refuse("status_unknown", "The status is open, overdue, or a request's state.",
                  "/status");
}

bool stands_as(const PrivacyRequest& request, std::string_view status, Timestamp now) {
    const bool open = !is_final(request.state);
    if (status == "open") return open;
    if (status == "overdue") return open && request.due() < now;
    return status.empty() || to_string(request.state) == status;
}

}  // namespace cdp
