#include "api/config.h"
#include "consent/decision.h"

#include <catch2/catch.hpp>

#include "api/config_protocols.h"
#include "tests/api/opendsr_keys.h"

namespace {

// Everything a configuration says, as text that can be compared.
std::string shown(const std::vector<std::string>& list) {
    std::string out = "[";
    for (const auto& one : list) out += one + ",";
    return out + "]";
}

std::string shown(const consent::LabelMap& map) {
    std::string out;
    for (const auto& [name, labels] : map) out += name + "=" + shown(labels) + "\n";
    return out;
}

std::string shown(const api::Config& config) {
    const auto& policy = config.platform.policy;
    std::string out;
    for (const auto& purpose : policy.purposes)
        out += "purpose " + purpose.name + " " + std::string(to_string(purpose.regime)) +
               shown(purpose.target_types) + "\n";
    for (const auto& channel : policy.channels) {
        out += "channel " + channel.id + " " + channel.recipient + channel.country +
               shown(channel.purposes);
        for (const auto& label : channel.labels)
            out += label.label + ":" + std::string(to_string(label.transform)) + ",";
        out += "\n";
    }
    for (const auto& label : policy.labels) out += label.name + shown(label.collected_for) + "\n";
    out += shown(policy.traits) + shown(policy.properties) + shown(policy.identifier_types) +
           shown(policy.identifier_default);
    for (const auto& rule : policy.events) out += rule.pattern + shown(rule.labels) + "\n";
    out += shown(policy.event_default);
    for (const auto& [category, purpose] : policy.category_aliases)
        out += category + purpose + "\n";
    for (const auto& [name, type] : config.platform.types.all())
        out += "type " + name + std::string(to_string(type.link_class)) +
               std::to_string(static_cast<int>(type.form)) + (type.unique ? "unique" : "") +
               std::to_string(type.shared_at_accounts) + "," + std::to_string(type.contacts_max) +
               "," + std::to_string(type.cookies_max) + "," + std::to_string(type.limit) + "/" +
               std::to_string(type.limit_window_days) + shown(type.blocked) + "\n";
    out += "region " + config.platform.default_region + "\n";
    for (const auto& [name, region] : config.platform.source_regions) out += name + region + "\n";
    out += std::to_string(config.platform.dedupe_window.count()) + " " +
           std::to_string(config.platform.session.count()) + " " +
           std::to_string(config.platform.waiting_max) + " " + std::to_string(config.threads) +
           " " + config.public_url + " " + std::to_string(config.connections_max);
    const auto& edge = config.edge;
    out += "\n" + edge.tls.certificate + edge.tls.key +
           std::to_string(edge.connections_per_address) + " " +
           std::to_string(static_cast<int>(edge.forwarded_field)) +
           (edge.bounds_loopback ? "loopback" : "") + std::to_string(edge.bytes_per_second_min) +
           "/" + std::to_string(edge.slow_seconds);
    for (const auto& rate : {edge.address_requests, edge.key_requests, edge.wrong_keys})
        out += " " + std::to_string(rate.per_second) + "," + std::to_string(rate.burst);
    out += "\n" + std::to_string(config.disk.reserve.bytes) + "/" +
           std::to_string(config.disk.reserve.percent_max) + " " +
           std::to_string(config.disk.cache_bytes) + " " +
           std::to_string(config.disk.scrub.cycle.count());
    out += "\n" + config.opendsr.domain + config.opendsr.certificate + config.opendsr.key +
           std::to_string(config.opendsr.cancel_window.count());
    for (const auto& [type, ours] : config.opendsr.identity_types) out += type + "=" + ours + "\n";
    for (const auto& [name, hosts] : config.opendsr.callback_hosts) out += name + shown(hosts);
    out += config.agents.business_id + config.agents.verification_url +
           std::to_string(config.agents.revoke_window.count());
    for (const auto& [type, ours] : config.iab.identifier_types) out += type + "=" + ours + "\n";
    for (const auto& party : config.iab.parties)
        out += party.domain + shown(party.keys) + shown(party.identifier_types);
    out += shown(config.outgoing.inner_hosts) + config.outgoing.authorities;
    return out;
}

std::string error_of(const std::string& text) {
    const auto config = api::parse_config(text, "cdp.toml");
    return config ? "" : config.error().message;
}

}  // namespace

TEST_CASE("the example is the default, and so is an empty file") {
    const auto example = api::read_config(CDP_SOURCE_DIR "/docs/cdp.example.toml");
    if (!example) FAIL(example.error().message);
    CHECK(shown(*example) == shown(api::Config{}));
    CHECK(shown(*api::parse_config("", "cdp.toml")) == shown(api::Config{}));
}

TEST_CASE("the example for Korea loads, and puts night messages off to the morning") {
    const auto example = api::read_config(CDP_SOURCE_DIR "/docs/cdp.kr.example.toml");
    if (!example) FAIL(example.error().message);
    const auto& policy = example->platform.policy;
    REQUIRE(policy.quiet_hours.size() == 1);
    CHECK(policy.quiet_hours[0].unless_granted == "kr/night");
    CHECK(policy.self_consent_age == 14);
    const consent::Judge judge(policy, {},
                               {.purpose = "sms_marketing",
                                .channel = "sms_tool",
                                .now = *cdp::parse_time("2026-11-21T14:00:00Z"),
                                .jurisdictions = {"KR"}});
    CHECK(judge.changes_at() == cdp::parse_time("2026-11-21T23:00:00Z"));
}

TEST_CASE("the files that protocols need are there, and what they are for") {
    const tests::OpenDsrKeys keys;
    const auto fault = [&](const std::string& text) {
        const auto config = api::parse_config(text, "cdp.toml");
        REQUIRE(config);
        const auto checked =
            api::check_protocol_files(*config, "cdp.toml", cdp::SystemClock().now());
        if (checked) return std::string("good");
        CHECK(checked.error().reason == "config_wrong");
        const auto& message = checked.error().message;
        REQUIRE(message.starts_with("cdp.toml: "));
        return message.substr(10, message.find(": ", 10) - 10);
    };
    const auto dsr = [&](const std::string& domain, const std::string& certificate,
                         const std::string& key) {
        return fault("[opendsr]\ndomain = \"" + domain + "\"\ncertificate = \"" + certificate +
                     "\"\nkey = \"" + key + "\"");
    };
    const auto certificate = keys.path("certificate");
    CHECK(fault("") == "good");
    CHECK(dsr("localhost", certificate, keys.path("key")) == "good");
    CHECK(dsr("localhost", keys.path("none"), keys.path("key")) == "opendsr.certificate");
    CHECK(dsr("localhost", certificate, keys.path("none")) == "opendsr.key");
    CHECK(dsr("shop.example", certificate, keys.path("key")) == "opendsr.certificate");
    const auto authorities = [&](const std::string& path) {
        return fault("[outgoing]\nauthorities = \"" + path + "\"");
    };
    CHECK(authorities(certificate) == "good");
    CHECK(authorities(keys.path("none")) == "outgoing.authorities");
    CHECK(authorities(keys.path("key")) == "outgoing.authorities");
}

TEST_CASE("protocols are set by what can be right") {
    const auto config = api::parse_config(R"(
[opendsr]
domain = "dsr.shop.example"
certificate = "chain.pem"
key = "key.pem"
cancel_seconds = 60
callback_hosts = {crm = ["dsr.crm.example"]}
identity_types = {email = "email"}
[outgoing]
inner_hosts = ["localhost"]
)",
                                          "cdp.toml");
    REQUIRE(config);
    CHECK(config->opendsr.cancel_window == std::chrono::minutes(1));
    CHECK(config->opendsr.callback_hosts.at("crm") == std::vector<std::string>{"dsr.crm.example"});
    CHECK(config->opendsr.identity_types.size() == 1);
    const auto at = [](const std::string& text) {
        const auto message = error_of(text);
        return message.substr(message.find(": ") + 2);
    };
    CHECK(at("[opendsr]\ndomain = \"Shop.example\"").starts_with("opendsr.domain: "));
    CHECK(at("[opendsr]\nkey = \"key.pem\"").starts_with("opendsr.key: "));
    CHECK(at("[opendsr]\ncancel_seconds = -1").starts_with("opendsr.cancel_seconds: "));
    CHECK(at("[opendsr]\nidentity_types = {email = \"E mail\"}")
              .starts_with("opendsr.identity_types.email: "));
    // As events may bring any type, it is most likely misspelt.
    CHECK(at("[opendsr]\nidentity_types = {email = \"e_mail\"}")
              .starts_with("opendsr.identity_types.email: "));
    CHECK(at("[iab]\nidentifier_types = {email = \"e_mail\"}")
              .starts_with("iab.identifier_types.email: "));
    CHECK(
        api::parse_config("[identifier_types]\nbadge = {class = \"account\"}\n"
                          "[opendsr]\nidentity_types = {card = \"badge\"}",
                          "cdp.toml"));
    CHECK(at("[opendsr]\ncallback_hosts = {crm = [\"https://a.example\"]}")
              .starts_with("opendsr.callback_hosts.crm: "));
    CHECK(at("[[iab.parties]]\ndomain = \"a.example\"").starts_with("iab.parties[0]"));
    CHECK(at("drp = 1").starts_with("drp: "));
    CHECK(
        at("[drp]\nverification_url = \"http://a.example\"").starts_with("drp.verification_url: "));
    CHECK(at("[drp]\nrevoke_window_minutes = -1").starts_with("drp.revoke_window_minutes: "));
    CHECK(at("[drp]\nbusiness = \"A\"").starts_with("drp.business: "));
    CHECK(at("[drp]\nbusiness_id = \"low er\"").starts_with("drp.business_id: "));
    CHECK(at("[events]\n\"a*b*\" = []").starts_with("events.\"a*b*\": "));
    CHECK(at("[[retention]]\nevent = \"a*b*\"\nkeep = \"2 years\"")
              .starts_with("retention[0].event: "));
    CHECK(at("[[iab.parties]]\ndomain = \"a.example\"\nkeys = [\"AAAA\"]")
              .starts_with("iab.parties[0].keys: "));
    CHECK(at("[[iab.parties]]\nkeys = []\ndomain = \"localhost\"")
              .starts_with("iab.parties[0].domain: "));
    CHECK(at("[[iab.parties]]\nkeys = []\ndomain = \"a.example\"\nidentifier_types = [\"shoe\"]")
              .starts_with("iab.parties[0].identifier_types: "));
    CHECK(at("[iab]\nidentifier_types = {email = \"E mail\"}")
              .starts_with("iab.identifier_types.email: "));
    CHECK(at("[outgoing]\ninner_hosts = [\"a b\"]").starts_with("outgoing.inner_hosts: "));
    CHECK(at("[outgoing]\nproxy = \"a\"").starts_with("outgoing.proxy: "));
    CHECK(at("[disk]\nreserve_megabytes = -1").starts_with("disk.reserve_megabytes: "));
    CHECK(at("[disk]\nreserve_percent_max = 100").starts_with("disk.reserve_percent_max: "));
    CHECK(at("[disk]\ncache_megabytes = 15").starts_with("disk.cache_megabytes: "));
    CHECK(at("[disk]\nscrub_days = 7").starts_with("disk.scrub_days: "));
}

TEST_CASE("what is set is in force") {
    const auto config = api::parse_config(R"(
default_region = "DE"
dedupe_window_days = 7
session_minutes = 45
[server]
threads = 3
public_url = "https://cdp.shop.example"
connections_per_address = 0
trusted_proxies = ["10.0.0.0/8", "::1"]
forwarded_field = "Forwarded"
[tls]
certificate = "cdp.pem"
key = "cdp.key"
[limits]
address_requests = 0
key_burst = 7
wrong_keys = 2
loopback = true
bytes_per_second_min = 2000
slow_seconds = 5
[disk]
reserve_megabytes = 100
reserve_percent_max = 10
cache_megabytes = 1024
scrub_hours = 24
[sources.web]
region = "FR"
[identifier_types.member_no]
class = "crm"
unique = true
[identifier_types.phone]
limit = 2
limit_window_days = 90
[purposes.news]
regime = "person_opt_in"
[channels.letters]
recipient = "The letter shop"
purposes = ["news"]
labels = ["name", {label = "contact.email", transform = "sha256"}]
[categories]
functional = "news"
)",
                                          "cdp.toml");
    if (!config) FAIL(config.error().message);
    CHECK(config->platform.default_region == "DE");
    CHECK(config->platform.dedupe_window == std::chrono::days(7));
    CHECK(config->platform.session == std::chrono::minutes(45));
    CHECK(config->platform.region_of("web") == "FR");
    CHECK(config->threads == 3);
    const auto& edge = config->edge;
    CHECK(edge.connections_per_address == 0);
    CHECK(edge.trusted_proxies.contains(*api::read_address("10.9.0.1")));
    CHECK(edge.trusted_proxies.contains(*api::read_address("::1")));
    CHECK_FALSE(edge.trusted_proxies.contains(*api::read_address("192.0.2.1")));
    CHECK(edge.forwarded_field == api::ForwardedField::forwarded);
    CHECK(edge.tls.certificate == "cdp.pem");
    CHECK(edge.tls.key == "cdp.key");
    CHECK(edge.address_requests.per_second == 0);
    CHECK(edge.key_requests.burst == 7);
    CHECK(edge.wrong_keys.per_second == 2);
    CHECK(edge.bounds_loopback);
    CHECK(edge.bytes_per_second_min == 2000);
    CHECK(edge.slow_seconds == 5);
    CHECK(config->disk.reserve.bytes == std::uint64_t{100} << 20);
    CHECK(config->disk.reserve.percent_max == 10);
    CHECK(config->disk.cache_bytes == std::size_t{1} << 30);
    CHECK(config->disk.scrub.cycle == std::chrono::days(1));
    CHECK(config->platform.types.find("member_no").unique);
    CHECK(config->platform.types.find("member_no").shared_at_accounts == 0);
    CHECK(config->platform.types.find("phone").limit == 2);
    CHECK(config->platform.types.find("phone").limit_window_days == 90);
    CHECK(config->platform.types.find("phone").shared_at_accounts == 3);
    CHECK(config->platform.types.find("user_id").unique);
    const auto* channel = config->platform.policy.find_channel("letters");
    REQUIRE(channel);
    CHECK(channel->labels[1].transform == consent::Transform::sha256);
    CHECK_FALSE(config->platform.policy.find_channel("email_tool"));
}

TEST_CASE("rules of retention are read as written, and what is wrong with one is named") {
    const auto config = api::parse_config(R"(
retention_hours = 6
[[retention]]
type = "page"
keep = "13 months"
[[retention]]
event = "Order*"
keep = "2 years"
[[retention]]
label = "commerce"
keep = "90 days"
purpose = "advertising"
)",
                                          "cdp.toml");
    if (!config) FAIL(config.error().message);
    using What = cdp::RetentionRule::What;
    CHECK(config->platform.retention ==
          cdp::RetentionRules{{What::type, "page", {13, 0}, ""},
                              {What::event, "Order*", {24, 0}, ""},
                              {What::label, "commerce", {0, 90}, "advertising"}});
    CHECK(config->platform.retention_every == std::chrono::hours(6));

    const std::string first = "[[retention]]\ntype = \"page\"\nkeep = \"1 day\"\n";
    const std::pair<const char*, const char*> wrong[] = {
        {"type = \"page\"\nkeep = \"90\"", "retention[0].keep"},
        {"type = \"page\"\nkeep = \"0 days\"", "retention[0].keep"},
        {"type = \"page\"\nkeep = \"200 years\"", "retention[0].keep"},
        {"type = \"page\"", "retention[0]: "},
        {"keep = \"90 days\"", "retention[0]: "},
        {"", "retention[0]: "},
        {"type = \"page\"\nlabel = \"name\"\nkeep = \"90 days\"", "retention[0].label"},
        {"type = \"pages\"\nkeep = \"90 days\"", "retention[0].type"},
        {"label = \"health\"\nkeep = \"90 days\"", "retention[0].label"},
        {"event = \"\"\nkeep = \"90 days\"", "retention[0].event"},
        {"trait = \"age\"\nkeep = \"90 days\"\npurpose = \"fun\"", "retention[0].purpose"},
        {"trait = \"age\"\nkeep = \"90 days\"\nwhy = \"law\"", "retention[0].why"},
    };
    for (const auto& [text, place] : wrong) {
        CAPTURE(text);
        CHECK_THAT(error_of("[[retention]]\n" + std::string(text)), Catch::Contains(place));
    }
    CHECK_THAT(error_of(first + first), Catch::Contains("retention[1].keep"));
}

TEST_CASE("whose platform it is, is read as written") {
    const auto config = api::parse_config(
        "[controller]\nname = \"The shop\"\ncountry = \"KR\"\nretention = \"P1Y\"", "cdp.toml");
    if (!config) FAIL(config.error().message);
    CHECK(config->platform.controller.name == "The shop");
    CHECK(config->platform.controller.country == "KR");
    CHECK(config->platform.controller.retention == "P1Y");
    for (const auto* wrong : {"country = \"Korea\"", "owner = \"x\"", "name = 7"}) {
        CAPTURE(wrong);
        CHECK_FALSE(api::parse_config(std::string("[controller]\n") + wrong, "cdp.toml"));
    }
}

TEST_CASE("regimes, clocks and recipients are read as written") {
    const auto config = api::parse_config(R"(
advertisement_label = ["KR", "JP"]
self_consent_age = 14
[purposes.news]
regime = "identifier_opt_in"
target_types = ["email"]
signals = ["gpc", "tcf/3"]
[[purposes.news.regimes]]
jurisdictions = ["US"]
channels = ["letters"]
regime = "person_opt_out"
[purposes.receipts]
regime = "contract"
message_class = "service"
[channels.letters]
recipient = "The letter shop"
country = "KR"
purposes = ["news"]
labels = [
  {label = "contact.email", transform = "sha256", form = "google"},
  {label = "contact.address", transform = "truncate", length = 3},
]
role = "third_party"
transfer = "adequacy"
medium = "sms"
withdrawal_seconds = 3600
tcf_vendor = 755
contact = "privacy@letters.example"
deletion_endpoint = "https://letters.example/delete"
[categories]
functional = "news"
[trait_purposes]
email = ["news"]
[[quiet_hours]]
jurisdiction = "KR"
mediums = ["sms", "push"]
from = "21:30"
until = "08:00"
utc_offset_minutes = 540
unless_granted = "night"
[[reconfirmations]]
jurisdiction = "FR"
every_days = 390
or_deny = true
)",
                                          "cdp.toml");
    if (!config) FAIL(config.error().message);
    const auto& policy = config->platform.policy;
    const auto& news = *policy.find_purpose("news");
    CHECK(shown(news.signals) == shown(std::vector<std::string>{"gpc", "tcf/3"}));
    REQUIRE(news.regimes.size() == 1);
    CHECK(news.regimes[0].regime == consent::Regime::person_opt_out);
    CHECK(policy.find_purpose("receipts")->sends() == consent::MessageClass::service);
    const auto& letters = *policy.find_channel("letters");
    CHECK(letters.labels[0].form == "google");
    CHECK(letters.labels[1].length == 3);
    CHECK(letters.role == consent::ChannelRole::third_party);
    CHECK(letters.transfer == consent::TransferBasis::adequacy);
    CHECK(letters.medium == consent::Medium::sms);
    CHECK(letters.withdrawal_seconds == 3600);
    CHECK(letters.tcf_vendor == 755);
    CHECK(policy.purposes_of_trait("email").size() == 1);
    REQUIRE(policy.quiet_hours.size() == 1);
    CHECK(policy.quiet_hours[0].from == std::chrono::minutes(21 * 60 + 30));
    CHECK(policy.quiet_hours[0].offset == std::chrono::hours(9));
    REQUIRE(policy.reconfirmations.size() == 1);
    CHECK(policy.reconfirmations[0].every == std::chrono::days(390));
    CHECK(policy.reconfirmations[0].or_deny);
    CHECK(policy.advertisement_label.size() == 2);
    CHECK(policy.self_consent_age == 14);
}

TEST_CASE("an error names the file, the line and the key") {
    struct Row {
        const char* text;
        const char* error;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {"[[quiet_hours]]\njurisdiction = \"KR\"\nfrom = \"25:00\"", "cdp.toml:3: quiet_hours[0].from: A time of the day is expected, such as 21:00."},
        {"[[reconfirmations]]\njurisdiction = \"KR\"\nevery_days = 0", "cdp.toml:3: reconfirmations[0].every_days: A reconfirmation is due after days."},
        {"[[purposes.x.regimes]]\nregime = \"none\"", "cdp.toml:2: purposes.x.regimes[0].regime: There is no such regime."},
        {"colour = 1", "cdp.toml:1: colour: There is no such setting."},
        {"[server]\nthreads = 1\nport = 80", "cdp.toml:3: server.port: There is no such setting."},
        {"[server]\nthreads = \"two\"", "cdp.toml:2: server.threads: A number from 0 to 1024 is expected."},
        {"waiting_max = 0", "cdp.toml:1: waiting_max: A number from 1 to 10000000 is expected."},
        {"session_minutes = 721", "cdp.toml:1: session_minutes: A number from 1 to 720 is expected."},
        {"default_region = \"Germany\"", "cdp.toml:1: default_region: Two capital letters of ISO 3166-1 are expected."},
        {"[server]\ntrusted_proxies = [\"10.0.0.1/8\"]", "cdp.toml:2: server.trusted_proxies: Networks like 10.0.0.0/8 or 2001:db8::/32 are expected."},
        {"[server]\nforwarded_field = \"X-Real-IP\"", "cdp.toml:2: server.forwarded_field: X-Forwarded-For or Forwarded is expected."},
        {"[tls]\ncertificate = \"a\"", "cdp.toml:1: tls: A certificate and its key are expected, or neither."},
        {"[limits]\naddress_requests = -1", "cdp.toml:2: limits.address_requests: A number from 0 to 1000000 is expected."},
        {"[limits]\naddress_burst = 0", "cdp.toml:2: limits.address_burst: A number from 1 to 10000000 is expected."},
        {"server = 1", "cdp.toml:1: server: A table is expected."},
        {"[server]\npublic_url = \"cdp.example\"", "cdp.toml:2: server.public_url: A URL like https://cdp.example.com, without a slash behind it."},
        {"[sources.web]\nregion = 1", "cdp.toml:2: sources.web.region: A string is expected."},
        {"[sources.\"a b\"]\nzone = 1", "cdp.toml:2: sources.\"a b\".zone: There is no such setting."},
        {"[identifier_types.x]\nclass = \"best\"", "cdp.toml:2: identifier_types.x.class: There is no such class."},
        {"[identifier_types.x]\nform = \"fax\"", "cdp.toml:2: identifier_types.x.form: There is no such form."},
        {"[identifier_types.x]\nclass = \"assertion\"", "cdp.toml:2: identifier_types.x.class: There is no such class."},
        {"[identifier_types.person]\nunique = true", "cdp.toml:1: identifier_types.person: The name of the type is malformed."},
        {"[identifier_types.\"X y\"]", "cdp.toml:1: identifier_types.\"X y\": The name of the type is malformed."},
        {"[identifier_types.x]\nunique = true\nlimit = 2", "cdp.toml:3: identifier_types.x.limit: What is unique has a limit of one."},
        {"[identifier_types.x]\nlimit = 1\nlimit_window_days = 3\nunique = true", "cdp.toml:3: identifier_types.x.limit_window_days: What is unique is so at all times."},
        {"[identifier_types.email]\nlimit_window_days = 3", "cdp.toml:2: identifier_types.email.limit_window_days: A window needs a limit."},
        {"[identifier_types.email]\nlimit = 65536", "cdp.toml:2: identifier_types.email.limit: A number from 0 to 65535 is expected."},
        {"[identifier_types.email]\nshared_at_accounts = 1", "cdp.toml:2: identifier_types.email.shared_at_accounts: Whatever one account is seen with would be shared."},
        {"[identifier_types.email]\nunique = true", "cdp.toml:2: identifier_types.email.unique: What is unique cannot be several people's: shared_at_accounts must be 0."},
        {"[identifier_types.crm_id]\n\nshared_at_accounts = 3", "cdp.toml:3: identifier_types.crm_id.shared_at_accounts: What is unique cannot be several people's: shared_at_accounts must be 0."},
        {"[identifier_types.fax_sha256]\nclass = \"crm\"\nform = \"sha256\"", "cdp.toml:3: identifier_types.fax_sha256.form: Type 'fax', whose hashes these are, is not configured."},
        {"[identifier_types.email_sha256]\nform = \"opaque\"", "cdp.toml:2: identifier_types.email_sha256.form: Hashes of 'email' have the form sha256."},
        {"[identifier_types.phone]\nform = \"opaque\"", "cdp.toml:2: identifier_types.phone.form: Only of the forms email and phone can hashes be recognised."},
        {"[identifier_types.fax]\nclass = \"unverified_contact\"", "cdp.toml: identifier_labels (a default): Type 'fax' names a contact or a device and has no label."},
        {"[identifier_types.work_mail]\nform = \"email\"", "cdp.toml: identifier_labels (a default): Type 'work_mail' names a contact or a device and has no label."},
        {"[identifier_labels]\nemail = [\"contact.email\"]", "cdp.toml:1: identifier_labels: Type 'advertising_id' names a contact or a device and has no label."},
        {"[purposes.x]\nregime = \"none\"", "cdp.toml:2: purposes.x.regime: There is no such regime."},
        {"[traits]\nemail = \"contact.email\"", "cdp.toml:2: traits.email: A list is expected."},
        {"[traits]\nemail = [1]", "cdp.toml:2: traits.email[0]: A string is expected."},
        {"[traits]\nemail = [\"contact.fax\"]", "cdp.toml:2: traits.email[0]: Label 'contact.fax' is not declared."},
        {"[channels.a]\nrecipient = \"A\"\npurposes = [\"analytics\"]\nlabels = [\n  \"name\",\n  \"contact.fax\",\n]",
         "cdp.toml:6: channels.a.labels[1]: Label 'contact.fax' is not declared."},
        {"[channels.a]\nlabels = [3]", "cdp.toml:2: channels.a.labels[0]: A label is expected."},
        {"[channels.a]\npurposes = [\"none\"]", "cdp.toml:2: channels.a.purposes[0]: Purpose 'none' is not declared."},
        {"[events]\n\"Order *x\" = [\"commerce\"]", "cdp.toml:2: events.\"Order *x\": A pattern has its '*' at the end."},
        {"[events]\nOrder = [\"none\"]", "cdp.toml:2: events.Order[0]: Label 'none' is not declared."},
        {"[categories]\nads = \"none\"", "cdp.toml:2: categories.ads: Purpose 'none' is not declared."},
        {"event_default = [\"none\"]", "cdp.toml:1: event_default[0]: Label 'none' is not declared."},
        {"[labels]\nname = []", "cdp.toml: channels.email_tool.labels[0] (a default): Label 'contact.email' is not declared."},
    }));
    // clang-format on
    CAPTURE(row.text);
    CHECK(error_of(row.text) == row.error);
}

TEST_CASE("what is not TOML names its line") {
    CHECK(error_of("a = 1\nb = = 2").starts_with("cdp.toml:2: "));
    CHECK(error_of("a = 1\na = 2").starts_with("cdp.toml:2: "));
    CHECK_FALSE(api::read_config("/nonexistent/cdp.toml"));
}
