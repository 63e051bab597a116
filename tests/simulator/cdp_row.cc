#include "tests/simulator/cdp_row.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_map>

#include "cdp/platform.h"
#include "storage/memory_store.h"
#include "tests/support/keyring.h"

namespace simulator {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMissing = 0xffffffff;

class ArrivalClock final : public cdp::Clock {
public:
    cdp::Timestamp now() const override { return now_; }
    void set(std::int64_t milliseconds) { now_ = cdp::timestamp_of(milliseconds); }

private:
    cdp::Timestamp now_{};
};

cdp::Principal source_of(Channel channel) {
    const bool client =
        channel == Channel::web || channel == Channel::app || channel == Channel::kiosk;
    return {cdp::Role::source, std::string(to_string(channel)), "",
            client ? cdp::Trust::client : cdp::Trust::server};
}

json external_id(const char* type, const std::string& id, const char* encoding) {
    return {{"type", type}, {"id", id}, {"collection", "users"}, {"encoding", encoding}};
}

json external_ids(const SimEvent& event) {
    auto ids = json::array();
    if (!event.loyalty_id.empty())
        ids.push_back(external_id("loyalty_id", event.loyalty_id, "none"));
    if (!event.email_sha256.empty())
        ids.push_back(external_id("email", event.email_sha256, "sha256"));
    // A till has neither account nor cookie: the contact is all that says whose the event is.
    if (!event.user_id.empty() || !event.anonymous_id.empty()) return ids;
    if (!event.email.empty()) ids.push_back(external_id("email", event.email_sent, "none"));
    if (!event.phone.empty()) ids.push_back(external_id("phone", event.phone_sent, "none"));
    return ids;
}

json traits_of(const SimEvent& event) {
    auto traits = json::object();
    if (!event.email.empty()) traits["email"] = event.email_sent;
    if (!event.phone.empty()) traits["phone"] = event.phone_sent;
    if (event.email_verified) traits["email_verified"] = true;
    return traits;
}

json context_of(const SimEvent& event) {
    json context{{"library", {{"name", to_string(event.channel)}, {"version", "1.0.0"}}}};
    if (!event.device_id.empty())
        context["device"] = {{"id", event.device_id}, {"type", "android"}};
    if (auto ids = external_ids(event); !ids.empty()) context["externalIds"] = std::move(ids);
    if (event.kind != Kind::identify && !event.user_id.empty())
        if (auto traits = traits_of(event); !traits.empty()) context["traits"] = std::move(traits);
    return context;
}

void send(cdp::Platform& platform, const SimEvent& event) {
    const auto source = source_of(event.channel);
    auto parsed =
        cdp::parse_body(body_of(event), std::nullopt, platform.parse_context(source, false));
    if (!parsed) throw std::runtime_error("unreadable: " + body_of(event));
    bool answered = false;
    platform.ingest(source, std::move(*parsed), [&](auto result) {
        answered = result && (result->front().kind != cdp::VerdictKind::rejected ||
                              result->front().error.reason == "no_identifier");
    });
    if (!answered) throw std::runtime_error("refused: " + body_of(event));
}

Labels exported(cdp::Platform& platform, std::span<const SimEvent> events) {
    std::unordered_map<std::string, std::uint32_t> position;
    for (std::uint32_t i = 0; i < events.size(); ++i) position[events[i].message_id] = i;
    std::unordered_map<std::string, std::uint32_t> people;
    Labels labels(events.size(), kMissing);
    const auto done =
        platform.export_lines({}, cdp::ExportKind::events, [&](std::string_view line) {
            const auto read = json::parse(line);
            const auto next = static_cast<std::uint32_t>(people.size());
            const auto person = people.try_emplace(read.at("person"), next).first->second;
            labels[position.at(read.at("messageId"))] = person;
            return true;
        });
    if (!done) throw std::runtime_error("the export failed: " + done.error().message);
    auto next = static_cast<std::uint32_t>(people.size());
    for (auto& label : labels)
        if (label == kMissing) label = next++;
    return labels;
}

}  // namespace

std::string body_of(const SimEvent& event) {
    const auto time = [&](std::int64_t at) {
        return cdp::format_time(cdp::timestamp_of(at + event.clock_error));
    };
    // Sent one network hop before it arrives.
    json body{{"type", to_string(event.kind)},
              {"messageId", event.message_id},
              {"timestamp", time(event.time)},
              {"sentAt", time(event.arrival - 100)},
              {"context", context_of(event)}};
    if (!event.user_id.empty()) body["userId"] = event.user_id;
    if (!event.anonymous_id.empty()) body["anonymousId"] = event.anonymous_id;
    switch (event.kind) {
        case Kind::page: body["name"] = "Product"; break;
        case Kind::track: body["event"] = "Order Completed"; break;
        case Kind::identify: body["traits"] = traits_of(event); break;
        case Kind::alias: body["previousId"] = event.previous_id; break;
    }
    return body.dump();
}

Labels run_cdp(std::span<const SimEvent> events, std::span<const std::uint32_t> order) {
    cdp::Config config;
    config.default_region = "DE";
    const auto store = storage::make_memory_store();
    const storage::Vault vault(tests::fixed_keyring());
    ArrivalClock clock;
    cdp::Platform platform(*store, vault, clock, std::move(config));
    for (const auto event : order) {
        clock.set(events[event].arrival);
        send(platform, events[event]);
    }
    return exported(platform, events);
}

}  // namespace simulator
