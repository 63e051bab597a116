#include "api/drp_dialect.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/parameters.h"

namespace api {
namespace {

constexpr std::string_view kProblem = "application/problem+json";

// By what the refusal is called, where its status alone does not say that waiting helps: a clock
// that runs ahead gets there, an erasure comes to its end, a disk is given room.
bool may_succeed_later(int status, std::string_view reason) {
    constexpr std::array<std::string_view, 2> kPass{"issued_in_future", "erasure_under_way"};
    constexpr std::array kStatuses{408, 429, 503, 507};
    return std::ranges::find(kPass, reason) != kPass.end() ||
           std::ranges::find(kStatuses, status) != kStatuses.end();
}

}  // namespace

void speak_drp(const Services&, const Head&, Response& response) {
    if (response.content_type != kProblem) return;
    const auto said = nlohmann::json::parse(response.bytes(), nullptr, /*allow_exceptions=*/false);
    const auto text = [&](const char* name) {
        return said.is_object() ? said.value(name, "") : std::string();
    };
    nlohmann::json body{{"code", std::to_string(response.status)}, {"message", text("detail")}};
    if (!may_succeed_later(response.status, text("code"))) body["fatal"] = true;
    response.body = body.dump() + "\n";
    response.shared.reset();
    response.content_type = "application/json";
    response.headers += kPrivate;
}

}  // namespace api
