#include "api/proof_page.h"

#include "cdp/base/assert.h"
#include "cdp/html_text.h"

namespace api {
namespace {

using cdp::PrivacyKind;

struct Words {
    std::string_view heading;
    std::string_view asked;     // the controller stands before it
    std::string_view asked_us;  // where it is not said who that is
    std::string_view about;     // the identifier stands behind it
    std::string_view question;
    std::string_view yes;
    std::string_view otherwise;
    std::string_view awaited;
    std::string_view proved;
    std::string_view closed;
    std::string_view unknown;
    std::string_view expired;
};

constexpr Words kEnglish{
    .heading = "Was it you?",
    .asked = "was asked this:",
    .asked_us = "We were asked this:",
    .about = "It is about",
    .question = "Confirm only what you have asked for yourself.",
    .yes = "Yes, I asked for this",
    .otherwise = "If you did not ask for it, close this page. Nothing is done then.",
    .awaited = "To go on, open the link that is sent to you there.",
    .proved = "Thank you. The request is being dealt with.",
    .closed = "This request does not wait for a confirmation any more.",
    .unknown = "This link does not open anything. Please use the one in the message you received.",
    .expired = "This link is too old. Please ask for a new one.",
};

constexpr Words kKorean{
    .heading = "본인 확인",
    .asked = "에 다음 요청이 접수되었습니다.",
    .asked_us = "다음 요청이 접수되었습니다.",
    .about = "대상:",
    .question = "본인이 직접 요청한 경우에만 확인해 주십시오.",
    .yes = "예, 제가 요청했습니다",
    .otherwise = "요청한 적이 없다면 이 페이지를 닫아 주십시오. 아무 처리도 하지 않습니다.",
    .awaited = "계속하려면 위 연락처로 보내 드리는 링크를 열어 주십시오.",
    .proved = "감사합니다. 요청을 처리하고 있습니다.",
    .closed = "이 요청은 더 이상 확인을 기다리지 않습니다.",
    .unknown = "유효하지 않은 링크입니다. 받으신 메시지의 링크를 이용해 주십시오.",
    .expired = "기간이 지난 링크입니다. 새 링크를 요청해 주십시오.",
};

const Words& words_in(Language language) {
    return language == Language::korean ? kKorean : kEnglish;
}

std::string_view asked_in_english(PrivacyKind kind) {
    switch (kind) {
        case PrivacyKind::access: return "to tell you what is held about you";
        case PrivacyKind::portability: return "to give you your data to take along";
        case PrivacyKind::erasure: return "to erase your data";
        case PrivacyKind::rectification: return "to correct your data";
        case PrivacyKind::restriction: return "to keep your data and not use them";
        case PrivacyKind::objection: return "not to use your data";
        case PrivacyKind::suppression: return "never to contact you again";
        case PrivacyKind::opt_out: return "not to sell or share your data";
        case PrivacyKind::opt_in: return "to be allowed again to sell or share your data";
        case PrivacyKind::access_categories: return "to tell you which kinds of data are held";
    }
    CDP_ASSERT(false);
    return {};
}

std::string_view asked_in_korean(PrivacyKind kind) {
    switch (kind) {
        case PrivacyKind::access: return "보유 중인 내 정보의 열람";
        case PrivacyKind::portability: return "내 정보의 전송";
        case PrivacyKind::erasure: return "내 정보의 삭제";
        case PrivacyKind::rectification: return "내 정보의 정정";
        case PrivacyKind::restriction: return "내 정보의 처리 정지";
        case PrivacyKind::objection: return "내 정보 이용에 대한 거부";
        case PrivacyKind::suppression: return "앞으로 연락하지 않기";
        case PrivacyKind::opt_out: return "내 정보의 판매·공유 거부";
        case PrivacyKind::opt_in: return "내 정보의 판매·공유 재허용";
        case PrivacyKind::access_categories: return "보유 중인 내 정보의 항목 확인";
    }
    CDP_ASSERT(false);
    return {};
}

void add_paragraph(std::string& out, std::string_view text) {
    out.append("<p>").append(text).append("</p>\n");
}

std::string begin(const AskedProof& asked, Language language) {
    const bool korean = language == Language::korean;
    const auto& words = words_in(language);
    auto out = begin_page(words.heading, language);
    if (asked.controller.empty())
        add_paragraph(out, words.asked_us);
    else
        add_paragraph(
            out, cdp::html_text(asked.controller) + (korean ? "" : " ") + std::string(words.asked));
    out.append("<p><strong>");
    out.append(korean ? asked_in_korean(asked.kind) : asked_in_english(asked.kind));
    out.append("</strong></p>\n");
    for (const auto& masked : asked.masked)
        add_paragraph(
            out, std::string(words.about) + " <strong>" + cdp::html_text(masked) + "</strong>");
    return out;
}

std::string_view words_of(ProofEnd end, const Words& words) {
    switch (end) {
        case ProofEnd::proved: return words.proved;
        case ProofEnd::closed: return words.closed;
        case ProofEnd::link_unknown: return words.unknown;
        case ProofEnd::link_expired: return words.expired;
    }
    CDP_ASSERT(false);
    return {};
}

}  // namespace

std::string proof_page(const AskedProof& asked, Language language) {
    const auto& words = words_in(language);
    auto out = begin(asked, language);
    add_paragraph(out, words.question);
    // An empty action would keep what a crafted query holds.
    out.append("<form method=\"post\" action=\"?lang=").append(tag_of(language)).append("\">\n");
    out.append("<p><button type=\"submit\" name=\"confirm\" value=\"yes\">").append(words.yes);
    out.append("</button></p>\n</form>\n");
    add_paragraph(out, words.otherwise);
    return out + end_of_page(language);
}

std::string awaited_proof_page(const AskedProof& asked, Language language) {
    auto out = begin(asked, language);
    add_paragraph(out, words_in(language).awaited);
    return out + end_of_page(language);
}

std::string proof_end_page(ProofEnd end, Language language) {
    const auto& words = words_in(language);
    auto out = begin_page(words.heading, language);
    add_paragraph(out, words_of(end, words));
    return out + end_of_page(language);
}

}  // namespace api
