#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cdp/privacy_request_rows.h"

// The bytes of what is stored of requests; private to cdp/privacy_request*.cc. decode_* is nullopt
// for what encode did not write.
namespace cdp {

std::string encode(const PrivacyRow& row);
std::optional<PrivacyRow> decode_privacy_row(std::string_view bytes);  // without its id

std::string encode(const PrivacyStep& step);
std::string encode_without_salt(const PrivacyStep& step);
std::optional<PrivacyStep> decode_privacy_step(std::string_view bytes);

std::string encode(const PrivacySubject& subject);
std::optional<PrivacySubject> decode_privacy_subject(std::string_view bytes);

// How often a callback failed, and when it is to be tried again.
struct OwedRow {
    std::uint32_t attempts = 0;
    Timestamp not_before{};
};
std::string encode_owed(const OwedRow& row);
std::optional<OwedRow> decode_owed(std::string_view bytes);

}  // namespace cdp
