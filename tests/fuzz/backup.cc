// A repository of backups in which one file is something else, as anybody can leave it there or as
// one would who holds the keyring: it is refused, or what is read of it can be put into a store.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/base/assert.h"
#include "cdp/told_erasures.h"
#include "storage/backup_keys.h"
#include "storage/data_dir.h"
#include "storage/key.h"
#include "storage/key_text.h"
#include "storage/memory_store.h"
#include "storage/restore.h"
#include "tests/storage/folder.h"
#include "tests/support/keyring.h"

namespace {

const std::string kId = "20261122T094033123Z-00000000";
const storage::BytesDone kGoOn = [](std::uint64_t) { return true; };

// A whole one, but for the part that is being tried.
class Repository {
public:
    Repository() {
        tests::write_file(folder_ / "table", "a table");
        file_ = repo_->add_file(folder_.path(), "table", kGoOn)->file;
        const auto store = storage::make_memory_store();
        const auto empty = store->snapshot();
        storage::Transaction transaction(*empty, storage::kPartition);
        CDP_ASSERT(vault_.find_or_make(transaction, vault_.token("user_id", "u1")));
        commit_and_wait(*store, std::move(transaction));
        CDP_ASSERT(storage::write_keys(*repo_, kId, *store->snapshot()));
        CDP_ASSERT(repo_->add_erasures(encode(cdp::Told{})));
        CDP_ASSERT(repo_->put_manifest({.id = kId,
                                        .fingerprint = keyring_.fingerprint,
                                        .format = storage::kFormat,
                                        .tree_root = {},
                                        .erasures = 1,
                                        .files = {file_}}));
        parts_ = {{{"/FORMAT", ""},
                   {"/backups/" + kId + ".manifest", "manifest " + kId},
                   {"/backups/" + kId + ".keys", "keys " + kId},
                   {"/erasures/000000000001", "erasures 000000000001"},
                   {"/files/" + file_.sealed, "file " + file_.sealed}}};
        for (auto& part : parts_) part.whole = tests::read_file(path_ + part.name);
        CDP_ASSERT(find());
    }

    void read_with(std::size_t which, bool sealed, std::string_view bytes) {
        const auto& part = parts_[which % parts_.size()];
        const auto name = path_ + part.name;
        if (!sealed)
            tests::write_file(name, std::string(bytes));
        else if (part.label.empty())
            tests::write_file(name, std::string(bytes) + storage::check_line(bytes));
        else
            CDP_ASSERT(storage::write_sealed(name, repo_->key(), part.label, bytes));
        read();
        tests::write_file(name, part.whole);
    }

private:
    struct Part {
        std::string name;
        std::string label;  // what it is sealed as
        std::string whole = {};
    };

    cdp::Result<storage::FoundBackup> find() const {
        return storage::find_backup(path_, {}, vault_, keyring_);
    }

    void read() const {
        const auto found = find();
        if (!found) {
            const auto code = found.error().code;
            CDP_ASSERT(code == cdp::ErrorCode::corruption || code == cdp::ErrorCode::unavailable);
            return;
        }
        for (const auto& record : found->erasures) (void)cdp::decode_told(record);
        for (const auto& file : found->manifest.files)
            CDP_ASSERT(!found->repo.verify_file(file, kGoOn) ||
                       (file.sealed == file_.sealed && file.bytes == file_.bytes));
        put(found->repo);
    }

    // Every row of the file of keys, and no other.
    static void put(const storage::BackupRepo& repo) {
        const auto store = storage::make_memory_store();
        CDP_ASSERT(storage::put_keys(*store, repo, kId));
        std::vector<std::string> rows;
        CDP_ASSERT(store->snapshot()->scan(storage::space_prefix(storage::Space::subject_key), {},
                                           [&](std::string_view key, std::string_view value) {
                                               rows.push_back(std::string(key).append(value));
                                               return true;
                                           }));
        const auto keys = storage::KeysReader::open(repo, kId);
        CDP_ASSERT(keys);
        for (const auto& row : rows) {
            const auto next = (*keys)->next();
            CDP_ASSERT(next && *next && (*next)->key + (*next)->value == row);
        }
        const auto end = (*keys)->next();
        CDP_ASSERT(end && !*end);
    }

    tests::Folder folder_;
    const std::string path_ = folder_ / "backups";
    const storage::Keyring keyring_ = tests::fixed_keyring();
    const storage::Vault vault_{keyring_};
    const cdp::Result<storage::BackupRepo> repo_ =
        storage::BackupRepo::open_or_make(path_, vault_, keyring_.fingerprint, "/keyring");
    storage::BackupManifest::File file_;
    std::array<Part, 5> parts_;
};

}  // namespace

// The first byte says which file the others are, and whether they were sealed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Repository repository;
    if (size == 0) return 0;
    repository.read_with(data[0] >> 1, data[0] & 1,
                         {reinterpret_cast<const char*>(data) + 1, size - 1});
    return 0;
}
