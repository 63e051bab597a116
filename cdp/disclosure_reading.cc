#include <map>

#include "cdp/disclosures.h"
#include "cdp/facts.h"
#include "cdp/paging.h"
#include "consent/disclosure_proof.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::KeyReader;
using storage::KeyWriter;
using storage::Space;

Result<std::optional<DisclosedBatch>> find_batch(const storage::Snapshot& snapshot,
                                                 std::uint64_t number) {
    const auto value = CDP_TRY(snapshot.get(batch_key(number)));
    if (!value) return std::optional<DisclosedBatch>();
    return std::optional(CDP_TRY(decode_batch_value(*value)));
}

}  // namespace

Result<DisclosedPage> Disclosures::of_subject(const Token& subject, const DisclosedQuery& query) {
    CDP_CHECK(check_limit(query.limit));
    CDP_CHECK(drain());
    const auto snapshot = needs_.store.snapshot();
    const auto key = CDP_TRY(needs_.vault.find(*snapshot, subject));
    const auto prefix = KeyWriter(Space::disclosed, subject).str();
    if (!query.after.empty() && !query.after.starts_with(prefix)) return malformed_cursor();
    DisclosedPage page;
    std::string last;
    const auto take = [&](std::string_view row_key, std::string_view value) -> Result<bool> {
        if (row_key == query.after) return true;
        if (KeyReader(row_key).newest_first() < query.since) return false;
        if (page.rows.size() == query.limit) {
            page.next = last;
            return false;
        }
        last = row_key;
        auto row = CDP_TRY(open_subject_row(key, row_key, value));
        if (!row) {
            ++page.erased;
            return true;
        }
        if (row->first >= query.until) return true;
        auto mask = CDP_TRY(find_mask(*snapshot, needs_.vault, row->mask));
        if (query.mask && !query.mask(mask)) return true;
        auto disclosed = CDP_TRY(row_of(*snapshot, subject, row_key, std::move(*row)));
        disclosed.mask = std::move(mask);
        page.rows.push_back(std::move(disclosed));
        return true;
    };
    auto outcome = Result<void>::ok();
    CDP_CHECK(
        snapshot->scan(prefix, query.after, [&](std::string_view row_key, std::string_view value) {
            const auto more = take(row_key, value);
            if (!more) outcome = more.error();
            return more && *more;
        }));
    CDP_CHECK(outcome);
    return page;
}

Result<Disclosed> Disclosures::row_of(const storage::Snapshot& snapshot, const Token& subject,
                                      std::string_view key, SubjectRow row) const {
    KeyReader in(key);
    in.newest_first();
    const auto number = in.number();
    const auto index = in.number32();
    auto batch = CDP_TRY(find_batch(snapshot, number));
    if (!batch || !in.ok()) return damaged("a disclosure without its batch");
    return Disclosed{.batch = std::move(batch->batch),
                     .index = index,
                     .row = {.salt = row.salt,
                             .subject = subject,
                             .mask = row.mask,
                             .decision = row.decision,
                             .count = row.count,
                             .first = row.first,
                             .last = row.last},
                     .mask = {},
                     .evidence = std::move(row.evidence),
                     .reason = std::move(row.reason)};
}

Result<void> Disclosures::each_of(const std::vector<Token>& subjects,
                                  const std::optional<DisclosedPlace>& after,
                                  const VisitDisclosed& visit) {
    CDP_CHECK(drain());
    const auto snapshot = needs_.store.snapshot();
    std::map<Token, std::optional<storage::SubjectKey>> keys;
    for (const auto& subject : subjects)
        keys.emplace(subject, CDP_TRY(needs_.vault.find(*snapshot, subject)));
    DisclosedMerge merge(*snapshot, subjects, after);
    while (true) {
        const auto item = CDP_TRY(merge.next());
        if (!item) return Result<void>::ok();
        auto row = CDP_TRY(open_subject_row(keys.at(item->subject), item->key, item->value));
        std::optional<Disclosed> disclosed;
        if (row) {
            auto mask = CDP_TRY(find_mask(*snapshot, needs_.vault, row->mask));
            disclosed = CDP_TRY(row_of(*snapshot, item->subject, item->key, *std::move(row)));
            disclosed->mask = std::move(mask);
        }
        if (!CDP_TRY(visit(item->place, std::move(disclosed)))) return Result<void>::ok();
    }
}

Result<std::optional<DisclosedBatch>> Disclosures::batch(std::uint64_t number) {
    CDP_CHECK(drain());
    return stored_batch(number);
}

Result<std::optional<DisclosedBatch>> Disclosures::stored_batch(std::uint64_t number) const {
    const auto snapshot = needs_.store.snapshot();
    auto found = CDP_TRY(find_batch(*snapshot, number));
    if (!found) return found;
    found->rows = CDP_TRY(batch_rows(*snapshot, needs_.vault, number));
    if (found->rows.size() != found->batch.rows) return damaged("a batch lacks rows");
    return found;
}

Result<consent::Mask> Disclosures::mask(const consent::MaskId& id) const {
    return find_mask(*needs_.store.snapshot(), needs_.vault, id);
}

Result<BatchPage> Disclosures::of_channel(std::string_view channel, const BatchQuery& query) {
    return of(channel_hash(needs_.vault, channel), query);
}

Result<BatchPage> Disclosures::of_reader(std::string_view role, std::string_view name,
                                         const BatchQuery& query) {
    return of(reader_hash(needs_.vault, role, name), query);
}

Result<BatchPage> Disclosures::gaps(const BatchQuery& query) {
    return of(gaps_hash(needs_.vault), query);
}

Result<BatchPage> Disclosures::of(const Token& reader, const BatchQuery& query) {
    CDP_CHECK(check_limit(query.limit));
    CDP_CHECK(drain());
    const auto snapshot = needs_.store.snapshot();
    const auto prefix = KeyWriter(Space::batch_of, reader).str();
    if (!query.after.empty() && !query.after.starts_with(prefix)) return malformed_cursor();
    BatchPage page;
    std::string last;
    const auto take = [&](std::string_view key) -> Result<bool> {
        if (key == query.after) return true;
        KeyReader in(key);
        if (in.newest_first() < query.since) return false;
        if (page.batches.size() == query.limit) {
            page.next = last;
            return false;
        }
        last = key;
        auto batch = CDP_TRY(find_batch(*snapshot, in.number()));
        if (!batch || !in.ok()) return damaged("a batch is missing");
        if (batch->batch.first < query.until) page.batches.push_back(std::move(batch->batch));
        return true;
    };
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot->scan(prefix, query.after, [&](std::string_view key, std::string_view) {
        const auto more = take(key);
        if (!more) outcome = more.error();
        return more && *more;
    }));
    CDP_CHECK(outcome);
    return page;
}

Result<RowProof> Disclosures::prove(std::uint64_t number, std::uint32_t row) {
    // Whoever was shown the row has drained.
    auto found = CDP_TRY(stored_batch(number));
    if (!found) found = CDP_TRY(batch(number));
    if (!found || row >= found->rows.size())
        return Error{.code = ErrorCode::not_found,
                     .reason = "disclosure_unknown",
                     .message = "There is no such row in a batch of disclosures."};
    std::vector<consent::Sha256> leaves;
    for (const BatchRow& one : found->rows) leaves.push_back(one.leaf);
    consent::TreeHasher hasher;
    auto path = CDP_TRY(consent::prove_row(hasher, leaves, row));
    return RowProof{.batch = std::move(found->batch),
                    .salt = found->salt,
                    .leaf = leaves[row],
                    .index = row,
                    .path = std::move(path)};
}

}  // namespace cdp
