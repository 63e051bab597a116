#include "cdp/source_names.h"

#include <string_view>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;

using NamesId = Id<struct NamesTag>;
const NamesId kNames = NamesId::from("names of sources");

std::string name_key(std::uint32_t source) {
    return storage::KeyWriter(storage::Space::meta, kNames).number32(source).str();
}

}  // namespace

void SourceNames::keep(storage::Transaction& transaction, const std::string& name) const {
    {
        const std::lock_guard lock(mutex_);
        if (stored_.contains(name)) return;
    }
    const auto key = name_key(source_hash_of(vault_, name));
    ByteWriter plain;
    plain.u8(kFormat).raw(name);
    transaction.put(key, storage::Vault::seal(key_, key, plain.str()));
}

void SourceNames::committed(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    stored_.insert(name);
}

Result<std::string> SourceNames::find(const storage::Snapshot& snapshot,
                                      std::uint32_t source) const {
    const auto key = name_key(source);
    const auto sealed = CDP_TRY(snapshot.get(key));
    if (!sealed) {
        ByteWriter hash;
        hash.u32(source);
        return to_hex(hash.str());
    }
    const auto plain = storage::Vault::open(key_, key, *sealed);
    if (!plain) return plain.error();
    ByteReader in(*plain);
    if (in.u8() != kFormat) return damaged("the name of a source that cannot be read");
    return std::string(in.rest());
}

}  // namespace cdp
