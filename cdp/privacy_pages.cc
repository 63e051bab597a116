#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/paging.h"
#include "cdp/privacy_regimes.h"
#include "cdp/privacy_requests.h"
#include "cdp/refuse.h"
#include "consent/json_writer.h"
#include "consent/tiles.h"

// What requests are shown as.
namespace cdp {
namespace {

constexpr std::string_view kNewest = "privacy requests";
constexpr std::string_view kUrgent = "privacy requests by due";
constexpr std::size_t kLookedAtMax = 5'000;  // for one page

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
    time_if(out, "until", results.until);
    out.close();
}

void put_request(consent::JsonWriter& out, const PrivacyRequest& one, Timestamp now) {
    out.text("id", to_hex(one.id.view())).text("kind", to_string(one.kind));
    out.text("protocol", to_string(one.protocol)).text("status", to_string(one.state));
    out.text("regime", one.regime);
    if (const auto* regime = find_privacy_regime(one.regime)) out.text("law", regime->source);
    out.text("sender", one.sender).text_if("external_id", one.external_id);
    out.number("named", one.asked);
    if (!one.purposes.empty()) out.texts("purposes", one.purposes);
    out.text_if("suppression", one.suppression).text_if("verified_by", one.verified_by);
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

class Page {
public:
    Page(const PrivacyRequestsQuery& query, Timestamp now) : query_(query), now_(now) {
        out_.open().open_list("requests");
    }

    // False: there is no room for it.
    bool add(const PrivacyRequest& one, std::string place) {
        if (++looked_at_ > kLookedAtMax || (wanted(one) && size_ == query_.page.limit)) {
            full_ = true;
            return false;
        }
        last_ = std::move(place);
        if (!wanted(one)) return true;
        ++size_;
        put_request(out_.open(), one, now_);
        out_.close();
        return true;
    }
    std::string finish(std::string_view question) && {
        out_.close_list();
        if (full_)
            out_.text("next", cursor_to(question, last_));
        else
            out_.json("next", "null");
        return out_.close().take();
    }

private:
    bool wanted(const PrivacyRequest& one) const {
        if (!query_.kind.empty() && to_string(one.kind) != query_.kind) return false;
        if (query_.status.empty()) return true;
        const bool open = !is_final(one.state);
        if (query_.status == "open") return open;
        if (query_.status == "overdue") return open && one.due() < now_;
        return to_string(one.state) == query_.status;
    }

    const PrivacyRequestsQuery& query_;
    const Timestamp now_;
    consent::JsonWriter out_;
    std::size_t looked_at_ = 0;
    std::size_t size_ = 0;
    std::string last_;
    bool full_ = false;
};

Result<void> check(const PrivacyRequestsQuery& query) {
    CDP_CHECK(check_limit(query.page.limit));
    const bool known = query.status.empty() || query.status == "open" ||
                       query.status == "overdue" || parse_privacy_state(query.status);
    if (!known)
        return refuse("status_unknown", "The status is open, overdue, or a request's state.",
                      "/status");
    if (!query.kind.empty() && !parse_privacy_kind(query.kind))
        return refuse("kind_unknown", "There is no such kind of request.", "/kind");
    return Result<void>::ok();
}

}  // namespace

Result<std::string> PrivacyRequests::page(const PrivacyRequestsQuery& query) const {
    CDP_CHECK(check(query));
    const bool urgent = query.due_before.has_value();
    const auto question = urgent ? kUrgent : kNewest;
    const auto prefix = urgent ? privacy_due_prefix() : privacy_requests_prefix();
    const auto place = CDP_TRY(place_in(question, query.page.cursor));
    const auto size = sizeof(PrivacyRequestId::bytes) + (urgent ? sizeof(std::uint64_t) : 0);
    if (!place.empty() && place.size() != size) return malformed_cursor();
    const auto from = place.empty() ? std::string() : prefix + place + '\0';
    const auto snapshot = needs_.store.snapshot();
    Page out(query, needs_.clock.now());
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot->scan(prefix, from, [&](std::string_view key, std::string_view sealed) {
        auto row = Result<PrivacyRow>();
        if (urgent) {
            const auto at = timed_in(key);
            if (!at || at->time >= *query.due_before) return false;
            row = find_row(at->id);
        } else {
            row = open_privacy_row(needs_.vault, key, sealed);
        }
        if (!row) {
            outcome = row.error();
            return false;
        }
        return out.add(row->request, std::string(key.substr(prefix.size())));
    }));
    CDP_CHECK(outcome);
    return std::move(out).finish(question);
}

Result<std::string> PrivacyRequests::json(const PrivacyRequest& request) const {
    const auto snapshot = needs_.store.snapshot();
    consent::JsonWriter out;
    put_request(out.open(), request, needs_.clock.now());
    out.open_list("identifiers");
    for (const auto& [type, value] : request.identifiers)
        out.open().text("type", type).text("value", value).close();
    out.close_list().text_if("reason", request.reason);
    if (!request.traits.empty()) {
        out.open("traits");
        for (const auto& [name, value] : request.traits) out.json(name, value);
        out.close();
    }
    out.open_list("steps");
    for (const auto& step : request.steps) {
        out.open().number("number", step.number).text("time", format_time(step.time));
        out.text("author", step.author).text("step", to_string(step.act));
        if (step.from) out.text("from", to_string(*step.from));
        out.text("to", to_string(step.to));
        out.text_if("code", step.code).text_if("detail", step.detail);
        const auto commitment = step.commitment(request.id);
        out.open("ledger").text("commitment", to_hex(consent::view(commitment)));
        if (const auto index = CDP_TRY(snapshot->get(consent::entry_index_key(commitment))))
            out.number("index", static_cast<std::int64_t>(ByteReader(*index).u64()));
        out.close().close();
    }
    out.close_list();
    return out.close().take();
}

Result<std::string> PrivacyRequests::show(const Reader& reader, const PrivacyRequestId& id) const {
    const auto request = CDP_TRY(read(id));
    Looked whom{.identifiers = CDP_TRY(tokens_of(*needs_.store.snapshot(), id)), .persons = {}};
    return needs_.disclosures.show(reader, Shown(CDP_TRY(json(request)), std::move(whom)));
}

}  // namespace cdp
