#include "cdp/preferences.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/form.h"
#include "api/handlers.h"
#include "api/json.h"
#include "api/pages.h"
#include "api/parameters.h"
#include "api/preference_page.h"
#include "api/problem.h"
#include "api/routes.h"

namespace api {
namespace {

constexpr std::string_view kOneClickField = "List-Unsubscribe";
constexpr std::string_view kOneClick = "One-Click";  // RFC 8058 §3.1

// People see a page; what is wrong with the store is said to whoever runs it.
Response refused(const cdp::Error& error, Language language) {
    if (error.code != cdp::ErrorCode::not_found) return problem(error);
    return html_page(404, dead_link_page(error.reason == "link_expired", language), language);
}

PageTexts texts_for(const Services& services, std::string_view purpose, Language language) {
    PageTexts texts{services.platform.config().controller.name, std::string(purpose)};
    std::ranges::replace(texts.title, '_', ' ');
    const auto& all = services.purpose_titles;
    if (const auto titles = all.find(purpose); titles != all.end())
        for (const auto tag : {std::string_view("en"), tag_of(language)})
            if (const auto title = titles->second.find(std::string(tag));
                title != titles->second.end() && !title->second.empty())
                texts.title = title->second;
    return texts;
}

Response shown(const Services& services, const std::string& link, Language language,
               PageNews news) {
    const auto preference = services.platform.preferences().open(link);
    if (!preference) return refused(preference.error(), language);
    const auto texts = texts_for(services, preference->purpose, language);
    return html_page(200, preference_page(*preference, texts, language, news), language);
}

Response chosen(const Services& services, const std::string& link, Language language,
                const cdp::Result<void>& result) {
    if (result) return shown(services, link, language, PageNews::saved);
    const auto& reason = result.error().reason;
    if (reason == "idempotency_key_reused")
        return shown(services, link, language, PageNews::already_sent);
    if (reason == "form_expired") return shown(services, link, language, PageNews::form_old);
    return refused(result.error(), language);
}

}  // namespace

Response make_preference_link(const Services& services, const Request& request) {
    const auto made = [&]() -> cdp::Result<std::string> {
        const auto said = CDP_TRY(parse_json(request.body));
        CDP_CHECK(check_members(said, "", {"identifier", "purpose"}));
        const auto identifier = said.find("identifier");
        if (identifier == said.end())
            return invalid("identifier_missing", "An identifier is expected here.", "/identifier");
        CDP_CHECK(check_members(*identifier, "/identifier", {"type", "value"}));
        const auto type = CDP_TRY(string_member(*identifier, "type", "/identifier"));
        const auto value = CDP_TRY(string_member(*identifier, "value", "/identifier"));
        const auto purpose = CDP_TRY(string_member(said, "purpose", ""));
        return services.platform.preferences().link(request.caller, type, value, purpose);
    }();
    if (!made) return problem(made.error());
    const auto url = own_place(services, request) + "/preferences/" + *made;
    Response response;
    response.headers = kPrivate;
    response.body = "{\"url\":";
    append_json_string(response.body, url);
    response.body += ",\"headers\":{\"List-Unsubscribe\":";
    append_json_string(response.body, "<" + url + ">");
    response.body += ",\"List-Unsubscribe-Post\":\"List-Unsubscribe=One-Click\"}}\n";
    return response;
}

Response show_preference(const Services& services, const Request& request) {
    return shown(services, percent_decode(request.parameter), language_of(request), PageNews::none);
}

void choose_preference(const Services& services, const Request& request, Answer answer) {
    const auto link = percent_decode(request.parameter);
    const auto language = language_of(request);
    const auto field = [&](std::string_view name) {
        return form_value(request.head->content_type, request.body, name).value_or("");
    };
    if (field(kOneClickField) == kOneClick) {
        services.platform.preferences().one_click(
            link, [answer = std::move(answer), language](const cdp::Result<void>& result) {
                if (!result) return answer(refused(result.error(), language));
                Response done;
                done.content_type = "text/plain; charset=utf-8";
                done.headers = kPageHeaders;
                done.body = "Unsubscribed.\n";
                answer(std::move(done));
            });
        return;
    }
    const auto choice = field("choice");
    if (choice != "yes" && choice != "no")
        return answer(problem(400, "choice_invalid", "The choice is yes or no.", "/choice"));
    services.platform.preferences().choose(
        link, field("form"), choice == "yes",
        [&services, answer = std::move(answer), link, language](const cdp::Result<void>& result) {
            answer(chosen(services, link, language, result));
        });
}

}  // namespace api
