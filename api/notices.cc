#include "cdp/notices.h"

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"
#include "api/problem.h"

namespace api {
namespace {

cdp::Result<cdp::NoticeRequest> read_notice(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(document, "",
                            {"id", "version", "language", "purposes", "text", "url", "sha256"}));
    cdp::NoticeRequest out;
    const std::pair<const char*, std::string*> texts[] = {
        {"id", &out.id},     {"version", &out.version}, {"language", &out.language},
        {"text", &out.text}, {"url", &out.url},         {"sha256", &out.sha256}};
    for (const auto& [name, text] : texts) *text = CDP_TRY(string_member(document, name, ""));
    out.purposes = CDP_TRY(strings_member(document, "purposes", ""));
    return out;
}

std::string notice_json(const cdp::NoticeVersion& notice) {
    std::string out = "{";
    const auto text = [&](const char* name, std::string_view value) {
        if (value.empty()) return;
        out += (out.size() > 1 ? ",\"" : "\"") + std::string(name) + "\":";
        append_json_string(out, value);
    };
    text("id", notice.id);
    text("version", notice.version);
    text("language", notice.language);
    out += ",\"purposes\":[";
    for (const auto& purpose : notice.purposes) {
        if (out.back() != '[') out += ',';
        append_json_string(out, purpose);
    }
    out += ']';
    text("text", notice.text);
    text("url", notice.url);
    text("sha256", cdp::to_hex(consent::view(notice.hash)));
    text("posted", cdp::format_time(notice.posted));
    text("author", notice.author);
    text("commitment", cdp::to_hex(consent::view(notice.commitment())));
    return out + "}";
}

}  // namespace

void post_notice(const Services& services, const Request& request, Answer answer) {
    auto wanted = read_notice(request.body);
    if (!wanted) return answer(problem(wanted.error()));
    auto author = author_of(request);
    services.aside(request, [&notices = services.platform.notices(), wanted = std::move(*wanted),
                             author = std::move(author), answer = std::move(answer)] {
        const auto posted = notices.post(wanted, author);
        if (!posted) return answer(problem(posted.error()));
        auto response = document(notice_json(posted->notice));
        if (posted->made) response.status = 201;
        answer(std::move(response));
    });
}

// {"id":…,"versions":[…]}, newest first; `version` and `language` narrow it.
Response read_notice_versions(const Services& services, const Request& request) {
    const auto id = percent_decode(request.parameter);
    const auto version = query_value(request.head->query, "version").value_or("");
    const auto language = query_value(request.head->query, "language").value_or("");
    const auto versions = services.platform.notices().versions(id);
    if (!versions) return problem(versions.error());
    std::string list;
    for (const auto& one : *versions) {
        if (!version.empty() && one.version != version) continue;
        if (!language.empty() && one.language != language) continue;
        list += (list.empty() ? "" : ",") + notice_json(one);
    }
    if (list.empty())
        return problem(404, "notice_unknown", "No such version of that notice was posted.");
    std::string body = "{\"id\":";
    append_json_string(body, id);
    return document(body + ",\"versions\":[" + list + "]}");
}

}  // namespace api
