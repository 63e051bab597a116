#include "cdp/receipts.h"

#include "api/handlers.h"
#include "api/parameters.h"
#include "api/problem.h"

// Receipts of what people answered, for those who hand them out.
namespace api {
namespace {

cdp::Result<cdp::RecordId> record_of(std::string_view parameter) {
    const auto bytes = cdp::from_hex(parameter);
    if (!bytes || bytes->size() != sizeof(cdp::RecordId))
        return invalid("malformed_record_id", "A record's id is 32 hexadecimal digits.", "/record");
    return cdp::RecordId::from(*bytes);
}

cdp::Result<consent::ReceiptFormat> format_in(const Request& request) {
    const auto text = query_value(request.head->query, "format").value_or("27560");
    const auto format = consent::parse_receipt_format(text);
    if (!format) return invalid("format_unknown", "A receipt is 27560 or kantara.", "/format");
    return *format;
}

}  // namespace

Response read_receipt(const Services& services, const Request& request) {
    const auto record = record_of(request.parameter);
    if (!record) return problem(record.error());
    const auto subject = subject_in(request, "subject");
    if (!subject) return problem(subject.error());
    const auto format = format_in(request);
    if (!format) return problem(format.error());
    auto response = document(services.platform.receipt(
        reader_of(request),
        {.record = *record, .type = subject->type, .value = subject->value, .format = *format}));
    if (response.status == 200 && *format == consent::ReceiptFormat::ts27560)
        response.content_type = "application/ld+json";
    return response;
}

}  // namespace api
