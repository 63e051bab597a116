#include "cdp/base/bytes.h"
#include "cdp/paging.h"
#include "cdp/rectification_facts.h"
#include "consent/entry.h"
#include "consent/json_writer.h"
#include "consent/tiles.h"

// What rectifications are shown as.
namespace cdp {
namespace {

constexpr std::string_view kQuestion = "rectifications";

}  // namespace

Result<std::string> Rectifications::json(const storage::Snapshot& snapshot,
                                         const Rectification& rectification) const {
    consent::JsonWriter out;
    out.open().text("id", to_hex(rectification.id.view()));
    out.text("time", format_time(rectification.time)).text("author", rectification.author);
    out.text("reason", rectification.reason).texts("traits", rectification.traits);
    out.number("identifiers", static_cast<std::int64_t>(rectification.identifiers));
    out.open_list("recipients");
    for (const auto& [channel, one] : rectification.recipients) {
        out.open();
        needs_.erasures.put_recipient(out, channel, one);
        out.close();
    }
    out.close_list().texts("identifiers_stay", rectification.identifiers_stay);
    const auto commitment =
        consent::commitment(consent::EntryType::request_status, rectification.salt,
                            encode_rectification(rectification));
    out.open("ledger").text("commitment", to_hex(consent::view(commitment)));
    if (const auto index = CDP_TRY(snapshot.get(consent::entry_index_key(commitment))))
        out.number("index", static_cast<std::int64_t>(ByteReader(*index).u64()));
    return out.close().close().take();
}

Result<std::string> Rectifications::page(const PageQuery& query) const {
    CDP_CHECK(check_limit(query.limit));
    const auto after = CDP_TRY(place_in(kQuestion, query.cursor));
    if (!after.empty() && after.size() != sizeof(PrivacyRequestId::bytes))
        return malformed_cursor();
    const auto from = after.empty() ? "" : rectification_key(PrivacyRequestId::from(after)) + '\0';
    const auto snapshot = needs_.store.snapshot();
    std::string list;
    std::string next = "null";
    std::string last;
    std::size_t count = 0;
    auto outcome = Result<void>::ok();
    const auto add = [&](std::string_view key, std::string_view sealed) -> Result<void> {
        const auto one = CDP_TRY(open_rectification(needs_.vault, key, sealed));
        list += (list.empty() ? "" : ",") + CDP_TRY(json(*snapshot, one));
        last = one.id.view();
        return Result<void>::ok();
    };
    CDP_CHECK(snapshot->scan(rectifications_prefix(), from,
                             [&](std::string_view key, std::string_view sealed) {
                                 if (count++ == query.limit) {
                                     next = '"' + cursor_to(kQuestion, last) + '"';
                                     return false;
                                 }
                                 outcome = add(key, sealed);
                                 return static_cast<bool>(outcome);
                             }));
    CDP_CHECK(outcome);
    return "{\"rectifications\":[" + list + "],\"next\":" + next + "}";
}

Result<std::string> Rectifications::read(std::string_view id) const {
    const auto bytes = from_hex(id);
    const auto snapshot = needs_.store.snapshot();
    if (bytes && bytes->size() == sizeof(PrivacyRequestId::bytes)) {
        const auto key = rectification_key(PrivacyRequestId::from(*bytes));
        if (const auto sealed = CDP_TRY(snapshot->get(key))) {
            const auto one = CDP_TRY(open_rectification(needs_.vault, key, *sealed));
            return json(*snapshot, one);
        }
    }
    return Error{.code = ErrorCode::not_found,
                 .reason = "rectification_unknown",
                 .message = "There is no such rectification."};
}

}  // namespace cdp
