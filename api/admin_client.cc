#include "api/admin_client.h"

#include <unistd.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

namespace api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

cdp::Error lost() {
    return {cdp::ErrorCode::unavailable, "server_lost", "The server ended the connection.", {}, {}};
}

cdp::ErrorCode code_of(unsigned status) {
    switch (status) {
        case 400:
        case 413:
        case 414: return cdp::ErrorCode::invalid_argument;
        case 403: return cdp::ErrorCode::forbidden;
        case 404: return cdp::ErrorCode::not_found;
        case 409: return cdp::ErrorCode::conflict;
        case 500: return cdp::ErrorCode::corruption;
        case 507: return cdp::ErrorCode::storage_full;
        default: return cdp::ErrorCode::unavailable;
    }
}

// An answer that is no problem document is none of ours.
cdp::Error refusal_in(unsigned status, const std::string& body) {
    auto error = error_in(nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false));
    error.code = code_of(status);
    return error;
}

}  // namespace

cdp::Error error_in(const nlohmann::json& problem) {
    const auto text = [&](const char* name, const char* missing) {
        const auto found = problem.is_object() ? problem.find(name) : problem.end();
        return found != problem.end() && found->is_string() ? found->get<std::string>()
                                                            : std::string(missing);
    };
    const auto status = problem.is_object() ? problem.find("status") : problem.end();
    const bool numbered = status != problem.end() && status->is_number_unsigned();
    return {code_of(numbered ? status->get<unsigned>() : 503),
            text("code", "no_answer"),
            text("detail", "no_answer"),
            text("pointer", ""),
            {}};
}

AdminClient::~AdminClient() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

cdp::Result<std::string> AdminClient::ask_whole(const AdminRequest& request) {
    std::string answer;
    CDP_CHECK(ask(request, [&](std::string_view bytes) {
        answer += bytes;
        return true;
    }));
    return answer;
}

cdp::Result<nlohmann::json> AdminClient::ask_with_progress(
    const AdminRequest& request, const std::function<void(const nlohmann::json&)>& progress) {
    std::string rest;
    cdp::Result<nlohmann::json> result = lost();
    const auto take = [&](const nlohmann::json& line) {
        if (!line.is_object()) return;
        if (const auto found = line.find("progress"); found != line.end()) progress(*found);
        if (const auto found = line.find("result"); found != line.end()) result = *found;
        if (const auto found = line.find("error"); found != line.end()) result = error_in(*found);
    };
    CDP_CHECK(ask(request, [&](std::string_view bytes) {
        rest += bytes;
        for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
            take(nlohmann::json::parse(rest.substr(0, end), nullptr, /*allow_exceptions=*/false));
            rest.erase(0, end + 1);
        }
        return true;
    }));
    return result;
}

cdp::Result<void> AdminClient::ask(const AdminRequest& wanted,
                                   const std::function<bool(std::string_view)>& sink) {
    asio::io_context context;
    asio::generic::stream_protocol::socket socket(
        context, asio::generic::stream_protocol(AF_UNIX, 0), std::exchange(descriptor_, -1));
    const auto request = wanted.method + " " + wanted.target +
                         " HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: " +
                         std::to_string(wanted.body.size()) + "\r\n\r\n" + wanted.body;
    boost::system::error_code error;
    asio::write(socket, asio::buffer(request), error);
    if (error) return lost();

    boost::beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    http::read_header(socket, buffer, parser, error);
    if (error) return lost();
    const auto status = parser.get().result_int();
    const bool fine = status >= 200 && status < 300;

    std::string refusal;
    char piece[64 * 1024];
    while (!parser.is_done()) {
        parser.get().body().data = piece;
        parser.get().body().size = sizeof piece;
        http::read_some(socket, buffer, parser, error);
        if (error == http::error::need_buffer) error = {};
        if (error) return lost();
        const std::string_view bytes(piece, sizeof piece - parser.get().body().size);
        if (!fine)
            refusal += bytes;
        else if (!bytes.empty() && !sink(bytes))
            return cdp::Result<void>::ok();
    }
    return fine ? cdp::Result<void>::ok() : refusal_in(status, refusal);
}

}  // namespace api
