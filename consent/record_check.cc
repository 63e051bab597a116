#include <algorithm>
#include <map>
#include <utility>

#include "cdp/base/calendar.h"
#include "consent/record.h"
#include "consent/utf8.h"

namespace consent {
namespace {

using Checked = cdp::Result<void>;

cdp::Error refused(std::string reason, std::string message, std::string pointer) {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = std::move(reason),
            .message = std::move(message),
            .pointer = std::move(pointer)};
}

std::string at(std::string_view list, std::size_t i) {
    return std::string(list) + '/' + std::to_string(i);
}

Checked check_text(std::string_view text, std::string pointer) {
    if (text.size() > kRecordTextMax)
        return refused("too_long", "A text of a consent has at most 1024 bytes.",
                       std::move(pointer));
    if (!is_line(text))
        return refused("malformed_text", "A text of a consent is one line of UTF-8.",
                       std::move(pointer));
    return Checked::ok();
}

Checked check_list(const std::vector<std::string>& list, std::size_t most, std::string_view what) {
    const auto pointer = "/" + std::string(what);
    if (list.size() > most)
        return refused("too_many_" + std::string(what), "A list of a consent is too long.",
                       pointer);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].empty())
            return refused("empty_" + std::string(what.substr(0, what.size() - 1)),
                           "A name in a list of a consent is empty.", pointer);
        CDP_CHECK(check_text(list[i], pointer));
    }
    return Checked::ok();
}

Checked check_identifiers(const Record& record) {
    if (record.asserted.empty())
        return refused("no_identifier", "A consent names at least one identifier.", "/identifiers");
    if (record.asserted.size() > kAssertedMax)
        return refused("too_many_identifiers", "A consent names at most 64 identifiers.",
                       "/identifiers");
    std::map<cdp::Token, Strength> seen;
    for (std::size_t i = 0; i < record.asserted.size(); ++i) {
        const auto& [token, strength] = record.asserted[i];
        if (seen.try_emplace(token, strength).first->second != strength)
            return refused("identifier_repeated", "An identifier has one strength.",
                           at("/identifiers", i));
    }
    return Checked::ok();
}

Checked check_texts(const Record& record) {
    const std::pair<const std::string*, const char*> texts[] = {
        {&record.purpose, "/purpose"},         {&record.source, ""},
        {&record.method_other, "/method"},     {&record.regime, "/regime"},
        {&record.notice.id, "/notice/id"},     {&record.notice.version, "/notice/version"},
        {&record.notice.hash, "/notice/hash"}, {&record.notice.language, "/notice/language"},
        {&record.notice.url, "/notice/url"},   {&record.notice.code_hash, "/notice/codeHash"},
        {&record.actor.id, "/actor/id"},       {&record.receipt_id, "/receiptId"}};
    for (const auto& [text, pointer] : texts) CDP_CHECK(check_text(*text, pointer));
    CDP_CHECK(check_list(record.channels, kChannelsMax, "channels"));
    return check_list(record.labels, kRecordLabelsMax, "labels");
}

// What a state may be said of.
Checked check_state(const Record& record) {
    const bool everything = record.purpose == kAllPurposes;
    if (record.purpose.empty())
        return refused("no_purpose", "A consent names a purpose.", "/purpose");
    const bool ends = is_denial(record.state) || record.state == State::expired ||
                      record.state == State::invalidated || record.state == State::not_applicable;
    if (everything && !ends)
        return refused("purpose_not_specific", "Consent is given to a purpose, not to all of them.",
                       "/purpose");
    if (record.state != State::invalidated) return Checked::ok();
    if (!everything || !record.channels.empty() || !record.labels.empty())
        return refused("partly_invalidated",
                       "An identifier that is somebody else's is so for every purpose, channel and "
                       "label.",
                       "/state");
    if (record.scope == Scope::person)
        return refused("invalidated_person", "What changes hands is an identifier.", "/scope");
    return Checked::ok();
}

// The bases that end by themselves, and when at the latest.
std::optional<std::chrono::months> ends_within(Basis basis) {
    switch (basis) {
        case Basis::casl_implied_2y: return std::chrono::months{24};
        case Basis::casl_implied_6m:
        case Basis::kr_trade_6m: return std::chrono::months{6};
        default: return std::nullopt;
    }
}

Checked check_clocks(const Record& record) {
    const bool grant = record.state == State::granted;
    const auto from = record.effective_from.value_or(record.time);
    if (record.effective_from && !grant)
        return refused("effective_from_unexpected", "Only a grant starts later than it was said.",
                       "/effectiveFrom");
    if (from < record.time)
        return refused("effective_before_said", "effectiveFrom does not lie before time.",
                       "/effectiveFrom");
    if (record.valid_until && *record.valid_until <= from)
        return refused("never_valid", "validUntil lies after time.", "/validUntil");
    const bool holds =
        grant || record.state == State::reconfirmed || record.state == State::noticed;
    if (record.reconfirm_due && (!holds || *record.reconfirm_due <= from))
        return refused("reconfirm_due_unexpected",
                       "reconfirmDue belongs to what is granted, and lies after time.",
                       "/reconfirmDue");
    if (record.no_reask_until &&
        (!is_denial(record.state) || *record.no_reask_until <= record.time))
        return refused("no_reask_unexpected",
                       "noReaskUntil belongs to what is refused, and lies after time.",
                       "/noReaskUntil");
    const auto most = ends_within(record.basis);
    if (grant && most &&
        (!record.valid_until || *record.valid_until > cdp::months_later(from, *most)))
        return refused("implied_too_long", "This legal basis ends by itself; say when, in time.",
                       "/validUntil");
    return Checked::ok();
}

bool is_jurisdiction(std::string_view text) {
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto mark = [&](char c) { return upper(c) || (c >= '0' && c <= '9'); };
    if (text.size() < 2 || !upper(text[0]) || !upper(text[1])) return false;
    if (text.size() == 2) return true;
    const auto part = text.substr(3);
    return text[2] == '-' && !part.empty() && part.size() <= 3 && std::ranges::all_of(part, mark);
}

Checked check_signal(const Record& record) {
    if (!record.signal) {
        if (record.method == Method::signal)
            return refused("signal_missing", "The method is a signal; send it.", "/signal");
        return Checked::ok();
    }
    if (record.signal->raw.size() > kRecordSignalMax)
        return refused("too_long", "A signal has at most 32 kB.", "/signal/raw");
    if (record.signal->digest != sha256(record.signal->raw))
        return refused("signal_differs", "The digest is not that of the signal.", "/signal/digest");
    return check_text(record.signal->parser_version, "/signal/parserVersion");
}

Checked check_evidence(const Record& record) {
    if (record.evidence.size() > kEvidenceMax)
        return refused("too_many_evidence", "A consent names at most 16 pieces of evidence.",
                       "/evidence");
    for (std::size_t i = 0; i < record.evidence.size(); ++i) {
        const auto& one = record.evidence[i];
        const auto here = at("/evidence", i);
        if (one.kind.empty() || one.sha256 == Sha256{})
            return refused("evidence_incomplete", "Evidence has a kind and a hash.", here);
        CDP_CHECK(check_text(one.kind, here + "/kind"));
        CDP_CHECK(check_text(one.location, here + "/location"));
    }
    return Checked::ok();
}

Checked check_double_opt_in(const Record& record) {
    const auto& doi = record.double_opt_in;
    const bool pending = record.state == State::pending_doi;
    if (pending && !doi)
        return refused("double_opt_in_missing", "What waits for a confirmation says for which.",
                       "/doubleOptIn");
    if (!doi) return Checked::ok();
    if (!pending && record.state != State::granted)
        return refused("double_opt_in_unexpected", "Only a grant is confirmed.", "/doubleOptIn");
    if (pending && (doi->request || doi->confirmed_by))
        return refused("double_opt_in_contradicts", "What waits is not confirmed yet.",
                       "/doubleOptIn");
    if (pending && (!doi->expires || *doi->expires <= record.time || doi->token_hash == Sha256{}))
        return refused("double_opt_in_incomplete",
                       "What waits has the hash of a token, and an end after time.",
                       "/doubleOptIn");
    if (!pending && !doi->request)
        return refused("double_opt_in_incomplete", "A confirmation names what waited for it.",
                       "/doubleOptIn/request");
    return Checked::ok();
}

Checked check_minor(const Record& record) {
    const auto& minor = record.minor;
    if (!minor) return Checked::ok();
    CDP_CHECK(check_text(minor->verification, "/minor/verification"));
    if (minor->guardian_record && (!minor->guardian || minor->verification.empty()))
        return refused("guardian_incomplete",
                       "A guardian's answer comes with the guardian and how that was verified.",
                       "/minor");
    const auto own = [&](const Asserted& one) { return one.token == minor->guardian; };
    if (std::ranges::any_of(record.asserted, own))
        return refused("guardian_is_minor", "Nobody is their own guardian.", "/minor/guardian");
    return Checked::ok();
}

Checked check_overrides(const Record& record) {
    if (record.overrides.empty()) return Checked::ok();
    if (record.overrides.size() > kOverridesMax)
        return refused("too_many_overrides", "A consent overrides at most 64 others.",
                       "/overrides");
    const bool officers = record.state == State::not_applicable && record.origin == Origin::officer;
    if (record.state != State::granted && !officers)
        return refused("overrides_unexpected",
                       "Only a grant takes denials back, or an officer who says not_applicable.",
                       "/overrides");
    if (std::ranges::find(record.overrides, record.id) != record.overrides.end())
        return refused("overrides_itself", "A consent does not override itself.", "/overrides");
    return Checked::ok();
}

}  // namespace

Checked check(const Record& record) {
    CDP_CHECK(check_identifiers(record));
    CDP_CHECK(check_state(record));
    CDP_CHECK(check_texts(record));
    CDP_CHECK(check_clocks(record));
    if (!record.jurisdiction.empty() && !is_jurisdiction(record.jurisdiction))
        return refused("malformed_jurisdiction",
                       "A jurisdiction is an ISO 3166 code: KR, or US-CA.", "/jurisdiction");
    if ((record.method == Method::other) == record.method_other.empty() ||
        parse_method(record.method_other))
        return refused("malformed_method", "A method has one name.", "/method");
    CDP_CHECK(check_signal(record));
    CDP_CHECK(check_evidence(record));
    CDP_CHECK(check_double_opt_in(record));
    CDP_CHECK(check_minor(record));
    CDP_CHECK(check_overrides(record));
    if (encode(record).size() > kRecordBytesMax)
        return refused("too_long", "A consent has at most 60 kB.", "");
    return Checked::ok();
}

}  // namespace consent
