#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cdp/decisions.h"
#include "cdp/erasures.h"
#include "cdp/privacy.h"
#include "cdp/rebuild.h"
#include "cdp/suppressions.h"
#include "consent/entry.h"
#include "storage/key.h"
#include "tests/cdp/stewardship_world.h"

// A shop with one customer, and what officers do about who is never to be contacted again.
namespace tests {

using nlohmann::json;

inline constexpr auto kLogin =
    R"({"type":"identify","messageId":"m1","userId":"u1","anonymousId":"c1",)"
    R"("timestamp":"2026-11-21T11:00:00Z",)"
    R"("traits":{"email":"a@shop.example","firstName":"Ann","plan":"gold"}})";

inline json suppress(PlatformWorld& world, const std::string& type, const std::string& value,
                     consent::SuppressionReason reason = consent::SuppressionReason::requested,
                     std::optional<consent::SuppressionScope> scope = {}) {
    const auto made = world.platform().privacy().suppressions.suppress(
        "officer:kim", {.type = type, .value = value, .reason = reason, .scope = scope});
    if (!made) return {{"error", made.error().reason}};
    return {{"id", cdp::to_hex(made->id.view())},
            {"scope", std::string(to_string(made->scope))},
            {"made", made->made}};
}

inline json lift(PlatformWorld& world, const std::string& id,
                 const std::string& reason = "a mistake") {
    const auto answer = world.platform().privacy().suppressions.revoke(id, "officer:lee", reason);
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(*answer);
}

inline json listed(PlatformWorld& world, const cdp::SuppressionsQuery& query = {}) {
    const auto page = world.platform().privacy().suppressions.page(PlatformWorld::officer(), query);
    if (!page) return {{"error", page.error().reason}};
    return json::parse(*page);
}

inline json erase(PlatformWorld& world, const cdp::ErasureRequest& request) {
    const auto answer =
        world.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim", request);
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(*answer);
}

inline json decided(PlatformWorld& world, const std::string& type, const std::string& value,
                    const std::string& purpose = "email_marketing",
                    const std::string& channel = "email_tool",
                    std::optional<cdp::Timestamp> as_of = {}) {
    const auto answer = world.platform().decide(
        PlatformWorld::officer(),
        {{.identifiers = {{type, value}}, .purpose = purpose, .channel = channel, .as_of = as_of}});
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(**answer)["answers"][0];
}

// With a purpose that asks nobody, and one that the law demands.
inline cdp::Config lawful_config() {
    auto config = open_config();
    config.policy.purposes.push_back(
        {.name = "tax", .regime = consent::Regime::legal_obligation, .target_types = {}});
    for (auto& channel : config.policy.channels) {
        if (channel.id != "desk") continue;
        channel.purposes.push_back("tax");
        channel.labels.push_back({"contact.email"});
        channel.labels.push_back({"name"});
    }
    return config;
}

struct SuppressionShop : PlatformWorld {
    explicit SuppressionShop(cdp::Config config = lawful_config())
        : PlatformWorld(std::move(config)) {
        send_one(kLogin, source("till", cdp::Trust::server));
        send_one(R"({"type":"track","event":"Order Completed","userId":"u1","messageId":"m2",)"
                 R"("timestamp":"2026-11-21T11:05:00Z","properties":{"revenue":7,"email":)"
                 R"("a@shop.example"}})",
                 source("till", cdp::Trust::server));
        consent("email", "a@shop.example", "email_marketing", "granted");
        consent("user_id", "u1", "advertising", "granted");
        clock().advance(std::chrono::minutes(1));
    }

    // Everything that any channel is given of u1, in one text.
    std::string given() {
        std::string out;
        for (const auto& [channel, purpose] :
             std::vector<std::pair<std::string, std::string>>{{"email_tool", "email_marketing"},
                                                              {"ads_tool", "advertising"},
                                                              {"desk", "service"},
                                                              {"desk", "tax"}}) {
            for (const auto& [type, value] : std::vector<std::pair<std::string, std::string>>{
                     {"user_id", "u1"}, {"anonymous_id", "c1"}, {"email", "a@shop.example"}}) {
                const auto read = profile(channel, type, value, purpose);
                out +=
                    read.value("traits", json()).dump() + read.value("identifiers", json()).dump();
                out += timeline(channel, type, value, {.purpose = purpose})
                           .value("events", json())
                           .dump();
            }
        }
        return out;
    }
};

inline bool names_anybody(const std::string& given) {
    for (const auto* what :
         {"shop.example", "Ann", "gold", "Order Completed", "revenue", "\"u1\"", "\"c1\"", "value"})
        if (given.find(what) != given.npos) return true;
    return false;
}

inline std::string faults(PlatformWorld& world) {
    const auto checked =
        world.platform().check_ledger([](std::string_view, std::uint64_t) { return true; });
    if (!checked) return checked.error().reason;
    return checked->fault ? checked->fault->what + ": " + checked->fault->why : "";
}

inline std::string differing_folds(PlatformWorld& world) {
    const auto scratch = storage::make_memory_store();
    const storage::Vault vault(fixed_keyring());
    const auto config = world.platform().config();
    cdp::Rebuild rebuild({world.store(), world.vault(), *scratch, vault, config, world.clock()},
                         {});
    const auto rebuilt = rebuild.check();
    if (!rebuilt) return rebuilt.error().reason;
    std::string differing;
    for (const auto& fold : rebuilt->found)
        if (fold.all() > 0) differing += std::string(fold.fold) + " ";
    return differing;
}

inline std::uint64_t entries(PlatformWorld& world) {
    return storage::log_size(*world.store().snapshot(), consent::ledger_prefix()).value();
}

}  // namespace tests
