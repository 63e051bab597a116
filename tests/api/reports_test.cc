#include <sys/stat.h>
#include <unistd.h>

#include "api/command_line.h"
#include "tests/api/folder_world.h"

// What somebody is told is held of them, over HTTP and from the command line.

namespace {

using cdp::Role;
using nlohmann::json;
using tests::World;

constexpr const char* kEvent =
    R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":"a@shop.example"}})";
constexpr const char* kReport = "/v1/privacy/reports/email:a%40shop.example";

int run(std::vector<std::string> words) {
    words.insert(words.begin(), "cdp");
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    return api::run_command_line(static_cast<int>(argv.size()), argv.data());
}

}  // namespace

TEST_CASE("a report is given to officers in each of its forms") {
    const World world;
    world.receive(kEvent);
    const auto& officer = world.keys.at(Role::officer);
    const auto whole = world.get(std::string(kReport) + "?reason=request%2018", officer);
    REQUIRE(whole.status == 200);
    CHECK(whole.header("content-type") == "application/json");
    CHECK(whole.header("cache-control") == "no-store");
    const auto document = whole.json();
    CHECK(document["counts"]["events"] == 1);
    CHECK(document["events"][0]["event"]["userId"] == "u1");

    const auto page = world.get(std::string(kReport) + "?format=html", officer);
    CHECK(page.status == 200);
    CHECK(page.header("content-type") == "text/html; charset=utf-8");
    CHECK(page.header("content-security-policy").starts_with("default-src 'none'"));
    CHECK(page.body.ends_with("</html>\n"));

    const auto portable = world.get(std::string(kReport) + "?format=portable", officer);
    CHECK(portable.status == 200);
    CHECK(portable.header("content-type") == "application/x-ndjson");
    CHECK(portable.body.find(R"({"kind":"end")") != portable.body.npos);

    const auto looked = world.get("/v1/audit/access?subject=email:a%40shop.example", officer).body;
    CHECK(looked.find("request 18") != looked.npos);
    CHECK(looked.find("GET /v1/privacy/reports/{identifier}") != looked.npos);
}

TEST_CASE("what cannot be reported is refused before anything is written") {
    const World world;
    world.receive(kEvent);
    const auto& officer = world.keys.at(Role::officer);
    const auto refusal = [&](const std::string& rest) {
        return world.get("/v1/privacy/reports/" + rest, officer).refusal();
    };
    CHECK(refusal("email:b%40shop.example") == "404 person_unknown");
    CHECK(refusal("email:nothing") == "400 malformed_identifier /identifier");
    CHECK(refusal("email") == "400 malformed_identifier /identifier");
    CHECK(refusal("email:a%40shop.example?format=pdf") == "400 format_unknown /format");
    CHECK(refusal("email:a%40shop.example?others=maybe") == "400 others_unknown /others");
    CHECK(world.get(std::string(kReport) + "?others=shown", officer).status == 200);
    CHECK(refusal("email:a%40shop.example?color=red") == "400 unknown_parameter /color");
    CHECK(refusal("email:a%40shop.example?reason=" + std::string(1'100, 'x')) ==
          "400 malformed_reason /reason");
    for (const auto role : {Role::source, Role::channel, Role::steward})
        CHECK(world.get(kReport, world.keys.at(role)).status == 403);
    CHECK(world.ask("GET", kReport).status == 401);
}

TEST_CASE("the verb writes the same report whether a server runs or not") {
    const tests::Folder root;
    const auto data = root.path() + "/data";
    const auto file = root.path() + "/report.json";
    json served;
    {
        tests::FolderWorld world(data);
        const auto key = world.key(Role::source, cdp::Trust::server);
        REQUIRE(world.ask("POST", "/v1/identify", key, kEvent).status == 200);
        REQUIRE(run({"privacy", "report", "user_id:u1", "--data", data, "--output", file}) ==
                api::kDone);
        served = json::parse(tests::read_file(file));
        CHECK(run({"privacy", "report", "user_id:u2", "--data", data, "--output", file}) ==
              api::kFailed);
    }
    // A refusal makes no file and takes none away, nor does a report.
    const auto before = tests::read_file(file);
    CHECK(run({"privacy", "report", "user_id:u1", "--data", data, "--output", file}) ==
          api::kFailed);
    CHECK(tests::read_file(file) == before);
    const auto link = root.path() + "/link.json";
    const auto behind = root.path() + "/behind.json";
    REQUIRE(::symlink(behind.c_str(), link.c_str()) == 0);
    CHECK(run({"privacy", "report", "user_id:u1", "--data", data, "--output", link}) ==
          api::kFailed);
    CHECK(::access(behind.c_str(), F_OK) != 0);
    REQUIRE(::unlink(file.c_str()) == 0);
    CHECK(run({"privacy", "report", "user_id:u2", "--data", data, "--output", file}) ==
          api::kFailed);
    CHECK(::access(file.c_str(), F_OK) != 0);
    REQUIRE(run({"privacy", "report", "user_id:u1", "--data", data, "--output", file}) ==
            api::kDone);
    struct stat about{};
    REQUIRE(::stat(file.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    const auto offline = json::parse(tests::read_file(file));
    CHECK(offline["events"] == served["events"]);
    CHECK(offline["identifiers"] == served["identifiers"]);
    const auto wrong = [&](const std::string& subject, const std::string& format) {
        return run({"privacy", "report", subject, "--data", data, "--format", format});
    };
    CHECK(wrong("user_id:u1", "pdf") == api::kUsedWrongly);
    CHECK(wrong("nothing", "json") == api::kUsedWrongly);
}
