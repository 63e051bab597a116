#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "tests/cdp/stewardship_world.h"

namespace tests {

// A shop that knows u1 and u2, and where their requests are taken.
struct Desk : PlatformWorld {
    Desk() : PlatformWorld(open_config()) { fill(); }
    explicit Desk(std::unique_ptr<storage::Store> store)
        : PlatformWorld(open_config(), std::move(store)) {
        fill();
    }

    void fill() {
        const auto till = source("till", cdp::Trust::server);
        send_one(R"({"type":"identify","userId":"u1","anonymousId":"c1","messageId":"m1",)"
                 R"("timestamp":"2026-11-20T10:00:00Z","traits":{"email":"a@shop.example",)"
                 R"("plan":"gold"}})",
                 till);
        send_one(R"({"type":"identify","userId":"u2","messageId":"m2",)"
                 R"("timestamp":"2026-11-20T12:00:00Z","traits":{"plan":"silver"}})",
                 till);
        consent("email", "a@shop.example", "email_marketing", "granted");
        clock().advance(std::chrono::seconds(1));
    }

    cdp::PrivacyRequests& requests() { return platform().privacy().requests; }

    static cdp::NewPrivacyRequest asked(cdp::PrivacyKind kind, const std::string& value = "u1",
                                        const std::string& verified_by = "in_person") {
        return {.kind = kind, .identifiers = {{"user_id", value}}, .verified_by = verified_by};
    }
    cdp::PrivacyRequest submit(const cdp::NewPrivacyRequest& request,
                               const std::string& sender = "kim") {
        const auto taken = requests().submit(sender, request);
        INFO((taken ? std::string() : taken.error().reason + taken.error().pointer));
        REQUIRE(taken);
        return *taken;
    }
    std::string refused(const cdp::NewPrivacyRequest& request) {
        const auto taken = requests().submit("kim", request);
        return taken ? "taken" : taken.error().reason + ' ' + taken.error().pointer;
    }
    cdp::PrivacyRequest advance(const cdp::PrivacyRequest& one) {
        const auto advanced = requests().advance(one.id);
        REQUIRE(advanced);
        return *advanced;
    }
    cdp::PrivacyRequest read(const cdp::PrivacyRequest& one) { return *requests().read(one.id); }
    std::string step(const cdp::PrivacyRequest& one, const cdp::PrivacyStepRequest& step) {
        const auto taken = requests().step("officer:kim", one.id, step);
        return taken ? std::string(to_string(taken->state)) : taken.error().reason;
    }
    void run_due() {
        REQUIRE(requests().run_due([] { return true; }));
    }
    bool holds(const std::string& user) {
        const auto lines = exported(cdp::ExportKind::persons);
        return std::ranges::any_of(lines, [&](const nlohmann::json& line) {
            return line.dump().find('"' + user + '"') != std::string::npos;
        });
    }
    void check_ledger() {
        while (*platform().ledger().publish(clock().now())) continue;
        const auto checked = platform().check_ledger([](auto, auto) { return true; });
        REQUIRE(checked);
        INFO((checked->fault ? checked->fault->what + checked->fault->why : std::string()));
        CHECK_FALSE(checked->fault);
    }
};

inline std::string acts(const cdp::PrivacyRequest& request) {
    std::string out;
    for (const auto& step : request.steps)
        out += (out.empty() ? "" : " ") + std::string(to_string(step.act));
    return out;
}

}  // namespace tests
