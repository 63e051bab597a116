#include "identity/hashed.h"

#include <sodium.h>
#include <unicode/bytestream.h>
#include <unicode/idna.h>
#include <unicode/stringpiece.h>

#include <algorithm>
#include <cstdint>

#include "cdp/base/assert.h"
#include "cdp/base/ids.h"

namespace identity {
namespace {

struct Spelling {
    std::string_view rule;
    std::string text;
};

class Spellings {
public:
    void add(std::string_view rule, std::string_view text) {
        const bool known =
            std::ranges::any_of(all_, [&](const Spelling& one) { return one.text == text; });
        if (!known) all_.push_back({.rule = rule, .text = std::string(text)});
    }
    const std::vector<Spelling>& all() const { return all_; }

private:
    std::vector<Spelling> all_;
};

// The domain as people write it; nullopt if that is how it stands already.
std::optional<std::string> unicode_domain(std::string_view domain) {
    if (domain.find("xn--") == domain.npos) return std::nullopt;
    UErrorCode status = U_ZERO_ERROR;
    static const icu::IDNA* const idna = icu::IDNA::createUTS46Instance(
        UIDNA_NONTRANSITIONAL_TO_UNICODE | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ, status);
    CDP_ASSERT(idna != nullptr);

    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    icu::IDNAInfo info;
    idna->nameToUnicodeUTF8({domain.data(), static_cast<std::int32_t>(domain.size())}, sink, info,
                            status);
    if (U_FAILURE(status) || (info.getErrors() & ~std::uint32_t{UIDNA_ERROR_HYPHEN_3_4}) != 0)
        return std::nullopt;
    return out;
}

// Google delivers to one mailbox whatever the dots and whatever follows a plus.
void add_gmail_forms(Spellings& forms, std::string_view local, std::string_view at_domain) {
    std::string dotless{local};
    std::erase(dotless, '.');
    const auto mailbox = dotless.substr(0, dotless.find('+'));
    if (mailbox.empty()) return;
    // Google Ads, Analytics and Campaign Manager 360: without dots.
    // developers.google.com/doubleclick-advertisers/guides/conversions_ec
    forms.add("gmail_dotless", dotless + std::string{at_domain});
    // Google's Data Manager API, UID2 and Microsoft Advertising: without dots and tag.
    // developers.google.com/data-manager/api/devguides/concepts/formatting
    // unifiedid.com/docs/getting-started/gs-normalization-encoding (gmail.com only)
    // help.ads.microsoft.com/apex/index/3/en/60178 (at every domain, which would join strangers)
    forms.add("gmail_mailbox", mailbox + std::string{at_domain});
}

// The normal form is also what Meta, TikTok, Snap, X and, but for gmail.com, UID2 ask for: trimmed
// and in lower case, dots and tags kept.
// developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters
// ads.tiktok.com/help/article/customer-file
// developers.snap.com/api/marketing-api/Conversions-API/Parameters
void add_email_forms(Spellings& forms, std::string_view address) {
    const auto at = address.rfind('@');
    if (at == address.npos) return;
    const auto local = address.substr(0, at);
    const auto domain = address.substr(at + 1);
    // None of them says what to do with `bücher.example`, so whoever trims and lowers hashes that.
    if (const auto written = unicode_domain(domain))
        forms.add("unicode_domain", std::string{local} + '@' + *written);
    if (domain == "gmail.com" || domain == "googlemail.com")
        add_gmail_forms(forms, local, address.substr(at));
}

// The normal form, E.164 with its plus, is what Google, TikTok, Microsoft, X and UID2 ask for.
void add_phone_forms(Spellings& forms, std::string_view number) {
    // Meta and Snap: country code and digits alone. Pages as above.
    if (number.starts_with('+')) forms.add("digits", number.substr(1));
}

// As Apple writes the ids of its devices.
std::string capitals(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    return out;
}

Spellings spellings(Form form, std::string_view normal_form) {
    Spellings out;
    out.add("normal", normal_form);
    if (form == Form::email) add_email_forms(out, normal_form);
    if (form == Form::phone) add_phone_forms(out, normal_form);
    if (form == Form::device) out.add("capitals", capitals(normal_form));
    return out;
}

// Pages as above, and business.reddithelp.com/s/article/advanced-matching-for-developers.
std::string folded_address(std::string_view address, std::string_view destination) {
    const auto at = address.rfind('@');
    if (at == address.npos) return std::string(address);
    auto local = std::string(address.substr(0, at));
    const auto domain = address.substr(at + 1);
    const bool gmail = domain == "gmail.com" || domain == "googlemail.com";
    const bool everywhere = destination == "microsoft" || destination == "reddit";
    if (!everywhere && (destination == "uid2" ? domain != "gmail.com" : !gmail))
        return std::string(address);
    if (destination != "google") local.resize(std::min(local.size(), local.find('+')));
    std::erase_if(local, [&](char c) {
        if (destination != "reddit") return c == '.';
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
        return !letter;
    });
    return local.empty() ? std::string(address) : local + std::string(address.substr(at));
}

}  // namespace

std::string sha256_hex(std::string_view text) {
    std::string hash(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return cdp::to_hex(hash);
}

std::vector<HashedForm> hashed_forms(Form form, std::string_view normal_form) {
    if (form != Form::email && form != Form::phone) return {};
    const auto texts = spellings(form, normal_form);
    std::vector<HashedForm> out;
    for (const auto& [rule, text] : texts.all())
        out.push_back({.rule = rule, .hex = sha256_hex(text)});
    // Pipelines hash what a form had hashed before them.
    out.push_back({.rule = "hashed_twice", .hex = sha256_hex(out.front().hex)});
    return out;
}

std::vector<std::string> hashed_texts(Form form, std::string_view normal_form) {
    const auto texts = spellings(form, normal_form);
    std::vector<std::string> out;
    for (const auto& one : texts.all()) out.push_back(one.text);
    return out;
}

std::optional<std::string> destination_form(Form form, std::string_view normal_form,
                                            std::string_view destination) {
    constexpr std::string_view kPlain[] = {"plain", "tiktok", "x"};
    constexpr std::string_view kDigits[] = {"meta", "snap"};
    constexpr std::string_view kFolding[] = {"google", "google_data_manager", "uid2", "reddit",
                                             "microsoft"};
    const auto is_one_of = [&](const auto& names) {
        return std::ranges::find(names, destination) != std::end(names);
    };
    if (!is_one_of(kPlain) && !is_one_of(kDigits) && !is_one_of(kFolding)) return std::nullopt;
    if (form == Form::phone) {
        const bool digits = is_one_of(kDigits) && normal_form.starts_with('+');
        return std::string(normal_form.substr(digits ? 1 : 0));
    }
    if (form != Form::email) return std::nullopt;
    return is_one_of(kFolding) ? folded_address(normal_form, destination)
                               : std::string(normal_form);
}

std::optional<std::string_view> hashed_type_of(std::string_view type) {
    if (type == "email") return "email_sha256";
    if (type == "phone") return "phone_sha256";
    return std::nullopt;
}

std::optional<std::string_view> plain_type_of(std::string_view hashed_type) {
    for (const std::string_view plain : {"email", "phone"})
        if (hashed_type_of(plain) == hashed_type) return plain;
    return std::nullopt;
}

}  // namespace identity
