#pragma once

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cdp/audit.h"
#include "cdp/platform.h"
#include "storage/memory_store.h"
#include "tests/support/keyring.h"

namespace tests {

class ManualClock final : public cdp::Clock {
public:
    cdp::Timestamp now() const override { return now_; }
    void set(std::string_view time) { now_ = *cdp::parse_time(time); }
    void advance(std::chrono::milliseconds by) { now_ += by; }

private:
    cdp::Timestamp now_ = *cdp::parse_time("2026-11-21T12:00:00Z");
};

// A platform in memory, spoken to in the words of its API.
class PlatformWorld {
public:
    explicit PlatformWorld(cdp::Config config = {},
                           std::unique_ptr<storage::Store> store = storage::make_memory_store())
        : store_(std::move(store)),
          vault_(fixed_keyring()),
          platform_(std::make_unique<cdp::Platform>(*store_, vault_, clock_, std::move(config))) {}

    ManualClock& clock() { return clock_; }
    cdp::Platform& platform() { return *platform_; }
    storage::Store& store() { return *store_; }
    const storage::Vault& vault() const { return vault_; }

    // A platform that starts on what is stored.
    void restart(cdp::Config config = {}) { restart_on(storage::make_memory_journal(), config); }
    // The journal is that of the next platform.
    void restart_on(std::unique_ptr<storage::Journal> journal, cdp::Config config = {}) {
        stop();
        platform_ = std::make_unique<cdp::Platform>(*store_, vault_, clock_, std::move(config),
                                                    std::move(journal));
    }
    void stop() { platform_.reset(); }

    static cdp::Principal source(const std::string& name, cdp::Trust trust = cdp::Trust::client) {
        return {cdp::Role::source, name, "", trust};
    }
    static cdp::Reader officer(const std::string& reason = "") {
        return {.who = {cdp::Role::officer, "officer", "", cdp::Trust::client},
                .route = "a test",
                .reason = reason};
    }
    static cdp::Principal channel(const std::string& id) {
        return {cdp::Role::channel, id, id, cdp::Trust::client};
    }

    std::vector<cdp::Verdict> send(const std::string& body,
                                   const cdp::Principal& from = source("web")) {
        auto parsed = cdp::parse_body(body, std::nullopt, platform_->parse_context(from, false));
        REQUIRE(parsed);
        // What takes several transactions answers from another thread.
        std::promise<cdp::Result<std::vector<cdp::Verdict>>> answer;
        platform_->ingest(from, std::move(*parsed),
                          [&](auto result) { answer.set_value(std::move(result)); });
        auto verdicts = answer.get_future().get();
        REQUIRE(verdicts);
        return std::move(*verdicts);
    }
    // One event; the verdict's name.
    std::string send_one(const std::string& event, const cdp::Principal& from = source("web")) {
        const auto verdicts = send(event, from);
        REQUIRE(verdicts.size() == 1);
        return std::string(cdp::to_string(verdicts[0].kind));
    }

    void consent(const std::string& type, const std::string& value, const std::string& purpose,
                 const std::string& state, const std::string& scope = "",
                 std::optional<cdp::Timestamp> time = {}) {
        cdp::ConsentRequest request;
        request.identifiers = {{type, value}};
        request.purpose = purpose;
        request.state = state;
        request.scope = scope;
        request.time = time;
        bool stored = false;
        platform_->record_consents(source("crm", cdp::Trust::server), {request},
                                   [&](auto result) { stored = static_cast<bool>(result); });
        REQUIRE(stored);
    }

    nlohmann::json profile(const std::string& channel_id, const std::string& type,
                           const std::string& value, const std::string& purpose) {
        const auto answer = platform_->profile(channel(channel_id), type, value, purpose);
        if (!answer) return {{"error", answer.error().reason}};
        return nlohmann::json::parse(*answer->body());
    }

    nlohmann::json timeline(const std::string& channel_id, const std::string& type,
                            const std::string& value, cdp::TimelineQuery query) {
        const auto answer = platform_->timeline(channel(channel_id), type, value, query);
        if (!answer) return {{"error", answer.error().reason}};
        return nlohmann::json::parse(*answer->body());
    }

    // What an officer is answered; the question by its verb.
    nlohmann::json audited(std::string_view verb, const cdp::AuditQuery& query) {
        for (const auto& question : cdp::audit_questions()) {
            if (question.verb != verb) continue;
            const auto answer = platform_->audit(officer(), question, query);
            if (!answer) return {{"error", answer.error().reason}};
            return nlohmann::json::parse(*answer);
        }
        FAIL("there is no such question: " << verb);
        return {};
    }

    std::vector<nlohmann::json> exported(cdp::ExportKind kind) {
        std::vector<nlohmann::json> lines;
        REQUIRE(platform_->export_lines(officer(), kind, [&](std::string_view line) {
            REQUIRE(line.ends_with('\n'));
            lines.push_back(nlohmann::json::parse(line));
            return true;
        }));
        return lines;
    }

private:
    ManualClock clock_;
    std::unique_ptr<storage::Store> store_;
    storage::Vault vault_;
    std::unique_ptr<cdp::Platform> platform_;
};

// With a channel `desk` for those who serve people, which need not ask them.
inline cdp::Config config_with_desk(std::vector<std::string> purposes,
                                    std::vector<consent::ChannelLabel> labels) {
    cdp::Config config;
    config.policy.purposes.push_back(
        {.name = "service", .regime = consent::Regime::contract, .target_types = {}});
    config.policy.channels.push_back({.id = "desk",
                                      .recipient = "The desk",
                                      .country = "",
                                      .purposes = std::move(purposes),
                                      .labels = std::move(labels)});
    return config;
}

// The reason a field is withheld; empty when it is not.
inline std::string withheld(const nlohmann::json& answer, const std::string& field) {
    for (const auto& one : answer.value("withheld", nlohmann::json::array()))
        if (one.at("field") == field) return one.at("reason");
    return "";
}

}  // namespace tests
