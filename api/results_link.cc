#include "api/results_link.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "api/parameters.h"
#include "api/pipe.h"
#include "api/problem.h"
#include "cdp/base/bytes.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "cdp/subject_report.h"

namespace api {
namespace {

constexpr std::string_view kName = "results link";
constexpr std::uint8_t kFormat = 1;

bool has_results(cdp::PrivacyKind kind) {
    return kind == cdp::PrivacyKind::access || kind == cdp::PrivacyKind::portability;
}

// Written to the asker's connection. Somebody of whom nothing is held gets a document that is
// empty.
void write_results(const Services& services, const cdp::PrivacyRequest& request,
                   const Answer& answer) {
    const bool portable = request.kind == cdp::PrivacyKind::portability;
    const char* type = portable ? "application/x-ndjson" : "application/json";
    const cdp::Reader reader{.who = {.role = cdp::Role::officer,
                                     .name = request.sender,
                                     .channel = "",
                                     .trust = cdp::Trust::client},
                             .route = "GET /v2/results/{link}",
                             .reason = request.external_id};
    const auto& reports = services.platform.privacy().reports;
    auto pipe = std::make_shared<Pipe>();
    bool begun = false;
    for (const auto& identifier : request.identifiers) {
        cdp::ReportRequest wanted;
        wanted.type = identifier.type;
        wanted.value = identifier.value;
        wanted.format = portable ? cdp::ReportFormat::portable : cdp::ReportFormat::json;
        const auto done = reports.write(reader, wanted, [&](std::string_view piece) {
            if (!std::exchange(begun, true)) {
                auto response = streamed(pipe, type);
                response.headers += kPrivate;
                answer(std::move(response));
            }
            return pipe->write(piece);
        });
        if (begun) return pipe->finish(static_cast<bool>(done));
        if (!done && done.error().code != cdp::ErrorCode::not_found &&
            done.error().code != cdp::ErrorCode::conflict)
            return answer(problem(done.error()));
    }
    Response response;
    response.content_type = type;
    response.headers = kPrivate;
    if (!portable) response.body = "{}\n";
    answer(std::move(response));
}

}  // namespace

std::string results_url(const OpenDsr& dsr, const cdp::OwnSecrets& secrets,
                        const cdp::PrivacyRequest& request, cdp::Timestamp now) {
    const auto until = request.results.until;
    const bool fulfilled = request.state == cdp::PrivacyState::fulfilled;
    if (!has_results(request.kind) || !fulfilled || !until || *until <= now) return "";
    cdp::ByteWriter out;
    out.u8(kFormat).raw(request.id.view()).i64(cdp::milliseconds_of(*until));
    return dsr.url("/v2/results/") + secrets.seal(kName, out.str());
}

std::optional<ResultsLink> open_results_link(const cdp::OwnSecrets& secrets,
                                             std::string_view text) {
    const auto plain = secrets.open(kName, text);
    if (!plain) return std::nullopt;
    cdp::ByteReader in(*plain);
    const auto format = in.u8();
    ResultsLink out;
    out.request = in.id<cdp::PrivacyRequestId>();
    out.until = cdp::timestamp_of(in.i64());
    if (format != kFormat || !in.done()) return std::nullopt;
    return out;
}

void read_results(const Services& services, const Request& request, Answer answer) {
    const auto& privacy = services.platform.privacy();
    const auto link = open_results_link(privacy.secrets, percent_decode(request.parameter));
    if (!link)
        return answer(problem(404, "link_unknown", "This is no link that was given out here."));
    if (link->until <= services.clock.now())
        return answer(problem(410, "link_expired", "The results are not given any more."));
    services.aside(
        [&services, &requests = privacy.requests, id = link->request, answer = std::move(answer)] {
            const auto asked = requests.read(id);
            if (!asked) return answer(problem(asked.error()));
            // Whoever was erased since left the request, and nothing else.
            if (asked->identifiers.empty())
                return answer(problem(410, "results_gone", "What was asked about is erased."));
            write_results(services, *asked, answer);
        });
}

}  // namespace api
