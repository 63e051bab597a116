#include <set>

#include "cdp/assertion_json.h"
#include "cdp/paging.h"
#include "cdp/stewardship.h"
#include "identity/contradiction.h"
#include "storage/key.h"

namespace cdp {

using identity::Assertion;
using identity::AssertionId;

// Of one page: a filter that fits few must not read them all on a thread of the network.
constexpr std::string_view kQuestion = "assertions";
constexpr std::size_t kLookedAtMax = 2'000;

Result<std::string> Stewardship::render(const AssertionId& id,
                                        std::optional<std::uint64_t> log) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto assertion = CDP_TRY(assertions_.find(transaction, id));
    if (!assertion) return assertion_unknown();
    auto out = CDP_TRY(assertion_json(needs_.vault, *snapshot, *assertion));
    if (!log) return out;
    out.back() = ',';
    return out + CDP_TRY(changes_json(*snapshot, *log, id)) + "}";
}

// What stands against an assertion that stands.
Result<std::string> Stewardship::warnings(const AssertionId& id) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto assertion = CDP_TRY(assertions_.find(transaction, id));
    if (!assertion) return assertion_unknown();
    std::vector<AssertionId> against;
    if (!assertion->revoked) against = CDP_TRY(identity::contradicted_by(transaction, *assertion));
    if (against.empty()) return std::string("\"warnings\":[]");
    std::string out = "\"warnings\":[{\"code\":\"contradicts_standing\",\"assertions\":[";
    for (const auto& one : against) {
        if (out.back() != '[') out += ',';
        out += "\"" + to_hex(one.view()) + "\"";
    }
    return out + "]}]";
}

Result<Stewardship::Place> Stewardship::line_up() const {
    if (waiting_.fetch_add(1) >= kWaitingMax) {
        waiting_.fetch_sub(1);
        return Error{.code = ErrorCode::unavailable,
                     .reason = "busy",
                     .message =
                         "Too many assertions and revocations wait for their turn; this one has "
                         "written nothing. Send it again in a moment."};
    }
    return Place(nullptr, [this](const void*) { waiting_.fetch_sub(1); });
}

Result<Shown> Stewardship::read(std::string_view name) const {
    const auto id = CDP_TRY(parse_assertion_id(name));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto assertion = CDP_TRY(assertions_.find(transaction, id));
    if (!assertion) return assertion_unknown();
    return Shown(CDP_TRY(assertion_json(needs_.vault, *snapshot, *assertion)),
                 {.identifiers = assertion->identifiers, .persons = {}});
}

Result<Shown> Stewardship::page(const AssertionsQuery& query) const {
    CDP_CHECK(check_limit(query.page.limit));
    std::optional<identity::AssertionKind> kind;
    if (!query.kind.empty() && !(kind = identity::parse_assertion_kind(query.kind)))
        return Error{.code = ErrorCode::invalid_argument,
                     .reason = "kind_unknown",
                     .message = "There is no such kind of assertion.",
                     .pointer = "/kind"};
    if (!query.status.empty() && query.status != "standing" && query.status != "revoked")
        return Error{.code = ErrorCode::invalid_argument,
                     .reason = "status_unknown",
                     .message = "The status is standing or revoked.",
                     .pointer = "/status"};
    std::optional<AssertionId> after;
    if (!query.page.cursor.empty()) {
        const auto id = CDP_TRY(place_in(kQuestion, query.page.cursor));
        if (id.size() != sizeof(AssertionId::bytes)) return malformed_cursor();
        after = AssertionId::from(id);
    }
    const auto snapshot = needs_.store.snapshot();
    std::vector<Assertion> found;
    std::optional<AssertionId> next, last;
    std::size_t looked_at = 0;
    CDP_CHECK(assertions_.each(*snapshot, after, [&](const Assertion& assertion) {
        if (found.size() == query.page.limit || looked_at++ == kLookedAtMax) {
            next = last;
            return false;
        }
        last = assertion.id;
        if (kind && assertion.kind != *kind) return true;
        if (!query.status.empty() && assertion.revoked.has_value() != (query.status == "revoked"))
            return true;
        found.push_back(assertion);
        return true;
    }));
    std::string out = "{\"assertions\":[";
    std::set<Token> named;
    for (const auto& assertion : found) {
        if (out.back() != '[') out += ',';
        out += CDP_TRY(assertion_json(needs_.vault, *snapshot, assertion));
        named.insert(assertion.identifiers.begin(), assertion.identifiers.end());
    }
    out.append("],\"next\":")
        .append(next ? "\"" + cursor_to(kQuestion, next->view()) + "\"" : "null") += "}";
    return Shown(std::move(out), {.identifiers = {named.begin(), named.end()}, .persons = {}});
}

}  // namespace cdp
