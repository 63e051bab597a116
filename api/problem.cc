#include "api/problem.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

#include "api/json.h"
#include "cdp/base/log.h"

namespace api {
namespace {

// Small delta seconds in both fields: SDKs read one or the other, some as a count of seconds and
// none well as a date.
std::string wait_lines(std::uint32_t seconds) {
    const auto text = std::to_string(seconds);
    return "Retry-After: " + text + "\r\nX-RateLimit-Reset: " + text + "\r\n";
}

}  // namespace

int to_status(cdp::ErrorCode code) {
    switch (code) {
        case cdp::ErrorCode::invalid_argument: return 400;
        case cdp::ErrorCode::unauthenticated: return 401;
        case cdp::ErrorCode::forbidden: return 403;
        case cdp::ErrorCode::not_found: return 404;
        case cdp::ErrorCode::conflict: return 409;
        case cdp::ErrorCode::overloaded: return 429;
        case cdp::ErrorCode::unavailable: return 503;
        case cdp::ErrorCode::storage_full: return 507;
        case cdp::ErrorCode::corruption: return 500;
    }
    CDP_ASSERT(false);
    return 500;
}

const char* reason_phrase(int status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        case 507: return "Insufficient Storage";
        default: return "Unknown";
    }
}

Response problem(int status, std::string_view code, std::string_view message,
                 std::string_view pointer) {
    Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    auto& out = response.body;
    out += R"({"type":"about:blank","title":)";
    append_json_string(out, reason_phrase(status));
    out += ",\"status\":" + std::to_string(status) + ",\"code\":";
    append_json_string(out, code);
    out += ",\"detail\":";
    append_json_string(out, message);
    if (!pointer.empty()) {
        out += ",\"pointer\":";
        append_json_string(out, pointer);
    }
    out += "}\n";
    if (status == 429 || status == 503) response.headers += wait_lines(1);
    // Not Basic: a browser would open a password dialog over the page.
    if (status == 401) response.headers += "WWW-Authenticate: Bearer\r\n";
    return response;
}

Response too_many(std::string_view code, std::string_view message, std::uint32_t seconds) {
    auto response = problem(429, code, message);
    response.headers = wait_lines(seconds);
    return response;
}

namespace {

// That somebody is to come again in a moment is no fault of ours.
bool asks_to_wait(const cdp::Error& error) {
    constexpr std::array<std::string_view, 3> kReasons{"busy", "contended", "erasure_under_way"};
    return std::ranges::find(kReasons, error.reason) != kReasons.end();
}

// A disk that is full or has failed is so for every request: one line in ten seconds says it of
// each reason, and the metrics how many were refused.
bool is_told_already(const cdp::Error& error) {
    constexpr std::array<std::string_view, 4> kStates{"disk_low", "disk_full", "storage_failed",
                                                      "disclosure_unrecorded"};
    static std::array<std::atomic<std::int64_t>, kStates.size()> told_at{};
    const auto* const state = std::ranges::find(kStates, error.reason);
    if (state == kStates.end()) return false;
    using Seconds = std::chrono::seconds;
    // Never 0: nothing was told yet.
    const auto now =
        1 + std::chrono::duration_cast<Seconds>(std::chrono::steady_clock::now().time_since_epoch())
                .count();
    auto& told = told_at[static_cast<std::size_t>(state - kStates.begin())];
    auto last = told.load();
    return (last != 0 && now < last + 10) || !told.compare_exchange_strong(last, now);
}

}  // namespace

Response problem(const cdp::Error& error) {
    const int status = to_status(error.code);
    if ((status >= 500 || !error.detail.empty()) && !is_told_already(error))
        cdp::log::write(
            status >= 500 && !asks_to_wait(error) ? cdp::log::Level::error : cdp::log::Level::info,
            "request_failed",
            {{"status", std::int64_t{status}},
             {"reason", cdp::log::safe(error.reason)},
             {"detail", cdp::log::safe(error.detail)}});
    return problem(status, error.reason, error.message, error.pointer);
}

std::string error_line(const cdp::Error& error) {
    auto refusal = problem(error).body;
    while (refusal.ends_with('\n')) refusal.pop_back();
    return "{\"error\":" + refusal + "}\n";
}

Response problem(const Refusal& refusal) {
    Response response = problem(refusal.status, refusal.code, refusal.message);
    response.close = true;
    return response;
}

}  // namespace api
