#include "identity/upkeep.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "identity/damage.h"
#include "identity/links.h"
#include "storage/contended.h"
#include "storage/key.h"

namespace identity {
namespace {

// Folded in one commit; components are many rows.
constexpr std::size_t kStartsMax = 64;
constexpr int kRacesMax = 100;

// When the fold itself changes its mind about the same evidence: everything is folded anew.
constexpr std::uint8_t kFoldVersion = 2;

const cdp::Token kOwed = cdp::Token::from("owed settlements");
const cdp::Token kRules = cdp::Token::from("rules of persons");

std::string owed_prefix() {
    return storage::KeyWriter(storage::Space::meta, kOwed).str();
}

std::string owed_key(const AssertionId& id) {
    return storage::KeyWriter(storage::Space::meta, kOwed).id(id).str();
}

std::string rules_key() {
    return storage::KeyWriter(storage::Space::meta, kRules).str();
}

// Hands on tokens, each once in a row, so many at a time.
class Starts {
public:
    using Fold = std::function<cdp::Result<void>(std::span<const cdp::Token>)>;
    explicit Starts(const Fold& fold) : fold_(fold) {}

    cdp::Result<void> add(const cdp::Token& token) {
        if (!tokens_.empty() && tokens_.back() == token) return cdp::Result<void>::ok();
        tokens_.push_back(token);
        return tokens_.size() < kStartsMax ? cdp::Result<void>::ok() : flush();
    }
    cdp::Result<void> flush() {
        if (tokens_.empty()) return cdp::Result<void>::ok();
        CDP_CHECK(fold_(tokens_));
        tokens_.clear();
        return cdp::Result<void>::ok();
    }

private:
    const Fold& fold_;
    std::vector<cdp::Token> tokens_;
};

// Who was erased since it was asserted is nobody to fold, and comes back as somebody new.
cdp::Result<std::vector<cdp::Token>> known_among(const Graph& graph,
                                                 storage::Transaction& transaction,
                                                 std::span<const cdp::Token> tokens) {
    std::vector<cdp::Token> out;
    for (const auto& token : tokens)
        if (CDP_TRY(graph.find(transaction, token))) out.push_back(token);
    return out;
}

}  // namespace

Upkeep::Upkeep(storage::Store& store, const storage::Vault& vault, const Graph& graph,
               const IdentifierTypes& types, const cdp::Clock& clock, OnFolded on_folded)
    : store_(store),
      vault_(vault),
      graph_(graph),
      types_(types),
      clock_(clock),
      on_folded_(std::move(on_folded)),
      assertions_(vault) {}

void Upkeep::owe(storage::Transaction& transaction, const AssertionId& assertion) {
    transaction.put(owed_key(assertion), "");
}

cdp::Result<void> Upkeep::settle(const AssertionId& id) const {
    const auto snapshot = store_.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    if (!CDP_TRY(transaction.get(owed_key(id)))) return cdp::Result<void>::ok();
    const auto assertion = CDP_TRY(assertions_.find(transaction, id));
    if (!assertion) return damaged("an owed assertion that is not there");
    return settle(*assertion);
}

cdp::Result<void> Upkeep::settle(const Assertion& assertion) const {
    std::unordered_set<cdp::Token> done;
    const Cause cause{Cause::What::assertion, clock_.now(), assertion.id};
    CDP_CHECK(each_start(assertion, [&](std::span<const cdp::Token> start) {
        return fold_around(start, cause, done);
    }));
    return write(owed_key(assertion.id), {});
}

// Every identifier whose component the assertion can change.
cdp::Result<void> Upkeep::each_start(
    const Assertion& assertion,
    const std::function<cdp::Result<void>(std::span<const cdp::Token>)>& fold) const {
    const auto snapshot = store_.snapshot();
    Starts starts(fold);
    std::optional<cdp::Error> error;
    const auto each_link = [&](const std::string& prefix, const auto& visit) -> cdp::Result<void> {
        CDP_CHECK(snapshot->scan(prefix, "", [&](std::string_view key, std::string_view value) {
            const auto link = decode_link(key, value);
            const auto kept = link ? visit(*link) : damaged("a link that cannot be read");
            if (!kept) error = kept.error();
            return !error;
        }));
        if (error) return *error;
        return cdp::Result<void>::ok();
    };
    for (const auto& token : assertion.identifiers) CDP_CHECK(starts.add(token));
    // What is concluded from an identifier concerns whoever was seen with it.
    if (assertion.kind == AssertionKind::block || assertion.kind == AssertionKind::shared)
        CDP_CHECK(each_link(link_prefix(assertion.identifiers.front()),
                            [&](const StoredLink& link) { return starts.add(link.to); }));
    if (assertion.of_source())
        CDP_CHECK(each_link(storage::space_prefix(storage::Space::link),
                            [&](const StoredLink& link) -> cdp::Result<void> {
                                if (assertion.range.days_of(link.row) == 0)
                                    return cdp::Result<void>::ok();
                                return starts.add(link.from);
                            }));
    return starts.flush();
}

cdp::Result<void> Upkeep::fold_around(std::span<const cdp::Token> start, const Cause& cause,
                                      std::unordered_set<cdp::Token>& done) const {
    std::vector<cdp::Token> left;
    std::ranges::copy_if(start, std::back_inserter(left),
                         [&](const auto& token) { return !done.contains(token); });
    for (int race = 0; race < kRacesMax && !left.empty(); ++race) {
        const auto snapshot = store_.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto known = CDP_TRY(known_among(graph_, transaction, left));
        const auto folded = CDP_TRY(graph_.settle_afresh(transaction, known, cause));
        if (on_folded_) CDP_CHECK(on_folded_(*snapshot, transaction, folded, cause));
        if (!transaction.empty()) {
            const auto outcome = storage::commit_and_wait(store_, std::move(transaction));
            if (outcome.state == storage::CommitState::conflict) continue;
            if (outcome.state == storage::CommitState::unknown) return outcome.error;
        }
        done.insert(folded.begin(), folded.end());
        return cdp::Result<void>::ok();
    }
    if (left.empty()) return cdp::Result<void>::ok();
    return storage::contended("what was asserted stands and takes effect with the next start.");
}

cdp::Result<Progress> Upkeep::catch_up(const Report& report) const {
    Progress progress;
    if (!CDP_TRY(follows_rules())) {
        CDP_CHECK(fold_everything(report, progress));
        CDP_CHECK(note_rules());
    }
    for (const auto& id : CDP_TRY(owed())) CDP_CHECK(settle(id));
    return progress;
}

cdp::Result<std::vector<AssertionId>> Upkeep::owed() const {
    std::vector<AssertionId> out;
    CDP_CHECK(
        store_.snapshot()->scan(owed_prefix(), "", [&](std::string_view key, std::string_view) {
            out.push_back(storage::KeyReader(key).id<AssertionId>());
            return true;
        }));
    return out;
}

cdp::Result<bool> Upkeep::follows_rules() const {
    return CDP_TRY(store_.snapshot()->get(rules_key())) == fingerprint();
}

cdp::Result<bool> Upkeep::follows_other_rules() const {
    const auto noted = CDP_TRY(store_.snapshot()->get(rules_key()));
    return noted && *noted != fingerprint();
}

cdp::Result<void> Upkeep::note_rules() const {
    return write(rules_key(), fingerprint());
}

cdp::Result<void> Upkeep::fold_everything(const Report& report, Progress& progress) const {
    const auto snapshot = store_.snapshot();
    const auto before = CDP_TRY(storage::log_size(*snapshot, change_log()));
    std::unordered_set<cdp::Token> done;
    const Cause cause{Cause::What::rules, clock_.now(), {}};
    const Starts::Fold fold = [&](std::span<const cdp::Token> start) -> cdp::Result<void> {
        progress.identifiers += start.size();
        CDP_CHECK(fold_around(start, cause, done));
        progress.changed = CDP_TRY(storage::log_size(*store_.snapshot(), change_log())) - before;
        if (report && !report(progress))
            return cdp::Error{.code = cdp::ErrorCode::unavailable,
                              .reason = "stopped",
                              .message = "Folding everything was stopped; it starts anew."};
        return cdp::Result<void>::ok();
    };
    Starts starts(fold);
    std::optional<cdp::Error> error;
    CDP_CHECK(snapshot->scan(storage::space_prefix(storage::Space::node), "",
                             [&](std::string_view key, std::string_view) {
                                 const auto added = starts.add(
                                     cdp::Token::from(key.substr(storage::kGroupBytes - 16, 16)));
                                 if (!added) error = added.error();
                                 return !error;
                             }));
    if (error) return *error;
    return starts.flush();
}

cdp::Result<void> Upkeep::write(std::string key, std::optional<std::string> value) const {
    const auto snapshot = store_.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    if (value)
        transaction.put(std::move(key), std::move(*value));
    else
        transaction.erase(std::move(key));
    const auto outcome = storage::commit_and_wait(store_, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;
    return cdp::Result<void>::ok();
}

// Of everything in the configuration that the fold reads.
std::string Upkeep::fingerprint() const {
    cdp::ByteWriter text;
    text.u8(kFoldVersion).u16(kExternalAccountsMax).u32(kNeighboursMax);
    text.u32(graph_.bounds().identifiers).u32(graph_.bounds().links);
    for (const auto& [name, type] : types_.all())
        text.bytes(name)
            .u8(static_cast<std::uint8_t>(type.link_class))
            .u8(type.unique)
            .u16(type.shared_at_accounts)
            .u16(type.contacts_max)
            .u16(type.cookies_max)
            .u16(type.limit)
            .u16(type.limit_window_days);
    return std::string(vault_.hash<cdp::Token>("identity rules", text.str()).view());
}

}  // namespace identity
