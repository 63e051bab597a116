#include "api/credentials.h"
#include "api/handlers.h"
#include "api/json.h"
#include "api/problem.h"
#include "api/routes.h"

namespace api {
namespace {

constexpr std::string_view kCacheable = "Cache-Control: public, max-age=300\r\n";

bool is_source_key(const Services& services, std::string_view key) {
    const auto caller = services.access.find(key);
    return caller && caller->role == cdp::Role::source;
}

Response no_such_source() {
    return problem(404, "source_unknown", "No source has this key.");
}

// Where the SDK shall send events: scheme and authority, apart.
struct Place {
    std::string scheme;
    std::string authority;
};

Place public_place(const Services& services, const Request& request) {
    const std::string_view url = services.public_url;
    if (const auto colon = url.find("://"); colon != url.npos)
        return {std::string(url.substr(0, colon)), std::string(url.substr(colon + 3))};
    return {services.scheme, std::string(request.head->host)};
}

}  // namespace

// The least that analytics-next and the mobile SDKs start with: without apiKey they send events
// that carry no key, without sampleRate 0 the page calls home.
Response segment_settings(const Services& services, const Request& request) {
    const auto key = percent_decode(request.parameter);
    if (!is_source_key(services, key)) return no_such_source();

    const auto place = public_place(services, request);
    Response response;
    response.headers = kCacheable;
    auto& out = response.body;
    out = R"({"integrations":{"Segment.io":{"apiKey":)";
    append_json_string(out, key);
    out += R"(,"apiHost":)";
    append_json_string(out, place.authority + "/v1");
    out += R"(,"protocol":)";
    append_json_string(out, place.scheme);
    out += R"(}},"metrics":{"sampleRate":0},"remotePlugins":[]})";
    out += '\n';
    return response;
}

Response rudder_source_config(const Services& services, const Request& request) {
    // RudderStack's probe for ad blockers: a HEAD without a key.
    if (request.head->method == Method::head) return {};
    auto key = request.head->authorization.data() != nullptr
                   ? key_of(request)
                   : query_value(request.head->query, "writeKey");
    if (!key || !is_source_key(services, *key)) return no_such_source();
    const auto source = services.access.find(*key);

    Response response;
    response.headers = kCacheable;
    auto& out = response.body;
    out = R"({"source":{"id":)";
    append_json_string(out, source->name);
    out += R"(,"name":)";
    append_json_string(out, source->name);
    out += R"(,"enabled":true,"config":{},"destinations":[]}})";
    out += '\n';
    return response;
}

Response empty_answer(const Services&, const Request&) {
    Response response;
    response.body = "{}\n";
    return response;
}

}  // namespace api
