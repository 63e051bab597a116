#include <algorithm>
#include <set>

#include "cdp/attribution.h"
#include "cdp/base/crash_point.h"
#include "cdp/erasure_whom.h"
#include "cdp/erasures.h"
#include "cdp/event_rows.h"
#include "cdp/facts.h"
#include "cdp/person_events.h"
#include "consent/entry.h"
#include "storage/key.h"

// Whom an erasure takes, and which events of others' identifiers; and one done again.
namespace cdp {
namespace {

// Those that name an identifier and are filed under another.
Result<std::vector<FiledEvent>> events_naming(const storage::Snapshot& snapshot,
                                              const Token& token) {
    std::vector<FiledEvent> out;
    bool readable = true;
    CDP_CHECK(snapshot.scan(storage::KeyWriter(storage::Space::pointer, token).str(), "",
                            [&](std::string_view key, std::string_view home) {
                                storage::KeyReader in(key);
                                const auto time = in.newest_first();
                                const auto id = in.id<EventId>();
                                readable = in.ok() && home.size() == sizeof(Token::bytes);
                                if (readable) out.push_back({id, Token::from(home), time});
                                return readable;
                            }));
    if (!readable) return damaged("an event's row that cannot be read");
    return out;
}

}  // namespace

// Events that go and are filed under identifiers that stay: of a person those that are theirs on
// shared ones, of an identifier those that name it. Whose they are is told by the person's own
// events, which therefore go later. In a store from before a merge they were several.
Result<std::vector<FiledEvent>> Erasures::elsewhere(People::Reading reading,
                                                    const Erasure& erasure) const {
    std::vector<FiledEvent> out;
    if (erasure.scope == ErasureScope::identifier) {
        std::set<EventId> met;
        for (const Token& token : erasure.tokens)
            for (const FiledEvent& one : CDP_TRY(events_naming(reading.snapshot, token)))
                if (!std::ranges::binary_search(erasure.tokens, one.home) &&
                    met.insert(one.id).second)
                    out.push_back(one);
        return out;
    }
    std::set<Token> anchors;
    for (const Token& token : erasure.tokens) {
        const auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
        if (!node || !node->active || !node->placed()) continue;
        if (!anchors.insert(node->anchor).second) continue;
        const auto person = CDP_TRY(needs_.people.load(reading, token));
        Attribution attribution({needs_.vault, needs_.graph, needs_.config}, reading);
        const auto* sessions_on = erasure.sessions_on ? &*erasure.sessions_on : nullptr;
        for (const FiledEvent& one : CDP_TRY(events_elsewhere(attribution, person, sessions_on)))
            if (!std::ranges::binary_search(erasure.tokens, one.home)) out.push_back(one);
    }
    return out;
}

// Who is gone when they are.
Result<std::vector<PersonId>> Erasures::persons_of(People::Reading reading,
                                                   const Erasure& erasure) const {
    std::vector<PersonId> persons;
    if (erasure.scope != ErasureScope::person) return persons;
    for (const Token& token : erasure.tokens) {
        const auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
        if (!node || !node->placed()) continue;
        if (!node->active && token != erasure.tokens.front()) continue;
        if (std::ranges::find(persons, node->person()) == persons.end())
            persons.push_back(node->person());
    }
    return persons;
}

Result<bool> Erasures::replay(const ToldErasure& told) const {
    const std::lock_guard turn(turn_);
    CDP_CHECK(check_rules(
        "Whoever was erased since is erased by the rules that persons were folded by: give the "
        "configuration that the data were served with."));
    const auto key = erasure_key(told.id);
    if (const auto sealed = CDP_TRY(needs_.store.snapshot()->get(key))) {
        auto known = CDP_TRY(open_erasure(needs_.vault, key, *sealed));
        if (known.state == Erasure::State::completed) return false;
        CDP_TRY(finish(std::move(known)));
        return true;
    }
    Erasure erasure{.id = told.id,
                    .scope = told.scope,
                    .requested = told.requested,
                    .author = told.author,
                    .tokens = told.tokens,
                    .salt = consent::random_salt()};
    std::ranges::sort(erasure.tokens);
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    CDP_CHECK(lay_tombstones(needs_.tombstones, transaction, erasure, told.behind));
    write(transaction, erasure);
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;
    crash_point("erasure_replayed");
    // Their own events cannot be asked any more when the keys have ended with an epoch.
    if (told.events) CDP_CHECK(list_events(erasure, *told.events));
    CDP_TRY(finish(std::move(erasure)));
    return true;
}

}  // namespace cdp
