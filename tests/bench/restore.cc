#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "cdp/backups.h"
#include "cdp/base/assert.h"
#include "cdp/restore.h"
#include "storage/data_dir.h"
#include "storage/file.h"
#include "storage/key.h"
#include "storage/keyring_file.h"
#include "storage/vault.h"
#include "tests/bench/commands.h"

namespace bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kAtOnce = 2'000;
constexpr std::uint64_t kSubjects = 100'000;
constexpr std::size_t kEventBytes = 640;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Events as ingest stores them: sealed under their home, with a row against duplicates.
void fill(storage::Store& store, const storage::Vault& vault, std::uint64_t events) {
    const std::string plain(kEventBytes, 'p');
    for (std::uint64_t first = 0; first < events; first += kAtOnce) {
        const auto snapshot = store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        for (auto n = first; n < std::min(events, first + kAtOnce); ++n) {
            const auto home = vault.hash<cdp::Token>("bench", std::to_string(n % kSubjects));
            const auto id = vault.hash<cdp::Token>("bench event", std::to_string(n));
            const auto subject = vault.find_or_make(transaction, home);
            CDP_ASSERT(subject);
            auto key =
                storage::KeyWriter(storage::Space::event, home).newest_first({}).id(id).str();
            auto sealed = storage::Vault::seal(*subject, key, plain);
            transaction.put(std::move(key), std::move(sealed));
            transaction.put(storage::KeyWriter(storage::Space::dedupe, id).str(),
                            std::string(28, '\xff'));
        }
        CDP_ASSERT(commit_and_wait(store, std::move(transaction)).state ==
                   storage::CommitState::ok);
    }
}

void back_up(const std::string& data, const std::string& repo, std::uint64_t events) {
    CDP_ASSERT(storage::create_data_dir({.path = data, .keyring_path = {}}));
    auto opened = storage::open_data_dir({.path = data, .keyring_path = {}});
    CDP_ASSERT(opened);
    storage::Vault vault(opened->keyring);
    fill(*opened->store, vault, events);
    const storage::KeyringFile keyring(opened->keyring_path, opened->keyring, *opened->store,
                                       vault);
    const cdp::SystemClock clock;
    cdp::Backups backups({.store = *opened->store,
                          .vault = vault,
                          .keyring = keyring,
                          .drain = [] { return cdp::Result<void>::ok(); },
                          .folder = data,
                          .keyring_path = opened->keyring_path,
                          .clock = clock});
    CDP_ASSERT(backups.create(repo, [](auto, auto, auto) { return true; }));
}

// Each file read, hashed, written and on disk; nothing else. How many bytes.
std::uint64_t copy_with_checksum(const std::string& from, const std::string& to) {
    fs::create_directory(to);
    std::uint64_t bytes = 0;
    std::string piece(64 * 1024, '\0');
    for (const auto& entry : fs::directory_iterator(from)) {
        const storage::Descriptor in(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
        const auto name = to + "/" + entry.path().filename().string();
        const storage::Descriptor out(
            ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        CDP_ASSERT(in.ok() && out.ok());
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(),
                                                                           EVP_MD_CTX_free);
        EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
        for (;;) {
            const auto n = ::read(in.number(), piece.data(), piece.size());
            CDP_ASSERT(n >= 0);
            if (n == 0) break;
            EVP_DigestUpdate(hash.get(), piece.data(), static_cast<std::size_t>(n));
            CDP_ASSERT(storage::write_all(
                out.number(), std::string_view(piece).substr(0, static_cast<std::size_t>(n))));
            bytes += static_cast<std::uint64_t>(n);
        }
        CDP_ASSERT(::fsync(out.number()) == 0);
    }
    return bytes;
}

}  // namespace

bool run_restore(const std::string& folder, std::uint64_t events) {
    fs::create_directory(folder);
    back_up(folder + "/data", folder + "/repo", events);
    const auto begun = Clock::now();
    const auto restored = cdp::restore({.from = folder + "/repo",
                                        .id = {},
                                        .target = folder + "/restored",
                                        .keyring_path = folder + "/data/keyring"},
                                       cdp::SystemClock(), [](auto, auto, auto) { return true; });
    const auto ours = seconds_since(begun);
    CDP_ASSERT(restored);
    const auto copying = Clock::now();
    const auto bytes = copy_with_checksum(folder + "/restored/db", folder + "/copy");
    const auto copied = seconds_since(copying);
    const auto count = static_cast<double>(events);
    std::printf("{\"events\":%llu,\"bytes\":%llu,\"per_second\":%.1f,\"copied_per_second\":%.1f}\n",
                static_cast<unsigned long long>(events), static_cast<unsigned long long>(bytes),
                count / ours, count / copied);
    return true;
}

}  // namespace bench
