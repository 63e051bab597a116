#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "consent/entry.h"
#include "consent/fact.h"
#include "consent/record.h"
#include "consent/suppression.h"
#include "storage/store.h"
#include "storage/vault.h"

// Answers, kept in a store. README.md has keys, values and the ledger's entries byte by byte.
namespace consent {

class KnownCells;

// A stamp's cell as stored: its time is that of the first stamp of the day.
struct Cell {
    cdp::RecordId id = {};
    Stamp first = {};

    friend bool operator==(const Cell&, const Cell&) = default;
};

using Row = std::variant<Record, Cell>;

// A denial that was not there before also stands in the log of withdrawals (withdrawal.h). Safe to
// use from many threads. The vault must outlive it.
class Consents {
public:
    explicit Consents(const storage::Vault& vault, std::size_t known_cells_max = 500'000);
    ~Consents();
    Consents(const Consents&) = delete;
    Consents& operator=(const Consents&) = delete;

    // Writes the record under each identifier it asserts, sealed under that identifier's key, and
    // appends one entry to the ledger. False: the record is already there and nothing was written.
    // Error conflict, idempotency_key_reused: a record of that id is there and says something else.
    // In force when the transaction's commit is.
    cdp::Result<bool> record(storage::Transaction& transaction, const Record& record) const;

    // Makes the stamp's cell, or moves its first moment to an earlier one. False: nothing was
    // written. A cell that was seen committed before costs no read either. `received`: when the
    // stamp came in; absent: at its own time.
    cdp::Result<bool> stamp(storage::Transaction& transaction, const cdp::Token& token,
                            const Stamp& stamp, std::optional<cdp::Timestamp> received = {}) const;

    // A stamp that `stamp` wrote is committed: from now on it costs nothing.
    void committed(const cdp::Token& token, const Stamp& stamp) const;

    // Rows were taken away by somebody else: nothing that was seen committed is relied on any more.
    void forget() const;

    // Everything that was said under one identifier, by one scan that `transaction` remembers. The
    // transaction's own writes count. `snapshot` is the one `transaction` reads.
    struct Said {
        std::vector<Fact> facts = {};
        std::vector<Suppression> suppressions = {};
    };
    cdp::Result<Said> load(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                           const cdp::Token& token) const;

    // The answers as stored: for those who must see everything of them.
    cdp::Result<std::vector<Row>> rows(const storage::Snapshot& snapshot,
                                       storage::Transaction& transaction,
                                       const cdp::Token& token) const;

    // Every answer of everybody, by token. A record stands under each identifier it asserts; see
    // stands_first. `visit` returns false to stop.
    cdp::Result<void> each(const storage::Snapshot& snapshot,
                           const std::function<bool(const cdp::Token&, const Row&)>& visit) const;

    // The same from behind a place on: `visit` is given each row's, and that of the last one seen
    // continues there. Any bytes are a place; empty: the beginning.
    using VisitPlaced = std::function<bool(const cdp::Token&, const Row&, std::string_view place)>;
    cdp::Result<void> each_after(const storage::Snapshot& snapshot, std::string_view place,
                                 const VisitPlaced& visit) const;

    // How many entries the ledger had at the snapshot.
    cdp::Result<std::uint64_t> ledger_size(const storage::Snapshot& snapshot) const;

private:
    cdp::Result<std::vector<Row>> rows(const storage::Snapshot& snapshot,
                                       storage::Transaction& transaction, const cdp::Token& token,
                                       std::vector<Suppression>* suppressions) const;

    const storage::Vault& vault_;
    std::unique_ptr<KnownCells> known_;
};

// A record stands under each identifier that it asserts and that was not erased since. Whether
// `under`, one under which it stands, is the first of these: whoever reads every row meets the
// record once there.
cdp::Result<bool> stands_first(const storage::Snapshot& snapshot, const Record& record,
                               const cdp::Token& under);

}  // namespace consent
