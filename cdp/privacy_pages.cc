#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/paging.h"
#include "cdp/privacy_requests.h"
#include "cdp/privacy_shown.h"
#include "cdp/refuse.h"
#include "consent/json_writer.h"
#include "consent/tiles.h"

// What requests are shown as.
namespace cdp {
namespace {

constexpr std::string_view kNewest = "privacy requests";
constexpr std::string_view kUrgent = "privacy requests by due";
constexpr std::size_t kLookedAtMax = 5'000;  // for one page

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
        put_privacy_request(out_.open(), one, now_);
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
        return stands_as(one, query_.status, now_);
    }

    const PrivacyRequestsQuery& query_;
    const Timestamp now_;
    consent::JsonWriter out_;
    std::size_t looked_at_ = 0;
    std::size_t size_ = 0;
    std::string last_;
    bool full_ = false;
};

// What a cursor is for: this order and no other filter.
std::string question_of(const PrivacyRequestsQuery& query) {
    ByteWriter out;
    out.bytes(query.due_before ? kUrgent : kNewest).bytes(query.status).bytes(query.kind);
    if (query.due_before) out.i64(milliseconds_of(*query.due_before));
    return out.take();
}

Result<void> check(const PrivacyRequestsQuery& query) {
    CDP_CHECK(check_limit(query.page.limit));
    CDP_CHECK(check_privacy_status(query.status));
    if (!query.kind.empty() && !parse_privacy_kind(query.kind))
        return refuse("kind_unknown", "There is no such kind of request.", "/kind");
    return Result<void>::ok();
}

}  // namespace

Result<std::string> PrivacyRequests::page(const PrivacyRequestsQuery& query) const {
    CDP_CHECK(check(query));
    const bool urgent = query.due_before.has_value();
    const auto question = question_of(query);
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
        if (auto words = subjects_of(*snapshot, needs_.vault, row->id()))
            put_words(row->request, std::move(words->words));
        else
            outcome = words.error();
        return outcome && out.add(row->request, std::string(key.substr(prefix.size())));
    }));
    CDP_CHECK(outcome);
    return std::move(out).finish(question);
}

Result<std::string> PrivacyRequests::json(const PrivacyRequest& request,
                                          const PrivacyUrls& urls) const {
    const auto snapshot = needs_.store.snapshot();
    consent::JsonWriter out;
    put_privacy_request(out.open(), request, needs_.clock.now());
    out.text_if("results_url", urls.results).open_list("identifiers");
    for (std::size_t i = 0; i < request.identifiers.size(); ++i) {
        const auto& [type, value] = request.identifiers[i];
        out.open().text("type", type).text("value", value);
        if (i < urls.proofs.size()) out.text_if("verification_url", urls.proofs[i]);
        out.close();
    }
    out.close_list().text_if("reason", request.reason);
    if (!request.traits.empty()) {
        out.open("traits");
        for (const auto& [name, value] : request.traits) out.json(name, value);
        out.close();
    }
    out.open_list("steps");
    for (const auto& step : request.steps) {
        put_privacy_step(out.open(), request.id, step);
        if (const auto said = request.remarks.find(step.number); said != request.remarks.end())
            out.text("detail", said->second.text);
        const auto commitment = step.commitment(request.id);
        out.open("ledger").text("commitment", to_hex(consent::view(commitment)));
        if (const auto index = CDP_TRY(snapshot->get(consent::entry_index_key(commitment))))
            out.number("index", static_cast<std::int64_t>(ByteReader(*index).u64()));
        out.close().close();
    }
    out.close_list();
    return out.close().take();
}

Result<std::string> PrivacyRequests::show(const Reader& reader, const PrivacyRequestId& id,
                                          const PrivacyUrlsOf& urls_of) const {
    const auto request = CDP_TRY(read(id));
    Looked whom{.identifiers = CDP_TRY(tokens_of(*needs_.store.snapshot(), id)), .persons = {}};
    const auto urls = urls_of ? urls_of(request) : PrivacyUrls{};
    return needs_.disclosures.show(reader, Shown(CDP_TRY(json(request, urls)), std::move(whom)));
}

}  // namespace cdp
