#include "api/rebuild.h"

#include <catch2/catch.hpp>

#include "storage/data_dir.h"
#include "tests/storage/folder.h"

namespace {

using namespace tests;

storage::DataDir made(const Folder& folder) {
    storage::DataDir dir{.path = folder / "data", .keyring_path = ""};
    REQUIRE(storage::create_data_dir(dir));
    return dir;
}

void say_format(const storage::DataDir& dir, char number) {
    auto text = read_file(dir.path + "/FORMAT");
    text.at(text.find("format = ") + 9) = number;
    write_file(dir.path + "/FORMAT", text);
}

std::string reason(const cdp::Result<cdp::Rebuilt>& rebuilt) {
    return rebuilt ? "rebuilt" : rebuilt.error().reason;
}

}  // namespace

TEST_CASE("a folder in use is not rebuilt, and one that is not is left as it was found") {
    const Folder folder;
    const auto dir = made(folder);
    {
        const auto opened = storage::open_data_dir(dir);
        REQUIRE(opened);
        CHECK(reason(api::rebuild_folder(dir.path, {}, /*check=*/true)) == "dir_locked");
    }
    const auto checked = api::rebuild_folder(dir.path, {}, /*check=*/true);
    REQUIRE(checked);
    CHECK(checked->differed == 0);
    CHECK(!std::filesystem::exists(dir.path + "/rebuild"));
}

TEST_CASE("what an interrupted rebuild left behind is removed") {
    const Folder folder;
    const auto dir = made(folder);
    std::filesystem::create_directories(dir.path + "/rebuild/db");
    write_file(dir.path + "/rebuild/db/CURRENT", "half");
    CHECK(reason(api::rebuild_folder(dir.path, {}, /*check=*/false)) == "rebuilt");
    CHECK(!std::filesystem::exists(dir.path + "/rebuild"));
}

TEST_CASE("a folder of an older format opens after a rebuild, not after a check") {
    const Folder folder;
    const auto dir = made(folder);
    say_format(dir, '1');
    CHECK(storage::open_data_dir(dir).error().reason == "format_older");
    CHECK(reason(api::rebuild_folder(dir.path, {}, /*check=*/true)) == "rebuilt");
    CHECK(storage::open_data_dir(dir).error().reason == "format_older");
    CHECK(reason(api::rebuild_folder(dir.path, {}, /*check=*/false)) == "rebuilt");
    CHECK(storage::open_data_dir(dir));
    CHECK(read_file(dir.path + "/FORMAT").starts_with("format = 2\n"));
}

TEST_CASE("a rebuild refuses a folder of a newer format") {
    const Folder folder;
    const auto dir = made(folder);
    say_format(dir, '3');
    CHECK(reason(api::rebuild_folder(dir.path, {}, /*check=*/false)) == "format_newer");
}
