#include "cdp/subject_report.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "cdp/named.h"
#include "cdp/named_persons.h"
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
    const auto persons = named_persons(needs_.graph, transaction, std::span(&asked, 1));
    if (!persons && persons.error().code == ErrorCode::conflict)
        return identifier_shared("/identifier");
    if (!persons) return persons.error();
    Wanted wanted{.format = request.format, .purposes = request.purposes, .others = request.others};
    for (const auto& one : *persons) wanted.asked.push_back(one.asked);
    return write(*snapshot, reader, wanted, sink);
}

// Whom they name still. Errors, when nobody is left: as named_persons.
Result<void> SubjectReports::write(const Reader& reader, const FoundReport& request,
                                   const ReportSink& sink) const {
    CDP_CHECK(check_reason(reader));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    std::vector<Token> named;
    std::vector<Token> members;  // of all: two of them may have become one
    for (const auto& one : request.persons) {
        named.push_back(one.asked);
        members.insert(members.end(), one.members.begin(), one.members.end());
    }
    Wanted wanted{.format = request.format,
                  .purposes = request.purposes,
                  .depth = request.depth,
                  .members = &members};
    for (const auto& one : CDP_TRY(named_persons(needs_.graph, transaction, named)))
        wanted.asked.push_back(one.asked);
    return write(*snapshot, reader, wanted, sink);
}

Result<ReportFound> SubjectReports::find(const NamedReport& request) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    ReportFound out;
    for (const auto& [asked, person] :
         CDP_TRY(named_persons(needs_.graph, transaction, request.named))) {
        const auto node = CDP_TRY(needs_.people.find(reading, asked));
        auto tokens = CDP_TRY(needs_.people.tokens_of(reading, asked, node));
        out.persons.push_back({asked, std::move(tokens)});
    }
    const PurposeWords words;
    Wanted wanted{.format = request.format, .purposes = words, .depth = request.depth};
    for (const auto& one : out.persons) wanted.asked.push_back(one.asked);
    out.counts = CDP_TRY(tell(*snapshot, wanted, [](std::string_view) { return true; }));
    return out;
}

Result<void> SubjectReports::write(const storage::Snapshot& snapshot, const Reader& reader,
                                   const Wanted& wanted, const ReportSink& sink) const {
    const std::shared_ptr<void> place(nullptr, [this](void*) { --writing_; });
    // Who reads by a link and slowly leaves a place to those who have a key.
    const bool by_link = reader.who.name.empty() && reader.uid < 0;
    if (++writing_ > (by_link ? kWritingMax - 1 : kWritingMax))
        return Error{.code = ErrorCode::overloaded,
                     .reason = "busy",
                     .message = "Other reports are being written; ask again in a moment."};
    CDP_CHECK(note(reader, snapshot, wanted.asked));
    CDP_TRY(tell(snapshot, wanted, sink));
    return Result<void>::ok();
}

Result<void> SubjectReports::note(const Reader& reader, const storage::Snapshot& snapshot,
                                  const std::vector<Token>& asked) const {
    storage::Transaction transaction(snapshot, storage::kPartition);
    Looked whom{.identifiers = asked, .persons = {}};
    for (const Token& token : asked)
        if (const auto node = CDP_TRY(needs_.graph.find(transaction, token)))
            whom.persons.push_back(node->person());
    return needs_.disclosures.note_access(reader, whom);
}

Result<ReportCounts> SubjectReports::tell(const storage::Snapshot& snapshot, const Wanted& wanted,
                                          const ReportSink& sink) const {
    const bool list = wanted.format == ReportFormat::json && wanted.asked.size() > 1;
    bool more = true;
    const ReportSink put = [&](std::string_view piece) { return more = more && sink(piece); };
    ReportCounts counts;
    std::unique_ptr<ReportForm> page;
    for (const auto& one : wanted.asked) {
        SubjectWalk walk(needs_, snapshot,
                         {.asked = one, .members = wanted.members, .others = wanted.others});
        CDP_CHECK(walk.load());
        const auto tell_to = [&](ReportForm& form) {
            return wanted.depth == ReportDepth::categories ? walk.tell_kinds(form)
                                                           : walk.tell_all(form);
        };
        if (list) put(&one == &wanted.asked.front() ? "[" : ",");
        if (wanted.format == ReportFormat::portable) {
            CDP_CHECK(walk.tell_given(put));
        } else if (wanted.format == ReportFormat::json) {
            const auto document = make_report_document(put);
            CDP_CHECK(tell_to(*document));
            document->finish();
        } else {
            if (!page) page = make_report_page(put, wanted.purposes);
            CDP_CHECK(tell_to(*page));
        }
        for (const auto& [what, count] : walk.counts()) counts[what] += count;
        if (!more) return counts;
    }
    if (page) page->finish();
    if (list) put("]\n");
    return counts;
}

}  // namespace cdp
