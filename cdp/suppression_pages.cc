#include "cdp/base/bytes.h"
#include "cdp/consent_json.h"
#include "cdp/facts.h"
#include "cdp/named.h"
#include "cdp/paging.h"
#include "cdp/suppressions.h"
#include "consent/entry.h"
#include "consent/json_writer.h"
#include "consent/tiles.h"

// What suppressions are shown as.
namespace cdp {
namespace {

constexpr std::string_view kQuestion = "suppressions";
constexpr std::size_t kLookedAtMax = 1'000;  // for one page

Result<std::optional<RecordId>> read_cursor(const std::string& cursor) {
    const auto bytes = CDP_TRY(place_in(kQuestion, cursor));
    if (bytes.empty()) return std::optional<RecordId>{};
    if (bytes.size() != sizeof(RecordId::bytes)) return malformed_cursor();
    return std::optional(RecordId::from(bytes));
}

Result<void> put_entry(consent::JsonWriter& out, const storage::Snapshot& snapshot,
                       const char* name, const consent::Sha256& commitment) {
    out.open(name).text("commitment", to_hex(consent::view(commitment)));
    if (const auto index = CDP_TRY(snapshot.get(consent::entry_index_key(commitment))))
        out.number("index", static_cast<std::int64_t>(ByteReader(*index).u64()));
    out.close();
    return Result<void>::ok();
}

}  // namespace

Result<std::string> Suppressions::json(const storage::Snapshot& snapshot,
                                       const ListedSuppression& one, Looked& whom) const {
    consent::JsonWriter out;
    out.open().text("id", to_hex(one.said.id.view()));
    const auto& named = one.tokens.front();
    // While the identifier is somebody's, its value is known.
    if (CDP_TRY(snapshot.get(identity::node_key(named)))) {
        const StoredNames names(needs_.vault, snapshot);
        out.json("identifier", "{" + CDP_TRY(names.name_of(named)) + "}");
        whom.identifiers.push_back(named);
    } else {
        out.open("identifier").text("type", one.type).json("value", "null").close();
    }
    out.text("reason", to_string(one.said.reason)).text("scope", to_string(one.said.scope));
    out.text("made", format_time(one.said.from)).text("author", one.author);
    out.text_if("note", one.note);
    if (one.request) out.text("request", to_hex(one.request->view()));
    out.text("status", one.revoked ? "revoked" : "in_force");
    CDP_CHECK(put_entry(out, snapshot, "ledger", one.commitment()));
    if (one.revoked) {
        out.open("revoked").text("time", format_time(*one.said.until));
        out.text("author", one.revoked->author).text("reason", one.revoked->reason);
        CDP_CHECK(put_entry(out, snapshot, "ledger", *one.revocation()));
        out.close();
    }
    return out.close().take();
}

Result<std::string> Suppressions::page(const Reader& reader, const SuppressionsQuery& query) const {
    CDP_CHECK(check_reason(reader));
    CDP_CHECK(check_limit(query.page.limit));
    const auto after = CDP_TRY(read_cursor(query.page.cursor));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    auto prefix = suppression_list_prefix();
    std::optional<Token> token;
    if (query.identifier) {
        const auto normal =
            CDP_TRY(read_asked(needs_.config, *query.identifier, needs_.config.default_region,
                               NamedAt::whole("/identifier")));
        token = needs_.graph.token(query.identifier->type, normal.value_or(""));
        CDP_CHECK(check_type_known(needs_.config, needs_.graph, transaction, query.identifier->type,
                                   *token, "/identifier"));
        prefix = consent::suppressions_prefix(*token);
    }
    std::string list;
    std::string next = "null";
    std::size_t count = 0;
    std::size_t looked_at = 0;
    RecordId last{};
    Looked whom;
    if (token) whom.identifiers.push_back(*token);
    const auto take = [&](const RecordId& id) -> Result<bool> {
        if (count == query.page.limit || looked_at == kLookedAtMax) {
            next = '"' + cursor_to(kQuestion, last.view()) + '"';
            return false;
        }
        ++looked_at;
        last = id;
        const auto one = CDP_TRY(find_suppression(transaction, needs_.vault, id));
        if (!one) return damaged("a suppression that is not listed");
        if (query.reason && one->said.reason != *query.reason) return true;
        ++count;
        list += (list.empty() ? "" : ",") + CDP_TRY(json(*snapshot, *one, whom));
        return true;
    };
    auto outcome = Result<void>::ok();
    const auto from = after ? prefix + std::string(after->view()) + '\0' : std::string();
    CDP_CHECK(snapshot->scan(prefix, from, [&](std::string_view key, std::string_view) {
        const auto more = take(RecordId::from(key.substr(prefix.size())));
        if (!more) outcome = more.error();
        return more && *more;
    }));
    CDP_CHECK(outcome);
    return needs_.disclosures.show(
        reader, Shown("{\"suppressions\":[" + list + "],\"next\":" + next + "}", std::move(whom)));
}

}  // namespace cdp
