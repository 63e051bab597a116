#include "cdp/suppressions.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cdp/facts.h"
#include "cdp/named.h"
#include "cdp/named_contacts.h"
#include "cdp/refuse.h"
#include "cdp/spellings.h"
#include "cdp/texts.h"
#include "cdp/told_erasures.h"
#include "consent/entry.h"
#include "identity/assertion.h"
#include "storage/contended.h"
#include "storage/random.h"

namespace cdp {
namespace {

constexpr int kRacesMax = 100;
constexpr std::size_t kAtOnce = 100;  // in one commit

Result<void> check_note(std::string_view note) {
    if (check_reason(note)) return Result<void>::ok();
    return refuse("malformed_note", "A note is one line of at most 1024 bytes of UTF-8.", "/note");
}

Error unknown() {
    return {.code = ErrorCode::not_found,
            .reason = "suppression_unknown",
            .message = "There is no such suppression."};
}

Result<void> check_not_erased(storage::Transaction& transaction, const ListedSuppression& one) {
    for (const Token& token : one.tokens) {
        const auto erased = CDP_TRY(Tombstones::find(transaction, token));
        if (erased && erased->for_ever)
            return Error{.code = ErrorCode::conflict,
                         .reason = "person_erased",
                         .message =
                             "Who is suppressed was erased for ever: there is nobody left of whom "
                             "it could be revoked."};
        if (erased && erased->closing)
            return Error{.code = ErrorCode::unavailable,
                         .reason = "erasure_under_way",
                         .message = "Who is suppressed is being erased. Send it again later."};
    }
    return Result<void>::ok();
}

// It is what is said that is wrong, not the store.
bool is_refused(const Error& error) {
    return error.code == ErrorCode::invalid_argument;
}

}  // namespace

Result<std::vector<consent::Suppression>> Suppressions::of(storage::Transaction& transaction,
                                                           const Token& token) {
    std::vector<consent::Suppression> out;
    bool readable = true;
    CDP_CHECK(transaction.scan(consent::suppressions_prefix(token),
                               [&](std::string_view key, std::string_view value) {
                                   const auto one = consent::read_suppression(key, value);
                                   readable = one.has_value();
                                   if (one) out.push_back(*one);
                                   return readable;
                               }));
    if (!readable) return damaged("a suppression that cannot be read");
    return out;
}

Result<Token> Suppressions::read(const NewSuppression& one, std::string& normal) const {
    CDP_CHECK(check_note(one.note));
    normal = CDP_TRY(read_said(needs_.config, {one.type, one.value}, needs_.config.default_region,
                               NamedAt::members("/identifier")));
    return needs_.graph.token(one.type, normal);
}

// The identifier, then the hashes of the same address or number.
std::vector<Token> Suppressions::known_as(const NewSuppression& one, const Token& token,
                                          const std::string& normal) const {
    std::vector<Token> tokens = {token};
    for (const Contact& hash : hashes_of(needs_.config, needs_.vault, {one.type, normal, token}))
        tokens.push_back(hash.token);
    return tokens;
}

// What a hash is known to be of.
Result<void> Suppressions::add_plain(storage::Transaction& transaction,
                                     ListedSuppression& one) const {
    if (!is_hash(one.type)) return Result<void>::ok();
    for (const Token& token : CDP_TRY(held_behind(transaction, one.tokens.front())))
        if (std::ranges::find(one.tokens, token) == one.tokens.end()) one.tokens.push_back(token);
    return Result<void>::ok();
}

bool Suppressions::is_hash(const std::string& type) const {
    return needs_.config.types.find(type).form == identity::Form::sha256;
}

Result<SuppressionMade> Suppressions::add(People::Reading reading, const std::string& author,
                                          const NewSuppression& one, Timestamp now) const {
    std::string normal;
    const auto token = CDP_TRY(read(one, normal));
    CDP_CHECK(check_type_known(needs_.config, needs_.graph, reading.transaction, one.type, token,
                               "/identifier/type"));
    const auto scope = one.scope.value_or(consent::usual_scope(one.reason));
    for (const auto& known : CDP_TRY(suppressions_naming(reading.transaction, needs_.vault, token)))
        if (!known.revoked && known.said.scope == scope && known.said.reason == one.reason)
            return SuppressionMade{.id = known.said.id, .scope = scope, .made = false};
    const auto id =
        RecordId::from(identity::new_assertion_id(now, storage::random_bytes(8)).view());
    CDP_CHECK(make(reading, {.said = {.id = id, .reason = one.reason, .scope = scope, .from = now},
                             .type = one.type,
                             .tokens = known_as(one, token, normal),
                             .author = author,
                             .note = one.note,
                             .request = one.request,
                             .salt = consent::random_salt()}));
    return SuppressionMade{.id = id, .scope = scope, .made = true};
}

Result<void> Suppressions::make(People::Reading reading, ListedSuppression one) const {
    CDP_CHECK(add_plain(reading.transaction, one));
    CDP_CHECK(needs_.suppressed.put(one.tokens));
    if (is_of_numbers(needs_.config, one.type))
        CDP_CHECK(needs_.suppressed.put_number(reading.transaction));
    put_suppression(reading.transaction, needs_.vault, one);
    const auto bytes = encode_made(one);
    consent::append_entry(reading.transaction, needs_.vault,
                          {.type = consent::EntryType::suppression,
                           .time = one.said.from,
                           .salt = one.salt,
                           .bytes = bytes});
    return owe_to_backups(reading.transaction, reading.snapshot, needs_.vault, one);
}

Result<void> Suppressions::revoke(People::Reading reading, const ListedSuppression& one) const {
    CDP_CHECK(needs_.suppressed.put(one.tokens));
    put_suppression(reading.transaction, needs_.vault, one);
    const auto bytes = encode_revoked(one);
    consent::append_entry(reading.transaction, needs_.vault,
                          {.type = consent::EntryType::exception,
                           .time = *one.said.until,
                           .salt = one.revoked->salt,
                           .bytes = bytes});
    return owe_to_backups(reading.transaction, reading.snapshot, needs_.vault, one);
}

Result<SuppressionMade> Suppressions::suppress(const std::string& author,
                                               const NewSuppression& one) const {
    const auto each = CDP_TRY(suppress(author, std::vector<Result<NewSuppression>>{one}));
    return each.front();
}

Result<Suppressions::Each> Suppressions::suppress(
    const std::string& author, const std::vector<Result<NewSuppression>>& all) const {
    Each out;
    for (int race = 0; race < kRacesMax;) {
        if (out.size() == all.size()) return out;
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto now = needs_.clock.now();
        Each some;
        while (some.size() < kAtOnce && out.size() + some.size() < all.size()) {
            const auto& one = all[out.size() + some.size()];
            some.push_back(one ? add({*snapshot, transaction}, author, *one, now)
                               : Result<SuppressionMade>(one.error()));
            if (!some.back() && !is_refused(some.back().error())) return some.back().error();
        }
        const auto outcome = transaction.empty()
                                 ? storage::CommitOutcome{.state = storage::CommitState::ok}
                                 : storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
        if (outcome.state == storage::CommitState::conflict) {
            ++race;
            continue;
        }
        std::ranges::move(some, std::back_inserter(out));
        race = 0;
    }
    return storage::contended("send it again in a moment.");
}

Result<std::string> Suppressions::revoke(std::string_view id, const std::string& author,
                                         const std::string& reason) const {
    const auto why = CDP_TRY(required_reason(reason));
    const auto bytes = from_hex(id);
    if (!bytes || bytes->size() != sizeof(RecordId::bytes)) return unknown();
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        auto one = CDP_TRY(find_suppression(transaction, needs_.vault, RecordId::from(*bytes)));
        if (!one) return unknown();
        if (one->revoked)
            return Error{.code = ErrorCode::conflict,
                         .reason = "already_revoked",
                         .message = "That suppression was revoked before."};
        CDP_CHECK(check_not_erased(transaction, *one));
        one->said.until = needs_.clock.now();
        one->revoked = {.author = author, .reason = why, .salt = consent::random_salt()};
        CDP_CHECK(revoke({*snapshot, transaction}, *one));
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
        Looked nobody;
        if (outcome.state == storage::CommitState::ok)
            return json(*needs_.store.snapshot(), *one, nobody);
    }
    return storage::contended("nothing was revoked. Send it again in a moment.");
}

Result<bool> Suppressions::replay(const ListedSuppression& told) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto known = CDP_TRY(find_suppression(transaction, needs_.vault, told.said.id));
    if (known && (known->revoked || !told.revoked)) return false;
    if (!known) {
        auto made = told;
        made.said.until.reset();
        made.revoked.reset();
        CDP_CHECK(make(reading, made));
    }
    if (told.revoked) {
        // It may stand under more by now than the other store knew, or under less.
        auto ended = *CDP_TRY(find_suppression(transaction, needs_.vault, told.said.id));
        for (const Token& token : told.tokens)
            if (std::ranges::find(ended.tokens, token) == ended.tokens.end())
                ended.tokens.push_back(token);
        ended.said.until = told.said.until;
        ended.revoked = told.revoked;
        CDP_CHECK(revoke(reading, ended));
    }
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;
    return true;
}

Result<SuppressionsKept> suppressions_under(storage::Transaction& transaction,
                                            const identity::Graph& graph,
                                            std::span<const Token> tokens, Timestamp at) {
    SuppressionsKept kept;
    std::set<RecordId> met;
    for (const Token& token : tokens) {
        const auto stand = CDP_TRY(Suppressions::of(transaction, token));
        if (stand.empty()) continue;
        const auto node = CDP_TRY(graph.find(transaction, token));
        for (const auto& one : stand) {
            met.insert(one.id);
            kept.person =
                kept.person || (one.scope == consent::SuppressionScope::person && one.from <= at &&
                                one.in_force(at) && (!node || !node->shared));
        }
    }
    kept.count = met.size();
    return kept;
}

}  // namespace cdp
