#include <unistd.h>

#include <filesystem>

#include "api/command_line.h"
#include "tests/api/world.h"

namespace {

// The same verb, asked of a server and of a folder that nobody serves.
class TwoFolders {
public:
    TwoFolders() : world_(tests::fast_limits(), options()) {
        REQUIRE(run({"init", "--data", offline()}) == api::kDone);
    }
    ~TwoFolders() { std::filesystem::remove_all(root_); }
    TwoFolders(const TwoFolders&) = delete;
    TwoFolders& operator=(const TwoFolders&) = delete;

    // What both exit with; -1 when they differ.
    int exit_of(const std::vector<std::string>& words) const {
        const auto with_data = [&](const std::string& folder) {
            auto all = words;
            all.insert(all.end(), {"--data", folder});
            return run(all);
        };
        const int of_server = with_data(served());
        return with_data(offline()) == of_server ? of_server : -1;
    }

private:
    static int run(std::vector<std::string> words) {
        words.insert(words.begin(), "cdp");
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        return api::run_command_line(static_cast<int>(argv.size()), argv.data());
    }
    std::string served() const { return (root_ / "served").string(); }
    std::string offline() const { return (root_ / "offline").string(); }
    api::ServerOptions options() const {
        std::filesystem::create_directories(served());
        api::ServerOptions out;
        out.admin_socket_folder = served();
        return out;
    }

    const std::filesystem::path root_ =
        std::filesystem::temp_directory_path() / ("cdp-verbs-" + std::to_string(::getpid()));
    tests::World world_;
};

}  // namespace

TEST_CASE("a verb refuses alike whether a server runs or not") {
    const TwoFolders folders;
    const std::string subject = "email:a@shop.example";
    const std::string endless(60'000, 'x');
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"audit", "access", "--subject", subject, "--reason", "a\nb"},
             {"audit", "access", "--subject", subject, "--reason", "\xff"},
             {"audit", "access", "--subject", subject, "--reason", endless},
             {"audit", "access", "--subject", endless + ":x"},
             {"audit", "access", "--subject", "email:" + endless},
             {"audit", "access", "--subject", subject, "--cursor", endless},
             {"audit", "access", "--subject", "no type:x"},
             {"audit", "access"},
             {"audit", "record", "", "--subject", subject},
             {"audit", "record", endless, "--subject", subject},
             {"audit", "erasures", "--subject", "emial:a@shop.example"},
             {"export", "persons", "--reason", "a\nb"},
             {"export", "persons", "--reason", endless}}) {
        CAPTURE(words[0], words[1], words.back().substr(0, 40));
        CHECK(folders.exit_of(words) == api::kUsedWrongly);
    }
    CHECK(folders.exit_of({"audit", "access", "--subject", subject}) == api::kFailed);
    CHECK(folders.exit_of({"audit", "erasures", "--subject", subject}) == api::kDone);
}
