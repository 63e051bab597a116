#include "api/pages.h"

#include <utility>

#include "api/http_head.h"

namespace api {

Response html_page(int status, std::string html, Language language) {
    Response response;
    response.status = status;
    response.content_type = "text/html; charset=utf-8";
    response.headers =
        kPageHeaders + ("Content-Language: " + std::string(tag_of(language)) + "\r\n");
    response.body = std::move(html);
    return response;
}

Language language_of(const Request& request) {
    return language_for(query_value(request.head->query, "lang").value_or(""),
                        request.head->accept_language);
}

std::string own_place(const Services& services, const Request& request) {
    const auto& place = services.public_url;
    return place.empty() ? services.scheme + "://" + std::string(request.head->host) : place;
}

}  // namespace api
