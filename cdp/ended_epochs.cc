#include "cdp/ended_epochs.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "consent/entry.h"
#include "storage/epochs.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;

storage::KeyWriter prefix() {
    return storage::KeyWriter(storage::Space::meta,
                              Id<struct EndedEpochsTag>::from("epochs ended...."));
}

Result<EndedEpoch> decode(std::string_view bytes) {
    ByteReader in(bytes);
    EndedEpoch out;
    const auto salt = in.raw(out.salt.size());
    std::ranges::copy(salt, out.salt.begin());
    const auto format = in.u8();
    out.from = in.u32();
    out.to = in.u32();
    out.rewrapped = in.u64();
    out.gone = in.u64();
    out.began = timestamp_of(in.i64());
    out.ended = timestamp_of(in.i64());
    if (!in.done() || format != kFormat) return damaged("an ended epoch that cannot be read");
    return out;
}

std::string name_of(std::uint32_t epoch) {
    return "epoch " + std::to_string(epoch);
}

}  // namespace

std::string EndedEpoch::encode() const {
    ByteWriter out;
    out.u8(kFormat).u32(from).u32(to).u64(rewrapped).u64(gone);
    return out.i64(milliseconds_of(began)).i64(milliseconds_of(ended)).take();
}

consent::Sha256 EndedEpoch::commitment() const {
    return consent::commitment(consent::EntryType::key_rotation, salt, encode());
}

void append_ended_epoch(storage::Transaction& transaction, const storage::Vault& vault,
                        const EndedEpoch& ended) {
    const auto bytes = ended.encode();
    transaction.put(prefix().number32(ended.to).str(),
                    ByteWriter().raw(consent::view(ended.salt)).raw(bytes).take());
    using consent::PublicTag;
    consent::append_entry(transaction, vault,
                          {.type = consent::EntryType::key_rotation,
                           .time = ended.ended,
                           .salt = ended.salt,
                           .bytes = bytes,
                           .fields = {{PublicTag::name, name_of(ended.to)},
                                      {PublicTag::former, name_of(ended.from)},
                                      consent::public_number(PublicTag::count, ended.rewrapped),
                                      consent::public_time(PublicTag::from, ended.began),
                                      consent::public_time(PublicTag::until, ended.ended)}});
}

Result<void> each_ended_epoch(const storage::Snapshot& snapshot,
                              const std::function<bool(const Result<EndedEpoch>&)>& visit) {
    return snapshot.scan(prefix().str(), {}, [&](std::string_view, std::string_view row) {
        return visit(decode(row));
    });
}

Result<std::vector<EndedEpoch>> ended_epochs(const storage::Snapshot& snapshot) {
    std::vector<EndedEpoch> out;
    auto outcome = Result<void>::ok();
    CDP_CHECK(each_ended_epoch(snapshot, [&](const Result<EndedEpoch>& one) {
        if (one)
            out.push_back(*one);
        else
            outcome = one.error();
        return static_cast<bool>(one);
    }));
    CDP_CHECK(outcome);
    return out;
}

// A change that had begun may have wrapped the key anew before it was destroyed.
Result<LastEpoch> last_epoch_before(const storage::Snapshot& snapshot, Timestamp destroyed) {
    for (const auto& one : CDP_TRY(ended_epochs(snapshot)))
        if (one.began > destroyed) return LastEpoch{one.to - 1, one.ended};
    const auto epochs = CDP_TRY(storage::read_epochs(snapshot));
    const bool began_later =
        epochs.stage != storage::Epochs::Stage::rest && epochs.since > destroyed;
    return LastEpoch{began_later ? epochs.current - 1 : epochs.current, std::nullopt};
}

}  // namespace cdp
