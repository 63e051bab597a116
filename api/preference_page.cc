#include "api/preference_page.h"

#include <charconv>

#include "cdp/html_text.h"

namespace api {
namespace {

struct Words {
    std::string_view heading;
    std::string_view asks;   // the controller stands before it
    std::string_view about;  // the identifier stands behind it
    std::string_view allowed;
    std::string_view refused;
    std::string_view not_asked;
    std::string_view since;
    std::string_view question;
    std::string_view yes;
    std::string_view no;
    std::string_view save;
    std::string_view saved;
    std::string_view already_sent;
    std::string_view form_old;
    std::string_view only;
    std::string_view dead;
    std::string_view expired;
    std::string_view other;  // the name of the other language, in itself
    std::string_view other_tag;
};

constexpr Words kEnglish{
    .heading = "Your choice",
    .asks = "asks for this choice.",
    .about = "It is about",
    .allowed = "At present this use is allowed.",
    .refused = "At present this use is refused.",
    .not_asked = "You have not answered yet; this use is not allowed.",
    .since = "Since",
    .question = "May your data be used for this?",
    .yes = "Yes, I allow it",
    .no = "No, I do not allow it",
    .save = "Save",
    .saved = "Your choice is saved and in force.",
    .already_sent = "This form was sent before. What holds now is shown below.",
    .form_old = "The page was open for too long. Please choose again.",
    .only = "This page shows and changes only the choice for this address and this purpose.",
    .dead = "This link does not open anything. Please use the one in the message you received.",
    .expired = "This link is too old. A newer message has a newer one.",
    .other = "한국어",
    .other_tag = "ko",
};

constexpr Words kKorean{
    .heading = "수신·이용 동의 설정",
    .asks = "에서 동의 여부를 묻습니다.",
    .about = "대상:",
    .allowed = "현재 이 이용을 허용한 상태입니다.",
    .refused = "현재 이 이용을 거부한 상태입니다.",
    .not_asked = "아직 응답하지 않았으며, 이 이용은 허용되지 않습니다.",
    .since = "변경 시각:",
    .question = "이 목적으로 내 정보를 이용해도 됩니까?",
    .yes = "예, 동의합니다",
    .no = "아니요, 동의하지 않습니다",
    .save = "저장",
    .saved = "선택이 저장되어 바로 적용되었습니다.",
    .already_sent = "이미 제출한 양식입니다. 현재 상태는 아래와 같습니다.",
    .form_old = "페이지가 너무 오래 열려 있었습니다. 다시 선택해 주십시오.",
    .only = "이 페이지는 이 주소와 이 목적에 대한 선택만 보여 주고 변경합니다.",
    .dead = "유효하지 않은 링크입니다. 받으신 메시지의 링크를 이용해 주십시오.",
    .expired = "기간이 지난 링크입니다. 최근 메시지의 링크를 이용해 주십시오.",
    .other = "English",
    .other_tag = "en",
};

const Words& words_in(Language language) {
    return language == Language::korean ? kKorean : kEnglish;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// How much a language range is wanted, in thousandths; its own weight when none is written.
int weight_of(std::string_view parameters) {
    const auto at = parameters.find("q=");
    if (at == parameters.npos) return 1000;
    double weight = 0;
    const auto text = parameters.substr(at + 2);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (error != std::errc{} || !(weight >= 0 && weight <= 1)) return 0;
    return static_cast<int>(weight * 1000);
}

bool same_tag(std::string_view range, std::string_view tag) {
    if (range.size() < tag.size()) return false;
    for (std::size_t i = 0; i < tag.size(); ++i)
        if ((range[i] | 0x20) != tag[i]) return false;
    return range.size() == tag.size() || range[tag.size()] == '-';
}

std::string begin(const Words& words, Language language) {
    return begin_page(words.heading, language);
}

std::string_view state_in(const Words& words, cdp::Choice::Standing standing) {
    switch (standing) {
        case cdp::Choice::Standing::allowed: return words.allowed;
        case cdp::Choice::Standing::refused: return words.refused;
        case cdp::Choice::Standing::not_asked: return words.not_asked;
    }
    return words.not_asked;
}

std::string_view news_in(const Words& words, PageNews news) {
    switch (news) {
        case PageNews::none: return {};
        case PageNews::saved: return words.saved;
        case PageNews::already_sent: return words.already_sent;
        case PageNews::form_old: return words.form_old;
    }
    return {};
}

void add_paragraph(std::string& out, std::string_view text) {
    out.append("<p>").append(text).append("</p>\n");
}

void add_answer(std::string& out, std::string_view value, std::string_view text, bool chosen) {
    out.append("<p><input type=\"radio\" name=\"choice\" required id=\"").append(value);
    out.append("\" value=\"").append(value).append(chosen ? "\" checked>" : "\">");
    out.append(" <label for=\"").append(value).append("\">").append(text).append("</label></p>\n");
}

void add_form(std::string& out, const cdp::Choice& preference, const Words& words,
              std::string_view tag) {
    // An empty action would keep what a crafted query holds.
    out.append("<form method=\"post\" action=\"?lang=").append(tag).append("\">\n<fieldset>\n");
    out.append("<legend>").append(words.question).append("</legend>\n");
    const auto standing = preference.standing;
    add_answer(out, "yes", words.yes, standing == cdp::Choice::Standing::allowed);
    add_answer(out, "no", words.no, standing == cdp::Choice::Standing::refused);
    out.append("</fieldset>\n<input type=\"hidden\" name=\"form\" value=\"");
    out.append(preference.form).append("\">\n<p><button type=\"submit\">");
    out.append(words.save).append("</button></p>\n</form>\n");
}

}  // namespace

const char* const kPageHeaders =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Robots-Tag: noindex\r\n";

std::string begin_page(std::string_view heading, Language language) {
    std::string out = "<!doctype html>\n<html lang=\"";
    out += tag_of(language);
    out +=
        "\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"robots\" content=\"noindex\">\n<title>";
    out += heading;
    out += "</title>\n</head>\n<body>\n<main>\n<h1>";
    out += heading;
    return out += "</h1>\n";
}

std::string end_of_page(Language language) {
    const auto& words = words_in(language);
    std::string out("<p><a lang=\"");
    out.append(words.other_tag).append("\" hreflang=\"");
    out.append(words.other_tag).append("\" href=\"?lang=").append(words.other_tag).append("\">");
    return out.append(words.other).append("</a></p>\n</main>\n</body>\n</html>\n");
}

std::string_view tag_of(Language language) {
    return language == Language::korean ? "ko" : "en";
}

Language language_for(std::string_view chosen, std::string_view accepted) {
    if (same_tag(chosen, "ko")) return Language::korean;
    if (same_tag(chosen, "en")) return Language::english;
    int korean = 0;
    int english = 0;
    while (!accepted.empty()) {
        const auto comma = accepted.find(',');
        const auto range = accepted.substr(0, comma);
        accepted.remove_prefix(comma == accepted.npos ? accepted.size() : comma + 1);
        const auto semicolon = range.find(';');
        const auto name = trimmed(range.substr(0, semicolon));
        const int weight = weight_of(semicolon == range.npos ? "" : range.substr(semicolon));
        if (same_tag(name, "ko")) korean = std::max(korean, weight);
        if (same_tag(name, "en") || name == "*") english = std::max(english, weight);
    }
    return korean > english ? Language::korean : Language::english;
}

std::string masked(std::string_view type, std::string_view value) {
    if (const auto at = value.rfind('@'); type == "email" && at != value.npos && at > 0) {
        // The first character, whole.
        std::size_t first = 1;
        while (first < at && (static_cast<unsigned char>(value[first]) & 0xc0) == 0x80) ++first;
        return std::string(value.substr(0, first)) + "…" + std::string(value.substr(at));
    }
    if (value.size() <= 4) return "…";
    std::size_t last = value.size() - 2;
    while (last > 0 && (static_cast<unsigned char>(value[last]) & 0xc0) == 0x80) --last;
    return "…" + std::string(value.substr(last));
}

std::string preference_page(const cdp::Choice& preference, const PageTexts& texts,
                            Language language, PageNews news) {
    const auto& words = words_in(language);
    auto out = begin(words, language);
    if (const auto said = news_in(words, news); !said.empty())
        out.append("<p role=\"status\"><strong>").append(said).append("</strong></p>\n");
    out.append("<h2>").append(cdp::html_text(texts.title)).append("</h2>\n");
    if (!texts.controller.empty())
        add_paragraph(out, cdp::html_text(texts.controller) +
                               (language == Language::korean ? "" : " ") + std::string(words.asks));
    add_paragraph(out, std::string(words.about) + " <strong>" +
                           cdp::html_text(masked(preference.type, preference.value)) + "</strong>");
    std::string state(state_in(words, preference.standing));
    if (preference.since) {
        const auto time = cdp::format_time(*preference.since);
        state.append(" ").append(words.since).append(" <time datetime=\"").append(time);
        state.append("\">").append(time.substr(0, 10)).append("</time>");
    }
    add_paragraph(out, state);
    add_form(out, preference, words, tag_of(language));
    add_paragraph(out, words.only);
    return out + end_of_page(language);
}

std::string dead_link_page(bool expired, Language language) {
    const auto& words = words_in(language);
    auto out = begin(words, language);
    add_paragraph(out, expired ? words.expired : words.dead);
    return out + "</main>\n</body>\n</html>\n";
}

}  // namespace api
