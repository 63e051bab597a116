#include "api/reach.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "api/listener.h"
#include "cdp/disclosures.h"

namespace api {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{50};

}  // namespace

cdp::Result<OpenFolder> open_folder(const std::string& data, std::size_t cache_bytes) {
    auto opened = CDP_TRY(storage::open_data_dir(
        {.path = data, .keyring_path = {}, .block_cache_bytes = cache_bytes}));
    OpenFolder folder;
    folder.path = data;
    folder.keyring_path = std::filesystem::absolute(opened.keyring_path).lexically_normal();
    folder.store = std::move(opened.store);
    folder.vault = std::make_unique<storage::Vault>(opened.keyring);
    folder.keyring = std::make_unique<storage::KeyringFile>(
        std::move(opened.keyring_path), std::move(opened.keyring), *folder.store, *folder.vault);
    folder.access = CDP_TRY(cdp::Access::load(*folder.store, *folder.vault));
    return folder;
}

cdp::Result<std::unique_ptr<storage::Journal>> OpenFolder::journal() const {
    return storage::open_journal(path + "/journal");
}

cdp::Backups backups_of(const OpenFolder& folder, cdp::Disclosures* disclosures) {
    const auto drain = [disclosures]() -> cdp::Result<void> {
        if (!disclosures) return cdp::Result<void>::ok();
        CDP_CHECK(disclosures->begin());
        return disclosures->drain();
    };
    static const cdp::SystemClock clock;
    return cdp::Backups({.store = *folder.store,
                         .vault = *folder.vault,
                         .keyring = *folder.keyring,
                         .drain = drain,
                         .folder = folder.path,
                         .keyring_path = folder.keyring_path,
                         .clock = clock});
}

cdp::Result<Reached> reach(const std::string& data) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        if (const int descriptor = connect_admin(data); descriptor >= 0)
            return Reached(AdminClient(descriptor));
        auto folder = open_folder(data);
        if (folder) return Reached(*std::move(folder));
        // Somebody has the lock and does not answer yet.
        if (folder.error().reason != "dir_locked" || std::chrono::steady_clock::now() >= until)
            return folder.error();
        std::this_thread::sleep_for(kPause);
    }
}

}  // namespace api
