#include "api/opendsr_callbacks.h"

#include <catch2/catch.hpp>

#include "cdp/privacy.h"
#include "tests/api/answering.h"
#include "tests/api/listener.h"
#include "tests/api/opendsr_keys.h"

namespace {

using nlohmann::json;
using tests::Answering;
using tests::World;

constexpr const char* kId = "a7551968-d5d6-44b2-9831-815ac9017798";

// A server whose callbacks are sent when the test says so.
class CallbackWorld {
public:
    explicit CallbackWorld(const std::vector<std::string>& hosts) {
        auto config = keys_.config();
        config.callback_hosts["officer"] = hosts;
        world_ = std::make_unique<World>(tests::fast_limits(), options_with(config));
        dsr_ = std::make_unique<api::OpenDsr>(*world_->platform, world_->clock, config, "");
        begin_anew();
    }
    // As after a start.
    void begin_anew() {
        api::OutgoingRules rules;
        rules.inner_hosts = inner_hosts_;
        rules.patience = patience_;
        const auto& privacy = world_->platform->privacy();
        auto protocol = api::opendsr_callbacks(*dsr_, privacy.secrets, world_->clock);
        protocol.status_of =
            [this, status_of = protocol.status_of](
                const auto& request) -> cdp::Result<std::optional<api::ToldStatus>> {
            if (request.external_id == broken_)
                return cdp::Error{.code = cdp::ErrorCode::corruption, .reason = "data_damaged"};
            return status_of(request);
        };
        callbacks_ = std::make_unique<api::Callbacks>(
            api::Callbacks::Needs{requests(), world_->clock}, std::vector{protocol}, rules);
    }
    // Whose hosts may be inner ones, and how long they are waited for.
    void begin_anew(std::vector<std::string> inner_hosts, std::chrono::seconds patience) {
        inner_hosts_ = std::move(inner_hosts);
        patience_ = patience;
        begin_anew();
    }
    // The request of this id cannot be read.
    void break_one(const std::string& id) { broken_ = id; }
    cdp::PrivacyRequests& requests() const { return world_->platform->privacy().requests; }
    void post(const std::vector<std::string>& urls, const std::string& id = kId) const {
        const json body{{"regulation", "gdpr"},
                        {"subject_request_id", id},
                        {"subject_request_type", "erasure"},
                        {"submitted_time", cdp::format_time(world_->clock.now())},
                        {"subject_identities",
                         {{{"identity_type", "email"},
                           {"identity_value", "a@shop.example"},
                           {"identity_format", "raw"}}}},
                        {"status_callback_urls", urls}};
        REQUIRE(
            world_->post("/v2/requests", world_->keys.at(cdp::Role::officer), body.dump()).status ==
            201);
    }
    std::optional<cdp::Timestamp> deliver() const {
        const auto next = callbacks_->deliver();
        REQUIRE(next);
        return *next;
    }
    void run() const {
        REQUIRE(requests().run_due([] { return true; }));
    }
    // The steps that tell of callbacks: `code detail`, one a line.
    std::string told() const {
        std::string out;
        const auto request =
            requests().find(cdp::PrivacyProtocol::open_dsr, "officer:officer", kId);
        REQUIRE(request);
        for (const auto& step : request->steps)
            if (step.act == cdp::PrivacyAct::note) out += step.code + " " + step.detail + "\n";
        return out;
    }
    void start() const { callbacks_->start(); }
    void stop() const { callbacks_->stop(); }

private:
    static api::ServerOptions options_with(const api::OpenDsrConfig& config) {
        api::ServerOptions options;
        options.opendsr = config;
        return options;
    }

    tests::OpenDsrKeys keys_;
    std::vector<std::string> inner_hosts_ = {"localhost"};
    std::chrono::seconds patience_{2};
    std::string broken_;
    std::unique_ptr<World> world_;
    std::unique_ptr<api::OpenDsr> dsr_;
    std::unique_ptr<api::Callbacks> callbacks_;
};

// What a controller does with one.
json verified(const tests::Heard& heard) {
    const auto certificate = api::read_certificate(tests::local_credentials().certificate).value();
    const auto domain = heard.header("x-opendsr-processor-domain");
    const auto signature = heard.header("x-opendsr-signature");
    REQUIRE(tests::verify_opendsr_signature({.domain = domain, .signature = signature}, heard.body,
                                            {.domain = "localhost", .certificate = certificate},
                                            cdp::SystemClock{}.now()));
    return json::parse(heard.body);
}

TEST_CASE("a controller is told each status, signed, and that it was told is a step", "[opendsr]") {
    Answering controller("200 OK");
    const CallbackWorld world({"localhost"});
    world.post({controller.url("/callbacks")});
    CHECK_FALSE(world.deliver());
    auto heard = controller.heard();
    REQUIRE(heard.size() == 1);
    auto said = verified(heard[0]);
    CHECK(heard[0].target == "/callbacks");
    CHECK(said["request_status"] == "pending");
    CHECK(said["controller_id"] == "officer");
    CHECK(said["subject_request_id"] == kId);
    CHECK(said["status_callback_url"] == controller.url("/callbacks"));
    world.run();
    CHECK_FALSE(world.deliver());
    heard = controller.heard();
    // What it went through in between it has left by now.
    REQUIRE(heard.size() == 2);
    said = verified(heard[1]);
    CHECK(said["request_status"] == "completed");
    CHECK(said["results_count"] == 0);
    CHECK(world.told() ==
          "callback_delivered localhost 200; pending\n"
          "callback_delivered localhost 200; completed\n"
          "callback_delivered localhost told; completed\n");
}

TEST_CASE("who does not answer is tried again, also by the next process", "[opendsr]") {
    Answering down("503 Service Unavailable");
    Answering up("204 No Content");
    CallbackWorld world({"localhost"});
    world.post({down.url("/a"), up.url("/b")});
    const auto next = world.deliver();
    REQUIRE(next);
    CHECK(*next > cdp::SystemClock{}.now() + std::chrono::seconds(2));
    CHECK(down.heard().size() == 1);
    CHECK(up.heard().size() == 1);
    CHECK(world.told() == "");
    // Not before its time.
    CHECK(world.deliver() == next);
    CHECK(down.heard().size() == 1);
    world.begin_anew();
    const auto owed = world.requests().owed(cdp::PrivacyProtocol::open_dsr, 10, true);
    REQUIRE(owed);
    REQUIRE(owed->size() == 1);
    CHECK(owed->at(0).attempts == 1);
    REQUIRE(world.requests().postpone(owed->at(0), cdp::SystemClock{}.now()));
    down.say("200 OK");
    CHECK_FALSE(world.deliver());
    CHECK(down.heard().size() == 2);
    CHECK(world.told() == "callback_delivered localhost 200, localhost 204; pending\n");
}

TEST_CASE("a host that nobody allowed is not called, and that is a step", "[opendsr]") {
    Answering stranger("200 OK");
    const CallbackWorld world({"dsr.crm.example"});
    world.post({stranger.url("/a")});
    CHECK_FALSE(world.deliver());
    CHECK(stranger.heard().empty());
    CHECK(world.told() == "callback_not_allowed localhost not_allowed; pending\n");
}

TEST_CASE("where nobody may ever be called is said at once, and silences nobody", "[opendsr]") {
    Answering inner("200 OK");
    const CallbackWorld world({"localhost", "127.0.0.1"});
    const auto port = inner.url("").substr(inner.url("").rfind(':'));
    world.post({"http://127.0.0.1" + port + "/a", "https://127.0.0.1" + port + "/b"});
    CHECK_FALSE(world.deliver());
    CHECK(inner.heard().empty());
    CHECK(world.told() ==
          "callback_not_allowed 127.0.0.1 url_not_https, 127.0.0.1 address_not_public; pending\n");
}

TEST_CASE("the thread tells by itself, and ends", "[opendsr]") {
    Answering controller("200 OK");
    const CallbackWorld world({"localhost"});
    world.start();
    world.post({controller.url("/callbacks")});
    for (int tries = 0; controller.heard().empty(); ++tries) {
        REQUIRE(tries < 2000);
        ::poll(nullptr, 0, 5);
    }
    world.stop();
    CHECK(verified(controller.heard()[0])["request_status"] == "pending");
}

constexpr const char* kOther = "a7551968-d5d6-44b2-9831-815ac9017799";

void wait_for(const std::function<bool()>& done) {
    for (int tries = 0; !done(); ++tries) {
        REQUIRE(tries < 2000);
        ::poll(nullptr, 0, 5);
    }
}

TEST_CASE("a host that hangs keeps nobody else waiting, and no stop", "[opendsr]") {
    const tests::Listener hanging(tests::Listener::Speaks::plain, "");
    Answering controller("200 OK");
    CallbackWorld world({"localhost", "127.0.0.1"});
    world.begin_anew({"localhost", "127.0.0.1"}, std::chrono::seconds(60));
    auto other = controller.url("/other");
    other.replace(other.find("localhost"), 9, "127.0.0.1");
    world.start();
    world.post({hanging.url("/a")});
    wait_for([&] { return hanging.served() == 1; });
    // Of one request too, whatever comes first in it.
    world.post({hanging.url("/b"), other}, kOther);
    wait_for([&] { return controller.heard().size() == 1; });
    CHECK(controller.heard()[0].target == "/other");
    const auto begun = std::chrono::steady_clock::now();
    world.stop();
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(1));
    // What was cut off is owed as it was.
    const auto owed = world.requests().owed(cdp::PrivacyProtocol::open_dsr, 10, true);
    REQUIRE(owed);
    REQUIRE(owed->size() == 2);
    for (const auto& one : *owed) CHECK(one.attempts == 0);
    CHECK(world.told() == "");
}

TEST_CASE("one that cannot be read keeps nobody else from being told", "[opendsr]") {
    Answering controller("200 OK");
    CallbackWorld world({"localhost"});
    world.post({controller.url("/first")}, kOther);
    world.post({controller.url("/second")});
    world.break_one(kOther);
    // It is looked at again, but not at once.
    const auto next = world.deliver();
    REQUIRE(next);
    CHECK(*next > cdp::SystemClock{}.now() + std::chrono::seconds(30));
    REQUIRE(controller.heard().size() == 1);
    CHECK(controller.heard()[0].target == "/second");
    CHECK(world.told() == "callback_delivered localhost 200; pending\n");
    world.break_one("");
    world.begin_anew();
    CHECK_FALSE(world.deliver());
    CHECK(controller.heard().size() == 2);
}

TEST_CASE("pauses double to an hour, and no two are the same") {
    using namespace std::chrono_literals;
    CHECK(api::callback_pause(0, 0.5) == 5s);
    CHECK(api::callback_pause(0, 0.0) == 2500ms);
    CHECK(api::callback_pause(3, 0.5) == 40s);
    CHECK(api::callback_pause(9, 0.5) == 2560s);
    CHECK(api::callback_pause(10, 0.5) == 1h);
    CHECK(api::callback_pause(4'000'000'000, 0.5) == 1h);
}

}  // namespace
