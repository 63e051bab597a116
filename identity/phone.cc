#include "identity/phone.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

#include <algorithm>
#include <optional>

#include "identity/null_like.h"
#include "identity/text.h"

namespace identity {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

// The library's own logger prints the numbers that it cannot read.
const PhoneNumberUtil& numbers() {
    static const PhoneNumberUtil& silent = [] -> const PhoneNumberUtil& {
        auto* util = PhoneNumberUtil::GetInstance();
        util->SetLogger(new i18n::phonenumbers::NullLogger);  // owned by the library
        return *util;
    }();
    return silent;
}

const std::string kNoRegion = "ZZ";  // the library's word for it

std::string region_code(std::string_view region) {
    if (region.empty()) return kNoRegion;
    std::string code{region};
    for (char& c : code)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return code;
}

std::optional<PhoneNumber> parse(const std::string& text, const std::string& region) {
    PhoneNumber number;
    if (numbers().Parse(text, region, &number) != PhoneNumberUtil::NO_PARSING_ERROR)
        return std::nullopt;
    if (numbers().IsPossibleNumberWithReason(number) != PhoneNumberUtil::IS_POSSIBLE)
        return std::nullopt;
    return number;
}

std::string e164(const PhoneNumber& number) {
    std::string out;
    numbers().Format(number, PhoneNumberUtil::E164, &out);
    return out;
}

std::string digits_of(std::string_view text) {
    std::string digits;
    std::ranges::copy_if(text, std::back_inserter(digits),
                         [](char c) { return c >= '0' && c <= '9'; });
    return digits;
}

}  // namespace

std::variant<std::string, Refusal> phone_form(std::string_view text, std::string_view region) {
    const auto composed = nfkc(text);  // the library misses a full-width plus
    // Before parsing, because without a region such a number would only be called malformed.
    const auto digits = digits_of(composed);
    if (!digits.empty() && is_null_like_digits(digits)) return Refusal::null_like;

    const auto number = parse(composed, region_code(region));
    if (!number) return Refusal::malformed;
    std::string national;
    numbers().GetNationalSignificantNumber(*number, &national);
    if (is_null_like_phone(number->country_code(), national)) return Refusal::null_like;

    auto form = e164(*number);
    if (form == composed) return form;
    // Too many zeros in front, and the library reads its own answer as yet another number.
    const auto again = parse(form, kNoRegion);
    if (!again || e164(*again) != form) return Refusal::malformed;
    return form;
}

}  // namespace identity
