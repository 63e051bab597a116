#include "api/audit.h"

#include <algorithm>
#include <array>
#include <vector>

#include "api/handlers.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/routes.h"

namespace api {
namespace {

using cdp::AuditQuery;
using cdp::Result;

constexpr std::string_view kBelow = "/v1/audit/";
constexpr std::string_view kSinceWithdrawal = "withdrawal";

using Text = std::pair<std::string_view, std::string AuditQuery::*>;
constexpr std::array kTexts{
    Text{"field", &AuditQuery::field},     Text{"purpose", &AuditQuery::purpose},
    Text{"channel", &AuditQuery::channel}, Text{"version", &AuditQuery::version},
    Text{"against", &AuditQuery::against}, Text{"collected_for", &AuditQuery::collected_for},
    Text{"actor", &AuditQuery::actor},     Text{"status", &AuditQuery::status},
    Text{"signal", &AuditQuery::signal},   Text{"days", &AuditQuery::days},
};

using Subjects = std::pair<std::string_view, std::optional<cdp::AuditSubject> AuditQuery::*>;
constexpr std::array kSubjects{Subjects{"subject", &AuditQuery::subject},
                               Subjects{"a", &AuditQuery::a}, Subjects{"b", &AuditQuery::b}};

using Times = std::pair<std::string_view, std::optional<cdp::Timestamp> AuditQuery::*>;
constexpr std::array kTimes{Times{"as_of", &AuditQuery::as_of},
                            Times{"known_at", &AuditQuery::known_at},
                            Times{"since", &AuditQuery::since}, Times{"until", &AuditQuery::until}};

const cdp::AuditQuestion& question_of(const Route& route) {
    const auto all = audit_routes();
    return *std::ranges::find(all, route.path, [](const auto& one) {
                return std::string_view(one.first);
            })->second;
}

}  // namespace

std::span<const std::pair<std::string, const cdp::AuditQuestion*>> audit_routes() {
    static const auto kAll = [] {
        std::vector<std::pair<std::string, const cdp::AuditQuestion*>> all;
        for (const auto& question : cdp::audit_questions())
            all.emplace_back(std::string(kBelow) + std::string(question.path), &question);
        return all;
    }();
    return kAll;
}

Result<AuditQuery> read_audit_query(const cdp::AuditQuestion& question,
                                    const AuditParameter& parameter) {
    AuditQuery out;
    for (const auto& name : question.parameters) {
        const auto text = parameter(name);
        if (!text) continue;
        for (const auto& [known, member] : kSubjects)
            if (known == name) {
                auto subject = CDP_TRY(read_subject(name, *text));
                out.*member = {std::move(subject.type), std::move(subject.value)};
            }
        if (text->size() > kParameterBytesMax)
            return invalid("parameter_too_long", "A parameter has at most 1024 bytes.",
                           "/" + std::string(name));
        for (const auto& [known, member] : kTexts)
            if (known == name) out.*member = *text;
        if (question.since_withdrawal && name == "since" && text == kSinceWithdrawal) {
            out.since_withdrawal = true;
            continue;
        }
        for (const auto& [known, member] : kTimes)
            if (known == name) out.*member = CDP_TRY(read_moment(name, *text));
        if (name == "limit") out.page.limit = CDP_TRY(read_limit(*text));
        if (name == "cursor") out.page.cursor = *text;
    }
    return out;
}

void answer_audit(const Services& services, const Request& request, Answer answer) {
    const auto& question = question_of(*request.route);
    auto query = read_audit_query(
        question, [&](std::string_view name) { return query_value(request.head->query, name); });
    if (!query) return answer(problem(query.error()));
    query->id = percent_decode(request.parameter);
    services.aside(request, [&platform = services.platform, &question, reader = reader_of(request),
                             query = std::move(*query), answer = std::move(answer)] {
        answer(document(platform.audit(reader, question, query)));
    });
}

}  // namespace api
