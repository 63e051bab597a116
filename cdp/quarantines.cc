#include "cdp/quarantines.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cdp/assertion_request.h"
#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/paging.h"
#include "cdp/quarantine_rows.h"
#include "cdp/refuse.h"
#include "cdp/texts.h"
#include "consent/entry.h"
#include "consent/json_string.h"
#include "identity/node.h"
#include "storage/contended.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;
using identity::AssertionId;

constexpr std::uint8_t kFormat = 1;
constexpr int kRacesMax = 100;
constexpr std::string_view kQuestion = "quarantines";
constexpr std::size_t kLookedAtMax = 2'000;  // for one page

// The person that an identifier is of; by itself when it counts for nobody.
Token person_of(const identity::Node& node, const Token& token) {
    return node.active && node.placed() ? node.anchor : token;
}

// What the ledger's entry of a release commits to.
std::string said_of(const AssertionId& assertion, const Quarantines::Released& released) {
    return ByteWriter()
        .u8(kFormat)
        .bytes("quarantine released")
        .raw(assertion.view())
        .bytes(released.author)
        .bytes(released.reason)
        .i64(milliseconds_of(released.time))
        .take();
}

}  // namespace

Quarantines::Quarantines(Needs needs)
    : needs_(needs), key_(needs.vault.own_key("quarantines")), assertions_(needs.vault) {}

Result<void> Quarantines::note(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                               std::span<const Token> folded, const identity::Cause& cause) const {
    if (cause.what != identity::Cause::What::assertion) return Result<void>::ok();
    // What is revoked was never said: whom it had joined are what they were before.
    const auto assertion = CDP_TRY(assertions_.find(transaction, cause.assertion));
    if (!assertion || assertion->revoked) return Result<void>::ok();
    std::set<Token> before;
    for (const auto& token : folded) {
        const auto row = CDP_TRY(snapshot.get(identity::node_key(token)));
        const auto node = row ? identity::decode_node(*row) : std::nullopt;
        const auto now = CDP_TRY(needs_.graph.find(transaction, token));
        if (!node || !node->active || !node->placed() || !now) continue;
        if (person_of(*now, token) != node->anchor) before.insert(node->anchor);
    }
    Quarantine more{.assertion = cause.assertion, .since = cause.time};
    for (const auto& anchor : before) {
        const auto members = CDP_TRY(members_before(snapshot, anchor));
        if (!CDP_TRY(is_split(transaction, members))) continue;
        auto refusing = CDP_TRY(this->refusing(snapshot, transaction, members));
        if (refusing.empty()) continue;
        ++more.persons;
        more.identifiers += static_cast<std::uint32_t>(members.size());
        more.refusing += static_cast<std::uint32_t>(refusing.size());
        write_split(transaction, {cause.assertion, anchor, cause.time, members, refusing});
    }
    if (more.persons == 0) return Result<void>::ok();
    return add(transaction, more);
}

Result<std::vector<Token>> Quarantines::members_before(const storage::Snapshot& snapshot,
                                                       const Token& anchor) const {
    std::vector<Token> out;
    CDP_CHECK(snapshot.scan(storage::KeyWriter(storage::Space::member, anchor).str(), "",
                            [&](std::string_view key, std::string_view) {
                                out.push_back(storage::KeyReader(key).id<Token>());
                                return true;
                            }));
    return out;
}

// A new name for all of them is no split.
Result<bool> Quarantines::is_split(storage::Transaction& transaction,
                                   std::span<const Token> members) const {
    std::set<Token> persons;
    for (const auto& token : members) {
        const auto node = CDP_TRY(needs_.graph.find(transaction, token));
        if (!node) return damaged("a member without its node");
        persons.insert(person_of(*node, token));
    }
    return persons.size() > 1;
}

// Whoever refused for themselves alone closes nothing to the others.
Result<std::vector<Token>> Quarantines::refusing(const storage::Snapshot& snapshot,
                                                 storage::Transaction& transaction,
                                                 std::span<const Token> members) const {
    std::vector<Token> out;
    for (const auto& token : members) {
        const auto said = CDP_TRY(needs_.consents.load(snapshot, transaction, token));
        const auto refuses = [](const consent::Fact& fact) {
            return consent::is_denial(fact.state) && fact.scope == consent::Scope::person;
        };
        const auto suppresses = [](const consent::Suppression& one) {
            return !one.until && one.scope == consent::SuppressionScope::person;
        };
        if (std::ranges::any_of(said.facts, refuses) ||
            std::ranges::any_of(said.suppressions, suppresses))
            out.push_back(token);
    }
    return out;
}

// A second split by the same assertion opens what was released again.
Result<void> Quarantines::add(storage::Transaction& transaction, const Quarantine& more) const {
    auto all = more;
    if (const auto earlier = CDP_TRY(find(transaction, more.assertion))) {
        all.since = earlier->since;
        all.persons += earlier->persons;
        all.identifiers += earlier->identifiers;
        all.refusing += earlier->refusing;
    }
    write(transaction, all);
    return open_quarantine(transaction, more.assertion);
}

void Quarantines::write(storage::Transaction& transaction, const Quarantine& quarantine) const {
    ByteWriter out;
    out.u8(kFormat).i64(milliseconds_of(quarantine.since));
    out.u32(quarantine.persons).u32(quarantine.identifiers).u32(quarantine.refusing);
    out.u8(quarantine.released ? 1 : 0);
    if (const auto& released = quarantine.released) {
        out.bytes(released->author).bytes(released->reason);
        out.i64(milliseconds_of(released->time)).raw(consent::view(released->salt));
    }
    auto key = quarantine_key(quarantine.assertion);
    auto sealed = storage::Vault::seal(key_, key, out.take());
    transaction.put(std::move(key), std::move(sealed));
}

namespace {

Result<Quarantines::Quarantine> open_quarantine(const storage::SubjectKey& with,
                                                std::string_view key, std::string_view sealed) {
    const auto plain = CDP_TRY(storage::Vault::open(with, key, sealed));
    ByteReader in(plain);
    const auto format = in.u8();
    Quarantines::Quarantine out{.assertion = storage::KeyReader(key).id<AssertionId>()};
    out.since = timestamp_of(in.i64());
    out.persons = in.u32();
    out.identifiers = in.u32();
    out.refusing = in.u32();
    if (in.u8() != 0) {
        Quarantines::Released released;
        released.author = in.bytes();
        released.reason = in.bytes();
        released.time = timestamp_of(in.i64());
        std::ranges::copy(in.raw(released.salt.size()), released.salt.begin());
        out.released = std::move(released);
    }
    if (!in.done() || format != kFormat) return damaged("a quarantine that cannot be read");
    return out;
}

}  // namespace

Result<Quarantines::Quarantine> Quarantines::open(std::string_view key,
                                                  std::string_view sealed) const {
    return open_quarantine(key_, key, sealed);
}

Result<void> each_release_commitment(
    const storage::Snapshot& snapshot, const storage::Vault& vault,
    const std::function<bool(const AssertionId&, const std::optional<consent::Sha256>&)>& visit) {
    const auto with = vault.own_key("quarantines");
    return snapshot.scan(
        quarantines_prefix(), "", [&](std::string_view key, std::string_view sealed) {
            const auto one = open_quarantine(with, key, sealed);
            if (!one) return visit(storage::KeyReader(key).id<AssertionId>(), std::nullopt);
            if (!one->released) return true;
            return visit(one->assertion,
                         consent::commitment(consent::EntryType::exception, one->released->salt,
                                             said_of(one->assertion, *one->released)));
        });
}

Result<std::optional<Quarantines::Quarantine>> Quarantines::find(
    storage::Transaction& transaction, const AssertionId& assertion) const {
    const auto key = quarantine_key(assertion);
    const auto sealed = CDP_TRY(transaction.get(key));
    if (!sealed) return std::optional<Quarantine>();
    return std::optional(CDP_TRY(open(key, *sealed)));
}

Result<void> Quarantines::end_revoked() const {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        for (const auto& id : CDP_TRY(all_open(transaction))) {
            const auto assertion = CDP_TRY(assertions_.find(transaction, id));
            if (!assertion || !assertion->revoked) continue;
            if (CDP_TRY(is_kept_apart(*snapshot, transaction, id))) continue;
            transaction.erase(quarantine_key(id));
            CDP_CHECK(close_quarantine(transaction, id));
        }
        if (transaction.empty()) return Result<void>::ok();
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return Result<void>::ok();
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("it is revoked, and what it quarantined stays so.");
}

// What is retracted by source or event may concern anybody.
Result<bool> Quarantines::is_kept_apart(const storage::Snapshot& snapshot,
                                        storage::Transaction& transaction,
                                        const AssertionId& split) const {
    auto outcome = Result<void>::ok();
    bool kept = false;
    const auto look_at = [&](const identity::Assertion& one) -> Result<void> {
        if (one.revoked || one.kind == identity::AssertionKind::must_link)
            return Result<void>::ok();
        kept = one.identifiers.empty();
        for (const auto& token : one.identifiers)
            if (!kept) kept = CDP_TRY(was_split(transaction, token, split));
        return Result<void>::ok();
    };
    CDP_CHECK(assertions_.each(snapshot, {}, [&](const identity::Assertion& one) {
        outcome = look_at(one);
        return outcome && !kept;
    }));
    CDP_CHECK(outcome);
    return kept;
}

Result<std::string> Quarantines::release(std::string_view assertion, const std::string& author,
                                         const std::string& reason) const {
    const auto id = CDP_TRY(parse_assertion_id(assertion));
    auto why = CDP_TRY(required_reason(reason));
    const Released released{author, std::move(why), needs_.clock.now(), consent::random_salt()};
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        auto quarantine = CDP_TRY(find(transaction, id));
        if (!quarantine)
            return Error{.code = ErrorCode::not_found,
                         .reason = "quarantine_unknown",
                         .message = "That assertion has quarantined nothing."};
        if (quarantine->released)
            return Error{.code = ErrorCode::conflict,
                         .reason = "already_released",
                         .message = "What that assertion quarantined was released before."};
        quarantine->released = released;
        write(transaction, *quarantine);
        CDP_CHECK(close_quarantine(transaction, id));
        const auto bytes = said_of(id, released);
        consent::append_entry(transaction, needs_.vault,
                              {.type = consent::EntryType::exception,
                               .time = released.time,
                               .salt = released.salt,
                               .bytes = bytes});
        auto answer = CDP_TRY(json(transaction, *quarantine));
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return answer;
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("nothing was released. Send it again in a moment.");
}

Result<std::string> Quarantines::json(storage::Transaction& transaction,
                                      const Quarantine& quarantine) const {
    std::string out = "{\"assertion\":\"" + to_hex(quarantine.assertion.view()) + "\"";
    if (const auto assertion = CDP_TRY(assertions_.find(transaction, quarantine.assertion)))
        out += ",\"kind\":\"" + std::string(to_string(assertion->kind)) +
               "\",\"author\":" + json_string(assertion->said.author) +
               ",\"reason\":" + json_string(assertion->said.reason);
    out += ",\"since\":\"" + format_time(quarantine.since) +
           "\",\"persons\":" + std::to_string(quarantine.persons) +
           ",\"identifiers\":" + std::to_string(quarantine.identifiers) +
           ",\"refusing\":" + std::to_string(quarantine.refusing);
    if (!quarantine.released) return out + ",\"status\":\"open\"}";
    const auto& released = *quarantine.released;
    return out +
           ",\"status\":\"released\",\"released\":{\"author\":" + json_string(released.author) +
           ",\"reason\":" + json_string(released.reason) + ",\"time\":\"" +
           format_time(released.time) + "\"}}";
}

Result<std::string> Quarantines::page(const PageQuery& query, std::string_view status) const {
    CDP_CHECK(check_limit(query.limit));
    if (!status.empty() && status != "open" && status != "released")
        return refuse("status_unknown", "The status is open or released.", "/status");
    std::string from;
    if (!query.cursor.empty()) {
        const auto after = CDP_TRY(place_in(kQuestion, query.cursor));
        if (after.size() != sizeof(AssertionId::bytes)) return malformed_cursor();
        from = quarantine_key(AssertionId::from(after)) + '\0';
    }
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    std::string list;
    std::string next = "null";
    std::size_t count = 0;
    std::size_t looked_at = 0;
    Result<void> outcome = Result<void>::ok();
    std::optional<AssertionId> last;
    const auto take = [&](std::string_view key, std::string_view sealed) -> Result<bool> {
        if (count == query.limit || looked_at == kLookedAtMax) {
            next = '"' + cursor_to(kQuestion, last->view()) + '"';
            return false;
        }
        const auto quarantine = CDP_TRY(open(key, sealed));
        ++looked_at;
        last = quarantine.assertion;
        if (!status.empty() && (status == "open") == quarantine.released.has_value()) return true;
        ++count;
        list += (list.empty() ? "" : ",") + CDP_TRY(json(transaction, quarantine));
        return true;
    };
    CDP_CHECK(snapshot->scan(quarantines_prefix(), from,
                             [&](std::string_view key, std::string_view sealed) {
                                 const auto more = take(key, sealed);
                                 if (!more) outcome = more.error();
                                 return more && *more;
                             }));
    CDP_CHECK(outcome);
    return "{\"quarantines\":[" + list + "],\"next\":" + next + "}";
}

}  // namespace cdp
