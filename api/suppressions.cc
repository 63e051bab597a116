#include "cdp/suppressions.h"

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "cdp/base/bytes.h"
#include "cdp/privacy.h"
#include "consent/json_writer.h"

namespace api {
namespace {

constexpr const char* kList = "/suppressions";

cdp::Result<consent::SuppressionReason> read_why(std::string_view name, std::string pointer) {
    if (name.empty()) return invalid("reason_required", "Say why.", std::move(pointer));
    if (const auto known = consent::parse_suppression_reason(name)) return *known;
    return invalid("reason_unknown",
                   "The reason is deceased, bounced, complaint, requested, legal or other.",
                   std::move(pointer));
}

// Its errors' pointers are those of an item alone, as the platform's are.
cdp::Result<cdp::NewSuppression> read_item(const nlohmann::json& item) {
    CDP_CHECK(check_members(item, "", {"identifier", "reason", "scope", "note"}));
    auto identifier = CDP_TRY(identifier_member(item));
    cdp::NewSuppression out{.type = std::move(identifier.type),
                            .value = std::move(identifier.value)};
    const auto reason = CDP_TRY(string_member(item, "reason", ""));
    out.reason = CDP_TRY(read_why(reason, "/reason"));
    const auto scope = CDP_TRY(string_member(item, "scope", ""));
    if (!scope.empty()) {
        out.scope = consent::parse_suppression_scope(scope);
        if (!out.scope)
            return invalid("scope_unknown", "The scope is person or identifier.", "/scope");
    }
    out.note = CDP_TRY(string_member(item, "note", ""));
    return out;
}

cdp::Result<std::vector<cdp::Result<cdp::NewSuppression>>> read_items(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(document, "", {"suppressions"}));
    const auto list = document.find("suppressions");
    if (list == document.end() || !list->is_array() || list->empty() ||
        list->size() > cdp::kSuppressionsMax)
        return invalid("invalid_suppressions", "Send 1 to 1000 suppressions.", kList);
    std::vector<cdp::Result<cdp::NewSuppression>> out;
    for (const auto& item : *list) out.push_back(read_item(item));
    return out;
}

std::string pointer_to(std::size_t index, const std::string& within) {
    return std::string(kList) + '/' + std::to_string(index) + within;
}

std::string verdicts(const cdp::Suppressions::Each& all) {
    consent::JsonWriter out;
    out.open().open_list("suppressions");
    for (std::size_t i = 0; i < all.size(); ++i) {
        out.open().number("index", static_cast<std::int64_t>(i));
        if (const auto& one = all[i]) {
            out.text("verdict", one->made ? "accepted" : "duplicate");
            out.text("id", cdp::to_hex(one->id.view())).text("scope", to_string(one->scope));
        } else {
            out.text("verdict", "rejected").text("code", one.error().reason);
            out.text("message", one.error().message);
            out.text("pointer", pointer_to(i, one.error().pointer));
        }
        out.close();
    }
    return out.close_list().close().take();
}

cdp::Result<std::string> made(const cdp::Result<cdp::Suppressions::Each>& all) {
    if (!all) return all.error();
    if (all->size() > 1 || all->front()) return verdicts(*all);
    auto error = all->front().error();
    error.pointer = pointer_to(0, error.pointer);
    return error;
}

}  // namespace

void suppress(const Services& services, const Request& request, Answer answer) {
    auto items = read_items(request.body);
    if (!items) return answer(problem(items.error()));
    services.aside(request, [&suppressions = services.platform.privacy().suppressions,
                             backups = services.backups, items = *std::move(items),
                             author = author_of(request), answer = std::move(answer)] {
        const auto all = suppressions.suppress(author, items);
        // Before it is answered, as of erasures.
        if (all && backups) backups->tell_erasures();
        answer(document(made(all)));
    });
}

void revoke_suppression(const Services& services, const Request& request, Answer answer) {
    auto reason = reason_of(request);
    if (!reason) return answer(problem(reason.error()));
    services.aside(request, [&suppressions = services.platform.privacy().suppressions,
                             backups = services.backups, id = std::string(request.parameter),
                             author = author_of(request), reason = std::move(*reason),
                             answer = std::move(answer)] {
        const auto revoked = suppressions.revoke(id, author, reason);
        if (revoked && backups) backups->tell_erasures();
        answer(document(revoked));
    });
}

Response list_suppressions(const Services& services, const Request& request) {
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    cdp::SuppressionsQuery query{.page = *page};
    if (const auto why = query_value(request.head->query, "because")) {
        const auto known = read_why(*why, "/because");
        if (!known) return problem(known.error());
        query.reason = *known;
    }
    std::optional<Subject> subject;
    if (query_value(request.head->query, "identifier")) {
        const auto named = subject_in(request, "identifier");
        if (!named) return problem(named.error());
        subject = *named;
        query.identifier = {subject->type, subject->value};
    }
    return document(services.platform.privacy().suppressions.page(reader_of(request), query));
}

}  // namespace api
