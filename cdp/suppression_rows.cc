#include "cdp/suppression_rows.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "consent/entry.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;
const Token kAll = Token::from("all suppressions");

storage::SubjectKey key_of(const storage::Vault& vault) {
    return vault.own_key("suppressions");
}

void take_hash(ByteReader& in, consent::Sha256& hash) {
    std::ranges::copy(in.raw(hash.size()), hash.begin());
}

// False: not what encode_made wrote.
bool take_made(ByteReader& in, ListedSuppression& out) {
    const auto format = in.u8();
    out.said.id = in.id<RecordId>();
    out.type = in.bytes();
    out.tokens = {in.id<Token>()};
    const auto scope = in.u8();
    const auto reason = in.u8();
    out.said.scope = static_cast<consent::SuppressionScope>(scope);
    out.said.reason = static_cast<consent::SuppressionReason>(reason);
    out.said.from = timestamp_of(in.i64());
    out.author = in.bytes();
    out.note = in.bytes();
    if (in.u8() != 0) out.request = in.id<PrivacyRequestId>();
    return format == kFormat && scope >= 1 && scope <= 2 && reason >= 1 && reason <= 6;
}

// The row under each of its identifiers says what the list does.
Result<bool> stands(const storage::Snapshot& snapshot, const ListedSuppression& one) {
    for (const Token& token : one.tokens) {
        const auto row = CDP_TRY(snapshot.get(consent::suppression_key(token, one.said.id)));
        if (!row || *row != consent::encode(one.said)) return false;
    }
    return true;
}

}  // namespace

consent::Sha256 ListedSuppression::commitment() const {
    return consent::commitment(consent::EntryType::suppression, salt, encode_made(*this));
}

std::optional<consent::Sha256> ListedSuppression::revocation() const {
    if (!revoked) return std::nullopt;
    return consent::commitment(consent::EntryType::exception, revoked->salt, encode_revoked(*this));
}

std::string encode_made(const ListedSuppression& one) {
    ByteWriter out;
    out.u8(kFormat).raw(one.said.id.view()).bytes(one.type).raw(one.tokens.front().view());
    out.u8(static_cast<std::uint8_t>(one.said.scope));
    out.u8(static_cast<std::uint8_t>(one.said.reason));
    out.i64(milliseconds_of(one.said.from)).bytes(one.author).bytes(one.note);
    out.u8(one.request ? 1 : 0);
    if (one.request) out.raw(one.request->view());
    return out.take();
}

std::string encode_revoked(const ListedSuppression& one) {
    ByteWriter out;
    out.u8(kFormat).raw("suppression").raw(one.said.id.view());
    out.i64(milliseconds_of(one.said.until.value_or(one.said.from)));
    out.bytes(one.revoked->author).bytes(one.revoked->reason);
    return out.take();
}

std::string encode(const ListedSuppression& one) {
    ByteWriter out;
    out.raw(encode_made(one)).raw(consent::view(one.salt));
    out.u32(static_cast<std::uint32_t>(one.tokens.size() - 1));
    for (const Token& token : one.tokens | std::views::drop(1)) out.raw(token.view());
    out.u8(one.revoked ? 1 : 0);
    if (!one.revoked) return out.take();
    out.i64(milliseconds_of(*one.said.until));
    out.bytes(one.revoked->author).bytes(one.revoked->reason);
    out.raw(consent::view(one.revoked->salt));
    return out.take();
}

std::optional<ListedSuppression> decode_listed_suppression(std::string_view bytes) {
    ByteReader in(bytes);
    ListedSuppression out;
    if (!take_made(in, out)) return std::nullopt;
    take_hash(in, out.salt);
    for (auto left = in.u32(); left > 0 && in.ok(); --left) out.tokens.push_back(in.id<Token>());
    if (in.u8() != 0) {
        out.said.until = timestamp_of(in.i64());
        ListedSuppression::Revoked revoked;
        revoked.author = in.bytes();
        revoked.reason = in.bytes();
        take_hash(in, revoked.salt);
        out.revoked = std::move(revoked);
    }
    if (!in.done()) return std::nullopt;
    return out;
}

std::string suppression_list_prefix() {
    return storage::KeyWriter(storage::Space::do_not_contact, kAll).str();
}

std::string suppression_list_key(const RecordId& id) {
    return storage::KeyWriter(storage::Space::do_not_contact, kAll).id(id).str();
}

void put_suppression(storage::Transaction& transaction, const storage::Vault& vault,
                     const ListedSuppression& one) {
    auto key = suppression_list_key(one.said.id);
    auto sealed = storage::Vault::seal(key_of(vault), key, encode(one));
    transaction.put(std::move(key), std::move(sealed));
    for (const Token& token : one.tokens)
        transaction.put(consent::suppression_key(token, one.said.id), consent::encode(one.said));
}

Result<ListedSuppression> open_suppression(const storage::Vault& vault, std::string_view key,
                                           std::string_view sealed) {
    auto one = decode_listed_suppression(CDP_TRY(storage::Vault::open(key_of(vault), key, sealed)));
    if (!one) return damaged("a suppression that cannot be read");
    return std::move(*one);
}

Result<std::optional<ListedSuppression>> find_suppression(storage::Transaction& transaction,
                                                          const storage::Vault& vault,
                                                          const RecordId& id) {
    const auto key = suppression_list_key(id);
    const auto sealed = CDP_TRY(transaction.get(key));
    if (!sealed) return std::optional<ListedSuppression>{};
    return std::optional(CDP_TRY(open_suppression(vault, key, *sealed)));
}

Result<std::vector<ListedSuppression>> all_suppressions(const storage::Snapshot& snapshot,
                                                        const storage::Vault& vault) {
    std::vector<ListedSuppression> out;
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot.scan(suppression_list_prefix(), {},
                            [&](std::string_view key, std::string_view sealed) {
                                auto one = open_suppression(vault, key, sealed);
                                if (!one) outcome = one.error();
                                if (one) out.push_back(*std::move(one));
                                return static_cast<bool>(outcome);
                            }));
    CDP_CHECK(outcome);
    return out;
}

Result<std::vector<ListedSuppression>> suppressions_naming(storage::Transaction& transaction,
                                                           const storage::Vault& vault,
                                                           const Token& token) {
    std::vector<RecordId> stand;
    CDP_CHECK(transaction.scan(consent::suppressions_prefix(token),
                               [&](std::string_view key, std::string_view value) {
                                   if (const auto one = consent::read_suppression(key, value))
                                       stand.push_back(one->id);
                                   return true;
                               }));
    std::vector<ListedSuppression> out;
    for (const RecordId& id : stand) {
        auto one = CDP_TRY(find_suppression(transaction, vault, id));
        if (!one) return damaged("a suppression that is not listed");
        if (one->tokens.front() == token) out.push_back(*std::move(one));
    }
    return out;
}

namespace {

using Visit = std::function<bool(const RecordId&, const std::optional<consent::Sha256>&)>;

// Every row under an identifier is one that the list says stands there.
Result<void> each_unlisted(const storage::Snapshot& snapshot, const storage::Vault& vault,
                           const Visit& visit) {
    auto outcome = Result<void>::ok();
    const auto is_listed = [&](const Token& token, const RecordId& id) -> Result<bool> {
        const auto key = suppression_list_key(id);
        const auto sealed = CDP_TRY(snapshot.get(key));
        if (!sealed) return false;
        const auto one = open_suppression(vault, key, *sealed);
        return one && std::ranges::find(one->tokens, token) != one->tokens.end();
    };
    CDP_CHECK(snapshot.scan(storage::space_prefix(storage::Space::consent), {},
                            [&](std::string_view key, std::string_view) {
                                if (!consent::is_suppression(key)) return true;
                                storage::KeyReader in(key);
                                in.byte();
                                const auto id = in.id<RecordId>();
                                const auto listed = is_listed(storage::subject_in(key), id);
                                if (!listed) outcome = listed.error();
                                return listed && (*listed || visit(id, std::nullopt));
                            }));
    return outcome;
}

}  // namespace

Result<void> each_suppression_commitment(const storage::Snapshot& snapshot,
                                         const storage::Vault& vault, const Visit& visit) {
    auto outcome = Result<void>::ok();
    bool more = true;
    const auto look_at = [&](std::string_view key, std::string_view sealed) -> Result<bool> {
        const auto one = open_suppression(vault, key, sealed);
        const auto id = storage::KeyReader(key).id<RecordId>();
        if (!one || one->said.id != id || !CDP_TRY(stands(snapshot, *one)))
            return visit(id, std::nullopt);
        return visit(id, one->commitment()) && (!one->revoked || visit(id, one->revocation()));
    };
    CDP_CHECK(snapshot.scan(suppression_list_prefix(), {},
                            [&](std::string_view key, std::string_view sealed) {
                                const auto next = look_at(key, sealed);
                                if (!next) outcome = next.error();
                                more = next && *next;
                                return more;
                            }));
    if (!outcome || !more) return outcome;
    return each_unlisted(snapshot, vault, visit);
}

}  // namespace cdp
