#include "cdp/last_reads.h"

#include <limits>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::Section;

constexpr std::uint8_t kFormat = 1;

using SinceId = Id<struct LastReadsSinceTag>;

std::string since_key() {
    return storage::KeyWriter(storage::Space::last_read, SinceId::from("known since.....")).str();
}

// Names that apps and operators gave: they may be anything.
storage::SubjectKey own_key(const storage::Vault& vault) {
    return vault.own_key("last reads");
}

std::string key_of(const storage::Vault& vault, const LastRead& read) {
    const auto place =
        ByteWriter().u8(static_cast<std::uint8_t>(read.section)).raw(read.name).take();
    return storage::KeyWriter(storage::Space::last_read,
                              vault.hash<Token>("last read by channel", read.channel))
        .id(vault.hash<Token>("last read field", place))
        .str();
}

Result<LastRead> decode(std::string_view bytes) {
    ByteReader in(bytes);
    LastRead out;
    const auto format = in.u8();
    out.section = static_cast<Section>(in.u8());
    out.day = static_cast<std::int32_t>(in.u32());
    out.channel = in.bytes();
    out.name = in.bytes();
    if (!in.done() || format != kFormat) return damaged("a last read that cannot be read");
    return out;
}

Result<LastRead> open(const storage::Vault& vault, std::string_view key, std::string_view sealed) {
    const auto plain = CDP_TRY(storage::Vault::open(own_key(vault), key, sealed));
    return decode(plain);
}

std::string seal(const storage::Vault& vault, std::string_view key, const LastRead& read) {
    ByteWriter out;
    out.u8(kFormat).u8(static_cast<std::uint8_t>(read.section));
    out.u32(static_cast<std::uint32_t>(read.day)).bytes(read.channel).bytes(read.name);
    return storage::Vault::seal(own_key(vault), key, out.str());
}

// Of what is stored under a name: not ids, routes and that something happened.
bool has_name(const consent::MaskField& field) {
    return field.section == Section::fields || field.section == Section::identifiers ||
           field.section == Section::properties;
}

Result<std::int32_t> decode_since(std::string_view bytes) {
    ByteReader in(bytes);
    const auto day = static_cast<std::int32_t>(in.u32());
    if (!in.done()) return damaged("the beginning of last reads cannot be read");
    return day;
}

}  // namespace

Result<void> LastReads::begin(std::int32_t day, bool first_batch) {
    const auto key = since_key();
    if (CDP_TRY(transaction_.get(key))) return Result<void>::ok();
    const auto since = first_batch ? std::numeric_limits<std::int32_t>::min() : day;
    transaction_.put(key, ByteWriter().u32(static_cast<std::uint32_t>(since)).take());
    return Result<void>::ok();
}

Result<void> LastReads::note(const std::string& channel, const consent::MaskId& id,
                             std::string_view mask, std::int32_t day) {
    if (!noted_.emplace(channel, id, day).second) return Result<void>::ok();
    for (const auto& field : CDP_TRY(consent::decode_mask(mask)))
        if (!field.withheld && has_name(field))
            CDP_CHECK(keep({channel, field.section, field.name, day}));
    return Result<void>::ok();
}

Result<void> LastReads::keep(const LastRead& read) {
    const auto key = key_of(vault_, read);
    if (const auto sealed = CDP_TRY(transaction_.get(key)))
        if (CDP_TRY(open(vault_, key, *sealed)).day >= read.day) return Result<void>::ok();
    transaction_.put(key, seal(vault_, key, read));
    return Result<void>::ok();
}

Result<std::optional<std::int32_t>> last_reads_since(const storage::Snapshot& snapshot) {
    const auto bytes = CDP_TRY(snapshot.get(since_key()));
    if (!bytes) return std::optional<std::int32_t>{};
    return std::optional(CDP_TRY(decode_since(*bytes)));
}

Result<void> each_last_read(const storage::Snapshot& snapshot, const storage::Vault& vault,
                            const std::function<bool(const LastRead&)>& visit) {
    auto outcome = Result<void>::ok();
    const auto since = since_key();
    CDP_CHECK(snapshot.scan(storage::space_prefix(storage::Space::last_read), "",
                            [&](std::string_view key, std::string_view sealed) {
                                if (key == since) return true;
                                const auto read = open(vault, key, sealed);
                                if (!read) outcome = read.error();
                                return read && visit(*read);
                            }));
    return outcome;
}

}  // namespace cdp
