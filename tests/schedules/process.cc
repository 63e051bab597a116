#include "tests/schedules/process.h"

#include <thread>

#include "cdp/base/random.h"
#include "cdp/disclosures.h"
#include "cdp/erasures.h"
#include "cdp/policy_versions.h"
#include "cdp/privacy.h"
#include "cdp/stewardship.h"
#include "tests/cdp/world.h"

namespace tests {
namespace {

constexpr int kStartsMax = 50;
constexpr const char* kPurpose = "email_marketing";

// The identifiers and the name of a unit.
struct Unit {
    int number = 0;

    std::string account() const { return "u" + std::to_string(number); }
    std::string cookie(std::uint64_t n) const {
        return "c" + std::to_string(number) + "-" + std::to_string(n);
    }
    std::string email() const { return "e" + std::to_string(number) + "@shop.example"; }
    std::string name() const { return "name-" + std::to_string(number) + "."; }
};

class Client {
public:
    Client(Process& process, Account& account, const Traffic& traffic, std::uint64_t seed)
        : process_(process),
          account_(account),
          traffic_(traffic),
          random_(seed),
          serial_(std::to_string(seed)) {}

    void act() {
        const Unit unit{
            static_cast<int>(random_.below(static_cast<std::uint64_t>(traffic_.units)))};
        if (traffic_.erasures && random_.one_in(12)) return erase(unit);
        if (traffic_.assertions && random_.one_in(8)) return assert_something(unit);
        if (random_.one_in(4)) return consent(unit);
        if (random_.one_in(4)) return look(unit);
        send(unit);
    }

    void send_again(SentEvent& event) { post(event); }

private:
    void begin(Asked& asked) { asked.began = ++account_.moment; }
    void end(Asked& asked) { asked.ended = ++account_.moment; }

    void send(const Unit& unit) {
        SentEvent event;
        event.id = "m-" + serial_ + "-" + std::to_string(++sent_);
        event.unit = unit.number;
        event.by_account = !random_.one_in(4);
        nlohmann::json body{{"messageId", event.id}, {"type", "track"}, {"event", "Looked"}};
        body["timestamp"] = cdp::format_time(process_.clock().now());
        if (event.by_account) body["userId"] = unit.account();
        if (!event.by_account || random_.one_in(2))
            body["anonymousId"] = unit.cookie(random_.below(3));
        if (event.by_account && random_.one_in(3)) {
            body["type"] = "identify";
            body["traits"] = {{"firstName", unit.name()}};
            if (random_.one_in(2)) body["traits"]["email"] = unit.email();
        }
        event.body = body.dump();
        begin(event);
        const auto place = account_.events.size();
        account_.events.push_back(std::move(event));
        auto copy = account_.events[place];
        post(copy);
        account_.events[place] = std::move(copy);
    }

    void post(SentEvent& event) {
        auto parsed =
            cdp::parse_body(event.body, std::nullopt,
                            process_.platform().parse_context(PlatformWorld::source("web"), false));
        if (!parsed) return wrong("parse", parsed.error());
        std::promise<cdp::Result<std::vector<cdp::Verdict>>> promise;
        process_.platform().ingest(PlatformWorld::source("web"), std::move(*parsed),
                                   [&](auto result) { promise.set_value(std::move(result)); });
        const auto verdicts = promise.get_future().get();
        if (!verdicts) return unavailable("ingest", verdicts.error());
        switch (verdicts->front().kind) {
            case cdp::VerdictKind::accepted:
            case cdp::VerdictKind::duplicate: event.answer = Answer::stored; break;
            case cdp::VerdictKind::suppressed: event.answer = Answer::suppressed; break;
            case cdp::VerdictKind::rejected: return wrong("rejected", verdicts->front().error);
        }
        end(event);
    }

    void consent(const Unit& unit) {
        SaidConsent said;
        said.unit = unit.number;
        said.granted = random_.one_in(2);
        begin(said);
        // Of before everything else, and each of its own.
        said.time =
            *cdp::parse_time("2026-11-21T11:00:00Z") + std::chrono::milliseconds(said.began);
        cdp::ConsentRequest request;
        request.identifiers = {{"user_id", unit.account()}};
        request.purpose = kPurpose;
        request.state = said.granted ? "granted" : "withdrawn";
        request.scope = "person";
        request.time = said.time;
        const auto place = account_.consents.size();
        account_.consents.push_back(said);
        std::promise<std::optional<cdp::Error>> promise;
        process_.platform().record_consents(
            PlatformWorld::source("crm", cdp::Trust::server), {request}, [&](auto result) {
                promise.set_value(result ? std::optional<cdp::Error>() : result.error());
            });
        if (const auto error = promise.get_future().get()) return unavailable("consent", *error);
        end(account_.consents[place]);
    }

    void look(const Unit& unit) {
        SeenProfile seen;
        seen.unit = unit.number;
        begin(seen);
        const auto answer = process_.platform().profile(PlatformWorld::channel("email_tool"),
                                                        "user_id", unit.account(), kPurpose);
        if (!answer && answer.error().code == cdp::ErrorCode::not_found) return;
        if (!answer) return unavailable("profile", answer.error());
        seen.shows = answer->body()->find(unit.name()) != std::string::npos;
        end(seen);
        account_.profiles.push_back(seen);
    }

    void erase(const Unit& unit) {
        DoneErasure erasure;
        erasure.unit = unit.number;
        begin(erasure);
        const auto place = account_.erasures.size();
        account_.erasures.push_back(erasure);
        const auto answer = process_.platform().privacy().erasures.erase(
            PlatformWorld::officer(), "officer:kim",
            {.type = "user_id", .value = unit.account(), .reason = "asked for"});
        if (!answer) return unavailable("erasure", answer.error());
        end(account_.erasures[place]);
    }

    void assert_something(const Unit& unit) {
        const Unit other{(unit.number + 1) % traffic_.units};
        cdp::AssertionRequest request;
        request.kind = random_.one_in(2) ? "must_link" : "cannot_link";
        request.identifiers = {{"user_id", unit.account()},
                               {"anonymous_id", other.cookie(random_.below(3))}};
        if (random_.one_in(2)) request.identifiers[1] = {"user_id", other.account()};
        request.reason = "asked for";
        request.author = "steward:kim";
        const auto answer = process_.platform().stewardship().say(request);
        if (!answer) unavailable("assertion", answer.error());
    }

    // While disks fail this is what may be said; anything else is a fault.
    void unavailable(const char* what, const cdp::Error& error) {
        if (error.code == cdp::ErrorCode::unavailable) return;
        if (error.code == cdp::ErrorCode::conflict) return;
        if (error.reason == "identifier_unknown") return;  // nobody has sent it yet
        wrong(what, error);
    }
    void wrong(const char* what, const cdp::Error& error) {
        account_.wrong.push_back(std::string(what) + ": " + error.reason + " " + error.detail);
    }

    Process& process_;
    Account& account_;
    const Traffic& traffic_;
    cdp::Random random_;
    const std::string serial_;
    int sent_ = 0;
};

}  // namespace

Process::Process(Disk& disk, const DiskFaults& faults, cdp::Config config)
    : config_(std::move(config)) {
    for (int tries = 0; tries < kStartsMax; ++tries) {
        store_ = disk.open(faults);
        platform_ =
            std::make_unique<cdp::Platform>(*store_, vault_, clock_, config_, disk.journal());
        const auto started = start();
        refused_ = started ? "" : started.error().reason + ": " + started.error().detail;
        if (started) return;
        platform_.reset();
        store_.reset();
    }
}

Process::~Process() {
    platform_.reset();
    store_.reset();
}

cdp::Result<void> Process::start() {
    CDP_CHECK(platform_->stewardship().catch_up([](const auto&) { return true; }));
    CDP_CHECK(platform_->privacy().erasures.finish_interrupted());
    CDP_CHECK(platform_->policies().adopt());
    platform_->publish_ledger();
    return platform_->disclosures().begin();
}

void run_client(Process& process, const Disk& disk, Account& account, const Traffic& traffic,
                std::uint64_t seed) {
    Client client(process, account, traffic, seed);
    for (int n = 0; n < traffic.operations && !disk.crashed(); ++n) client.act();
}

void send_again(Process& process, Account& account) {
    const Traffic none;
    Client client(process, account, none, 0);
    for (auto& event : account.events)
        if (event.answer == Answer::none) client.send_again(event);
}

}  // namespace tests
