#pragma once

#include <functional>
#include <string_view>

#include "api/config.h"
#include "api/message.h"
#include "cdp/base/result.h"
#include "cdp/subject_report.h"

namespace api {

// format_unknown.
cdp::Result<cdp::ReportFormat> read_report_format(std::string_view text);

// What purposes are called in a report.
cdp::PurposeWords purpose_words(const PurposeTitles& titles);

// Answers with what `write` writes to the sink, piece by piece, on this thread. Of what it refuses
// before the first piece nothing is answered: the error is handed back.
cdp::Result<void> stream_report(
    cdp::ReportFormat format, const Answer& answer,
    const std::function<cdp::Result<void>(const cdp::ReportSink&)>& write);
// A report of one piece.
Response short_report(cdp::ReportFormat format, std::string body);

}  // namespace api
