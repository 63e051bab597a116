#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "storage/escrow.h"
#include "storage/store.h"
#include "storage/vault.h"

// Where keys lie outside the store: a change of epochs must reach each such place.
namespace storage {

struct KeyPlace {
    enum class Kind : std::uint8_t {
        escrow = 1,  // the keyring, sealed for `recipient`
        backup = 2,  // subject keys, wrapped as their rows are
    };

    Kind kind = Kind::escrow;
    std::string path = {};  // absolute; with the kind what names the place
    EscrowRecipient recipient{};
    // What it was last written with, of epochs; 0: it never was. A place whose highest epoch has
    // ended holds nothing that can be unwrapped any more.
    std::uint32_t lowest = 0;
    std::uint32_t highest = 0;
    cdp::Timestamp written{};
    std::string failing = {};  // why the last attempt to write it failed; empty: it did not

    friend bool operator==(const KeyPlace&, const KeyPlace&) = default;
};

// Rows are sealed: a path may name somebody.
void put_place(Transaction& transaction, const Vault& vault, const KeyPlace& place);
void forget_place(Transaction& transaction, const Vault& vault, const KeyPlace& place);
cdp::Result<std::optional<KeyPlace>> find_place(const Snapshot& snapshot, const Vault& vault,
                                                KeyPlace::Kind kind, const std::string& path);
cdp::Result<std::vector<KeyPlace>> all_places(const Snapshot& snapshot, const Vault& vault);

// The transaction conflicts with whatever registers a place, or writes one.
void watch_places(Transaction& transaction);

// Whoever keeps wrapped keys outside the store. It registers each place with put_place before it
// writes the first key there, and is asked at every change of epochs while the old one still
// unwraps.
class WrappedKeys {
public:
    virtual ~WrappedKeys() = default;

    // What must stand there instead of a row of Space::subject_key; nullopt: nothing, the subject
    // was erased since.
    using Rewrap = std::function<cdp::Result<std::optional<std::string>>(std::string_view row_key,
                                                                         std::string_view row)>;
    // Replaces every row that `place` holds, durable when it returns. May be asked again for what
    // is done. After an error the place is listed as failing, and its keys end with their epoch.
    virtual cdp::Result<void> rewrap(const KeyPlace& place, const Rewrap& rewrap) = 0;
};

// The row that a copy of one outside the store becomes.
cdp::Result<std::optional<std::string>> rewrap_copy(const Snapshot& snapshot, const Vault& vault,
                                                    std::string_view row_key, std::string_view row);

}  // namespace storage
