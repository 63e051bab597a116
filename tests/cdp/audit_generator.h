#pragma once

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "cdp/base/random.h"
#include "cdp/disclosures.h"
#include "cdp/erasures.h"
#include "cdp/notices.h"
#include "cdp/policy_versions.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "cdp/withdrawals.h"
#include "tests/cdp/audit_history.h"
#include "tests/cdp/audit_scanning.h"
#include "tests/cdp/signals.h"
#include "tests/cdp/stewardship_world.h"

// A shop's days, made up from a seed, written down while they pass.
namespace tests {

inline constexpr const char* kParent = "email:parent@shop.example";

inline cdp::Config audited_config() {
    cdp::Config config;
    config.controller.name = "The shop";
    auto& policy = config.policy;
    policy.purposes.push_back({.name = "sms_marketing",
                               .regime = consent::Regime::identifier_opt_in,
                               .target_types = {"phone"}});
    policy.purposes.push_back({.name = "order_messages", .regime = consent::Regime::contract});
    policy.purposes.push_back({.name = "service", .regime = consent::Regime::contract});
    policy.trait_purposes["plan"] = {"service", "advertising"};
    policy.trait_purposes["firstName"] = {"service", "email_marketing"};
    policy.channels[0].withdrawal_seconds = 2 * 24 * 3600;
    policy.channels[0].medium = consent::Medium::email;
    policy.channels[1].medium = consent::Medium::ads;
    policy.channels.push_back({.id = "sms_tool",
                               .recipient = "The text message tool",
                               .country = "KR",
                               .purposes = {"sms_marketing", "order_messages"},
                               .labels = {{"contact.phone"}, {"name"}, {"commerce"}},
                               .medium = consent::Medium::sms,
                               .withdrawal_seconds = 10 * 24 * 3600});
    policy.channels.push_back({.id = "desk",
                               .recipient = "The desk",
                               .purposes = {"service"},
                               .labels = {{"name"}, {"commerce"}, {"contact.email"}}});
    return config;
}

class AuditedShop : public PlatformWorld {
public:
    explicit AuditedShop(std::uint64_t seed) : PlatformWorld(audited_config()), random_(seed) {
        known.policy = audited_config().policy;
        REQUIRE(platform().policies().adopt());
        post_notice("3", {"email_marketing"});
        post_notice("4", {"email_marketing", "analytics"});
        for (int i = 0; i < kPeople; ++i) appear(i);
        happen_surely();
        for (int i = 0; i < kSteps; ++i) happen();
        pass(5);
        known.now = clock().now();
    }

    static std::string text_of(const std::string& version) { return "What we do, " + version; }
    static cdp::Principal lee() {
        return {.role = cdp::Role::officer, .name = "lee", .channel = "", .trust = {}};
    }

    History known;

private:
    static constexpr int kPeople = 13;
    static constexpr int kLoose = 6;
    static constexpr int kSteps = 90;

    static std::string user(int i) { return "user_id:u" + std::to_string(i); }
    static std::string device(int i) { return "anonymous_id:c" + std::to_string(i); }
    static std::string mail(int i) { return "email:p" + std::to_string(i) + "@shop.example"; }
    static std::string phone(int i) { return "phone:+8210123456" + std::to_string(10 + i); }
    // Nobody's yet.
    static std::string loose(int i) { return "email:q" + std::to_string(i) + "@shop.example"; }

    int someone() { return static_cast<int>(random_.below(kPeople)); }
    void pass(int minutes) { clock().advance(std::chrono::minutes(minutes)); }
    void pass() { pass(3 + static_cast<int>(random_.below(140))); }

    void post_notice(const std::string& version, const std::vector<std::string>& purposes) {
        REQUIRE(platform().notices().post({.id = "terms",
                                           .version = version,
                                           .language = "en",
                                           .purposes = purposes,
                                           .text = text_of(version)},
                                          "officer:lee"));
    }

    void tell(nlohmann::json event, const cdp::Principal& from) {
        event["type"] = "identify";
        event["messageId"] = "m" + std::to_string(++serial_);
        REQUIRE(send_one(event.dump(), from) == "accepted");
    }

    void appear(int i) {
        pass();
        const auto now = clock().now();
        const auto n = std::to_string(i);
        nlohmann::json traits{{"email", subject_of(mail(i)).value},
                              {"phone", subject_of(phone(i)).value},
                              {"firstName", "A" + n},
                              {"plan", "gold"},
                              {"secret", i}};
        known.unmapped.push_back({"trait", "secret", user(i), now});
        if (i % 3 == 0) {
            traits["hidden"] = i;
            known.unmapped.push_back({"trait", "hidden", user(i), now});
        }
        tell({{"userId", "u" + n}, {"anonymousId", "c" + n}, {"traits", traits}},
             source("till", cdp::Trust::server));
        for (const auto& name : {user(i), device(i), mail(i), phone(i)}) {
            known.names.emplace_back(name, now);
            if (name != user(i)) known.joined.push_back({now, user(i), name});
        }
    }

    void meet(const std::string& name) {
        if (std::ranges::none_of(known.names, [&](const auto& one) { return one.first == name; }))
            known.names.emplace_back(name, clock().now());
    }

    // As asked for, with what the caller filled in; its id.
    std::string say(WordSaid word, cdp::ConsentRequest more = {}) {
        if (known.is_gone(word.under)) return "";
        pass();
        const auto subject = subject_of(word.under);
        more.identifiers = {{subject.type, subject.value}};
        more.purpose = word.signal.empty() ? word.purpose : "";
        more.state = word.signal.empty() ? word.state : "";
        more.actor = word.actor;
        more.jurisdiction = word.jurisdiction;
        more.overrides = word.overrides;
        if (word.proven) more.evidence = {{"scan", std::string(64, 'b'), 1, ""}};
        if (!word.version.empty()) {
            more.notice_id = "terms";
            more.notice_version = word.version;
            more.notice_language = "en";
        }
        if (!word.signal.empty()) more.signal = {.type = word.signal, .raw = word.raw};
        word.received = clock().now();
        if (word.time == Timestamp{}) word.time = word.received;
        more.time = word.time;
        const bool by_officer = word.actor == "officer" || word.actor == "agent";
        word.id = record(*this, more, by_officer ? lee() : source("crm", cdp::Trust::server));
        meet(word.under);
        known.said.push_back(word);
        return word.id;
    }

    std::string state() {
        constexpr std::array kStates{"granted", "granted", "denied", "withdrawn"};
        return kStates[random_.below(kStates.size())];
    }
    std::string actor() {
        constexpr std::array kActors{"api", "import", "self", "officer", "agent"};
        return kActors[random_.below(kActors.size())];
    }
    std::string version() { return random_.one_in(3) ? "" : random_.one_in(2) ? "3" : "4"; }

    void say_about_mail() {
        const auto i = someone();
        WordSaid word{.under = random_.one_in(3) ? user(i) : mail(i),
                      .purpose = "email_marketing",
                      .state = state(),
                      .actor = actor(),
                      .proven = random_.one_in(2),
                      .version = version()};
        if (random_.one_in(4)) word.time = clock().now() - std::chrono::hours(30);
        say(word);
    }
    void say_about_ads() {
        const auto i = someone();
        say({.under = user(i), .purpose = "advertising", .state = state(), .actor = actor()});
    }
    void say_about_texts() {
        const auto i = someone();
        say({.under = phone(i),
             .purpose = random_.one_in(2) ? "night" : "sms_marketing",
             .state = state(),
             .jurisdiction = random_.one_in(3) ? "" : "KR"});
    }
    void withdraw_everything() {
        const auto i = someone();
        say({.under = random_.one_in(2) ? user(i) : mail(i), .purpose = "*", .state = "withdrawn"});
    }
    void say_by_nobody_yet() {
        const auto i = static_cast<int>(random_.below(kLoose));
        say({.under = loose(i),
             .purpose = "email_marketing",
             .state = state(),
             .version = version()});
    }
    void take_back() {
        for (const auto& one : known.said) {
            if (one.id.empty() || !one.refuses() || one.purpose == "*" || known.is_gone(one.under))
                continue;
            if (known.is_taken_back(one) || !one.signal.empty() || random_.one_in(2)) continue;
            WordSaid word{.under = one.under, .purpose = one.purpose, .state = "granted"};
            word.overrides = {one.id};
            say(word);
            return;
        }
    }

    void signal_gpc() { signal_gpc(someone()); }
    void signal_gpc(int i) {
        signal(device(i), "gpc", "1", {{"anonymousId", "c" + std::to_string(i)}}, {{"gpc", true}});
        stamped({{"advertising", "objected"}});
    }
    void signal_tcf() {
        const auto i = someone();
        const bool yes = random_.one_in(2);
        const auto raw = TcString::of(yes).text();
        signal(user(i), "tcf", raw, {{"userId", "u" + std::to_string(i)}}, {{"tcString", raw}});
        const std::string state = yes ? "granted" : "denied";
        stamped({{"advertising", state}, {"analytics", state}});
    }
    void signal_att() {
        const auto i = someone();
        WordSaid word{.under = user(i),
                      .purpose = "advertising",
                      .state = "objected",
                      .signal = "att",
                      .raw = "denied"};
        word.whole_person = false;
        say(word);
    }

    void signal(const std::string& under, const std::string& type, const std::string& raw,
                nlohmann::json event, const nlohmann::json& consent) {
        stamp_ = {};
        if (known.is_gone(under)) return;
        pass();
        event["context"]["consent"] = consent;
        tell(event, source("web"));
        stamp_ = {.under = under,
                  .time = clock().now(),
                  .received = clock().now(),
                  .actor = "",
                  .signal = type,
                  .raw = raw};
    }
    void stamped(const std::vector<std::pair<std::string, std::string>>& words) {
        for (const auto& [purpose, state] : words) {
            if (stamp_.under.empty()) return;
            auto word = stamp_;
            word.purpose = purpose;
            word.state = state;
            known.said.push_back(word);
        }
    }

    void child_says() {
        const auto name = "user_id:kid" + std::to_string(++children_);
        const auto which = random_.below(3);
        WordSaid word{.under = name,
                      .purpose = "advertising",
                      .state = which == 0 ? "denied" : "granted",
                      .of_minor = true};
        cdp::ConsentRequest more;
        more.minor = {.age_band = "under_13", .verification = "card"};
        if (which > 0) {
            word.guardian = kParent;
            word.guardian_record =
                say({.under = kParent, .purpose = "advertising", .state = "granted"});
            more.minor->guardian = {{.type = "email", .value = subject_of(kParent).value}};
            more.minor->guardian_record = word.guardian_record;
        }
        say(word, more);
        if (random_.one_in(3))
            say({.under = kParent, .purpose = "advertising", .state = "withdrawn"});
    }

    void read() {
        struct Use {
            const char* channel;
            const char* purpose;
        };
        constexpr std::array kUses{Use{"email_tool", "email_marketing"},
                                   Use{"ads_tool", "advertising"}, Use{"sms_tool", "sms_marketing"},
                                   Use{"sms_tool", "order_messages"}, Use{"desk", "service"}};
        const auto& [name, since] = known.names[random_.below(known.names.size())];
        const auto& use = kUses[random_.below(kUses.size())];
        read(use.channel, use.purpose, name);
    }
    void read(const std::string& channel, const std::string& purpose, const std::string& name) {
        if (known.is_gone(name)) return;
        pass();
        const auto subject = subject_of(name);
        const auto body = profile(channel, subject.type, subject.value, purpose);
        INFO(name << " " << body.dump());
        REQUIRE(body.contains("traits"));
        BodyGiven given{.time = clock().now(),
                        .channel = channel,
                        .purpose = purpose,
                        .asked = name,
                        .left = {"persons/person"},
                        .decision = body.at("decision")};
        for (const auto& [trait, value] : body.at("traits").items())
            given.left.insert("fields/" + trait);
        for (const auto& one : body.at("identifiers"))
            given.left.insert("identifiers/" + one.at("type").get<std::string>());
        for (const auto& one : body.at("withheld"))
            given.withheld.insert(one.at("field").get<std::string>() + "/" +
                                  one.at("reason").get<std::string>());
        known.given.push_back(std::move(given));
        REQUIRE(platform().disclosures().drain());
    }
    void read_by_night(int i) {
        const auto day = std::chrono::floor<std::chrono::days>(clock().now());
        auto night = day + std::chrono::hours(13) + std::chrono::minutes(5);  // 22:05 there
        if (night <= clock().now()) night += std::chrono::days(1);
        clock().advance(
            std::chrono::duration_cast<std::chrono::milliseconds>(night - clock().now()));
        for (const auto* purpose : {"sms_marketing", "order_messages"}) {
            // A few minutes each.
            read("sms_tool", purpose, phone(i));
        }
    }

    void join() {
        const auto i = someone();
        const auto j = static_cast<int>(random_.below(kLoose));
        if (known.is_gone(user(i))) return;
        const auto name = loose(j);
        const bool met =
            std::ranges::any_of(known.names, [&](const auto& one) { return one.first == name; });
        const bool free = known.person(name).size() == 1;
        if (!met || !free || known.is_gone(name)) return;
        pass();
        if (random_.one_in(2))
            tell({{"userId", "u" + std::to_string(i)},
                  {"traits", {{"email", subject_of(name).value}}}},
                 source("till", cdp::Trust::server));
        else
            tests::say(*this, request("must_link", {{"user_id", "u" + std::to_string(i)},
                                                    {"email", subject_of(name).value}}));
        known.joined.push_back({clock().now(), user(i), name});
    }

    void look() { look(user(someone())); }
    void look(const std::string& name) {
        if (known.is_gone(name)) return;
        pass();
        const auto reason = "case " + std::to_string(++serial_);
        for (const auto& question : cdp::audit_questions())
            if (question.verb == "gpc")
                REQUIRE(platform().audit({.who = lee(), .route = "a look", .reason = reason},
                                         question, {.subject = subject_of(name)}));
        REQUIRE(platform().disclosures().drain());
        known.looked.push_back({clock().now(), name, reason});
    }

    void feed() {
        constexpr std::array kChannels{"email_tool", "ads_tool", "sms_tool", "desk"};
        feed(kChannels[random_.below(kChannels.size())]);
    }
    void feed(const std::string& id) {
        pass();
        const auto answer =
            platform().withdrawals().feed({.who = channel(id), .route = "a feed"}, {.limit = 1000});
        REQUIRE(answer);
        const auto now = clock().now();
        std::vector<nlohmann::json> all = nlohmann::json::parse(*answer).at("withdrawals");
        for (const auto& one : all) {
            const auto received = *cdp::parse_time(one.at("received").get<std::string>());
            known.told.push_back({now, id, received});
            if (one.at("kind") == "erasure") continue;
            const auto word = std::ranges::find(known.said, received, &WordSaid::received);
            REQUIRE(word != known.said.end());
            known.given.push_back({.time = now,
                                   .channel = id,
                                   .asked = word->under,
                                   .left = {"persons/person", "persons/withdrawal"}});
        }
        REQUIRE(platform().disclosures().drain());
        pass(3);
        for (const auto& one : all) {
            // Of erasures without drawing lots, so that no history changes.
            if (one.at("acknowledged") == true ||
                (one.at("kind") == "erasure" ? id != "email_tool" : random_.one_in(2)))
                continue;
            const std::vector<cdp::Acknowledgement> noted{{one.at("record"), one.at("person")}};
            const auto made = platform().withdrawals().acknowledge(channel(id), noted);
            REQUIRE((made && *made == 1));
            known.noted.push_back(
                {clock().now(), id, *cdp::parse_time(one.at("received").get<std::string>())});
        }
    }

    void erase() {
        if (known.gone.size() >= 2) return;
        const auto name = known.names[random_.below(known.names.size())].first;
        if (!known.is_gone(name) && name != kParent) erase(name);
    }
    void erase(const std::string& name) {
        pass();
        Gone gone{.time = clock().now(), .names = known.person(name)};
        for (const auto& one : known.given)
            if (gone.names.contains(one.asked)) gone.channels.insert(one.channel);
        const auto subject = subject_of(name);
        REQUIRE(platform().privacy().erasures.erase(
            officer(), "officer:lee",
            {.type = subject.type, .value = subject.value, .reason = "asked"}));
        known.gone.push_back(gone);
    }

    // By somebody of whom nothing is held, and without drawing lots: no other answer changes.
    void ask_rights(const std::string& law, std::chrono::days term, bool denied) {
        auto& requests = platform().privacy().requests;
        Asked asked{.id = "asked by " + law,
                    .law = law,
                    .status = "waiting_for_verification",
                    .due = clock().now() + term,
                    .steps = "receive ask "};
        const auto taken = requests.submit("kim", {.kind = cdp::PrivacyKind::erasure,
                                                   .external_id = asked.id,
                                                   .regime = law,
                                                   .identifiers = {{"email", "e@shop.example"}}});
        REQUIRE(taken);
        if (denied) {
            REQUIRE(requests.step(
                "officer:lee", taken->id,
                {.act = cdp::PrivacyAct::deny, .denial = cdp::PrivacyDenial::suspected_fraud}));
            asked.status = "denied";
            asked.steps += "deny ";
        }
        known.asked.push_back(asked);
    }

    // So that every question has something to tell, whatever the seed.
    void happen_surely() {
        say({.under = mail(0), .purpose = "email_marketing", .state = "granted", .version = "3"});
        say({.under = mail(1), .purpose = "email_marketing", .state = "granted", .version = "3"});
        read("email_tool", "email_marketing", user(0));
        read("email_tool", "email_marketing", mail(1));
        say({.under = mail(0), .purpose = "email_marketing", .state = "withdrawn"});
        feed("email_tool");
        say({.under = mail(1), .purpose = "*", .state = "withdrawn"});
        say({.under = phone(2),
             .purpose = "sms_marketing",
             .state = "granted",
             .jurisdiction = "KR"});
        say({.under = phone(2), .purpose = "night", .state = "granted", .jurisdiction = "KR"});
        read_by_night(2);
        say({.under = user(3), .purpose = "advertising", .state = "granted", .actor = "import"});
        read("ads_tool", "advertising", user(3));
        read("desk", "service", mail(3));
        signal_gpc(3);
        say({.under = loose(0), .purpose = "email_marketing", .state = "granted"});
        say({.under = user(4), .purpose = "email_marketing", .state = "withdrawn"});
        pass();
        tell({{"userId", "u4"}, {"traits", {{"email", subject_of(loose(0)).value}}}},
             source("till", cdp::Trust::server));
        known.joined.push_back({clock().now(), user(4), loose(0)});
        read("desk", "service", user(5));
        erase(user(5));
        for (int i = 0; i < 3; ++i) child_says();
        say({.under = kParent, .purpose = "advertising", .state = "denied"});
        look(kParent);  // who is not erased
        ask_rights("ccpa", std::chrono::days(45), false);
        ask_rights("lgpd", std::chrono::days(15), true);
        ask_rights("pipa_kr", std::chrono::days(10), false);
    }

    void happen() {
        using Step = void (AuditedShop::*)();
        constexpr std::array<Step, 22> kAll{
            &AuditedShop::read,
            &AuditedShop::read,
            &AuditedShop::read,
            &AuditedShop::read,
            &AuditedShop::read,
            &AuditedShop::read,
            &AuditedShop::say_about_mail,
            &AuditedShop::say_about_mail,
            &AuditedShop::say_about_mail,
            &AuditedShop::say_about_ads,
            &AuditedShop::say_about_ads,
            &AuditedShop::say_about_texts,
            &AuditedShop::say_about_texts,
            &AuditedShop::withdraw_everything,
            &AuditedShop::say_by_nobody_yet,
            &AuditedShop::take_back,
            &AuditedShop::signal_tcf,
            &AuditedShop::signal_att,
            &AuditedShop::join,
            &AuditedShop::look,
            &AuditedShop::feed,
            &AuditedShop::erase,
        };
        if (random_.one_in(12)) return signal_gpc();
        if (random_.one_in(25)) return read_by_night(someone());
        (this->*kAll[random_.below(kAll.size())])();
    }

    cdp::Random random_;
    WordSaid stamp_ = {};
    int serial_ = 0;
    int children_ = 0;
};

}  // namespace tests
