#include "cdp/merge_history.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "storage/store.h"

namespace cdp {
namespace {

// Entries are in the order of commits, whose clocks may run a little apart.
constexpr std::chrono::milliseconds kSkew{10'000};
constexpr std::size_t kEntriesMax = 20'000;

std::string entry_key(const std::string& log, std::uint64_t index) {
    return ByteWriter().raw(log).u64(index).take();
}

Result<identity::Change> change_at(const storage::Snapshot& snapshot, const std::string& log,
                                   std::uint64_t index) {
    const auto value = CDP_TRY(snapshot.get(entry_key(log, index)));
    auto change = value ? identity::decode_change(*value) : std::nullopt;
    if (!change) return damaged("a change of persons that cannot be read");
    return *std::move(change);
}

// The first entry that is not before the time, as far as clocks can tell.
Result<std::uint64_t> first_since(const storage::Snapshot& snapshot, const std::string& log,
                                  Timestamp time) {
    std::uint64_t low = 0;
    auto high = CDP_TRY(storage::log_size(snapshot, log));
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        if (CDP_TRY(change_at(snapshot, log, middle)).cause.time < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// What the log says of it.
Result<std::optional<Logged>> find_change(const storage::Snapshot& snapshot, const Merge& merge) {
    const auto log = identity::change_log();
    const auto from = CDP_TRY(first_since(snapshot, log, merge.time - kSkew));
    std::optional<Logged> found;
    std::size_t left = kEntriesMax;
    bool readable = true;
    auto version = from;
    CDP_CHECK(
        snapshot.scan(log, entry_key(log, from), [&](std::string_view, std::string_view value) {
            const auto change = identity::decode_change(value);
            readable = change.has_value();
            if (!readable) return false;
            ++version;
            const bool either = change->from == merge.a.id || change->from == merge.b.id;
            if (change->cause.time == merge.time && either &&
                change->kind != identity::ChangeKind::redirected)
                found = Logged{version, *change};
            return !found && change->cause.time <= merge.time + kSkew && --left > 0;
        }));
    if (!readable) return damaged("a change of persons that cannot be read");
    return found;
}

}  // namespace

Result<std::optional<Merge>> last_merge(const identity::Graph& graph,
                                        const storage::Snapshot& snapshot,
                                        storage::Transaction& transaction, const Token& a,
                                        const Token& b) {
    std::set<Timestamp, std::greater<>> turns;
    for (const auto& token : {a, b})
        for (const auto& time : CDP_TRY(person_turns(transaction, token))) turns.insert(time);
    for (const auto& time : turns) {
        const auto before = time - std::chrono::milliseconds{1};
        auto one = CDP_TRY(person_then(graph, transaction, a, before));
        auto other = CDP_TRY(person_then(graph, transaction, b, before));
        if (!one || !other || one->id == other->id) continue;
        Merge merge{time, *std::move(one), *std::move(other), {}};
        merge.change = CDP_TRY(find_change(snapshot, merge));
        return std::optional(std::move(merge));
    }
    return std::optional<Merge>();
}

}  // namespace cdp
