#include "api/results_link.h"

#include <openssl/crypto.h>

#include <utility>

#include "api/parameters.h"
#include "api/problem.h"
#include "api/reports.h"
#include "api/routes.h"
#include "cdp/base/bytes.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "cdp/subject_report.h"

namespace api {
namespace {

constexpr std::string_view kName = "results link";
constexpr std::size_t kHashDigits = 32;

bool has_results(cdp::PrivacyKind kind) {
    return kind == cdp::PrivacyKind::access || kind == cdp::PrivacyKind::access_categories ||
           kind == cdp::PrivacyKind::portability;
}

cdp::Result<cdp::ReportFormat> format_of(const cdp::PrivacyRequest& request,
                                         const std::optional<std::string>& said) {
    const bool portable = request.kind == cdp::PrivacyKind::portability;
    if (!said) return portable ? cdp::ReportFormat::portable : cdp::ReportFormat::json;
    const auto format = CDP_TRY(read_report_format(*said));
    if ((format == cdp::ReportFormat::portable) == portable) return format;
    return invalid("format_unknown",
                   "Access is given as json or html, what is taken along as portable.", "/format");
}

// Of somebody of whom nothing is held.
std::string nothing_held(cdp::ReportFormat format) {
    switch (format) {
        case cdp::ReportFormat::json: return "{}\n";
        case cdp::ReportFormat::html:
            return "<!doctype html>\n<html lang=\"en\">\n<title>What is held about you</title>\n"
                   "<p>Nothing is held about you here.</p>\n</html>\n";
        case cdp::ReportFormat::portable: return "";
    }
    return "";
}

Response gone() {
    return problem(410, "link_expired", "The results are not given any more.");
}

// To the asker's connection.
void write_results(const Services& services, const cdp::PrivacyRequest& request,
                   const cdp::Reader& reader, const std::optional<std::string>& format,
                   const Answer& answer) {
    if (!has_results(request.kind) || request.state != cdp::PrivacyState::fulfilled)
        return answer(problem(409, "no_results", "This request has no results, or not yet."));
    // Whoever was erased since left the request, and nothing else.
    if (request.identifiers.empty()) return answer(gone());
    const auto form = format_of(request, format);
    if (!form) return answer(problem(form.error()));
    const auto& privacy = services.platform.privacy();
    if (!request.results.matched) return answer(short_report(*form, nothing_held(*form)));
    const auto found = privacy.requests.found_in(request.id);
    if (!found) return answer(problem(found.error()));
    const bool kinds = request.kind == cdp::PrivacyKind::access_categories;
    const cdp::FoundReport report{
        .persons = *found,
        .format = *form,
        .purposes = purpose_words(services.purpose_titles),
        .depth = kinds ? cdp::ReportDepth::categories : cdp::ReportDepth::everything};
    const auto done = stream_report(*form, answer, [&](const cdp::ReportSink& sink) {
        return privacy.reports.write(reader, report, sink);
    });
    if (done) return;
    if (done.error().code == cdp::ErrorCode::not_found) return answer(gone());
    answer(problem(done.error()));
}

// Who holds the link is whom it is about.
cdp::Reader reader_by_link(const cdp::PrivacyRequest& request, std::string_view route) {
    return {.who = {},
            .route = "GET " + std::string(route),
            .reason = "privacy_request " + cdp::to_hex(request.id.view())};
}

// In the same time, wherever they differ.
bool same_bytes(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// What nobody else can make: the same each time it is made.
std::string signed_text(const cdp::OwnSecrets& secrets, const ResultsLink& link) {
    cdp::ByteWriter out;
    out.raw(link.request.view()).i64(cdp::milliseconds_of(link.until));
    const auto text = cdp::to_hex(out.str());
    return text + secrets.hash(kName, text);
}

}  // namespace

std::string results_path(const cdp::OwnSecrets& secrets, const cdp::PrivacyRequest& request,
                         cdp::Timestamp now) {
    const auto until = request.results.until;
    const bool fulfilled = request.state == cdp::PrivacyState::fulfilled;
    if (!has_results(request.kind) || !fulfilled || !until || *until <= now) return "";
    const bool dsr = request.protocol == cdp::PrivacyProtocol::open_dsr;
    return (dsr ? "/v2/results/" : "/privacy/results/") +
           signed_text(secrets, {.request = request.id, .until = *until});
}

std::string results_url(const OpenDsr& dsr, const cdp::OwnSecrets& secrets,
                        const cdp::PrivacyRequest& request, cdp::Timestamp now) {
    const auto path = results_path(secrets, request, now);
    return path.empty() ? path : dsr.url(path);
}

std::optional<ResultsLink> open_results_link(const cdp::OwnSecrets& secrets,
                                             std::string_view text) {
    if (text.size() <= kHashDigits) return std::nullopt;
    const auto plain = cdp::from_hex(text.substr(0, text.size() - kHashDigits));
    if (!plain) return std::nullopt;
    cdp::ByteReader in(*plain);
    ResultsLink out;
    out.request = in.id<cdp::PrivacyRequestId>();
    out.until = cdp::timestamp_of(in.i64());
    if (!in.done() || !same_bytes(signed_text(secrets, out), text)) return std::nullopt;
    return out;
}

void read_results(const Services& services, const Request& request, Answer answer) {
    const auto& privacy = services.platform.privacy();
    const auto link = open_results_link(privacy.secrets, percent_decode(request.parameter));
    if (!link)
        return answer(problem(404, "link_unknown", "This is no link that was given out here."));
    if (link->until <= services.clock.now()) return answer(gone());
    services.aside(request, [&services, &requests = privacy.requests, id = link->request,
                             format = query_value(request.head->query, "format"),
                             route = std::string(request.route->path), answer = std::move(answer)] {
        const auto asked = requests.read(id);
        if (!asked) return answer(problem(asked.error()));
        write_results(services, *asked, reader_by_link(*asked, route), format, answer);
    });
}

void read_results_of(const Services& services, const Request& request, Answer answer) {
    services.aside(
        request, [&services, &requests = services.platform.privacy().requests,
                  id = percent_decode(request.parameter), reader = reader_of(request),
                  format = query_value(request.head->query, "format"), answer = std::move(answer)] {
            const auto asked = requests.read(std::string_view(id));
            if (!asked) return answer(problem(asked.error()));
            write_results(services, *asked, reader, format, answer);
        });
}

}  // namespace api
