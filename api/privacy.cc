#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "cdp/disclosures.h"
#include "cdp/erasure_certificates.h"
#include "cdp/erasures.h"
#include "cdp/privacy.h"
#include "cdp/shown.h"

namespace api {
namespace {

cdp::Result<void> read_suppress(const nlohmann::json& suppress, cdp::ErasureRequest& out) {
    CDP_CHECK(check_members(suppress, "/suppress", {"reason", "note"}));
    const auto reason = CDP_TRY(string_member(suppress, "reason", "/suppress"));
    out.suppress = consent::parse_suppression_reason(reason);
    if (!out.suppress)
        return invalid("reason_unknown",
                       "The reason is deceased, bounced, complaint, requested, legal or other.",
                       "/suppress/reason");
    out.suppress_note = CDP_TRY(string_member(suppress, "note", "/suppress"));
    return cdp::Result<void>::ok();
}

cdp::Result<cdp::ErasureRequest> read_request(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(
        check_members(document, "", {"identifier", "scope", "dry_run", "reason", "suppress"}));
    cdp::ErasureRequest out;
    auto named = CDP_TRY(identifier_member(document));
    out.type = std::move(named.type);
    out.value = std::move(named.value);
    const auto scope = CDP_TRY(string_member(document, "scope", ""));
    if (!scope.empty()) {
        const auto known = cdp::parse_erasure_scope(scope);
        if (!known) return invalid("scope_unknown", "The scope is person or identifier.", "/scope");
        out.scope = *known;
    }
    if (const auto dry = document.find("dry_run"); dry != document.end()) {
        if (!dry->is_boolean())
            return invalid("wrong_type", "A boolean is expected here.", "/dry_run");
        out.dry_run = dry->get<bool>();
    }
    out.reason = CDP_TRY(string_member(document, "reason", ""));
    if (const auto suppress = document.find("suppress"); suppress != document.end())
        CDP_CHECK(read_suppress(*suppress, out));
    return out;
}

}  // namespace

void erase(const Services& services, const Request& request, Answer answer) {
    auto wanted = read_request(request.body);
    if (!wanted) return answer(problem(wanted.error()));
    services.aside(request,
                   [&erasures = services.platform.privacy().erasures, backups = services.backups,
                    wanted = std::move(*wanted), reader = reader_of(request),
                    author = author_of(request), answer = std::move(answer)] {
                       const auto erased = erasures.erase(reader, author, wanted);
                       // Before it is answered: who is told that it is done may lose the disk the
                       // moment after.
                       if (erased && backups && !wanted.dry_run) backups->tell_erasures();
                       answer(document(erased));
                   });
}

Response list_erasures(const Services& services, const Request& request) {
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    const auto list = services.platform.privacy().erasures.page(*page);
    if (!list) return problem(list.error());
    // Of everybody who was erased; whom they took is not in it.
    return document(
        services.platform.disclosures().show(reader_of(request), cdp::Shown(*list, {})));
}

Response read_erasure(const Services& services, const Request& request) {
    const auto& erasures = services.platform.privacy().erasures;
    const auto id = percent_decode(request.parameter);
    const auto found = erasures.find_named(id);
    if (!found) return problem(found.error());
    const auto text = erasures.read(id);
    if (!text) return problem(text.error());
    // Until it is done it is known whom it takes.
    return document(services.platform.disclosures().show(
        reader_of(request), cdp::Shown(*text, {.identifiers = found->tokens, .persons = {}})));
}

void certify_erasure(const Services& services, const Request& request, Answer answer) {
    services.aside(request, [&certificates = services.platform.privacy().certificates,
                             id = percent_decode(request.parameter), answer = std::move(answer)] {
        answer(document(certificates.make(id)));
    });
}

}  // namespace api
