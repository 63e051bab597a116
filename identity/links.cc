#include "identity/links.h"

#include <bit>

#include "cdp/base/bytes.h"
#include "identity/damage.h"
#include "storage/key.h"

namespace identity {
namespace {

constexpr std::uint8_t kFormat = 1;

// Blocks sort by their first day, also those before 1970.
constexpr std::uint32_t kBias = 1U << 31;

std::int32_t block_of(std::int32_t day) {
    return day >> 6;
}

}  // namespace

LinkDays link_day(LinkClass link_class, std::int32_t day, std::uint32_t source) {
    const auto first = block_of(day) * kBlockDays;
    return {link_class, source, first, 1ULL << (day - first)};
}

LinkDays hash_equality() {
    return {LinkClass::account, kHashEquality, 0, 1};
}

std::string link_prefix(const cdp::Token& from) {
    return storage::KeyWriter(storage::Space::link, from).str();
}

std::string link_key(const cdp::Token& from, const cdp::Token& to, const LinkDays& row) {
    return storage::KeyWriter(storage::Space::link, from)
        .byte(static_cast<char>(row.link_class))
        .id(to)
        .number32(row.source)
        .number32(static_cast<std::uint32_t>(block_of(row.first_day)) ^ kBias)
        .str();
}

std::string encode_days(std::uint64_t days) {
    cdp::ByteWriter out;
    out.u8(kFormat).u64(days);
    return out.take();
}

std::optional<StoredLink> decode_link(std::string_view key, std::string_view value) {
    storage::KeyReader reader(key);
    StoredLink link;
    const auto link_class = static_cast<std::uint8_t>(reader.byte());
    link.to = reader.id<cdp::Token>();
    link.row.source = reader.number32();
    link.row.first_day = static_cast<std::int32_t>(reader.number32() ^ kBias) * kBlockDays;
    if (!reader.ok() || !reader.rest().empty()) return std::nullopt;
    if (link_class > static_cast<std::uint8_t>(LinkClass::probabilistic)) return std::nullopt;
    link.row.link_class = static_cast<LinkClass>(link_class);
    link.from = cdp::Token::from(key.substr(storage::kGroupBytes - 16, 16));
    cdp::ByteReader in(value);
    const auto format = in.u8();
    link.row.days = in.u64();
    if (!in.done() || format != kFormat || link.row.days == 0) return std::nullopt;
    return link;
}

Evidence evidence_of(const LinkDays& row) {
    const auto first = std::countr_zero(row.days);
    const auto last = 63 - std::countl_zero(row.days);
    Evidence out{row.link_class, row.first_day + first, row.first_day + last, 0, {row.source}};
    // Counted back from the last day.
    for (int bit = first; bit <= last; ++bit)
        if (row.days >> bit & 1) out.days |= 1ULL << (last - bit);
    return out;
}

cdp::Result<void> scan_links(storage::Transaction& transaction, const cdp::Token& from,
                             LinkClass weakest, const VisitLink& visit) {
    bool readable = true;
    CDP_CHECK(
        transaction.scan(link_prefix(from), [&](std::string_view key, std::string_view value) {
            const auto link = decode_link(key, value);
            readable = link.has_value();
            if (!readable || link->row.link_class > weakest) return false;
            return visit(link->to, link->row);
        }));
    if (!readable) return damaged("a link that cannot be read");
    return cdp::Result<void>::ok();
}

}  // namespace identity
