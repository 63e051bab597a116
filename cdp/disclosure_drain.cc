#include "cdp/disclosure_drain.h"

#include <algorithm>
#include <unordered_set>

#include "cdp/facts.h"
#include "consent/disclosure_proof.h"
#include "storage/key.h"
#include "storage/random.h"

namespace cdp {
namespace {

constexpr std::size_t kSaltBytes = 16;

Token looked_for_under(const storage::Vault& vault, const consent::Batch& batch) {
    switch (batch.kind) {
        case consent::BatchKind::release: return channel_hash(vault, batch.channel);
        case consent::BatchKind::access: return reader_hash(vault, batch.role, batch.reader);
        case consent::BatchKind::gap: return gaps_hash(vault);
    }
    return gaps_hash(vault);
}

}  // namespace

Result<void> DisclosureWriter::write(DisclosureFold::Folded folded) {
    auto& batch = folded.batch;
    batch.number = ++given_;
    batch.rows = static_cast<std::uint32_t>(folded.rows.size());
    const auto salts = storage::random_bytes(folded.rows.size() * kSaltBytes);
    consent::TreeHasher hasher;
    std::vector<consent::Sha256> leaves;
    std::vector<BatchRow> rows;
    const bool released = batch.kind == consent::BatchKind::release;
    if (released) CDP_CHECK(reads_.begin(day_of(batch.first), batch.number == 1));
    for (std::uint32_t i = 0; i < batch.rows; ++i) {
        auto& [kind, id, mask, row, kept] = folded.rows[i];
        std::copy_n(salts.begin() + static_cast<std::ptrdiff_t>(i * kSaltBytes), kSaltBytes,
                    row.salt.begin());
        const auto subject = CDP_TRY(subject_of(folded.rows[i]));
        const bool nobody = kind == consent::SubjectMask::Kind::nobody;
        leaves.push_back(hasher.leaf(consent::leaf_entry(
            {row.salt, subject, row.mask, row.decision, row.count, row.first, row.last})));
        rows.push_back({subject, row.mask, row.decision, row.count, row.first, row.last,
                        leaves.back(), nobody ? row.reason : std::string()});
        CDP_CHECK(write_mask(folded.rows[i]));
        if (released) CDP_CHECK(reads_.note(batch.channel, row.mask, mask, day_of(row.last)));
        // Without a key there is nobody whose row it could be: an identifier that was erased since.
        // One that is erased meanwhile is a conflict.
        if (!nobody)
            needs_.transaction.watch(
                storage::KeyWriter(storage::Space::subject_key, subject).str());
        const auto key =
            nobody ? std::nullopt : CDP_TRY(needs_.vault.find(needs_.snapshot, subject));
        if (!key) continue;
        auto row_key = subject_row_key(subject, row.last, batch.number, i);
        auto sealed = seal_subject_row(*key, row_key, row);
        needs_.transaction.put(std::move(row_key), std::move(sealed));
    }
    batch.root = consent::root_of(hasher, leaves);
    put_batch_rows(needs_.transaction, needs_.vault, batch.number, rows);
    write_batch(batch);
    return Result<void>::ok();
}

void DisclosureWriter::write_gap(Timestamp from, Timestamp until) {
    write_batch({.number = ++given_,
                 .kind = consent::BatchKind::gap,
                 .first = from,
                 .last = until,
                 .root = consent::empty_root()});
}

// A person that a feed named is the identifier that its id comes from.
Result<Token> DisclosureWriter::subject_of(const DisclosureFold::Row& row) const {
    if (row.kind != consent::SubjectMask::Kind::person) return Token{row.subject};
    const auto found = CDP_TRY(needs_.snapshot.get(
        storage::KeyWriter(storage::Space::person, PersonId{row.subject}).str()));
    if (!found) return Token{row.subject};
    if (found->size() != sizeof(Token)) return damaged("a person row that cannot be read");
    return Token::from(*found);
}

Result<void> DisclosureWriter::write_mask(const DisclosureFold::Row& row) {
    const auto& id = row.row.mask;
    if (needs_.known.contains(id) || std::ranges::find(masks_, id) != masks_.end())
        return Result<void>::ok();
    masks_.push_back(id);
    const auto key = mask_key(id);
    if (!CDP_TRY(needs_.snapshot.get(key)))
        needs_.transaction.put(key, seal_mask(needs_.vault, id, row.mask));
    return Result<void>::ok();
}

void DisclosureWriter::write_batch(const consent::Batch& batch) {
    using consent::PublicTag;
    const DisclosedBatch stored{.batch = batch, .salt = consent::random_salt()};
    const auto bytes = consent::encode(batch);
    needs_.transaction.put(batch_key(batch.number), encode_batch_value(stored));
    needs_.transaction.put(
        batch_of_key(looked_for_under(needs_.vault, batch), batch.last, batch.number), "");
    consent::append_entry(needs_.transaction, needs_.vault,
                          {.type = consent::entry_type(batch.kind),
                           .time = batch.last,
                           .salt = stored.salt,
                           .bytes = bytes,
                           .fields = {{PublicTag::root, std::string(consent::view(batch.root))},
                                      consent::public_number(PublicTag::count, batch.rows),
                                      consent::public_time(PublicTag::from, batch.first),
                                      consent::public_time(PublicTag::until, batch.last)}});
}

}  // namespace cdp
