#include <optional>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/base/ids.h"
#include "consent/entry.h"
#include "consent/ledger_check.h"
#include "consent/rows.h"
#include "consent/suppression.h"
#include "consent/tiles.h"
#include "storage/key.h"
#include "storage/store.h"

namespace consent {
namespace {

constexpr std::uint64_t kTellEvery = 1024;

// Holds what was said against the entries.
class RowsCheck {
public:
    RowsCheck(const storage::Snapshot& snapshot, const storage::Vault& vault,
              const LedgerProgress& progress, LedgerChecked& out)
        : snapshot_(snapshot), vault_(vault), progress_(progress), out_(out) {}

    cdp::Result<void> run_others(std::span<const EachCommitted> others) {
        for (const auto& each : others) {
            auto outcome = cdp::Result<void>::ok();
            CDP_CHECK(each(snapshot_, [&](const Committed& one) {
                ++out_.others;
                outcome = one.commitment
                              ? hold(one.what, one.id, *one.commitment)
                              : blame(one.what, one.id, "Its row cannot be read: it was changed.");
                return outcome && !out_.fault;
            }));
            CDP_CHECK(outcome);
            if (out_.fault) break;
        }
        return cdp::Result<void>::ok();
    }

    cdp::Result<void> run() {
        CDP_CHECK(read_unpublished());
        const auto prefix = storage::space_prefix(storage::Space::consent);
        auto outcome = cdp::Result<void>::ok();
        CDP_CHECK(snapshot_.scan(prefix, {}, [&](std::string_view key, std::string_view sealed) {
            outcome = take(key, sealed);
            return outcome && !out_.fault;
        }));
        return outcome;
    }

private:
    // What no checkpoint covers yet has no row that says where it is.
    cdp::Result<void> read_unpublished() {
        return snapshot_.scan(ledger_prefix(), entry_key(out_.published),
                              [&](std::string_view, std::string_view bytes) {
                                  const auto entry = decode_entry(bytes);
                                  if (entry) unpublished_.insert(entry->commitment);
                                  return true;
                              });
    }

    cdp::Result<void> take(std::string_view key, std::string_view sealed) {
        // Those are held against the rows that list them.
        if (is_suppression(key)) return cdp::Result<void>::ok();
        const auto token = cdp::Token::from(key.substr(storage::kGroupBytes - sizeof(cdp::Token)));
        if (!subject_ || token != token_) {
            token_ = token;
            subject_ = CDP_TRY(vault_.find(snapshot_, token));
        }
        storage::KeyReader fields(key);
        const bool cell = fields.byte() == kCellKind;
        if (cell)
            fields.number32();
        else
            fields.newest_first();
        const auto id = fields.id<cdp::RecordId>();
        ++(cell ? out_.cells : out_.records);
        const char* what = cell ? "cell" : "record";
        const auto committed = subject_ ? commitment_of(*subject_, token, key, sealed)
                                        : cdp::Result<Sha256>(cdp::Error{});
        if (!committed)
            return blame(what, cdp::to_hex(id.view()),
                         "Its row cannot be opened: it was changed, or its key is gone.");
        return hold(what, cdp::to_hex(id.view()), *committed);
    }

    cdp::Result<void> hold(const std::string& what, const std::string& name,
                           const Sha256& committed) {
        if (++done_ % kTellEvery == 0 && !progress_("records", done_))
            return cdp::Error{.code = cdp::ErrorCode::unavailable,
                              .reason = "stopped",
                              .message = "The check was stopped before its end."};
        if (unpublished_.contains(committed)) return cdp::Result<void>::ok();
        const auto at = CDP_TRY(snapshot_.get(entry_index_key(committed)));
        if (!at) return blame(what, name, "No entry commits to what it says.");
        const auto index = cdp::ByteReader(*at).u64();
        const auto row = CDP_TRY(snapshot_.get(entry_key(index)));
        const auto entry = row ? decode_entry(*row) : cdp::Result<Entry>(cdp::Error{});
        if (!entry || entry->commitment != committed) {
            CDP_CHECK(blame(what, name, "The entry said to be its own commits to another."));
            out_.fault->index = index;
        }
        return cdp::Result<void>::ok();
    }

    cdp::Result<void> blame(std::string what, std::string id, const char* why) {
        out_.fault = {.what = std::move(what), .index = {}, .id = std::move(id), .why = why};
        return cdp::Result<void>::ok();
    }

    const storage::Snapshot& snapshot_;
    const storage::Vault& vault_;
    const LedgerProgress& progress_;
    LedgerChecked& out_;
    std::set<Sha256> unpublished_;
    cdp::Token token_;
    std::optional<storage::SubjectKey> subject_;
    std::uint64_t done_ = 0;
};

}  // namespace

cdp::Result<LedgerChecked> check_ledger(const storage::Snapshot& snapshot,
                                        const storage::Vault& vault, const LedgerProgress& progress,
                                        std::span<const EachCommitted> others) {
    auto out = CDP_TRY(check_tree(snapshot, progress));
    if (out.fault) return out;
    RowsCheck rows(snapshot, vault, progress, out);
    CDP_CHECK(rows.run());
    if (!out.fault) CDP_CHECK(rows.run_others(others));
    return out;
}

}  // namespace consent
