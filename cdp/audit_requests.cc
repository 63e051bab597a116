#include "cdp/audit_answers.h"
#include "cdp/audit_proofs.h"
#include "cdp/base/bytes.h"
#include "cdp/paging.h"
#include "cdp/privacy_request_rows.h"
#include "cdp/privacy_shown.h"
#include "consent/entry.h"
#include "consent/json_writer.h"

namespace cdp {
namespace {

constexpr std::string_view kQuestion = "rights-requests";
constexpr std::size_t kLookedAtMax = 5'000;

struct Page {
    std::vector<PrivacyRow> rows = {};
    std::string next = "null";
};

// Newest first, from behind the cursor's place on.
Result<Page> rows_of(const AuditSources& sources, const storage::Snapshot& snapshot,
                     const AuditQuery& query) {
    const auto place = CDP_TRY(place_in(kQuestion, query.page.cursor));
    if (!place.empty() && place.size() != sizeof(PrivacyRequestId::bytes))
        return malformed_cursor();
    const auto prefix = privacy_requests_prefix();
    const auto now = sources.clock.now();
    Page out;
    std::size_t looked_at = 0;
    PrivacyRequestId last{};
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot.scan(prefix, place.empty() ? std::string() : prefix + place + '\0',
                            [&](std::string_view key, std::string_view sealed) {
                                auto row = open_privacy_row(sources.vault, key, sealed);
                                if (!row) {
                                    outcome = row.error();
                                    return false;
                                }
                                const auto& one = row->request;
                                if (query.since && one.received < *query.since) return true;
                                if (query.until && one.received >= *query.until) return true;
                                const bool wanted = stands_as(one, query.status, now);
                                if ((wanted && out.rows.size() == query.page.limit) ||
                                    ++looked_at > kLookedAtMax) {
                                    out.next = '"' + cursor_to(kQuestion, last.view()) + '"';
                                    return false;
                                }
                                last = one.id;
                                if (wanted) out.rows.push_back(*std::move(row));
                                return true;
                            }));
    CDP_CHECK(outcome);
    return out;
}

}  // namespace

// What was asked names nobody once it is taken down, and neither does the answer.
Result<Shown> audit_rights_requests(const AuditSources& sources, const AuditQuery& query) {
    CDP_CHECK(check_limit(query.page.limit));
    CDP_CHECK(check_privacy_status(query.status));
    const auto snapshot = sources.store.snapshot();
    const auto page = CDP_TRY(rows_of(sources, *snapshot, query));
    AuditProofs proofs(sources);
    consent::JsonWriter out;
    out.open().open_list("requests");
    for (auto row : page.rows) {
        put_words(row.request, CDP_TRY(subjects_of(*snapshot, sources.vault, row.id())).words);
        put_privacy_request(out.open(), row.request, sources.clock.now());
        out.open_list("steps");
        for (const auto& step : CDP_TRY(steps_of(*snapshot, sources.vault, row.id()))) {
            put_privacy_step(out.open(), row.id(), step);
            const auto said = step.said_of(row.id());
            out.json("proof",
                     CDP_TRY(proofs.of(consent::EntryType::request_status, step.salt, said)));
            out.close();
        }
        out.close_list().close();
    }
    out.close_list().json("next", page.next);
    return Shown(out.close().take(), {});
}

}  // namespace cdp
