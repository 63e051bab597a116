#include "cdp/report_words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cdp {
namespace {

using Words = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kRightColumns[] = {"right", "says", "law"};
constexpr std::string_view kPurposeColumns[] = {"purpose", "rests_on", "messages", "channels"};
constexpr std::string_view kIdentifierColumns[] = {"type", "value", "first_seen", "last_seen",
                                                   "seen_by"};
constexpr std::string_view kLinkColumns[] = {"a", "b", "class", "first", "last", "days", "sources"};
constexpr std::string_view kTraitColumns[] = {"name", "value", "time", "source", "in_use"};
constexpr std::string_view kCorrectionColumns[] = {"name", "value", "time", "identifier"};
constexpr std::string_view kGroupColumns[] = {"group", "first", "last", "identifier"};
constexpr std::string_view kConsentColumns[] = {"time", "purpose", "state", "identifiers"};
constexpr std::string_view kDecisionColumns[] = {"purpose",    "recipient", "channel",
                                                 "identifier", "outcome",   "reason"};
constexpr std::string_view kDisclosureColumns[] = {"recipient", "country", "purpose", "fields",
                                                   "times",     "first",   "last"};
constexpr std::string_view kLookColumns[] = {"day", "role", "times"};
constexpr std::string_view kRetentionColumns[] = {"what", "kept"};
constexpr std::string_view kSourceColumns[] = {"source", "events", "first", "last"};
constexpr std::string_view kLeftOutColumns[] = {"what", "why"};
constexpr std::string_view kCategoryColumns[] = {"category", "held_as", "sources", "purposes"};
constexpr std::string_view kUnreadableColumns[] = {"what", "count"};

constexpr std::array kParts{
    PartWords{"report", "About this report", "", ""},
    PartWords{"controller", "Who is responsible", "They decide why and how your data are used.",
              "It is not said here who is responsible."},
    PartWords{"rights", "Your rights", "You may ask for each of these at any time, free of charge.",
              "", kRightColumns},
    PartWords{"logic", "How it is worked out",
              "By these rules data are put together and passed on.", ""},
    PartWords{"purposes", "What data are used for",
              "What each use rests on, and through which channels it is made.",
              "No uses are registered.", kPurposeColumns},
    PartWords{"categories", "Which kinds of data are held",
              "Each with how it is held, where it came from and what it may be used for.",
              "Nothing is held.", kCategoryColumns},
    PartWords{"identifiers", "How you are recognised",
              "Addresses, numbers, cookies and devices that are held to be yours.", "None.",
              kIdentifierColumns},
    PartWords{"links", "What was seen together",
              "Why these are held to belong together. Where something belongs to somebody else, "
              "only its kind is told.",
              "Nothing was seen together.", kLinkColumns},
    PartWords{"shared_identifiers", "Used by several people",
              "Seen with you and with others; they say nothing about who you are.", "None."},
    PartWords{"assertions", "Decided by hand", "What members of staff decided about who is who.",
              "Nothing."},
    PartWords{"traits", "What is known about you",
              "Each value with when and from where it came, and who may be given it now. Values "
              "that are not in use were replaced by later ones.",
              "Nothing.", kTraitColumns},
    PartWords{"corrections", "What was put right", "What was wrong is not taken again from these.",
              "Nothing.", kCorrectionColumns},
    PartWords{"groups", "Companies and groups", "With which you were seen.", "None.",
              kGroupColumns},
    PartWords{"consents", "What you agreed to and refused", "Your answers, as they were recorded.",
              "You were not asked, or have not answered.", kConsentColumns},
    PartWords{"suppressions", "Never to be contacted again",
              "Kept also when everything else is erased, so that it holds.", "Nothing."},
    PartWords{"signals", "Signals of your browser or app",
              "Texts in which they passed your choices on.", "None."},
    PartWords{"decisions", "What may be done at present",
              "For each use and recipient, by your answers as they are now.",
              "Nothing was decided.", kDecisionColumns},
    PartWords{"disclosures", "Who was given what", "Those who received data about you.",
              "Nobody was given anything.", kDisclosureColumns},
    PartWords{"looked_at", "Who looked at your data here",
              "By their task and day; this report is one of these looks.", "Nobody.", kLookColumns},
    PartWords{"requests", "What you asked for before", "And by when it is to be answered.",
              "Nothing."},
    PartWords{"erasures", "What was erased before",
              "Earlier erasures of data under what is yours today; it may have been somebody "
              "else's then.",
              "Nothing."},
    PartWords{"retention", "How long data are kept", "", "", kRetentionColumns},
    PartWords{"left_out", "What is not told here", "And why.", "Nothing.", kLeftOutColumns},
    PartWords{"events", "What you did",
              "Every event as it was received, the newest first. What is inside an event is in the "
              "words of the app that sent it.",
              "Nothing."},
    PartWords{"sources", "Where the events came from", "", "From nowhere.", kSourceColumns},
    PartWords{"unreadable", "What cannot be read", "It is held, and nobody can read it any more.",
              "Everything could be read.", kUnreadableColumns},
    PartWords{"withheld", "Withheld",
              "Addresses and numbers that belong to somebody else were left out of what was "
              "received; a mark stands in their place.",
              ""},
    PartWords{"counts", "How much that was", "What an erasure would take away.", ""},
};

constexpr std::array kMembers{
    Words{"a", "One"},
    Words{"b", "The other"},
    Words{"advertising", "Advertising"},
    Words{"as_first_given", "As first given"},
    Words{"asked", "You asked by"},
    Words{"both_are_yours", "Both are yours"},
    Words{"categories", "Kinds of data"},
    Words{"category", "Kind of data"},
    Words{"channels", "Who may have it now"},
    Words{"class", "How sure"},
    Words{"collected_for", "Collected for"},
    Words{"days", "Days"},
    Words{"event", "What was received"},
    Words{"expires", "Kept until"},
    Words{"fields", "What"},
    Words{"first", "First"},
    Words{"first_seen", "First seen"},
    Words{"form", "In which form"},
    Words{"format", "Form of this report"},
    Words{"held_as", "Held as"},
    Words{"identifier", "Under"},
    Words{"identifiers", "For"},
    Words{"in_use", "In use"},
    Words{"labels", "Kind of data"},
    Words{"last", "Last"},
    Words{"last_seen", "Last seen"},
    Words{"law", "By"},
    Words{"made", "Made"},
    Words{"may_have_it", "May have it"},
    Words{"of_others", "How many"},
    Words{"person", "You are known here as"},
    Words{"purposes", "May be used for"},
    Words{"received", "Received"},
    Words{"rests_on", "Rests on"},
    Words{"role", "As"},
    Words{"says", "What it means"},
    Words{"seen_by", "Seen by"},
    Words{"source", "From"},
    Words{"sources", "Seen by"},
    Words{"state", "Answer"},
    Words{"time", "When"},
    Words{"times", "How often"},
    Words{"transfer", "Basis of the transfer"},
    Words{"type", "Kind"},
    Words{"what", "What"},
    Words{"who_is_who", "Who is who"},
    Words{"who_may_have_what", "Who may have what"},
    Words{"why", "Why"},
    Words{"yours_by", "Held to be yours because of"},
};

constexpr std::array kCodes{
    // Kinds of identifiers.
    Words{"anonymous_id", "cookie or app"},
    Words{"crm_id", "customer number"},
    Words{"device_id", "device"},
    Words{"email", "e-mail address"},
    Words{"email_sha256", "e-mail address, as a hash"},
    Words{"loyalty_id", "loyalty number"},
    Words{"person", "you"},
    Words{"phone", "telephone number"},
    Words{"user_id", "account"},
    // What a use rests on.
    Words{"identifier_opt_in", "your consent for this very address"},
    Words{"person_opt_in", "your consent"},
    Words{"person_opt_out", "their interest, until you object"},
    Words{"marketing", "advertising"},
    Words{"service", "about your orders and questions"},
    // How sure.
    Words{"assertion", "decided by hand"},
    Words{"verified_contact", "confirmed address"},
    Words{"unverified_contact", "address that was given"},
    Words{"probabilistic", "a guess"},
    // Answers, and what follows from them.
    Words{"allow", "allowed"},
    Words{"captured_under_denial", "collected while you had refused"},
    Words{"contract", "needed for a contract"},
    Words{"defer_until", "allowed later"},
    Words{"denied", "you refused"},
    Words{"deny", "not allowed"},
    Words{"expired", "your answer has run out"},
    Words{"granted", "you agreed"},
    Words{"guardian_missing", "a guardian has to agree"},
    Words{"identifier_unknown", "it cannot be told whose it is"},
    Words{"invalidated", "the address changed hands"},
    Words{"label_not_allowed", "they may not have this kind of data"},
    Words{"legal_obligation", "the law demands it"},
    Words{"never_asked", "you were not asked"},
    Words{"not_collected_for", "not collected for this"},
    Words{"not_hashable", "there is no form in which they may have it"},
    Words{"not_objected", "you have not objected"},
    Words{"objected", "you objected"},
    Words{"pending_doi", "your confirmation is awaited"},
    Words{"quarantined", "refused until it is checked whose it is"},
    Words{"quiet_hours", "not at this hour"},
    Words{"reconfirm_overdue", "you have to be asked again"},
    Words{"restricted", "kept, and not used"},
    Words{"suppressed", "you are never to be contacted"},
    Words{"unmapped", "of no kind that anybody may have"},
    Words{"unparsable", "not an address that can be read"},
    Words{"withdrawn", "you took it back"},
    // Recipients and forms.
    Words{"joint", "jointly responsible"},
    Words{"keyed_token", "as a number that only they can match"},
    Words{"none", "none needed"},
    Words{"processor", "on behalf of who is responsible"},
    Words{"raw", "as it is"},
    Words{"sha256", "as a hash"},
    Words{"third_party", "on their own account"},
    Words{"truncate", "shortened"},
    // Decided by hand.
    Words{"block", "is not used to recognise you"},
    Words{"cannot_link", "belong to different people"},
    Words{"must_link", "belong together"},
    Words{"retract", "were not seen together after all"},
    Words{"shared", "is used by several people"},
};

constexpr std::array<std::string_view, 15> kCoded{
    "type", "rests_on", "messages", "class",   "reason", "outcome", "state", "form",
    "role", "transfer", "kind",     "section", "scope",  "regime",  "basis"};

template <std::size_t N>
std::optional<std::string_view> find(const std::array<Words, N>& words, std::string_view name) {
    const auto at = std::ranges::find(words, name, &Words::first);
    if (at == words.end()) return std::nullopt;
    return at->second;
}

}  // namespace

std::span<const PartWords> report_parts() {
    return kParts;
}

const PartWords* words_of_part(std::string_view part) {
    const auto at = std::ranges::find(kParts, part, &PartWords::part);
    return at == kParts.end() ? nullptr : &*at;
}

std::optional<std::string_view> words_of_member(std::string_view member) {
    return find(kMembers, member);
}

std::optional<std::string_view> words_of_code(std::string_view code) {
    return find(kCodes, code);
}

bool holds_code(std::string_view member) {
    return std::ranges::find(kCoded, member) != kCoded.end();
}

bool holds_purpose(std::string_view member) {
    return member == "purpose" || member == "purposes" || member == "collected_for";
}

bool holds_data(std::string_view member) {
    return member == "event" || member == "value" || member == "text";
}

}  // namespace cdp
