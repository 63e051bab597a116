#include "cdp/disclosure_fold.h"

#include <algorithm>
#include <iterator>

#include "cdp/base/bytes.h"
#include "consent/names.h"

namespace cdp {
namespace {

constexpr std::uint8_t kTold = 1;
constexpr std::uint8_t kToldAgain = 2;
constexpr std::size_t kRowsMax = 2000;
constexpr std::string_view kContext = "journal of disclosures";

std::optional<ToldTo> decode_told_to(ByteReader& in) {
    ToldTo to;
    const auto kind = consent::read_enum(in, consent::BatchKind::gap);
    for (auto* text : {&to.role, &to.name, &to.channel, &to.reason}) *text = in.bytes();
    if (!kind || !in.ok()) return std::nullopt;
    to.kind = *kind;
    return to;
}

}  // namespace

std::string encode(const ToldTo& to) {
    ByteWriter out;
    out.u8(static_cast<std::uint8_t>(to.kind));
    for (const auto* text : {&to.role, &to.name, &to.channel, &to.reason}) out.bytes(*text);
    return out.take();
}

std::string seal_told(const storage::SubjectKey& key, std::string_view to, std::string_view told) {
    return storage::Vault::seal(key, kContext, std::string(to).append(told));
}

std::string told_record(std::uint32_t number, Timestamp time, std::string_view sealed) {
    return ByteWriter().u8(kTold).u32(number).i64(milliseconds_of(time)).raw(sealed).take();
}

std::string told_again_record(std::uint32_t number, Timestamp time) {
    return ByteWriter().u8(kToldAgain).u32(number).i64(milliseconds_of(time)).take();
}

bool DisclosureFold::add(std::string_view record) {
    ByteReader in(record);
    const auto kind = in.u8();
    const auto number = in.u32();
    const auto time = timestamp_of(in.i64());
    if (!in.ok()) return false;
    if (kind == kTold) {
        const auto plain = storage::Vault::open(key_, kContext, in.rest());
        if (!plain) return false;
        ByteReader inner(*plain);
        auto to = decode_told_to(inner);
        if (!to) return false;
        auto disclosure = consent::decode_disclosure(inner.rest());
        if (!disclosure) return false;
        told_[number] = {std::move(*to), std::move(*disclosure), 1, time, time};
        return true;
    }
    const auto told = told_.find(number);
    if (kind != kToldAgain || !in.done() || told == told_.end()) return false;
    auto& known = told->second;
    ++known.count;
    known.first = std::min(known.first, time);
    known.last = std::max(known.last, time);
    return true;
}

std::vector<DisclosureFold::Folded> DisclosureFold::finish(const consent::Policy& policy) const {
    // By reader, and within by row: the order of the journal's table must not show.
    std::map<Reader, std::pair<Folded, std::map<RowId, std::size_t>>> folded;
    for (const auto& [number, told] : told_) {
        const auto& to = told.to;
        const auto [at, fresh] = folded.try_emplace(
            Reader{to.kind, to.role, to.name, to.channel, told.disclosure.purpose});
        auto& [one, rows] = at->second;
        if (fresh) {
            one.batch.kind = to.kind;
            one.batch.role = to.role;
            one.batch.reader = to.name;
            one.batch.channel = to.channel;
            one.batch.purpose = told.disclosure.purpose;
            if (const auto* channel = policy.find_channel(to.channel)) {
                one.batch.recipient = channel->recipient;
                one.batch.country = channel->country;
            }
            one.batch.first = told.first;
            one.batch.last = told.last;
        }
        fold(told, one, rows);
    }
    std::vector<Folded> out;
    for (auto& [reader, one] : folded) {
        std::ranges::sort(one.first.rows, {}, [](const Row& row) {
            return std::tie(row.subject, row.row.decision, row.mask, row.row.reason);
        });
        add_parts(std::move(one.first), out);
    }
    return out;
}

void DisclosureFold::add_parts(Folded whole, std::vector<Folded>& out) {
    auto rows = std::move(whole.rows);
    whole.rows = {};
    for (std::size_t begin = 0; begin < rows.size(); begin += kRowsMax) {
        const auto end = std::min(rows.size(), begin + kRowsMax);
        auto& part = out.emplace_back(whole);
        for (auto i = begin; i < end; ++i) {
            for (const auto& reason : rows[i].kept)
                part.batch.withheld[reason] += rows[i].row.count;
            part.rows.push_back(std::move(rows[i]));
        }
    }
}

void DisclosureFold::fold(const Told& told, Folded& into, std::map<RowId, std::size_t>& rows) {
    auto& batch = into.batch;
    batch.first = std::min(batch.first, told.first);
    batch.last = std::max(batch.last, told.last);
    batch.ledger_size = std::max(batch.ledger_size, told.disclosure.ledger_size);
    for (const auto& subject : told.disclosure.subjects) {
        auto mask = consent::encode(subject.mask);
        const RowId id{subject.kind, subject.id, told.disclosure.decision, mask, told.to.reason};
        const auto [at, fresh] = rows.try_emplace(id, into.rows.size());
        if (fresh) {
            SubjectRow row{.mask = consent::mask_id(mask),
                           .decision = told.disclosure.decision,
                           .count = told.count,
                           .first = told.first,
                           .last = told.last,
                           .evidence = subject.evidence,
                           .reason = told.to.reason};
            into.rows.push_back({subject.kind, subject.id, std::move(mask), std::move(row), {}});
            for (const auto& field : subject.mask)
                if (field.withheld) into.rows.back().kept.push_back(field.form);
            continue;
        }
        auto& row = into.rows[at->second].row;
        row.count += told.count;
        row.first = std::min(row.first, told.first);
        row.last = std::max(row.last, told.last);
        // Equal decisions rest on the same records; a feed, which decides nothing, names others.
        std::vector<RecordId> both;
        std::ranges::set_union(row.evidence, subject.evidence, std::back_inserter(both));
        row.evidence = std::move(both);
    }
}

}  // namespace cdp
