#include "consent/consents.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "cdp/base/assert.h"
#include "consent/known_cells.h"
#include "consent/rows.h"
#include "consent/withdrawal.h"
#include "storage/key.h"

namespace consent {
namespace {

cdp::Error keyless() {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "consent_damaged",
            .message = "A stored consent cannot be read.",
            .detail = "an identifier has consents but no key"};
}

cdp::Error unreadable_suppression() {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "suppression_damaged",
            .message = "A stored suppression cannot be read.",
            .detail = "a suppression has another form"};
}

cdp::Error key_reused() {
    return {.code = cdp::ErrorCode::conflict,
            .reason = "idempotency_key_reused",
            .message = "Another answer was recorded under this id; give each answer its own."};
}

Fact fact_of(const Cell& cell) {
    auto fact = fact_of(cell.id, cell.first);
    fact.cell = true;
    return fact;
}

bool wrote(const storage::Transaction& transaction, std::string_view key) {
    return std::ranges::find(transaction.writes(), key, &storage::Transaction::Write::key) !=
           transaction.writes().end();
}

// Its time is in the key, and a repetition may come with another, so it is looked for by its id.
cdp::Result<std::optional<Record>> find_record(const storage::Vault& vault,
                                               storage::Transaction& transaction,
                                               const cdp::Token& token, const cdp::RecordId& id) {
    std::optional<std::pair<std::string, std::string>> found;
    CDP_CHECK(
        transaction.scan(records_prefix(token), [&](std::string_view key, std::string_view sealed) {
            if (id_in(key) == id) found.emplace(key, sealed);
            return !found;
        }));
    if (!found) return std::optional<Record>();
    const auto key = CDP_TRY(vault.find_or_make(transaction, token));
    auto opened = CDP_TRY(open_row(key, token, found->first, found->second));
    return std::optional(std::get<Record>(std::move(opened.row)));
}

// The first moment of a cell may still move, and would tell when somebody was there.
cdp::Timestamp day_start(cdp::Timestamp time) {
    return std::chrono::sys_days(std::chrono::days(cdp::day_of(time)));
}

}  // namespace

Consents::Consents(const storage::Vault& vault, std::size_t known_cells_max)
    : vault_(vault), known_(std::make_unique<KnownCells>(known_cells_max)) {}

Consents::~Consents() = default;

cdp::Result<bool> Consents::record(storage::Transaction& transaction, const Record& record) const {
    CDP_CHECK(check(record));
    std::set<cdp::Token> tokens;
    for (const Asserted& one : record.asserted) tokens.insert(one.token);
    for (const auto& token : tokens)
        if (const auto stored = CDP_TRY(find_record(vault_, transaction, token, record.id))) {
            if (!repeats(*stored, record)) return key_reused();
            return false;
        }

    const Opened said{random_salt(), record};
    for (const auto& token : tokens) {
        const auto key = CDP_TRY(vault_.find_or_make(transaction, token));
        auto row_key = record_key(token, record);
        auto sealed = seal_row(key, row_key, said);
        transaction.put(std::move(row_key), std::move(sealed));
    }
    const auto bytes = encode(record);
    append_entry(
        transaction, vault_,
        {.type = EntryType::record, .time = record.received, .salt = said.salt, .bytes = bytes});
    if (is_denial(record.state))
        append(transaction, {.tokens = {tokens.begin(), tokens.end()},
                             .id = record.id,
                             .time = record.time,
                             .received = record.received});
    return true;
}

void Consents::committed(const cdp::Token& token, const Stamp& stamp) const {
    known_->add(cell_id(token, stamp), stamp.time);
}

void Consents::forget() const {
    known_->clear();
}

cdp::Result<bool> Consents::stamp(storage::Transaction& transaction, const cdp::Token& token,
                                  const Stamp& stamp,
                                  std::optional<cdp::Timestamp> received) const {
    const auto id = cell_id(token, stamp);
    if (const auto first = known_->find(id); first && *first <= stamp.time) return false;

    auto row_key = cell_key(token, stamp, id);
    const auto sealed = CDP_TRY(transaction.get(row_key));
    const auto key = CDP_TRY(vault_.find_or_make(transaction, token));
    Opened said{{}, Cell{id, stamp}};
    if (sealed) {
        auto opened = CDP_TRY(open_row(key, token, row_key, *sealed));
        const auto first = std::get<Cell>(opened.row).first.time;
        // What this transaction wrote may never be committed.
        if (!wrote(transaction, row_key)) known_->learn(id, first);
        if (first <= stamp.time) return false;
        said.salt = opened.salt;
    } else {
        said.salt = random_salt();
        const auto identity = cell_identity(id, stamp);
        append_entry(transaction, vault_,
                     {.type = EntryType::cell,
                      .time = day_start(stamp.time),
                      .salt = said.salt,
                      .bytes = identity});
        if (is_denial(stamp.state))
            append(transaction, {.tokens = {token},
                                 .id = id,
                                 .cell = true,
                                 .time = stamp.time,
                                 .received = received.value_or(stamp.time)});
    }
    auto value = seal_row(key, row_key, said);
    transaction.put(std::move(row_key), std::move(value));
    return true;
}

cdp::Result<std::vector<Row>> Consents::rows(const storage::Snapshot& snapshot,
                                             storage::Transaction& transaction,
                                             const cdp::Token& token) const {
    return rows(snapshot, transaction, token, nullptr);
}

cdp::Result<std::vector<Row>> Consents::rows(const storage::Snapshot& snapshot,
                                             storage::Transaction& transaction,
                                             const cdp::Token& token,
                                             std::vector<Suppression>* suppressions) const {
    std::vector<std::pair<std::string, std::string>> sealed;
    bool readable = true;
    CDP_CHECK(
        transaction.scan(group_prefix(token), [&](std::string_view key, std::string_view value) {
            if (!is_suppression(key)) {
                sealed.emplace_back(key, value);
            } else if (suppressions) {
                const auto one = read_suppression(key, value);
                readable = one.has_value();
                if (one) suppressions->push_back(*one);
            }
            return readable;
        }));
    if (!readable) return unreadable_suppression();
    std::vector<Row> rows;
    if (sealed.empty()) return rows;

    auto key = CDP_TRY(vault_.find(snapshot, token));
    // A key that this transaction makes is not in its snapshot yet.
    const bool own =
        std::ranges::any_of(sealed, [&](const auto& row) { return wrote(transaction, row.first); });
    if (!key && own) key = CDP_TRY(vault_.find_or_make(transaction, token));
    // Skipping what cannot be read would lose a denial.
    if (!key) return keyless();
    rows.reserve(sealed.size());
    for (const auto& [row_key, value] : sealed)
        rows.push_back(std::move(CDP_TRY(open_row(*key, token, row_key, value)).row));
    return rows;
}

cdp::Result<Consents::Said> Consents::load(const storage::Snapshot& snapshot,
                                           storage::Transaction& transaction,
                                           const cdp::Token& token) const {
    Said out;
    const auto said = CDP_TRY(rows(snapshot, transaction, token, &out.suppressions));
    out.facts.reserve(said.size());
    for (const Row& row : said) {
        const auto* record = std::get_if<Record>(&row);
        out.facts.push_back(record ? fact_of(*record, token) : fact_of(std::get<Cell>(row)));
    }
    return out;
}

cdp::Result<void> Consents::each(
    const storage::Snapshot& snapshot,
    const std::function<bool(const cdp::Token&, const Row&)>& visit) const {
    return each_after(snapshot, {}, [&](const cdp::Token& token, const Row& row, std::string_view) {
        return visit(token, row);
    });
}

cdp::Result<void> Consents::each_after(const storage::Snapshot& snapshot, std::string_view place,
                                       const VisitPlaced& visit) const {
    // A row's prefix without its subject.
    const auto prefix = group_prefix({}).substr(0, storage::kGroupBytes - sizeof(cdp::Token));
    cdp::Token token;
    std::optional<storage::SubjectKey> key;
    auto outcome = cdp::Result<void>::ok();
    const auto open = [&](std::string_view row_key, std::string_view value) -> cdp::Result<bool> {
        if (is_suppression(row_key)) return true;
        const auto subject = cdp::Token::from(row_key.substr(prefix.size(), sizeof(cdp::Token)));
        if (!key || subject != token) {
            token = subject;
            key = CDP_TRY(vault_.find(snapshot, token));
            if (!key) return keyless();
        }
        return visit(token, CDP_TRY(open_row(*key, token, row_key, value)).row,
                     row_key.substr(prefix.size()));
    };
    // The least key behind that of the place.
    const auto from = place.empty() ? std::string() : prefix + std::string(place) + '\0';
    CDP_CHECK(snapshot.scan(prefix, from, [&](std::string_view row_key, std::string_view value) {
        auto more = open(row_key, value);
        if (!more) outcome = more.error();
        return more && *more;
    }));
    return outcome;
}

cdp::Result<bool> stands_first(const storage::Snapshot& snapshot, const Record& record,
                               const cdp::Token& under) {
    for (const auto& one : record.asserted) {
        if (one.token == under) return true;
        if (CDP_TRY(snapshot.get(record_key(one.token, record)))) return false;
    }
    return true;
}

cdp::Result<std::uint64_t> Consents::ledger_size(const storage::Snapshot& snapshot) const {
    return storage::log_size(snapshot, ledger_prefix());
}

}  // namespace consent
