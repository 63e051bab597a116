#include "api/reports.h"

#include <memory>

#include "api/handlers.h"
#include "api/parameters.h"
#include "api/pipe.h"
#include "api/problem.h"
#include "cdp/privacy.h"

// What is held about somebody, as they are told it.
namespace api {
namespace {

const char* content_type(cdp::ReportFormat format) {
    switch (format) {
        case cdp::ReportFormat::json: return "application/json";
        case cdp::ReportFormat::html: return "text/html; charset=utf-8";
        case cdp::ReportFormat::portable: return "application/x-ndjson";
    }
    return "application/json";
}

// It is opened where it was asked for, and nothing in it is to run or be fetched.
constexpr const char* kHeaders =
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n";

// Of what is somebody else's.
cdp::Result<bool> others_shown(const std::optional<std::string>& said) {
    if (!said || *said == "withheld") return false;
    if (*said == "shown") return true;
    return invalid("others_unknown", "What is somebody else's is withheld or shown.", "/others");
}

}  // namespace

cdp::Result<cdp::ReportFormat> read_report_format(std::string_view text) {
    if (const auto format = cdp::parse_report_format(text)) return *format;
    return invalid("format_unknown", "The format is json, html or portable.", "/format");
}

cdp::PurposeWords purpose_words(const PurposeTitles& titles) {
    cdp::PurposeWords out;
    for (const auto& [purpose, by_language] : titles)
        if (const auto title = by_language.find("en"); title != by_language.end())
            out.emplace(purpose, title->second);
    return out;
}

cdp::Result<void> stream_report(
    cdp::ReportFormat format, const Answer& answer,
    const std::function<cdp::Result<void>(const cdp::ReportSink&)>& write) {
    // The answer begins with the first piece: what is refused is refused before it.
    PipeWriter out;
    bool begun = false;
    const auto done = write([&](std::string_view piece) {
        if (!std::exchange(begun, true)) {
            auto response = streamed(out.pipe(), content_type(format));
            response.headers += kHeaders;
            answer(std::move(response));
        }
        return out.write(piece);
    });
    if (!begun) return done ? cdp::Result<void>(cdp::Error{}) : done;
    out.finish(static_cast<bool>(done));
    return cdp::Result<void>::ok();
}

Response short_report(cdp::ReportFormat format, std::string body) {
    Response response;
    response.content_type = content_type(format);
    response.headers = kPrivate + std::string(kHeaders);
    response.body = std::move(body);
    return response;
}

void read_report(const Services& services, const Request& request, Answer answer) {
    auto subject = subject_of(request.parameter);
    if (!subject) return answer(problem(subject.error()));
    const auto format =
        read_report_format(query_value(request.head->query, "format").value_or("json"));
    if (!format) return answer(problem(format.error()));
    const auto others = others_shown(query_value(request.head->query, "others"));
    if (!others) return answer(problem(others.error()));
    cdp::ReportRequest wanted{.type = std::move(subject->type),
                              .value = std::move(subject->value),
                              .format = *format,
                              .purposes = purpose_words(services.purpose_titles),
                              .others = *others};
    services.aside(request, [&reports = services.platform.privacy().reports,
                             wanted = std::move(wanted), reader = reader_of(request),
                             answer = std::move(answer)] {
        const auto done = stream_report(wanted.format, answer, [&](const cdp::ReportSink& sink) {
            return reports.write(reader, wanted, sink);
        });
        if (!done) answer(problem(done.error()));
    });
}

}  // namespace api
