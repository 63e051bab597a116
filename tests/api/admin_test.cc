#include <sys/stat.h>

#include <filesystem>

#include "api/admin_client.h"
#include "api/listener.h"
#include "tests/api/world.h"

namespace {

struct Folder {
    // Longer than a socket's address can be.
    std::string path = (std::filesystem::temp_directory_path() /
                        ("cdp-" + std::to_string(::getpid())) / std::string(120, 'x'))
                           .string();
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(std::filesystem::path(path).parent_path()); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    api::ServerOptions options() const {
        api::ServerOptions out;
        out.admin_socket_folder = path;
        return out;
    }
    // The body of the answer, or the reason of the error.
    std::string ask(const api::AdminRequest& request) const {
        api::AdminClient client(api::connect_admin(path));
        std::string out;
        const auto done = client.ask(request, [&](std::string_view bytes) {
            out += bytes;
            return true;
        });
        return done ? out : done.error().reason;
    }
};

}  // namespace

TEST_CASE("the peer of the admin socket is an administrator, and nobody else can reach it") {
    const Folder folder;
    tests::World world(tests::fast_limits(), folder.options());
    struct stat status{};
    REQUIRE(::stat((folder.path + "/admin.sock").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);

    CHECK(folder.ask({.target = "/healthz"}) == "{\"status\":\"ok\"}\n");
    const auto made = folder.ask(
        {.method = "POST", .target = "/v1/keys", .body = R"({"role":"source","name":"web"})"});
    const auto key = nlohmann::json::parse(made)["key"].get<std::string>();
    CHECK(world.access->find(key)->name == "web");
    CHECK(folder.ask({.target = "/v1/exports/events"}).empty());
    CHECK(folder.ask({.method = "POST", .target = "/v1/keys", .body = "{"}) == "malformed_json");
    CHECK(folder.ask({.target = "/nowhere"}) == "no_such_route");
    CHECK(folder.ask({.target = "/v1/profiles/a:b?purpose=analytics"}) == "role_forbidden");
}

TEST_CASE("a socket that was left behind is replaced, and one without a server is no server") {
    const Folder folder;
    CHECK(api::connect_admin(folder.path) == -1);
    {
        const tests::World first(tests::fast_limits(), folder.options());
    }
    CHECK(api::connect_admin(folder.path) == -1);
    const tests::World second(tests::fast_limits(), folder.options());
    CHECK(folder.ask({.target = "/healthz"}) == "{\"status\":\"ok\"}\n");
}

TEST_CASE("an export stops when its reader is gone") {
    const Folder folder;
    tests::World world(tests::fast_limits(), folder.options());
    for (int i = 0; i < 200; ++i)
        world.post("/v1/track", world.till,
                   R"({"event":"x","userId":"u","messageId":"m)" + std::to_string(i) +
                       R"(","properties":{"p":")" + std::string(30'000, 'p') + "\"}}");
    api::AdminClient client(api::connect_admin(folder.path));
    std::size_t pieces = 0;
    CHECK(client.ask({.target = "/v1/exports/events"},
                     [&](std::string_view) { return ++pieces < 3; }));
    CHECK(pieces == 3);
    // Hangs if the thread that reads the store still waits for room.
    world.server->stop();
}
