#include "cdp/audit_disclosed.h"

#include "cdp/audit_batches.h"
#include "cdp/audit_mask.h"
#include "cdp/base/bytes.h"
#include "cdp/consent_json.h"
#include "cdp/disclosures.h"
#include "cdp/paging.h"
#include "consent/json_writer.h"
#include "consent/policy.h"

namespace cdp {
namespace {

using consent::JsonWriter;

constexpr std::size_t kRowsMax = 20'000;

// Behind which row a page ended, and the newest batch when its walk began.
struct Place {
    std::optional<DisclosedPlace> after = {};
    std::uint64_t newest = 0;

    std::string cursor(std::string_view question) const {
        ByteWriter out;
        out.i64(milliseconds_of(after->last)).u64(after->batch).u32(after->row).u64(newest);
        return cursor_to(question, out.str());
    }
    static Result<Place> read(const AuditSources& sources, const DisclosedWanted& wanted) {
        const auto bytes = CDP_TRY(place_in(wanted.question, wanted.cursor));
        if (bytes.empty()) {
            CDP_CHECK(sources.disclosures.drain());
            return Place{.newest = CDP_TRY(newest_batch(*sources.store.snapshot()))};
        }
        ByteReader in(bytes);
        Place place{
            .after =
                DisclosedPlace{.last = timestamp_of(in.i64()), .batch = in.u64(), .row = in.u32()},
            .newest = in.u64()};
        if (!in.done()) return malformed_cursor();
        return place;
    }
};

bool is_wanted(const Disclosed& row, const DisclosedWanted& wanted) {
    const auto& batch = row.batch;
    if (batch.kind != wanted.kind || row.row.first >= wanted.until) return false;
    if (!wanted.channel.empty() && batch.channel != wanted.channel) return false;
    if (!wanted.purpose.empty() && !consent::covers(wanted.purpose, batch.purpose)) return false;
    return !wanted.mask || wanted.mask(row.mask);
}

void put_recipient(JsonWriter& out, const consent::Batch& batch) {
    out.text("channel", batch.channel).text("recipient", batch.recipient);
    out.text("country", batch.country).text("purpose", batch.purpose);
}

}  // namespace

namespace {

Result<DisclosedList> walk(const AuditSources& sources, const std::vector<Token>& members,
                           const DisclosedWanted& wanted, std::size_t limit,
                           const TakeDisclosed& take) {
    auto at = CDP_TRY(Place::read(sources, wanted));
    DisclosedList list;
    std::size_t looked_at = 0;
    std::size_t taken = 0;
    const auto after = at.after;
    CDP_CHECK(sources.disclosures.each_of(
        members, after,
        [&](const DisclosedPlace& place, std::optional<Disclosed> row) -> Result<bool> {
            if (place.last < wanted.since) return false;
            if (place.batch > at.newest) return true;
            const bool fits = row && is_wanted(*row, wanted);
            if (looked_at++ == kRowsMax || (fits && taken == limit)) {
                list.next = at.cursor(wanted.question);
                return false;
            }
            at.after = place;
            if (!row) ++list.erased;
            if (!fits) return true;
            ++taken;
            take(*std::move(row));
            return true;
        }));
    return list;
}

}  // namespace

Result<DisclosedList> each_disclosed(const AuditSources& sources, const std::vector<Token>& members,
                                     const DisclosedWanted& wanted, const TakeDisclosed& take) {
    return walk(sources, members, wanted, kRowsMax, take);
}

Result<DisclosedList> disclosed_of(const AuditSources& sources, const std::vector<Token>& members,
                                   const DisclosedWanted& wanted) {
    CDP_CHECK(check_limit(wanted.limit));
    std::vector<Disclosed> rows;
    auto list = CDP_TRY(walk(sources, members, wanted, wanted.limit,
                             [&](Disclosed row) { rows.push_back(std::move(row)); }));
    list.rows = std::move(rows);
    return list;
}

Result<std::string> disclosed_json(const AuditSources& sources, AuditProofs& proofs,
                                   const Disclosed& row, const DisclosedShown& shown) {
    const auto snapshot = sources.store.snapshot();
    const StoredNames names(sources.vault, *snapshot);
    const auto& batch = row.batch;
    JsonWriter out;
    out.open().text("first", format_time(row.row.first)).text("last", format_time(row.row.last));
    out.number("count", row.row.count);
    // Folded with others of before the period.
    if (row.row.first < shown.wanted.since) out.flag("began_before", true);
    out.open("reader").text("role", batch.role).text("name", batch.reader).close();
    const bool access = batch.kind == consent::BatchKind::access;
    if (!access) {
        put_recipient(out, batch);
        out.text("decision", to_hex(row.row.decision.view()));
    }
    out.number("batch", static_cast<std::int64_t>(batch.number)).number("row", row.index);
    out.json("identifier", "{" + CDP_TRY(names.name_of(row.row.subject)) + "}");
    if (access) {
        if (!row.mask.empty()) out.text("route", row.mask.front().name);
        out.text_if("reason", row.reason);
    } else {
        out.open_list("records");
        for (const auto& id : row.evidence) out.text({}, to_hex(id.view()));
        out.close_list();
        const auto mask = mask_shown(row.mask, shown.field);
        out.json("fields", mask.fields).json("withheld", mask.withheld);
    }
    return out.json("proof", CDP_TRY(proofs.of(row))).close().take();
}

Result<std::string> gaps_member(const AuditSources& sources, const DisclosedWanted& wanted) {
    const auto page = CDP_TRY(sources.disclosures.gaps(
        {.since = wanted.since, .until = wanted.until, .limit = kPageMax}));
    JsonWriter out;
    out.open_list();
    for (const auto& gap : page.batches) {
        out.open().text("from", format_time(gap.first)).text("until", format_time(gap.last));
        out.number("batch", static_cast<std::int64_t>(gap.number)).close();
    }
    return "\"gaps\":" + out.close_list().take();
}

std::string end_members(const DisclosedList& list) {
    return "\"erased\":" + std::to_string(list.erased) +
           ",\"next\":" + (list.next.empty() ? "null" : "\"" + list.next + "\"");
}

}  // namespace cdp
