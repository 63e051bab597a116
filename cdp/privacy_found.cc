#include "cdp/privacy_found.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/privacy_request_rows.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::KeyReader;
using storage::KeyWriter;

constexpr char kFound = 'f';
constexpr std::uint8_t kFormat = 1;
// Far more than one person can have (identity::Bounds), and a row of them fits a value.
constexpr std::size_t kMembersMax = 3'000;

std::string found_prefix(const PrivacyRequestId& id) {
    return KeyWriter(storage::Space::privacy_request, id).byte(kFound).str();
}
std::string found_key(const PrivacyRequestId& id, const Token& asked) {
    return KeyWriter(storage::Space::privacy_request, id).byte(kFound).id(asked).str();
}

// Whom a row is sealed under; nullopt: it is of another kind.
std::optional<Token> asked_in(std::string_view key) {
    KeyReader in(key);
    if (in.byte() != kFound) return std::nullopt;
    const auto asked = in.id<Token>();
    if (!in.ok() || !in.rest().empty()) return std::nullopt;
    return asked;
}

// nullopt: its key is gone.
Result<std::optional<FoundPerson>> open_found(const storage::Snapshot& snapshot,
                                              const storage::Vault& vault, const Token& asked,
                                              std::string_view row, std::string_view sealed) {
    const auto key = CDP_TRY(vault.find(snapshot, asked));
    if (!key) return std::optional<FoundPerson>{};
    const auto plain = CDP_TRY(storage::Vault::open(*key, row, sealed));
    ByteReader in(plain);
    const auto format = in.u8();
    FoundPerson out{.asked = asked, .members = {}};
    while (in.ok() && !in.done()) out.members.push_back(in.id<Token>());
    if (format != kFormat || !in.ok()) return damaged("whom a request led to cannot be read");
    return std::optional(std::move(out));
}

}  // namespace

Result<void> put_found(storage::Transaction& transaction, const storage::Vault& vault,
                       const PrivacyRequestId& id, std::span<const FoundPerson> found) {
    for (const auto& [asked, members] : found) {
        if (!CDP_TRY(is_named(transaction, id, asked))) continue;
        const auto key = CDP_TRY(vault.find_or_make(transaction, asked));
        ByteWriter out;
        out.u8(kFormat);
        for (std::size_t i = 0; i < std::min(members.size(), kMembersMax); ++i)
            out.raw(members[i].view());
        const auto row = found_key(id, asked);
        transaction.put(row, storage::Vault::seal(key, row, out.str()));
    }
    return Result<void>::ok();
}

void erase_found(storage::Transaction& transaction, const PrivacyRequestId& id,
                 const Token& asked) {
    transaction.erase(found_key(id, asked));
}

Result<std::vector<FoundPerson>> found_of(const storage::Snapshot& snapshot,
                                          const storage::Vault& vault, const PrivacyRequestId& id) {
    std::vector<FoundPerson> out;
    auto outcome = Result<void>::ok();
    const auto take = [&](std::string_view row, std::string_view sealed) -> Result<void> {
        const auto asked = asked_in(row);
        if (!asked) return damaged("whom a request led to cannot be read");
        auto one = CDP_TRY(open_found(snapshot, vault, *asked, row, sealed));
        if (one) out.push_back(*std::move(one));
        return Result<void>::ok();
    };
    CDP_CHECK(
        snapshot.scan(found_prefix(id), "", [&](std::string_view row, std::string_view sealed) {
            outcome = take(row, sealed);
            return static_cast<bool>(outcome);
        }));
    CDP_CHECK(outcome);
    return out;
}

std::optional<bool> found_opens(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                std::string_view key, std::string_view sealed) {
    const auto asked = asked_in(key);
    if (!asked) return std::nullopt;
    const auto found = open_found(snapshot, vault, *asked, key, sealed);
    return found && *found;
}

}  // namespace cdp
