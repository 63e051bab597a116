#include "cdp/subject_report.h"

#include <array>
#include <memory>
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
    const std::vector<NamedPerson> persons{{asked, node.person()}};
    CDP_CHECK(note(reader, persons));
    CDP_TRY(tell(*snapshot, persons, request.format, request.purposes, sink));
    return Result<void>::ok();
}

Result<void> SubjectReports::write(const Reader& reader, const NamedReport& request,
                                   const ReportSink& sink) const {
    CDP_CHECK(check_reason(reader));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto persons = CDP_TRY(named_persons(needs_.graph, transaction, request.named));
    CDP_CHECK(note(reader, persons));
    CDP_TRY(tell(*snapshot, persons, request.format, request.purposes, sink));
    return Result<void>::ok();
}

Result<ReportCounts> SubjectReports::count(const NamedReport& request) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto persons = CDP_TRY(named_persons(needs_.graph, transaction, request.named));
    return tell(*snapshot, persons, request.format, request.purposes,
                [](std::string_view) { return true; });
}

Result<void> SubjectReports::note(const Reader& reader,
                                  const std::vector<NamedPerson>& persons) const {
    Looked whom;
    for (const auto& [asked, person] : persons) {
        whom.identifiers.push_back(asked);
        whom.persons.push_back(person);
    }
    return needs_.disclosures.note_access(reader, whom);
}

Result<ReportCounts> SubjectReports::tell(const storage::Snapshot& snapshot,
                                          const std::vector<NamedPerson>& persons,
                                          ReportFormat format, const PurposeWords& purposes,
                                          const ReportSink& sink) const {
    const bool list = format == ReportFormat::json && persons.size() > 1;
    bool wanted = true;
    const ReportSink put = [&](std::string_view piece) { return wanted = wanted && sink(piece); };
    ReportCounts counts;
    std::unique_ptr<ReportForm> page;
    for (const auto& one : persons) {
        SubjectWalk walk(needs_, snapshot, one.asked);
        CDP_CHECK(walk.load());
        if (list) put(&one == &persons.front() ? "[" : ",");
        if (format == ReportFormat::portable) {
            CDP_CHECK(walk.tell_given(put));
        } else if (format == ReportFormat::json) {
            const auto document = make_report_document(put);
            CDP_CHECK(walk.tell_all(*document));
            document->finish();
        } else {
            if (!page) page = make_report_page(put, purposes);
            CDP_CHECK(walk.tell_all(*page));
        }
        for (const auto& [what, count] : walk.counts()) counts[what] += count;
        if (!wanted) return counts;
    }
    if (page) page->finish();
    if (list) put("]\n");
    return counts;
}

}  // namespace cdp
