#include "cdp/committed.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

#include "consent/rows.h"
#include "consent/suppression.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::size_t kRowsMax = 20'000;

const consent::Cell* cell_of(const Committed& one) {
    return std::get_if<consent::Cell>(&one.row);
}

const consent::Record& record_of(const Committed& one) {
    return std::get<consent::Record>(one.row);
}

// Both kinds of keys end with the id.
bool is_row_of(std::string_view row_key, const RecordId& id) {
    return row_key.ends_with(id.view()) && !consent::is_suppression(row_key);
}

}  // namespace

Result<Committed> open_committed(const storage::SubjectKey& key, const Token& under,
                                 std::string_view row_key, std::string_view sealed) {
    auto opened = CDP_TRY(consent::open_row(key, under, row_key, sealed));
    Committed out{.under = under, .salt = opened.salt, .row = std::move(opened.row)};
    if (const auto* cell = cell_of(out)) {
        out.type = consent::EntryType::cell;
        out.bytes = consent::cell_identity(cell->id, cell->first);
        return out;
    }
    // Encoding it again might use a newer format than the one that was committed to.
    out.bytes = CDP_TRY(storage::Vault::open(key, row_key, sealed)).substr(out.salt.size());
    return out;
}

const RecordId& Committed::id() const {
    const auto* cell = cell_of(*this);
    return cell ? cell->id : record_of(*this).id;
}

Timestamp Committed::time() const {
    const auto* cell = cell_of(*this);
    return cell ? cell->first.time : record_of(*this).time;
}

Timestamp Committed::received() const {
    const auto* cell = cell_of(*this);
    return cell ? cell->first.time : record_of(*this).received;
}

consent::State Committed::state() const {
    const auto* cell = cell_of(*this);
    return cell ? cell->first.state : record_of(*this).state;
}

const std::string& Committed::purpose() const {
    const auto* cell = cell_of(*this);
    return cell ? cell->first.purpose : record_of(*this).purpose;
}

consent::Sha256 Committed::commitment() const {
    return consent::commitment(type, salt, bytes);
}

Result<std::optional<Committed>> find_committed(const storage::Snapshot& snapshot,
                                                const storage::Vault& vault, const Token& under,
                                                const RecordId& id) {
    std::optional<std::pair<std::string, std::string>> found;
    CDP_CHECK(snapshot.scan(consent::group_prefix(under), {},
                            [&](std::string_view row_key, std::string_view sealed) {
                                if (is_row_of(row_key, id)) found.emplace(row_key, sealed);
                                return !found;
                            }));
    if (!found) return std::optional<Committed>();
    const auto key = CDP_TRY(vault.find(snapshot, under));
    if (!key) return std::optional<Committed>();
    return std::optional(CDP_TRY(open_committed(*key, under, found->first, found->second)));
}

Error history_too_long() {
    return {.code = ErrorCode::unavailable,
            .reason = "history_too_long",
            .message =
                "So much was said under these identifiers that one answer cannot hold it; "
                "export the consents instead."};
}

Result<std::vector<Committed>> all_committed(const storage::Snapshot& snapshot,
                                             const storage::Vault& vault,
                                             const std::vector<Token>& under) {
    std::vector<Committed> out;
    std::set<RecordId> met;
    std::size_t rows = 0;
    for (const auto& token : under) {
        const auto key = CDP_TRY(vault.find(snapshot, token));
        if (!key) continue;
        auto outcome = Result<void>::ok();
        const auto take = [&](std::string_view row_key, std::string_view sealed) -> Result<void> {
            if (consent::is_suppression(row_key)) return Result<void>::ok();
            auto one = CDP_TRY(open_committed(*key, token, row_key, sealed));
            if (met.insert(one.id()).second) out.push_back(std::move(one));
            return Result<void>::ok();
        };
        CDP_CHECK(snapshot.scan(consent::group_prefix(token), "",
                                [&](std::string_view row_key, std::string_view sealed) {
                                    outcome = take(row_key, sealed);
                                    return outcome && ++rows < kRowsMax;
                                }));
        CDP_CHECK(outcome);
    }
    if (rows >= kRowsMax) return history_too_long();
    std::ranges::sort(out, [](const Committed& a, const Committed& b) {
        return std::tuple(b.time(), b.id()) < std::tuple(a.time(), a.id());
    });
    return out;
}

}  // namespace cdp
