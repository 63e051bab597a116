#include "cdp/group_rows.h"

#include "cdp/base/bytes.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;

}  // namespace

std::string group_key(const GroupId& group) {
    return storage::KeyWriter(storage::Space::group, group).str();
}

std::string group_trait_key(const GroupId& group, const TraitName& name) {
    return storage::KeyWriter(storage::Space::group_trait, group).id(name).str();
}

std::string group_member_key(const GroupId& group, const Token& home) {
    return storage::KeyWriter(storage::Space::group_member, group).id(home).str();
}

std::string group_of_key(const Token& home, const GroupId& group) {
    return storage::KeyWriter(storage::Space::group_of, home).id(group).str();
}

Token subject_of(const GroupId& group) {
    return Token{group.bytes};
}

std::string encode(const DaySpan& days) {
    ByteWriter out;
    out.u8(kFormat)
        .u32(static_cast<std::uint32_t>(days.first))
        .u32(static_cast<std::uint32_t>(days.last));
    return out.take();
}

std::string encode_group_id(std::string_view normal_form) {
    ByteWriter out;
    out.u8(kFormat).raw(normal_form);
    return out.take();
}

std::optional<DaySpan> decode_days(std::string_view bytes) {
    ByteReader in(bytes);
    if (in.u8() != kFormat) return std::nullopt;
    const auto first = static_cast<std::int32_t>(in.u32());
    const auto last = static_cast<std::int32_t>(in.u32());
    if (!in.done() || first > last) return std::nullopt;
    return DaySpan{first, last};
}

std::optional<std::string> decode_group_id(std::string_view bytes) {
    ByteReader in(bytes);
    if (in.u8() != kFormat || in.rest().empty()) return std::nullopt;
    return std::string(in.rest());
}

}  // namespace cdp
