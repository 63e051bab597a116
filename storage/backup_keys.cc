#include "storage/backup_keys.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "storage/epochs.h"
#include "storage/file.h"
#include "storage/key.h"

namespace storage {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kHeadBytes = 1 + 4 + 4;
constexpr std::size_t kRowHeadBytes = 2 + 2;
constexpr std::size_t kRowsAtOnce = 2'000;

// Head: u8 format, u32 lowest, u32 highest. A row: u16 and its key, u16 and its value. The end: two
// zeros of u16, u64 rows.
class KeysWriter {
public:
    static cdp::Result<KeysWriter> make(const BackupRepo& repo, const std::string& id,
                                        const KeysRange& range) {
        KeysWriter keys(CDP_TRY(
            SealedWriter::make(repo.keys_path(id), repo.key(), BackupRepo::keys_label(id))));
        CDP_CHECK(keys.out_->write(
            cdp::ByteWriter().u8(kFormat).u32(range.lowest).u32(range.highest).str()));
        return keys;
    }

    cdp::Result<void> add(std::string_view key, std::string_view value) {
        ++rows_;
        cdp::ByteWriter row;
        row.u16(static_cast<std::uint16_t>(key.size()));
        row.u16(static_cast<std::uint16_t>(value.size()));
        return out_->write(row.raw(key).raw(value).str());
    }

    cdp::Result<void> finish() {
        CDP_CHECK(out_->write(cdp::ByteWriter().u16(0).u16(0).u64(rows_).str()));
        return out_->finish();
    }

private:
    explicit KeysWriter(std::unique_ptr<SealedWriter> out) : out_(std::move(out)) {}

    std::unique_ptr<SealedWriter> out_;
    std::uint64_t rows_ = 0;
};

bool is_subject_key(std::string_view key) {
    return key.size() == kGroupBytes && key.starts_with(space_prefix(Space::subject_key));
}

cdp::Result<void> commit(Store& store, Transaction transaction) {
    if (transaction.empty()) return cdp::Result<void>::ok();
    const auto outcome = commit_and_wait(store, std::move(transaction));
    if (outcome.state == CommitState::ok) return cdp::Result<void>::ok();
    return outcome.error;
}

// What makes the rows of a store those of a backup.
class KeysMerge {
public:
    KeysMerge(Store& store, const Snapshot& snapshot, KeysReader& backup)
        : store_(store), snapshot_(snapshot), backup_(backup), transaction_(snapshot, kPartition) {}

    cdp::Result<void> run() {
        next_ = CDP_TRY(backup_.next());
        auto outcome = cdp::Result<void>::ok();
        CDP_CHECK(snapshot_.scan(space_prefix(Space::subject_key), {},
                                 [&](std::string_view key, std::string_view value) {
                                     outcome = visit(key, value);
                                     return static_cast<bool>(outcome);
                                 }));
        CDP_CHECK(outcome);
        while (next_) CDP_CHECK(put_next());
        return commit(store_, std::move(transaction_));
    }

private:
    cdp::Result<void> visit(std::string_view key, std::string_view value) {
        while (next_ && next_->key < key) CDP_CHECK(put_next());
        if (!next_ || next_->key != key) {
            transaction_.erase(std::string(key));
            return wrote();
        }
        if (next_->value != value) return put_next();
        next_ = CDP_TRY(backup_.next());
        return cdp::Result<void>::ok();
    }

    cdp::Result<void> put_next() {
        transaction_.put(std::move(next_->key), std::move(next_->value));
        next_ = CDP_TRY(backup_.next());
        return wrote();
    }

    cdp::Result<void> wrote() {
        if (++written_ % kRowsAtOnce > 0) return cdp::Result<void>::ok();
        auto full = std::exchange(transaction_, Transaction(snapshot_, kPartition));
        return commit(store_, std::move(full));
    }

    Store& store_;
    const Snapshot& snapshot_;
    KeysReader& backup_;
    Transaction transaction_;
    std::optional<KeysReader::Row> next_;
    std::uint64_t written_ = 0;
};

// An epoch that began or ended after the backup is known to its keys alone.
cdp::Result<void> fit_epochs(Store& store, const KeysRange& range) {
    const auto snapshot = store.snapshot();
    auto epochs = CDP_TRY(read_epochs(*snapshot));
    const auto before = epochs;
    epochs.lowest = std::max(epochs.lowest, range.lowest);
    epochs.current = std::max(epochs.current, range.highest);
    if (epochs == before) return cdp::Result<void>::ok();
    epochs.former = before.lowest;
    if (epochs.current != before.current) epochs.since = {};
    epochs.stage =
        epochs.lowest == epochs.current ? Epochs::Stage::rest : Epochs::Stage::rewrapping;
    Transaction transaction(*snapshot, kPartition);
    put_epochs(transaction, epochs);
    return commit(store, std::move(transaction));
}

}  // namespace

cdp::Result<KeysRange> write_keys(const BackupRepo& repo, const std::string& id,
                                  const Snapshot& snapshot) {
    const auto counts = CDP_TRY(count_by_epoch(snapshot));
    const auto current = CDP_TRY(read_epochs(snapshot)).current;
    const KeysRange range{.lowest = counts.empty() ? current : counts.begin()->first,
                          .highest = counts.empty() ? current : counts.rbegin()->first};
    auto keys = CDP_TRY(KeysWriter::make(repo, id, range));
    auto outcome = cdp::Result<void>::ok();
    CDP_CHECK(snapshot.scan(space_prefix(Space::subject_key), {},
                            [&](std::string_view key, std::string_view value) {
                                outcome = keys.add(key, value);
                                return static_cast<bool>(outcome);
                            }));
    CDP_CHECK(outcome);
    CDP_CHECK(keys.finish());
    return range;
}

cdp::Result<std::unique_ptr<KeysReader>> KeysReader::open(const BackupRepo& repo,
                                                          const std::string& id) {
    const auto path = repo.keys_path(id);
    auto sealed = CDP_TRY(SealedReader::open(path, repo.key(), BackupRepo::keys_label(id)));
    std::unique_ptr<KeysReader> keys(new KeysReader(path, std::move(sealed)));
    cdp::ByteReader head(CDP_TRY(keys->take(kHeadBytes)));
    const auto format = head.u8();
    keys->range_.lowest = head.u32();
    keys->range_.highest = head.u32();
    if (format != kFormat || keys->range_.lowest == 0 || keys->range_.highest < keys->range_.lowest)
        return backup_damaged(path);
    return keys;
}

// Good until the next call.
cdp::Result<std::string_view> KeysReader::take(std::size_t bytes) {
    if (buffer_.size() - at_ < bytes) {
        buffer_.erase(0, at_);
        at_ = 0;
        while (buffer_.size() < bytes) {
            const auto piece = CDP_TRY(reader_->next());
            if (piece.empty()) return backup_damaged(path_ + " ends early");
            buffer_.append(piece);
        }
    }
    const auto taken = std::string_view(buffer_).substr(at_, bytes);
    at_ += bytes;
    return taken;
}

cdp::Result<std::optional<KeysReader::Row>> KeysReader::next() {
    if (done_) return std::optional<Row>{};
    cdp::ByteReader head(CDP_TRY(take(kRowHeadBytes)));
    const std::size_t key = head.u16();
    const std::size_t value = head.u16();
    if (key + value > 0) {
        const auto bytes = CDP_TRY(take(key + value));
        Row row{std::string(bytes.substr(0, key)), std::string(bytes.substr(key))};
        if (!is_subject_key(row.key) || row.key <= last_) return backup_damaged(path_);
        ++rows_;
        last_ = row.key;
        return std::optional(std::move(row));
    }
    const auto rows = cdp::ByteReader(CDP_TRY(take(sizeof(std::uint64_t)))).u64();
    if (rows != rows_ || at_ != buffer_.size()) return backup_damaged(path_);
    if (!CDP_TRY(reader_->next()).empty()) return backup_damaged(path_);
    done_ = true;
    return std::optional<Row>{};
}

cdp::Result<std::uint64_t> count_keys(const BackupRepo& repo, const std::string& id) {
    const auto keys = CDP_TRY(KeysReader::open(repo, id));
    std::uint64_t count = 0;
    while (CDP_TRY(keys->next())) ++count;
    return count;
}

cdp::Result<void> rewrap_keys(const BackupRepo& repo, const std::string& id, std::uint32_t current,
                              const WrappedKeys::Rewrap& rewrap) {
    const auto keys = CDP_TRY(KeysReader::open(repo, id));
    auto out = CDP_TRY(KeysWriter::make(repo, id, {.lowest = current, .highest = current}));
    while (const auto row = CDP_TRY(keys->next()))
        if (const auto again = CDP_TRY(rewrap(row->key, row->value)))
            CDP_CHECK(out.add(row->key, *again));
    CDP_CHECK(out.finish());
    return repo.sync();
}

cdp::Result<void> put_keys(Store& store, const BackupRepo& repo, const std::string& id) {
    const auto keys = CDP_TRY(KeysReader::open(repo, id));
    const auto snapshot = store.snapshot();
    CDP_CHECK(KeysMerge(store, *snapshot, *keys).run());
    return fit_epochs(store, keys->range());
}

}  // namespace storage
