#include "consent/disclosure.h"

#include <algorithm>
#include <span>
#include <utility>

#include "cdp/base/bytes.h"
#include "consent/names.h"

namespace consent {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t kFormat = 1;

constexpr Names kSections{
    std::pair{Section::fields, "fields"sv},   std::pair{Section::identifiers, "identifiers"sv},
    std::pair{Section::events, "events"sv},   std::pair{Section::properties, "properties"sv},
    std::pair{Section::persons, "persons"sv}, std::pair{Section::routes, "routes"sv},
};
constexpr Names kKinds{
    std::pair{BatchKind::release, "release"sv},
    std::pair{BatchKind::access, "access"sv},
    std::pair{BatchKind::gap, "gap"sv},
};

cdp::Error damaged(std::string detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "disclosure_damaged",
            .message = "A stored disclosure cannot be read.",
            .detail = std::move(detail)};
}

void write_field(cdp::ByteWriter& out, const MaskField& field) {
    out.u8(static_cast<std::uint8_t>(field.section)).u8(field.withheld ? 1 : 0);
    out.bytes(field.within).bytes(field.name).bytes(field.form);
    out.u16(static_cast<std::uint16_t>(field.labels.size()));
    for (const auto& label : field.labels) out.bytes(label);
}

// nullopt: of no known section.
std::optional<MaskField> read_field(cdp::ByteReader& in) {
    MaskField field;
    const auto section = in.u8();
    field.withheld = in.u8() != 0;
    field.within = in.bytes();
    field.name = in.bytes();
    field.form = in.bytes();
    for (auto left = in.u16(); left > 0 && in.ok(); --left) field.labels.emplace_back(in.bytes());
    if (section > static_cast<std::uint8_t>(Section::routes)) return std::nullopt;
    field.section = static_cast<Section>(section);
    return field;
}

std::size_t bytes_of(const MaskField& field) {
    cdp::ByteWriter out;
    write_field(out, field);
    return out.str().size();
}

void sort_unique(auto& items) {
    std::ranges::sort(items);
    const auto [first, last] = std::ranges::unique(items);
    items.erase(first, last);
}

// One subject's fields, as one mask or, when they are many, several.
void add_subject(const cdp::Token& home, std::span<Listing> listings,
                 std::vector<SubjectMask>& out) {
    SubjectMask whole{.kind = SubjectMask::Kind::identifier, .id = home.bytes};
    for (Listing& listing : listings) {
        std::ranges::sort(listing.field.labels);
        whole.mask.push_back(std::move(listing.field));
        if (listing.evidence) whole.evidence.push_back(*listing.evidence);
    }
    sort_unique(whole.mask);
    sort_unique(whole.evidence);
    std::size_t bytes = 0;
    SubjectMask part{.kind = whole.kind, .id = whole.id, .mask = {}, .evidence = whole.evidence};
    for (MaskField& field : whole.mask) {
        const auto more = bytes_of(field);
        if (!part.mask.empty() && bytes + more > kMaskBytesMax) {
            out.push_back(part);
            part.mask.clear();
            bytes = 0;
        }
        bytes += more;
        part.mask.push_back(std::move(field));
    }
    out.push_back(std::move(part));
}

void write_subject(cdp::ByteWriter& out, const SubjectMask& subject) {
    out.u8(static_cast<std::uint8_t>(subject.kind));
    out.raw({reinterpret_cast<const char*>(subject.id.data()), subject.id.size()});
    out.bytes(encode(subject.mask));
    out.u32(static_cast<std::uint32_t>(subject.evidence.size()));
    for (const auto& id : subject.evidence) out.raw(id.view());
}

cdp::Result<SubjectMask> read_subject(cdp::ByteReader& in) {
    SubjectMask subject;
    const auto kind = in.u8();
    subject.id = in.id<cdp::Token>().bytes;
    subject.mask = CDP_TRY(decode_mask(in.bytes()));
    for (auto left = in.u32(); left > 0 && in.ok(); --left)
        subject.evidence.push_back(in.id<cdp::RecordId>());
    if (kind > static_cast<std::uint8_t>(SubjectMask::Kind::nobody))
        return damaged("a subject is of no known kind");
    subject.kind = static_cast<SubjectMask::Kind>(kind);
    return subject;
}

}  // namespace

std::string_view to_string(Section value) {
    return kSections.name(value);
}
std::string_view to_string(BatchKind value) {
    return kKinds.name(value);
}

EntryType entry_type(BatchKind value) {
    switch (value) {
        case BatchKind::release: return EntryType::disclosures;
        case BatchKind::access: return EntryType::access_log;
        case BatchKind::gap: return EntryType::gap;
    }
    return EntryType::gap;
}

std::string encode(const Mask& mask) {
    cdp::ByteWriter out;
    out.u8(kFormat).u32(static_cast<std::uint32_t>(mask.size()));
    for (const MaskField& field : mask) write_field(out, field);
    return out.take();
}

cdp::Result<Mask> decode_mask(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    const auto format = in.u8();
    Mask mask;
    for (auto left = in.u32(); left > 0 && in.ok(); --left) {
        auto field = read_field(in);
        if (!field) return damaged("a mask names no known section");
        mask.push_back(std::move(*field));
    }
    if (format != kFormat || !in.done()) return damaged("a mask has another form");
    return mask;
}

MaskId mask_id(std::string_view encoded) {
    const auto hash =
        sha256(cdp::ByteWriter().raw("cdp-disclosure/mask/v1").u8(0).bytes(encoded).take());
    return MaskId::from(view(hash));
}

std::vector<SubjectMask> subjects_of(std::vector<Listing> listings,
                                     std::vector<cdp::PersonId> persons) {
    std::ranges::stable_sort(listings, {}, &Listing::home);
    std::vector<SubjectMask> out;
    const std::span<Listing> all(listings);
    for (std::size_t begin = 0; begin < all.size();) {
        std::size_t end = begin;
        while (end < all.size() && all[end].home == all[begin].home) ++end;
        add_subject(all[begin].home, all.subspan(begin, end - begin), out);
        begin = end;
    }
    sort_unique(persons);
    for (const auto& person : persons)
        out.push_back({.kind = SubjectMask::Kind::person,
                       .id = person.bytes,
                       .mask = {{.section = Section::persons, .name = "person", .form = "raw"}}});
    return out;
}

std::string encode(const Disclosure& disclosure) {
    cdp::ByteWriter out;
    out.u8(kFormat).bytes(disclosure.purpose).raw(disclosure.decision.view());
    out.u64(disclosure.ledger_size);
    out.u32(static_cast<std::uint32_t>(disclosure.subjects.size()));
    for (const SubjectMask& subject : disclosure.subjects) write_subject(out, subject);
    return out.take();
}

cdp::Result<Disclosure> decode_disclosure(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    const auto format = in.u8();
    Disclosure disclosure;
    disclosure.purpose = in.bytes();
    disclosure.decision = in.id<DecisionId>();
    disclosure.ledger_size = in.u64();
    for (auto left = in.u32(); left > 0 && in.ok(); --left)
        disclosure.subjects.push_back(CDP_TRY(read_subject(in)));
    if (format != kFormat || !in.done()) return damaged("a disclosure has another form");
    return disclosure;
}

std::string leaf_entry(const DisclosureRow& row) {
    cdp::ByteWriter out;
    out.raw({reinterpret_cast<const char*>(row.salt.data()), row.salt.size()});
    out.raw(row.subject.view()).raw(row.mask.view()).raw(row.decision.view()).u32(row.count);
    out.i64(cdp::milliseconds_of(row.first)).i64(cdp::milliseconds_of(row.last));
    return out.take();
}

std::optional<DisclosureRow> decode_leaf_entry(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    DisclosureRow row;
    row.salt = in.id<cdp::Token>().bytes;
    row.subject = in.id<cdp::Token>();
    row.mask = in.id<MaskId>();
    row.decision = in.id<DecisionId>();
    row.count = in.u32();
    row.first = cdp::timestamp_of(in.i64());
    row.last = cdp::timestamp_of(in.i64());
    return in.done() ? std::optional(row) : std::nullopt;
}

std::string encode(const Batch& batch) {
    cdp::ByteWriter out;
    out.u8(kFormat).u64(batch.number).u8(static_cast<std::uint8_t>(batch.kind));
    for (const auto* text : {&batch.role, &batch.reader, &batch.channel, &batch.recipient,
                             &batch.country, &batch.purpose})
        out.bytes(*text);
    out.i64(cdp::milliseconds_of(batch.first)).i64(cdp::milliseconds_of(batch.last));
    out.u64(batch.ledger_size).u32(batch.rows);
    out.u32(static_cast<std::uint32_t>(batch.withheld.size()));
    for (const auto& [reason, times] : batch.withheld) out.bytes(reason).u64(times);
    out.raw(view(batch.root));
    return out.take();
}

cdp::Result<Batch> decode_batch(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    const auto format = in.u8();
    Batch batch;
    batch.number = in.u64();
    const auto kind = read_enum(in, BatchKind::gap);
    for (auto* text : {&batch.role, &batch.reader, &batch.channel, &batch.recipient, &batch.country,
                       &batch.purpose})
        *text = in.bytes();
    batch.first = cdp::timestamp_of(in.i64());
    batch.last = cdp::timestamp_of(in.i64());
    batch.ledger_size = in.u64();
    batch.rows = in.u32();
    for (auto left = in.u32(); left > 0 && in.ok(); --left) {
        std::string reason(in.bytes());
        batch.withheld[std::move(reason)] = in.u64();
    }
    const auto root = in.raw(batch.root.size());
    if (format != kFormat || !kind || !in.done()) return damaged("a batch has another form");
    batch.kind = *kind;
    std::ranges::copy(root, batch.root.begin());
    return batch;
}

}  // namespace consent
