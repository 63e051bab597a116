#include <algorithm>
#include <thread>

#include "tests/api/folder_world.h"

// What persons are known by is in no file of a data folder as it stands, however it came in.

namespace {

using namespace tests;
using cdp::Role;
using nlohmann::json;

const std::string kEmail = "Planted.Mail@shop.example";
const std::string kPhone = "+442079460123";
const std::string kName = "Plantína \"Tina\" Verdeoak";
const std::string kText = "a zebra under an umbrella";
const std::string kUser = "planted-user-7731";
const std::string kCookie = "planted-cookie-5519";
const std::string kCompany = "Plantcorp of Verdeoak";
const std::string kGroup = "planted-group-4402";
const std::string kHash =
    "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";  // as clients hash
const std::string kAddress = "203.0.113.77";
const std::string kAgent = "PlantedAgent/9.3";
const std::string kReason = "asked for by planted person 90210";

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) {
        return static_cast<char>(c < 128 ? std::tolower(c) : c);
    });
    return text;
}

std::string from_hex_text(const std::string& hex) {
    return cdp::from_hex(hex).value();
}

// As it may be written down: as it came, in JSON, in JSON of ASCII alone.
std::map<std::string, std::string> needles() {
    std::map<std::string, std::string> out;
    for (const auto& text : {kEmail, kPhone, kName, kText, kUser, kCookie, kCompany, kGroup, kHash,
                             kAddress, kAgent, kReason}) {
        const auto quoted = json(text).dump();
        const auto ascii = json(text).dump(-1, ' ', /*ensure_ascii=*/true);
        out[text] = lower(text);
        out[text + " in JSON"] = lower(quoted.substr(1, quoted.size() - 2));
        out[text + " in ASCII"] = lower(ascii.substr(1, ascii.size() - 2));
    }
    out["the address' name"] = "planted.mail";
    out["the phone as it was typed"] = "20 7946 0123";
    out["the phone's digits"] = "2079460123";
    out["the family name"] = "verdeoak";
    out["the path's form of the address"] = "planted.mail%40";
    out["the hash as bytes"] = lower(from_hex_text(kHash));
    return out;
}

// Which of them any file below `path` holds, and which file.
std::string found_in(const std::string& path) {
    std::string found;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        if (!entry.is_regular_file()) continue;
        ++files;
        const auto bytes = lower(read_file(entry.path()));
        for (const auto& [name, needle] : needles())
            if (bytes.find(needle) != bytes.npos)
                found += name + " in " + entry.path().filename().string() + "\n";
    }
    CHECK(files > 8);
    return found;
}

// The files as a process that is killed now leaves them.
std::string copy_of(const std::string& data, const std::string& to) {
    std::filesystem::create_directory(to);
    std::filesystem::permissions(to, std::filesystem::perms::owner_all);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data)) {
        const auto target = to / std::filesystem::relative(entry.path(), data);
        if (entry.is_directory()) std::filesystem::create_directory(target);
        if (entry.is_regular_file()) std::filesystem::copy_file(entry.path(), target);
    }
    return to;
}

struct Planted {
    explicit Planted(FolderWorld& the_world) : world(the_world) {}

    void post(const std::string& target, const std::string& key, const json& body,
              int status = 200) const {
        CAPTURE(target, body.dump());
        const auto reply =
            world.ask("POST", target, key, body.dump(),
                      "User-Agent: " + kAgent + "\r\nX-Forwarded-For: " + kAddress + "\r\n");
        CAPTURE(reply.body);
        CHECK(reply.status == status);
    }
    void get(const std::string& target, const std::string& key, int status = 200) const {
        CAPTURE(target);
        const auto reply = world.ask("GET", target, key);
        CAPTURE(reply.body);
        CHECK(reply.status == status);
    }

    json event(const std::string& type) {
        json out{
            {"type", type},
            {"userId", kUser},
            {"anonymousId", kCookie},
            {"messageId", kUser + std::to_string(++sent)},
            {"properties", {{"note", kText}, {"title", kName}, {"url", "http://x/?" + kUser}}},
            {"traits", {{"email", kEmail}, {"phone", kPhone}, {"name", kName}, {"note", kText}}},
            {"context",
             {{"ip", kAddress},
              {"userAgent", kAgent},
              {"traits", {{"email", kEmail}}},
              {"consent", {{"categoryPreferences", {{"advertising", true}}}}},
              {"device", {{"id", kCookie + "-device"}, {"advertisingId", kCookie + "-ad"}}},
              {"externalIds",
               {{{"id", kHash}, {"type", "email_sha256"}, {"collection", "users"}}}}}}};
        if (type == "track") out["event"] = kText;
        if (type == "page" || type == "screen") out["name"] = kText;
        if (type == "alias") out["previousId"] = kCookie;
        if (type == "group") {
            out["groupId"] = kGroup;
            out["traits"] = {{"name", kCompany}, {"note", kText}};
        }
        return out;
    }

    void send_events() {
        const auto web = world.key(Role::source);
        const auto till = world.key(Role::source, cdp::Trust::server);
        constexpr std::array types{"identify", "track", "page", "screen", "group", "alias"};
        for (const std::string type : types) {
            post("/v1/" + type, till, event(type));
            post("/v1/" + type.substr(0, 1), web, event(type));
            post("/api/s/" + type, web, event(type));
            post("/api/s/s2s/" + type, till, event(type));
        }
        for (const auto* path : {"/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"}) {
            json batch = json::array();
            for (const auto* type : types) batch.push_back(event(type));
            // One that is refused is not kept either.
            batch.push_back({{"type", "track"}, {"event", kText}, {"note", kName}});
            post(path, till, {{"batch", batch}});
        }
        post("/v1/m", web, {{"series", {{{"metric", kText}}}}}, 200);
    }

    void answer() {
        const auto till = world.key(Role::source, cdp::Trust::server);
        const auto officer = world.key(Role::officer);
        const json whom{{"type", "email"}, {"value", kEmail}};
        post("/v1/consents", till,
             {{"consents",
               {{{"identifiers", {whom, {{"type", "phone"}, {"value", kPhone}}}},
                 {"purpose", "email_marketing"},
                 {"state", "granted"},
                 {"evidence",
                  {{{"kind", kText}, {"sha256", kHash}, {"location", "https://x/" + kEmail}}}}}}}});
        post("/v1/consents", officer,
             {{"consents",
               {{{"identifiers", {{{"type", "user_id"}, {"value", kUser}}}},
                 {"purpose", "analytics"},
                 {"state", "withdrawn"}}}}});
        const auto made =
            world.ask("POST", "/v1/preferences/links", till,
                      json{{"identifier", whom}, {"purpose", "email_marketing"}}.dump());
        CHECK(made.status == 200);
        const auto url = made.json().value("url", "");
        get(url.substr(url.find("/preferences")), "");
        CHECK(world
                  .ask("POST", url.substr(url.find("/preferences")), "",
                       "List-Unsubscribe=One-Click",
                       "Content-Type: application/x-www-form-urlencoded\r\n")
                  .status < 400);
    }

    void look() {
        auto other = event("track");
        other.erase("userId");
        other["anonymousId"] = kCookie + "-other";
        other["context"].erase("device");
        post("/v1/track", world.key(Role::source), other);
        const auto channel = world.key(Role::channel);
        const auto officer = world.key(Role::officer);
        const auto steward = world.key(Role::steward);
        const std::string why = "reason=asked%20for%20by%20planted%20person%2090210";
        const std::string who = "email:planted.mail%40shop.example";
        get("/v1/profiles/" + who + "?purpose=email_marketing", channel);
        get("/v1/profiles/" + who + "/events?purpose=email_marketing", channel);
        get("/v1/profiles/" + who + "/consents?" + why, officer);
        get("/v1/profiles/" + who + "/identity?" + why, officer);
        get("/v1/profiles/" + who + "/groups?" + why, officer);
        get("/v1/groups/" + kGroup + "?" + why, officer);
        get("/v1/identity/explain?a=" + who + "&b=user_id:" + kUser + "&" + why, officer);
        get("/v1/audit/consent?as_of=2026-01-01T00:00:00Z&subject=" + who + "&" + why, officer);
        get("/v1/exports/persons?" + why, officer);
        post("/v1/profiles/lookup", channel,
             {{"purpose", "email_marketing"},
              {"identifiers", {{{"type", "email"}, {"value", kEmail}}}}});
        post("/v1/identity/assertions", steward,
             {{"kind", "cannot_link"},
              {"identifiers",
               {{{"type", "user_id"}, {"value", kUser}},
                {{"type", "anonymous_id"}, {"value", kCookie + "-other"}}}},
              {"reason", kReason}},
             201);
        post("/v1/identity/simulate?" + why, steward,
             {{"sample", {{"identifiers", {{{"type", "user_id"}, {"value", kUser}}}}}},
              {"rules", json::object()}});
    }

    void erase() {
        post("/v1/privacy/erasures", world.key(Role::officer),
             {{"identifier", {{"type", "email"}, {"value", kEmail}}}, {"reason", kReason}});
    }

    FolderWorld& world;
    int sent = 0;
};

TEST_CASE("no file of a data folder holds what was planted by any route, open or closed") {
    const Folder folder;
    const auto data = folder / "data";
    {
        FolderWorld world(data);
        Planted planted(world);
        planted.send_events();
        planted.answer();
        planted.look();
        CHECK(found_in(data) == "");
        CHECK(found_in(copy_of(data, folder / "killed")) == "");
        // What is disclosed waits in the journal, then in the store.
        std::this_thread::sleep_for(std::chrono::milliseconds(1500));
        CHECK(found_in(data) == "");
    }
    CHECK(found_in(data) == "");
    {
        FolderWorld world(folder / "killed");
        CHECK(found_in(folder / "killed") == "");
    }
    {
        FolderWorld world(data);
        const auto officer = world.key(Role::officer);
        // It is all there for who has the keys.
        const auto events = lower(world.ask("GET", "/v1/exports/events", officer).body);
        for (const auto& text : {kEmail, kText, kUser, kCookie, kCompany, kGroup, kHash})
            CHECK(events.find(lower(text)) != events.npos);
        const auto admin = world.key(Role::admin);
        CHECK(world.ask("POST", "/v1/keys/epochs", admin).status == 200);
        CHECK(found_in(data) == "");
        Planted(world).erase();
        CHECK(found_in(data) == "");
        CHECK(found_in(copy_of(data, folder / "erased")) == "");
    }
    CHECK(found_in(data) == "");
    write_file(data + "/db/planted", "x" + lower(kName) + "x");
    CHECK(found_in(data) != "");  // the search can find
}

}  // namespace
