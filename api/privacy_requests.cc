#include "cdp/privacy_requests.h"

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/json_members.h"
#include "api/pages.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/proof_link.h"
#include "api/results_link.h"
#include "cdp/privacy.h"

namespace api {
namespace {

using nlohmann::json;

constexpr std::size_t kIdentifiersNamedMax = 64;

cdp::Result<std::vector<cdp::RequestedIdentifier>> read_identifiers(const json& document) {
    std::vector<cdp::RequestedIdentifier> out;
    const auto found = document.find("identifiers");
    if (found == document.end()) return out;
    if (!found->is_array())
        return invalid("wrong_type", "A list is expected here.", "/identifiers");
    if (found->size() > kIdentifiersNamedMax)
        return invalid("too_many_identifiers", "A request names at most 64 identifiers.",
                       "/identifiers");
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto pointer = "/identifiers/" + std::to_string(i);
        const auto& one = (*found)[i];
        CDP_CHECK(check_members(one, pointer, {"type", "value"}));
        auto& named = out.emplace_back();
        named.type = CDP_TRY(string_member(one, "type", pointer));
        named.value = CDP_TRY(string_member(one, "value", pointer));
    }
    return out;
}

// Whom the verification is of: true, of the whole person.
cdp::Result<bool> vouched_for(const json& document) {
    const auto whom = CDP_TRY(string_member(document, "vouched_for", ""));
    if (whom.empty() || whom == "identifiers") return false;
    if (whom == "person") return true;
    return invalid("vouched_for_unknown", "The verification is of identifiers, or of the person.",
                   "/vouched_for");
}

// A moment, not a day; what is there is one.
cdp::Result<std::optional<cdp::Timestamp>> moment_member(const json& document, const char* name) {
    if (!document.contains(name)) return std::optional<cdp::Timestamp>();
    const auto text = CDP_TRY(string_member(document, name, ""));
    return std::optional(CDP_TRY(read_moment(name, text)));
}

cdp::Result<cdp::NewPrivacyRequest> read_request(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(
        document, "",
        {"kind", "external_id", "regime", "identifiers", "reason", "traits", "purposes",
         "suppression", "verified_by", "vouched_for", "received", "not_before"}));
    const auto kind = cdp::parse_privacy_kind(CDP_TRY(string_member(document, "kind", "")));
    if (!kind)
        return invalid("kind_unknown",
                       "The kind is one of access, portability, erasure, rectification, "
                       "restriction, objection, suppression, opt_out, opt_in.",
                       "/kind");
    cdp::NewPrivacyRequest out{.kind = *kind};
    out.external_id = CDP_TRY(string_member(document, "external_id", ""));
    out.regime = CDP_TRY(string_member(document, "regime", ""));
    out.identifiers = CDP_TRY(read_identifiers(document));
    out.reason = CDP_TRY(string_member(document, "reason", ""));
    out.traits = CDP_TRY(traits_member(document));
    out.purposes = CDP_TRY(strings_member(document, "purposes", ""));
    out.suppression = CDP_TRY(string_member(document, "suppression", ""));
    out.verified_by = CDP_TRY(string_member(document, "verified_by", ""));
    out.whole_person = CDP_TRY(vouched_for(document));
    out.received = CDP_TRY(moment_member(document, "received"));
    out.not_before = CDP_TRY(moment_member(document, "not_before"));
    return out;
}

cdp::Result<cdp::PrivacyStepRequest> read_step(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(document, "",
                            {"step", "code", "detail", "reason", "vouched_for", "informed"}));
    const auto act = cdp::parse_privacy_act(CDP_TRY(string_member(document, "step", "")));
    // Which of them an officer may take, PrivacyRequests says.
    cdp::PrivacyStepRequest out{.act = act.value_or(cdp::PrivacyAct::receive)};
    out.code = CDP_TRY(string_member(document, "code", ""));
    out.detail = CDP_TRY(string_member(document, "detail", ""));
    out.whole_person = CDP_TRY(vouched_for(document));
    const auto reason = CDP_TRY(string_member(document, "reason", ""));
    out.denial = cdp::parse_privacy_denial(reason);
    if (!reason.empty() && !out.denial)
        return invalid("denial_unknown",
                       "The reason is one of suspected_fraud, insufficient_verification, no_match, "
                       "claim_not_covered, outside_jurisdiction, too_many_requests, other.",
                       "/reason");
    if (const auto informed = document.find("informed"); informed != document.end()) {
        if (!informed->is_boolean())
            return invalid("wrong_type", "A boolean is expected here.", "/informed");
        out.informed = informed->get<bool>();
    }
    return out;
}

// Where an officer is sent on from a request that is shown; all of it outlives the answer.
cdp::PrivacyUrlsOf urls_at(const Services& services, const Request& request) {
    return [&secrets = services.platform.privacy().secrets, &clock = services.clock,
            place = own_place(services, request)](const cdp::PrivacyRequest& one) {
        cdp::PrivacyUrls out;
        const auto results = results_path(secrets, one, clock.now());
        if (!results.empty()) out.results = place + results;
        for (const auto& path : proof_paths(secrets, one, clock.now()))
            out.proofs.push_back(place + path);
        return out;
    };
}

// What can be done at once is done before it is answered.
Response done(cdp::PrivacyRequests& requests, const cdp::Reader& reader,
              const cdp::PrivacyUrlsOf& urls_of, const cdp::Result<cdp::PrivacyRequest>& taken) {
    if (!taken) return problem(taken.error());
    if (const auto advanced = requests.advance(taken->id); !advanced)
        return problem(advanced.error());
    return document(requests.show(reader, taken->id, urls_of));
}

}  // namespace

void add_privacy_request(const Services& services, const Request& request, Answer answer) {
    auto wanted = read_request(request.body);
    if (!wanted) return answer(problem(wanted.error()));
    services.aside(request,
                   [&requests = services.platform.privacy().requests, wanted = std::move(*wanted),
                    sender = author_of(request), reader = reader_of(request),
                    urls_of = urls_at(services, request), answer = std::move(answer)] {
                       answer(done(requests, reader, urls_of, requests.submit(sender, wanted)));
                   });
}

Response list_privacy_requests(const Services& services, const Request& request) {
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    const auto due_before = time_in(request, "due_before");
    if (!due_before) return problem(due_before.error());
    const auto& query = request.head->query;
    return document(services.platform.privacy().requests.page(
        {.status = query_value(query, "status").value_or(""),
         .kind = query_value(query, "kind").value_or(""),
         .due_before = *due_before,
         .page = *page}));
}

Response read_privacy_request(const Services& services, const Request& request) {
    const auto& requests = services.platform.privacy().requests;
    const auto found = requests.read(percent_decode(request.parameter));
    if (!found) return problem(found.error());
    return document(requests.show(reader_of(request), found->id, urls_at(services, request)));
}

void step_privacy_request(const Services& services, const Request& request, Answer answer) {
    auto step = read_step(request.body);
    if (!step) return answer(problem(step.error()));
    services.aside(request, [&requests = services.platform.privacy().requests,
                             step = std::move(*step), id = percent_decode(request.parameter),
                             author = author_of(request), reader = reader_of(request),
                             urls_of = urls_at(services, request), answer = std::move(answer)] {
        auto found = requests.read(std::string_view(id));
        if (found) found = requests.step(author, found->id, step);
        answer(done(requests, reader, urls_of, found));
    });
}

}  // namespace api
