#include "cdp/scrub.h"

#include <algorithm>
#include <array>

#include "cdp/base/bytes.h"
#include "cdp/base/ids.h"
#include "cdp/ledger_rows.h"
#include "cdp/privacy_request_scrub.h"
#include "consent/json_writer.h"
#include "identity/node.h"
#include "storage/database_files.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::Space;

constexpr std::uint64_t kReportEvery = 10'000;
// Of a subject's row of disclosures: a format and the name of the key, then what is sealed.
constexpr std::size_t kDisclosedHead = 1 + 8;

struct SealedSpace {
    Space space;
    std::string_view name;
};
// What else is sealed is opened by the check of the ledger.
constexpr std::array kSealed{
    SealedSpace{Space::subject_key, "keys"},      SealedSpace{Space::event, "events"},
    SealedSpace{Space::node, "identifiers"},      SealedSpace{Space::trait, "traits"},
    SealedSpace{Space::group, "groups"},          SealedSpace{Space::group_trait, "group_traits"},
    SealedSpace{Space::signal, "signals"},        SealedSpace{Space::disclosed, "disclosures"},
    SealedSpace{Space::corrected, "corrections"}, SealedSpace{Space::privacy_request, "requests"},
};

Error stopping() {
    return {.code = ErrorCode::unavailable, .reason = "stopping", .message = "It was stopped."};
}

class Scrub {
public:
    Scrub(const storage::Store& store, const storage::Snapshot& snapshot,
          const storage::Vault& vault, const ScrubReport& report)
        : store_(store), snapshot_(snapshot), vault_(vault), report_(report) {}

    Result<Scrubbed::Rows> run(const SealedSpace& sealed) const {
        Scrubbed::Rows out{.name = sealed.name};
        bool stopped = false;
        const auto visit = [&](std::string_view key, std::string_view value) {
            if (!opens(sealed.space, key, value) && stands(key, value) && out.unreadable++ == 0)
                out.first = to_hex(key);
            stopped = ++out.rows % kReportEvery == 0 && !report_(sealed.name, out.rows);
            return !stopped;
        };
        CDP_CHECK(snapshot_.scan(storage::space_prefix(sealed.space), {}, visit));
        if (stopped) return stopping();
        return out;
    }

private:
    bool opens(Space space, std::string_view key, std::string_view value) const {
        const auto token = storage::subject_in(key);
        if (space == Space::subject_key) {
            const auto again = vault_.same_key(key, value, value);
            return again && *again;
        }
        if (space == Space::privacy_request)
            return privacy_row_opens(snapshot_, vault_, key, value);
        if (space == Space::disclosed) {
            // Of another key than today's: erased, and meant to be unreadable.
            if (value.size() < kDisclosedHead) return false;
            value.remove_prefix(kDisclosedHead);
        }
        const auto subject = vault_.find(snapshot_, token);
        if (!subject) return false;
        if (!*subject) return space == Space::disclosed;
        if (space != Space::node)
            return opens_with(**subject, key, value) || space == Space::disclosed;
        const auto node = identity::decode_node(value);
        return node && opens_with(**subject, key, node->sealed);
    }

    // Not what was erased, or written anew, since the snapshot: its key may have gone with it.
    bool stands(std::string_view key, std::string_view value) const {
        const auto now = store_.snapshot()->get(key);
        return !now || *now == value;
    }

    static bool opens_with(const storage::SubjectKey& subject, std::string_view key,
                           std::string_view sealed) {
        return static_cast<bool>(storage::Vault::open(subject, key, sealed));
    }

    const storage::Store& store_;
    const storage::Snapshot& snapshot_;
    const storage::Vault& vault_;
    const ScrubReport& report_;
};

void write(consent::JsonWriter& out, const char* name, const std::optional<Error>& error) {
    if (!error) {
        out.json(name, "null");
        return;
    }
    out.open(name).text("code", error->reason).text("message", error->message);
    out.text("at", error->detail).close();
}

}  // namespace

bool Scrubbed::whole() const {
    return !files && !rows && !ledger.fault &&
           std::ranges::all_of(sealed, [](const Rows& one) { return one.unreadable == 0; });
}

Result<Scrubbed> scrub(const storage::Store& store, const storage::Vault& vault,
                       const ScrubReport& report) {
    Scrubbed scrubbed;
    if (!report("files", 0)) return stopping();
    const auto files = CDP_TRY(storage::files_of(store))->scrub();
    if (!files) scrubbed.files = files.error();
    const auto snapshot = store.snapshot();
    for (const auto& sealed : kSealed) {
        auto rows = Scrub(store, *snapshot, vault, report).run(sealed);
        if (!rows && rows.error().reason == "stopping") return rows.error();
        if (!rows && !scrubbed.rows) scrubbed.rows = rows.error();
        if (rows) scrubbed.sealed.push_back(*std::move(rows));
    }
    auto ledger = check_ledger(store, vault, report);
    if (!ledger && ledger.error().reason == "stopped") return stopping();
    if (ledger)
        scrubbed.ledger = *std::move(ledger);
    else if (!scrubbed.rows)
        scrubbed.rows = ledger.error();
    return scrubbed;
}

std::string render(const Scrubbed& scrubbed) {
    consent::JsonWriter out;
    out.open().flag("whole", scrubbed.whole());
    write(out, "files", scrubbed.files);
    out.open_list("rows");
    for (const auto& one : scrubbed.sealed) {
        out.open().text("name", one.name);
        out.number("rows", static_cast<std::int64_t>(one.rows));
        out.number("unreadable", static_cast<std::int64_t>(one.unreadable));
        out.text_if("first", one.first).close();
    }
    out.close_list();
    write(out, "unread", scrubbed.rows);
    const auto& ledger = scrubbed.ledger;
    out.open("ledger").number("entries", static_cast<std::int64_t>(ledger.entries));
    out.number("published", static_cast<std::int64_t>(ledger.published));
    if (ledger.fault)
        out.open("fault")
            .text("what", ledger.fault->what)
            .text_if("id", ledger.fault->id)
            .text("why", ledger.fault->why)
            .close();
    else
        out.json("fault", "null");
    return out.close().close().take();
}

}  // namespace cdp
