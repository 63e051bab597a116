#pragma once

#include <memory>
#include <string>

#include "api/admin_client.h"
#include "api/listener.h"
#include "api/reach.h"
#include "api/server.h"
#include "cdp/disclosures.h"
#include "cdp/erasures.h"
#include "cdp/key_epochs.h"
#include "cdp/privacy.h"
#include "storage/data_dir.h"
#include "storage/database_files.h"
#include "tests/api/world.h"
#include "tests/storage/folder.h"

namespace tests {

// A server on a data folder, as `cdp serve` runs one, with one key of each role.
class FolderWorld {
public:
    // Makes the folder unless it is there.
    explicit FolderWorld(std::string data) : data_(std::move(data)) {
        if (!std::filesystem::exists(data_))
            REQUIRE(storage::create_data_dir({.path = data_, .keyring_path = {}}));
        auto opened = api::open_folder(data_);
        REQUIRE(opened);
        folder_ = std::make_unique<api::OpenFolder>(*std::move(opened));
        auto journal = folder_->journal();
        REQUIRE(journal);
        platform_ = std::make_unique<cdp::Platform>(*folder_->store, *folder_->vault, clock_,
                                                    cdp::Config{}, *std::move(journal));
        REQUIRE(platform_->privacy().erasures.finish_interrupted());
        platform_->publish_ledger();
        REQUIRE(platform_->disclosures().begin());
        epochs_ = std::make_unique<cdp::KeyEpochs>(
            cdp::KeyEpochs::Needs{*folder_->store, *folder_->vault, *folder_->keyring, clock_});
        backups_.reset(new cdp::Backups(api::backups_of(*folder_, &platform_->disclosures())));
        epochs_->reach(*backups_);
        api::ServerOptions options;
        options.threads = 2;
        options.admin_socket_folder = data_;
        options.key_epochs = epochs_.get();
        options.backups = backups_.get();
        options.files = storage::files_of(*folder_->store).value();
        auto started =
            api::Server::start(*platform_, *folder_->access, clock_, options, fast_limits());
        REQUIRE(started);
        server_ = *std::move(started);
        epochs_->resume();
    }
    ~FolderWorld() {
        epochs_->stop();
        server_->stop();
    }
    FolderWorld(const FolderWorld&) = delete;
    FolderWorld& operator=(const FolderWorld&) = delete;

    std::string key(cdp::Role role, cdp::Trust trust = cdp::Trust::client) {
        return folder_->access
            ->add({.role = role,
                   .name = std::string(to_string(role)) +
                           (trust == cdp::Trust::server ? "-server" : ""),
                   .channel = role == cdp::Role::channel ? "email_tool" : "",
                   .trust = trust},
                  clock_.now())
            .value();
    }
    Reply ask(const std::string& method, const std::string& target, const std::string& key,
              const std::string& body = "", const std::string& headers = "") const {
        std::string bytes = method + " " + target + " HTTP/1.1\r\nHost: cdp.example\r\n";
        if (!key.empty()) bytes += World::bearer(key);
        bytes += headers;
        if (method == "POST") bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        return Wire(server_->port()).send(bytes + "\r\n" + body).read();
    }
    // Through the admin socket: the body of the answer, or the reason of the error.
    std::string ask_here(const api::AdminRequest& request) const {
        api::AdminClient client(api::connect_admin(data_));
        const auto answer = client.ask_whole(request);
        return answer ? *answer : answer.error().reason;
    }

    const std::string& data() const { return data_; }
    cdp::Platform& platform() { return *platform_; }
    cdp::KeyEpochs& epochs() { return *epochs_; }
    const storage::DatabaseFiles& files() const {
        return *storage::files_of(*folder_->store).value();
    }

private:
    const std::string data_;
    cdp::SystemClock clock_;
    std::unique_ptr<api::OpenFolder> folder_;
    std::unique_ptr<cdp::Platform> platform_;
    std::unique_ptr<cdp::Backups> backups_;
    std::unique_ptr<cdp::KeyEpochs> epochs_;
    std::unique_ptr<api::Server> server_;
};

}  // namespace tests
