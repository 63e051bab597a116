#include <openssl/evp.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "cdp/base/assert.h"
#include "consent/ledger.h"
#include "consent/ledger_check.h"
#include "consent/merkle.h"
#include "consent/record.h"
#include "consent/tiles.h"
#include "storage/data_dir.h"
#include "storage/key.h"
#include "tests/bench/commands.h"
#include "tests/bench/commits.h"

namespace bench {
namespace {

double seconds_by(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Of the clock on the wall, and of all cores together.
struct Spent {
    double wall = 0;
    double cpu = 0;
};

template <typename Work>
Spent spent_on(const Work& work) {
    const Spent start{seconds_by(CLOCK_MONOTONIC), seconds_by(CLOCK_PROCESS_CPUTIME_ID)};
    work();
    return {seconds_by(CLOCK_MONOTONIC) - start.wall,
            seconds_by(CLOCK_PROCESS_CPUTIME_ID) - start.cpu};
}

void fill(storage::Store& store, const storage::Vault& vault, std::uint64_t entries) {
    put_in_commits(store, entries, [&](storage::Transaction& transaction, std::uint64_t n) {
        consent::append_entry(transaction, vault,
                              {.type = consent::EntryType::record,
                               .time = cdp::timestamp_of(static_cast<std::int64_t>(n)),
                               .salt = consent::sha256(std::to_string(n)),
                               .bytes = "record",
                               .fields = {}});
    });
}

// The same messages, as many of each kind as the tree has, by OpenSSL alone: its digest fetched
// once and its context kept.
class OpenSsl {
public:
    OpenSsl() : digest_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
        EVP_DigestInit_ex2(context_, digest_, nullptr);
    }
    ~OpenSsl() {
        EVP_MD_CTX_free(context_);
        EVP_MD_free(digest_);
    }
    OpenSsl(const OpenSsl&) = delete;
    OpenSsl& operator=(const OpenSsl&) = delete;

    void hash(std::string_view message) {
        EVP_DigestInit_ex2(context_, nullptr, nullptr);
        EVP_DigestUpdate(context_, message.data(), message.size());
        EVP_DigestFinal_ex(context_, out_, nullptr);
    }

private:
    EVP_MD* digest_;
    EVP_MD_CTX* context_;
    unsigned char out_[32] = {};
};

void hash_alone(const std::vector<std::string>& leaves) {
    OpenSsl sha;
    const std::string node(65, 'n');
    for (const auto& leaf : leaves) sha.hash(leaf);
    for (std::size_t i = 1; i < leaves.size(); ++i) sha.hash(node);
}

// Entries all over the tree.
constexpr std::uint64_t kProofs = 5'000;
std::uint64_t proven(std::uint64_t n, std::uint64_t entries) {
    return n * 7919 % entries;
}

// How many nodes a proof makes again of the hashes that tiles keep.
std::uint64_t nodes_of(std::uint64_t index, std::uint64_t entries) {
    std::uint64_t nodes = 0;
    consent::TreeHasher hasher;
    CDP_ASSERT(consent::prove_inclusion(hasher, index, entries, [&](consent::NodeAt at) {
        nodes += (std::uint64_t{1} << (at.level % consent::kTileHeight)) - 1;
        return cdp::Result<consent::Sha256>(consent::Sha256{});
    }));
    return nodes;
}

struct Proofs {
    double ours = 0;
    double openssl = 0;
};

// Seconds it takes, and seconds of OpenSSL hashing as many nodes.
Proofs time_proofs(const consent::Ledger& ledger, std::uint64_t entries) {
    const auto ours = spent_on([&] {
        for (std::uint64_t n = 0; n < kProofs; ++n)
            CDP_ASSERT(ledger.proof(proven(n, entries), entries));
    });
    std::uint64_t nodes = 0;
    for (std::uint64_t n = 0; n < kProofs; ++n) nodes += nodes_of(proven(n, entries), entries);
    OpenSsl sha;
    const std::string node(65, 'n');
    const auto alone = spent_on([&] {
        for (std::uint64_t n = 0; n < nodes; ++n) sha.hash(node);
    });
    return {ours.wall, alone.wall};
}

}  // namespace

bool run_ledger(const std::string& folder, std::uint64_t entries) {
    const storage::DataDir dir{.path = folder, .keyring_path = {}};
    CDP_ASSERT(storage::create_data_dir(dir));
    auto opened = storage::open_data_dir(dir);
    CDP_ASSERT(opened);
    const storage::Vault vault(opened->keyring);
    auto& store = *opened->store;
    fill(store, vault, entries);
    consent::Ledger ledger(store, vault);
    for (auto more = ledger.publish({}); *more; more = ledger.publish({})) continue;

    const auto snapshot = store.snapshot();
    std::vector<std::string> leaves;
    CDP_ASSERT(snapshot->scan(consent::ledger_prefix(), {}, [&](std::string_view, auto entry) {
        leaves.push_back('\0' + std::string(entry));
        return true;
    }));
    const auto check = [&] {
        const auto checked =
            consent::check_tree(*snapshot, [](std::string_view, std::uint64_t) { return true; });
        CDP_ASSERT(checked && !checked->fault && checked->published == entries);
    };
    const auto ours = spent_on(check);
    const auto alone = spent_on([&] { hash_alone(leaves); });
    const auto proofs = time_proofs(ledger, entries);
    const auto count = static_cast<double>(entries);
    std::printf(
        "{\"entries\":%llu,\"per_second\":%.1f,\"per_cpu_second\":%.1f,"
        "\"openssl_per_second\":%.1f,\"proofs_per_second\":%.1f,"
        "\"openssl_proofs_per_second\":%.1f}\n",
        static_cast<unsigned long long>(entries), count / ours.wall, count / ours.cpu,
        count / alone.wall, kProofs / proofs.ours, kProofs / proofs.openssl);
    return true;
}

}  // namespace bench
