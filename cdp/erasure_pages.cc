#include "cdp/base/bytes.h"
#include "cdp/erasure_facts.h"
#include "cdp/erasures.h"
#include "cdp/facts.h"
#include "cdp/paging.h"
#include "consent/entry.h"
#include "consent/json_writer.h"
#include "consent/tiles.h"

// What erasures are shown as.
namespace cdp {
namespace {

// Of everybody's, and of one identifier's.
constexpr std::string_view kAll = "erasures";
constexpr std::string_view kOfOne = "erasures of an identifier";

Result<std::optional<PrivacyRequestId>> read_cursor(std::string_view question,
                                                    const std::string& cursor) {
    const auto bytes = CDP_TRY(place_in(question, cursor));
    if (bytes.empty()) return std::optional<PrivacyRequestId>{};
    if (bytes.size() != sizeof(PrivacyRequestId::bytes)) return malformed_cursor();
    return std::optional(PrivacyRequestId::from(bytes));
}

Error unknown() {
    return {.code = ErrorCode::not_found,
            .reason = "erasure_unknown",
            .message = "There is no such erasure."};
}

}  // namespace

Result<std::string> Erasures::page(const PageQuery& query) const {
    CDP_CHECK(check_limit(query.limit));
    const auto after = CDP_TRY(read_cursor(kAll, query.cursor));
    const auto from = after ? erasure_key(*after) + '\0' : std::string();
    const auto snapshot = needs_.store.snapshot();
    std::string list;
    std::string next = "null";
    std::size_t count = 0;
    PrivacyRequestId last{};
    auto outcome = Result<void>::ok();
    CDP_CHECK(
        snapshot->scan(erasures_prefix(), from, [&](std::string_view key, std::string_view sealed) {
            if (count++ == query.limit) {
                next = '"' + cursor_to(kAll, last.view()) + '"';
                return false;
            }
            const auto one = open_erasure(needs_.vault, key, sealed);
            auto text = one ? json(*snapshot, *one) : Result<std::string>(one.error());
            if (!text) {
                outcome = text.error();
                return false;
            }
            last = one->id;
            list += (list.empty() ? "" : ",") + *text;
            return true;
        }));
    CDP_CHECK(outcome);
    return "{\"erasures\":[" + list + "],\"next\":" + next + "}";
}

Result<Erasure> Erasures::find(const PrivacyRequestId& id) const {
    const auto key = erasure_key(id);
    const auto sealed = CDP_TRY(needs_.store.snapshot()->get(key));
    if (sealed) return open_erasure(needs_.vault, key, *sealed);
    return unknown();
}

Result<Erasure> Erasures::find_named(std::string_view id) const {
    const auto bytes = from_hex(id);
    if (!bytes || bytes->size() != sizeof(PrivacyRequestId::bytes)) return unknown();
    return find(PrivacyRequestId::from(*bytes));
}

Result<std::string> Erasures::read(std::string_view id) const {
    return json(*needs_.store.snapshot(), CDP_TRY(find_named(id)));
}

Result<Erasures::Past> Erasures::of(storage::Transaction& transaction, const Token& token,
                                    const PageQuery& query) const {
    CDP_CHECK(check_limit(query.limit));
    const auto after = CDP_TRY(read_cursor(kOfOne, query.cursor));
    const auto ids = CDP_TRY(Tombstones::requests(transaction, token, after, query.limit + 1));
    Past past;
    for (const auto& id : ids) {
        if (past.erasures.size() == query.limit) {
            past.next = cursor_to(kOfOne, past.erasures.back().id.view());
            break;
        }
        const auto key = erasure_key(id);
        const auto sealed = CDP_TRY(transaction.get(key));
        if (!sealed) return damaged("a tombstone without its request");
        past.erasures.push_back(CDP_TRY(open_erasure(needs_.vault, key, *sealed)));
    }
    return past;
}

void Erasures::put_recipient(consent::JsonWriter& out, const std::string& channel,
                             const ErasureRecipient& one, Detail detail) const {
    out.text("channel", channel).text("recipient", one.recipient);
    const auto* known = needs_.config.policy.find_channel(channel);
    if (known && detail == Detail::all) {
        out.text_if("contact", known->contact);
        out.text_if("deletion_endpoint", known->deletion_endpoint);
    }
    out.number("times", static_cast<std::int64_t>(one.times));
    out.text("last", format_time(one.last));
}

Result<std::string> Erasures::json(const storage::Snapshot& snapshot, const Erasure& erasure,
                                   Detail detail) const {
    const auto statuses =
        CDP_TRY(statuses_of(snapshot, needs_.vault, needs_.config.policy, erasure));
    consent::JsonWriter out;
    out.open();
    const bool done = erasure.state == Erasure::State::completed;
    const bool tried = erasure.id == PrivacyRequestId{};
    if (!tried) out.text("id", to_hex(erasure.id.view()));
    out.text("scope", to_string(erasure.scope));
    out.text("status", tried ? "dry_run" : done ? "completed" : "under_way");
    out.text("requested", format_time(erasure.requested));
    if (done) out.text("completed", format_time(erasure.completed));
    if (detail == Detail::all) out.text("author", erasure.author).text_if("reason", erasure.reason);
    write_counts(out, erasure.counts);
    out.open_list("recipients");
    for (const auto& [channel, one] : erasure.recipients) {
        out.open();
        put_recipient(out, channel, one, detail);
        if (const auto at = statuses.find(channel); at != statuses.end())
            put_status(out, at->second);
        out.close();
    }
    out.close_list();
    write_kept(out, erasure);
    if (done) {
        const auto commitment =
            consent::commitment(consent::EntryType::erasure, erasure.salt, encode_outcome(erasure));
        out.open("ledger").text("commitment", to_hex(consent::view(commitment)));
        if (const auto index = CDP_TRY(snapshot.get(consent::entry_index_key(commitment))))
            out.number("index", static_cast<std::int64_t>(ByteReader(*index).u64()));
        out.close();
    }
    return out.close().take();
}

}  // namespace cdp
