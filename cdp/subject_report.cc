#include "cdp/subject_report.h"

#include <array>
#include <utility>

#include "cdp/named.h"
#include "cdp/subject_walk.h"

namespace cdp {
namespace {

constexpr std::array<std::pair<ReportFormat, std::string_view>, 3> kFormats{{
    {ReportFormat::json, "json"},
    {ReportFormat::html, "html"},
    {ReportFormat::portable, "portable"},
}};

}  // namespace

std::string_view to_string(ReportFormat value) {
    for (const auto& [format, name] : kFormats)
        if (format == value) return name;
    return "json";
}

std::optional<ReportFormat> parse_report_format(std::string_view name) {
    for (const auto& [format, spelling] : kFormats)
        if (spelling == name) return format;
    return std::nullopt;
}

Result<void> SubjectReports::write(const Reader& reader, const ReportRequest& request,
                                   const ReportSink& sink) const {
    CDP_CHECK(check_reason(reader));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto asked = CDP_TRY(needs_.people.resolve(reading, request.type, request.value));
    const auto node = CDP_TRY(needs_.people.find(reading, asked));
    if (node.shared) return identifier_shared("/identifier");
    SubjectWalk walk(needs_, *snapshot, asked);
    CDP_CHECK(walk.load());
    CDP_CHECK(needs_.disclosures.note_access(reader,
                                             {.identifiers = {asked}, .persons = {walk.person()}}));
    if (request.format == ReportFormat::portable) return walk.tell_given(sink);
    const auto form = request.format == ReportFormat::json
                          ? make_report_document(sink)
                          : make_report_page(sink, request.purposes);
    return walk.tell_all(*form);
}

}  // namespace cdp
