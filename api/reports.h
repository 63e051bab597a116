#pragma once

#include <string_view>

#include "api/config.h"
#include "cdp/base/result.h"
#include "cdp/subject_report.h"

namespace api {

// format_unknown.
cdp::Result<cdp::ReportFormat> read_report_format(std::string_view text);

// What purposes are called in a report.
cdp::PurposeWords purpose_words(const PurposeTitles& titles);

}  // namespace api
