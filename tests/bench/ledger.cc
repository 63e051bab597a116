#include <openssl/evp.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "cdp/base/assert.h"
#include "consent/ledger.h"
#include "consent/ledger_check.h"
#include "consent/record.h"
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
    const auto count = static_cast<double>(entries);
    std::printf(
        "{\"entries\":%llu,\"per_second\":%.1f,\"per_cpu_second\":%.1f,"
        "\"openssl_per_second\":%.1f}\n",
        static_cast<unsigned long long>(entries), count / ours.wall, count / ours.cpu,
        count / alone.wall);
    return true;
}

}  // namespace bench
