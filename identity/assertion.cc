#include "identity/assertion.h"

#include <algorithm>
#include <array>

#include "identity/assertion_rows.h"
#include "identity/damage.h"
#include "identity/node.h"
#include "storage/key.h"

namespace identity {
namespace {

constexpr std::array<std::pair<AssertionKind, std::string_view>, 5> kKinds{{
    {AssertionKind::must_link, "must_link"},
    {AssertionKind::cannot_link, "cannot_link"},
    {AssertionKind::block, "block"},
    {AssertionKind::shared, "shared"},
    {AssertionKind::retract, "retract"},
}};

cdp::Error refusal(cdp::ErrorCode code, std::string reason, std::string message,
                   std::string pointer, std::string detail = {}) {
    return {code, std::move(reason), std::move(message), std::move(pointer), std::move(detail)};
}

// Notes on the identifier whether anything stands about it.
cdp::Result<void> mark(storage::Transaction& transaction, const cdp::Token& token) {
    const auto row = CDP_TRY(transaction.get(node_key(token)));
    auto node = row ? decode_node(*row) : std::nullopt;
    if (!node) return damaged("an asserted node that cannot be read");
    const bool asserted = !CDP_TRY(rows_under(transaction, token)).empty();
    if (node->asserted == asserted) return cdp::Result<void>::ok();
    node->asserted = asserted;
    transaction.put(node_key(token), encode(*node));
    return cdp::Result<void>::ok();
}

// Whether the two were seen together on days that the range takes.
cdp::Result<bool> takes_anything(storage::Transaction& transaction, const Assertion& assertion) {
    bool takes = false;
    const auto& [a, b] = std::tie(assertion.identifiers[0], assertion.identifiers[1]);
    CDP_CHECK(scan_links(transaction, a, LinkClass::probabilistic,
                         [&](const cdp::Token& to, const LinkDays& row) {
                             takes = to == b && assertion.range.days_of(row) != 0;
                             return !takes;
                         }));
    return takes;
}

// The one that says the same and stands. Single events are not compared.
cdp::Result<std::optional<AssertionId>> find_same(storage::Transaction& transaction,
                                                  const Assertion& assertion) {
    using Found = std::optional<AssertionId>;
    if (!assertion.events.empty() || assertion.taken > 0) return Found{};
    const auto& ids = assertion.identifiers;
    const auto entries =
        ids.empty() ? CDP_TRY(source_rows(transaction)) : CDP_TRY(rows_under(transaction, ids[0]));
    const cdp::Token other = ids.size() == 2 ? ids[1] : cdp::Token{};
    for (const auto& entry : entries)
        if (entry.kind == assertion.kind && entry.other == other && entry.range == assertion.range)
            return Found(entry.id);
    return Found{};
}

}  // namespace

std::string_view to_string(AssertionKind value) {
    return kKinds[static_cast<std::size_t>(value) - 1].second;
}

std::optional<AssertionKind> parse_assertion_kind(std::string_view name) {
    for (const auto& [kind, spelling] : kKinds)
        if (spelling == name) return kind;
    return std::nullopt;
}

AssertionId new_assertion_id(cdp::Timestamp time, std::string_view eight_random_bytes) {
    const auto key =
        storage::KeyWriter(storage::Space::assertion, cdp::Token{}).newest_first(time).str();
    return AssertionId::from(key.substr(storage::kGroupBytes) + std::string(eight_random_bytes));
}

std::uint64_t Retraction::days_of(const LinkDays& row) const {
    if (row.source == kHashEquality || (source && *source != row.source)) return 0;
    const auto first = std::int64_t{first_day} - row.first_day;
    const auto last = std::int64_t{last_day} - row.first_day;
    if (first > 63 || last < 0) return 0;
    const auto up_to_last = last >= 63 ? ~0ULL : (1ULL << (last + 1)) - 1;
    const auto before_first = first <= 0 ? 0ULL : (1ULL << first) - 1;
    return row.days & up_to_last & ~before_first;
}

bool Retraction::covers(std::uint32_t of_source, std::int32_t day) const {
    return (!source || *source == of_source) && day >= first_day && day <= last_day;
}

cdp::Result<void> Assertions::check(storage::Transaction& transaction,
                                    const Assertion& assertion) const {
    using cdp::ErrorCode;
    const auto& ids = assertion.identifiers;
    if (ids.size() == 2 && ids[0] == ids[1])
        return refusal(ErrorCode::invalid_argument, "same_identifier",
                       "Both identifiers are the same one.", "/identifiers/1");
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto at = "/identifiers/" + std::to_string(i);
        const auto row = CDP_TRY(transaction.get(node_key(ids[i])));
        if (!row)
            return refusal(ErrorCode::not_found, "identifier_unknown",
                           "This identifier was never seen.", at);
        const auto node = decode_node(*row);
        if (!node) return damaged("a node that cannot be read");
        if (!node->seen)
            return refusal(ErrorCode::not_found, "identifier_unknown",
                           "This identifier was never seen.", at);
        if (assertion.kind == AssertionKind::must_link && (node->shared || node->blocked))
            return refusal(ErrorCode::conflict, "identifier_shared",
                           "This identifier belongs to nobody in particular: it is shared or "
                           "blocked, and cannot be linked.",
                           at);
        for (const auto& entry : CDP_TRY(rows_under(transaction, ids[i]))) {
            const bool opposite = (entry.kind == AssertionKind::must_link &&
                                   assertion.kind == AssertionKind::cannot_link) ||
                                  (entry.kind == AssertionKind::cannot_link &&
                                   assertion.kind == AssertionKind::must_link);
            if (opposite && ids.size() == 2 && entry.other == ids[1 - i])
                return refusal(ErrorCode::conflict, "contradicts_assertion",
                               "The opposite is asserted of these two; revoke assertion " +
                                   cdp::to_hex(entry.id.view()) + " first.",
                               at, cdp::to_hex(entry.id.view()));
        }
    }
    if (assertion.kind == AssertionKind::retract && ids.size() == 2 &&
        !CDP_TRY(takes_anything(transaction, assertion)))
        return refusal(ErrorCode::not_found, "retracts_nothing",
                       "The two were not seen together there and then.", "/identifiers");
    return cdp::Result<void>::ok();
}

void Assertions::write(storage::Transaction& transaction, const Assertion& assertion) const {
    const auto key = assertion_key(assertion.id);
    transaction.put(key, storage::Vault::seal(key_, key, encode(assertion)));
}

cdp::Result<AssertionId> Assertions::add(storage::Transaction& transaction,
                                         const Assertion& assertion) const {
    CDP_CHECK(check(transaction, assertion));
    if (const auto known = CDP_TRY(find_same(transaction, assertion))) return *known;
    write(transaction, assertion);
    for (auto& row : standing_rows(assertion))
        transaction.put(std::move(row.key), std::move(row.value));
    for (const auto& token : assertion.identifiers) CDP_CHECK(mark(transaction, token));
    return assertion.id;
}

cdp::Result<Assertion> Assertions::revoke(storage::Transaction& transaction, const AssertionId& id,
                                          const Said& said) const {
    auto assertion = CDP_TRY(find(transaction, id));
    if (!assertion)
        return refusal(cdp::ErrorCode::not_found, "assertion_unknown",
                       "There is no assertion with this id.", "");
    if (assertion->revoked)
        return refusal(cdp::ErrorCode::conflict, "already_revoked",
                       "This assertion has been revoked already.", "");
    assertion->revoked = said;
    write(transaction, *assertion);
    for (auto& row : standing_rows(*assertion)) transaction.erase(std::move(row.key));
    for (const auto& event : CDP_TRY(taken_events(transaction, id))) {
        for (auto& row : taken_rows(id, event)) transaction.erase(std::move(row.key));
    }
    for (const auto& token : assertion->identifiers) CDP_CHECK(mark(transaction, token));
    return std::move(*assertion);
}

void Assertions::take_event(storage::Transaction& transaction, const AssertionId& id,
                            const cdp::EventId& event) {
    for (auto& row : taken_rows(id, event))
        transaction.put(std::move(row.key), std::move(row.value));
}

cdp::Result<std::vector<cdp::EventId>> Assertions::taken_events(storage::Transaction& transaction,
                                                                const AssertionId& id) {
    std::vector<cdp::EventId> out;
    for (const auto& entry : CDP_TRY(rows_under(transaction, id)))
        out.push_back(cdp::EventId{entry.other.bytes});
    return out;
}

cdp::Result<std::optional<Assertion>> Assertions::find(storage::Transaction& transaction,
                                                       const AssertionId& id) const {
    const auto key = assertion_key(id);
    const auto sealed = CDP_TRY(transaction.get(key));
    if (!sealed) return std::optional<Assertion>{};
    auto assertion = decode_assertion(CDP_TRY(storage::Vault::open(key_, key, *sealed)));
    if (!assertion) return damaged("an assertion that cannot be read");
    assertion->id = id;
    return assertion;
}

cdp::Result<void> Assertions::each(const storage::Snapshot& snapshot,
                                   const std::optional<AssertionId>& after,
                                   const std::function<bool(const Assertion&)>& visit) const {
    std::optional<cdp::Error> error;
    const auto prefix = assertions_prefix();
    const auto from = after ? assertion_key(*after) : std::string();
    CDP_CHECK(snapshot.scan(prefix, from, [&](std::string_view key, std::string_view sealed) {
        if (key == from) return true;
        const auto plain = storage::Vault::open(key_, key, sealed);
        auto assertion = plain ? decode_assertion(*plain) : std::nullopt;
        if (!assertion) {
            error = plain ? damaged("an assertion that cannot be read") : plain.error();
            return false;
        }
        assertion->id = storage::KeyReader(key).id<AssertionId>();
        return visit(*assertion);
    }));
    if (error) return *error;
    return cdp::Result<void>::ok();
}

cdp::Result<Standing> Assertions::standing(storage::Transaction& transaction,
                                           const cdp::Token& token) {
    Standing out;
    for (const auto& entry : CDP_TRY(rows_under(transaction, token))) switch (entry.kind) {
            case AssertionKind::must_link: out.must.push_back(entry.other); break;
            case AssertionKind::cannot_link: out.cannot.push_back(entry.other); break;
            case AssertionKind::block: out.blocked = true; break;
            case AssertionKind::shared: out.shared = true; break;
            case AssertionKind::retract:
                out.retracted.emplace_back(entry.other, entry.range);
                break;
        }
    return out;
}

cdp::Result<std::vector<StandingEntry>> Assertions::entries(storage::Transaction& transaction,
                                                            const cdp::Token& token) {
    return rows_under(transaction, token);
}

cdp::Result<std::vector<StandingEntry>> Assertions::source_entries(
    storage::Transaction& transaction) {
    return source_rows(transaction);
}

cdp::Result<std::vector<Retraction>> Assertions::retractions(storage::Transaction& transaction) {
    std::vector<Retraction> out;
    for (const auto& entry : CDP_TRY(source_rows(transaction))) out.push_back(entry.range);
    return out;
}

cdp::Result<std::vector<AssertionId>> Assertions::retractions_of(storage::Transaction& transaction,
                                                                 const cdp::EventId& event) {
    std::vector<AssertionId> out;
    for (const auto& entry : CDP_TRY(rows_under(transaction, event))) out.push_back(entry.id);
    return out;
}

cdp::Result<std::optional<AssertionId>> Assertions::retracted(storage::Transaction& transaction,
                                                              const cdp::EventId& event) {
    const auto entries = CDP_TRY(rows_under(transaction, event));
    if (entries.empty()) return std::optional<AssertionId>{};
    return std::optional(entries.front().id);
}

}  // namespace identity
