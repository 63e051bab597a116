#include <sodium.h>
#include <sys/resource.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "cdp/base/assert.h"
#include "cdp/base/bytes.h"
#include "storage/data_dir.h"
#include "storage/epochs.h"
#include "storage/key.h"
#include "storage/vault.h"
#include "tests/bench/commands.h"
#include "tests/bench/commits.h"

namespace bench {
namespace {

// Of all threads: the committer and RocksDB's own work for whoever re-wraps.
double process_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

cdp::Token subject(const storage::Vault& vault, std::uint64_t n) {
    return vault.hash<cdp::Token>("bench", std::to_string(n));
}

void fill(storage::Store& store, const storage::Vault& vault, std::uint64_t subjects) {
    put_in_commits(store, subjects, [&](storage::Transaction& transaction, std::uint64_t n) {
        CDP_ASSERT(vault.find_or_make(transaction, subject(vault, n)));
    });
}

// Opens and seals 32 bytes bound to a row's key, over and over; nothing else.
double aead_seconds(std::uint64_t times) {
    CDP_ASSERT(sodium_init() >= 0);
    std::array<unsigned char, 32> key{};
    std::array<unsigned char, 32> plain{};
    std::array<unsigned char, 48> sealed{};
    std::array<unsigned char, 24> nonce{};
    const std::array<unsigned char, storage::kGroupBytes> row{};
    const auto seal = [&] {
        crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(),
                                                   plain.size(), row.data(), row.size(), nullptr,
                                                   nonce.data(), key.data());
    };
    seal();
    const auto start = process_seconds();
    for (std::uint64_t i = 0; i < times; ++i) {
        CDP_ASSERT(crypto_aead_xchacha20poly1305_ietf_decrypt(
                       plain.data(), nullptr, nullptr, sealed.data(), sealed.size(), row.data(),
                       row.size(), nonce.data(), key.data()) == 0);
        nonce[i % nonce.size()] ^= static_cast<unsigned char>(i);
        seal();
    }
    return process_seconds() - start;
}

}  // namespace

bool run_rewrap(const std::string& folder, std::uint64_t subjects) {
    CDP_ASSERT(storage::create_data_dir({.path = folder, .keyring_path = {}}));
    auto opened = storage::open_data_dir({.path = folder, .keyring_path = {}});
    CDP_ASSERT(opened);
    auto& store = *opened->store;
    storage::Vault vault(opened->keyring);
    fill(store, vault, subjects);

    opened->keyring.add_epoch();
    vault.adopt(opened->keyring, store);
    CDP_ASSERT(adopt_epochs(store, opened->keyring, {}));
    const auto start = process_seconds();
    std::uint64_t done = 0;
    std::string from;
    do {
        auto step = rewrap_some(store, vault, from, storage::kRewrappedAtOnce);
        CDP_ASSERT(step && !step->conflict);
        done += step->rewrapped;
        from = std::move(step->next);
    } while (!from.empty());
    const auto keys = count_by_epoch(*store.snapshot());
    const auto ours = process_seconds() - start;
    CDP_ASSERT(done == subjects && keys && keys->size() == 1);
    const auto alone = aead_seconds(subjects);
    const auto count = static_cast<double>(subjects);
    std::printf("{\"subjects\":%llu,\"per_second\":%.1f,\"aead_per_second\":%.1f}\n",
                static_cast<unsigned long long>(subjects), count / ours, count / alone);
    return true;
}

bool run_sealing(const std::string& data) {
    auto opened = storage::open_data_dir({.path = data, .keyring_path = {}});
    CDP_ASSERT(opened);
    const storage::Vault vault(opened->keyring);
    // What a commit of ingest sealed or wrapped, by size.
    std::map<std::size_t, std::uint64_t> sizes;
    std::uint64_t events = 0;
    constexpr std::size_t kOverhead = 41;
    const auto snapshot = opened->store->snapshot();
    for (const auto space : {storage::Space::event, storage::Space::trait, storage::Space::consent,
                             storage::Space::node, storage::Space::subject_key})
        CDP_ASSERT(snapshot->scan(storage::space_prefix(space), {}, [&](auto, auto value) {
            if (space == storage::Space::event) ++events;
            ++sizes[value.size() > kOverhead ? value.size() - kOverhead : 0];
            return true;
        }));
    const storage::SubjectKey key;
    const std::string row(storage::kGroupBytes + 24, 'k');
    const auto start = process_seconds();
    std::size_t sealed = 0;
    for (const auto& [size, times] : sizes) {
        const std::string plain(size, 'p');
        for (std::uint64_t i = 0; i < times; ++i)
            sealed += storage::Vault::seal(key, row, plain).size();
    }
    const auto took = process_seconds() - start;
    std::printf("{\"events\":%llu,\"seconds\":%.4f,\"bytes\":%zu,\"us_per_event\":%.4f}\n",
                static_cast<unsigned long long>(events), took, sealed,
                1e6 * took / static_cast<double>(events));
    return true;
}

}  // namespace bench
