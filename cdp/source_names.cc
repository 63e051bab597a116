#include "cdp/source_names.h"

#include <string_view>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 2;
constexpr std::uint8_t kFormatOfNamesAlone = 1;

using NamesId = Id<struct NamesTag>;
const NamesId kNames = NamesId::from("names of sources");

std::string name_key(std::uint32_t source) {
    return storage::KeyWriter(storage::Space::meta, kNames).number32(source).str();
}

}  // namespace

void SourceNames::keep(storage::Transaction& transaction, const KeptSource& source) const {
    {
        const std::lock_guard lock(mutex_);
        if (stored_.contains(source.name)) return;
    }
    const auto key = name_key(source_hash_of(vault_, source.name));
    ByteWriter plain;
    plain.u8(kFormat).u8(static_cast<std::uint8_t>(source.trust)).raw(source.name);
    transaction.put(key, storage::Vault::seal(key_, key, plain.str()));
}

void SourceNames::committed(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    stored_.insert(name);
}

Result<std::optional<KeptSource>> SourceNames::find(const storage::Snapshot& snapshot,
                                                    std::uint32_t source) const {
    const auto key = name_key(source);
    const auto sealed = CDP_TRY(snapshot.get(key));
    if (!sealed) return std::optional<KeptSource>();
    const auto plain = storage::Vault::open(key_, key, *sealed);
    if (!plain) return plain.error();
    ByteReader in(*plain);
    const auto format = in.u8();
    KeptSource out;
    if (format == kFormat && in.u8() == static_cast<std::uint8_t>(Trust::server))
        out.trust = Trust::server;
    if (!in.ok() || (format != kFormat && format != kFormatOfNamesAlone))
        return damaged("the name of a source that cannot be read");
    out.name = in.rest();
    return std::optional(std::move(out));
}

Result<std::string> SourceNames::name(const storage::Snapshot& snapshot,
                                      std::uint32_t source) const {
    if (auto kept = CDP_TRY(find(snapshot, source))) return std::move(kept->name);
    ByteWriter hash;
    hash.u32(source);
    return to_hex(hash.str());
}

}  // namespace cdp
