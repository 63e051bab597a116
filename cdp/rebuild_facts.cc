#include "cdp/rebuild_facts.h"

#include <algorithm>

#include "cdp/event_remnant.h"
#include "cdp/facts.h"
#include "cdp/filing.h"
#include "cdp/sightings.h"
#include "cdp/tombstones.h"
#include "cdp/trait_rows.h"
#include "identity/assertion.h"
#include "identity/upkeep.h"

namespace cdp {

using storage::Space;

Retelling::Retelling(const Rebuild::Needs& needs, const storage::Snapshot& facts,
                     const RebuildReport& report, Rebuilt& out)
    : needs_(needs),
      facts_(facts),
      report_(report),
      out_(out),
      graph_(needs.scratch, needs.scratch_vault, needs.config.types),
      consents_(needs.scratch_vault),
      suppressed_(needs.scratch, needs.scratch_vault),
      people_({needs.scratch_vault, graph_, consents_, suppressed_, needs.config}),
      groups_({needs.scratch, needs.scratch_vault, graph_, people_}),
      corrections_(needs.scratch, needs.scratch_vault),
      writer_(needs.scratch) {}

Result<void> Retelling::run() {
    // Before any observation, which reads what is asserted.
    CDP_CHECK(copy(Space::assertion));
    CDP_CHECK(copy(Space::asserted));
    CDP_CHECK(learn_erased());
    CDP_CHECK(tell_corrections());
    CDP_CHECK(tell_kept_traits());
    CDP_CHECK(tell_events());
    CDP_CHECK(tell_consents());
    CDP_CHECK(mark_asserted());
    return fold();
}

Result<void> Retelling::copy(Space space) {
    RowWalk rows(facts_, space);
    while (CDP_TRY(rows.next())) {
        writer_.at_hand().put(rows.key(), rows.value());
        CDP_CHECK(writer_.step());
    }
    return flush();
}

Result<void> Retelling::learn_erased() {
    RowWalk rows(facts_, Space::tombstone);
    while (CDP_TRY(rows.next())) {
        const auto tombstone = decode_tombstone(rows.value());
        if (!tombstone) return damaged("a tombstone that cannot be read");
        // While it is under way nothing is left out: its facts go with what they said.
        if (tombstone->closing) continue;
        const auto last = tombstone->for_ever ? Timestamp::max() : tombstone->erased;
        auto& until = erased_.try_emplace(storage::subject_in(rows.key()), last).first->second;
        until = std::max(until, last);
    }
    return Result<void>::ok();
}

// Other people's events may name who was erased.
void Retelling::leave_out_erased(identity::Observation& seen) const {
    if (erased_.empty()) return;
    leave_out(seen, [&](const Token& token) {
        const auto at = erased_.find(token);
        return at != erased_.end() && seen.time <= at->second;
    });
}

// Before the events, which they refuse values of.
Result<void> Retelling::tell_corrections() {
    RowWalk rows(facts_, Space::corrected);
    while (CDP_TRY(rows.next())) {
        const auto home = storage::subject_in(rows.key());
        const auto key = CDP_TRY(needs_.vault.find(facts_, home));
        if (!key) continue;  // nobody can read it any more, as what else is filed there
        const auto corrected = CDP_TRY(open_corrected(*key, rows.key(), rows.value()));
        auto& transaction = writer_.at_hand();
        const auto own = CDP_TRY(needs_.scratch_vault.find_or_make(transaction, home));
        CDP_CHECK(corrections_.put(transaction, own, home, corrected));
        if (corrected.right)
            CDP_CHECK(keep_latest(
                transaction, own,
                trait_key(home, needs_.scratch_vault.hash<TraitName>("trait", corrected.name)),
                *corrected.right));
        CDP_CHECK(writer_.step());
    }
    return flush();
}

// Traits that no event says any more, since it has expired, are facts. Before the events: of what
// says the same they are what stays.
Result<void> Retelling::tell_kept_traits() {
    for (const auto space : {Space::trait, Space::group_trait}) CDP_CHECK(tell_traits_in(space));
    return flush();
}

Result<void> Retelling::tell_traits_in(Space space) {
    RowWalk rows(facts_, space);
    while (CDP_TRY(rows.next())) {
        const auto subject = storage::subject_in(rows.key());
        const auto key = CDP_TRY(needs_.vault.find(facts_, subject));
        if (!key) continue;  // without one it is extra
        const auto plain = storage::Vault::open(*key, rows.key(), rows.value());
        const auto trait = plain ? decode_trait(*plain) : std::nullopt;
        if (!trait || trait->tellers.empty()) continue;
        const auto own = CDP_TRY(needs_.scratch_vault.find_or_make(writer_.at_hand(), subject));
        CDP_CHECK(keep_latest(writer_.at_hand(), own, rows.key(), *trait));
        CDP_CHECK(step("traits", 1));
    }
    return Result<void>::ok();
}

Result<void> Retelling::tell_events() {
    RowWalk rows(facts_, Space::event);
    while (CDP_TRY(rows.next())) {
        const auto event = CDP_TRY(open_event(rows.key(), rows.value()));
        CDP_CHECK(tell(event));
        const auto [source, fresh] = sources_.try_emplace(event.stored.source, event.stored.trust);
        if (!fresh) source->second = std::min(source->second, event.stored.trust);
        ++out_.events;
        CDP_CHECK(step("events", out_.events));
    }
    return flush();
}

Result<Retelling::EventRow> Retelling::open_event(std::string_view key, std::string_view sealed) {
    EventRow row;
    row.home = storage::subject_in(key);
    storage::KeyReader in(key);
    row.time = in.newest_first();
    row.id = in.id<EventId>();
    if (!key_ || key_of_ != row.home) {
        key_of_ = row.home;
        key_ = CDP_TRY(needs_.vault.find(facts_, row.home));
    }
    if (!key_) return damaged("an event whose identifier has no key");
    auto event = decode_event(CDP_TRY(storage::Vault::open(*key_, key, sealed)));
    if (!event || !in.ok()) return damaged("an event that cannot be read");
    row.stored = std::move(*event);
    return row;
}

// An event stays where it was filed, also when today's rules would file it elsewhere.
Result<void> Retelling::tell(const EventRow& row) {
    auto event = read_again(row.stored, needs_.config);
    identity::Observation seen;
    if (event) {
        event->time = row.time;
        event->received = row.stored.received;
        seen = observation_of(*event, source_hash_of(needs_.vault, row.stored.source), graph_,
                              needs_.config.types);
        leave_out_erased(seen);
        const auto home = std::ranges::find(seen.sightings, row.home, &identity::Sighting::token);
        if (home == seen.sightings.end())
            event.reset();
        else
            std::rotate(seen.sightings.begin(), home, home + 1);
    }
    if (!event) {
        ++out_.unread;
        seen = {.sightings = {CDP_TRY(known(row.home))},
                .time = row.time,
                .received = row.stored.received};
    }
    const auto retracted = CDP_TRY(identity::Assertions::retracted(writer_.at_hand(), row.id));
    seen.retracted = retracted && !stands_for_several(row.stored);
    const auto observed = CDP_TRY(observe(seen));
    if (!event) return Result<void>::ok();
    const Filing filing{*event,         row.id,           row.home,
                        seen.sightings, row.stored.trust, row.stored.source};
    return file_folds(writer_.at_hand(), {needs_.scratch_vault, corrections_}, groups_,
                      observed.home_key, filing);
}

// As an answer's identifiers are met when it is recorded: each by itself.
Result<void> Retelling::tell_consents() {
    const consent::Consents stored(needs_.vault);
    auto outcome = Result<void>::ok();
    const auto meet = [&](const Token& token, const consent::Record& record) -> Result<void> {
        identity::Observation met{
            .sightings = {CDP_TRY(known(token))}, .time = record.time, .received = record.received};
        CDP_TRY(observe(met));
        ++out_.consents;
        return step("consents", out_.consents);
    };
    CDP_CHECK(stored.each(facts_, [&](const Token& token, const consent::Row& row) {
        if (const auto* record = std::get_if<consent::Record>(&row)) outcome = meet(token, *record);
        return static_cast<bool>(outcome);
    }));
    CDP_CHECK(outcome);
    return flush();
}

Result<void> Retelling::mark_asserted() {
    RowWalk rows(facts_, Space::asserted);
    std::optional<Token> marked;
    while (CDP_TRY(rows.next())) {
        const auto subject = storage::subject_in(rows.key());
        if (subject == marked) continue;
        marked = subject;
        const auto key = identity::node_key(subject);
        const auto row = CDP_TRY(writer_.at_hand().get(key));
        auto node = row ? identity::decode_node(*row) : std::nullopt;
        if (!node) continue;  // of an event, or of a whole source
        node->asserted = true;
        writer_.at_hand().put(key, encode(*node));
        CDP_CHECK(writer_.step());
    }
    return flush();
}

// Nothing is noted there of rules, so that everything is folded.
Result<void> Retelling::fold() {
    const identity::Upkeep upkeep(needs_.scratch, needs_.scratch_vault, graph_, needs_.config.types,
                                  needs_.clock);
    CDP_TRY(upkeep.catch_up([&](const identity::Progress& progress) {
        if (report_) report_("identifiers", progress.identifiers);
        return true;
    }));
    return Result<void>::ok();
}

Result<identity::Observed> Retelling::observe(const identity::Observation& observation) {
    auto& transaction = writer_.at_hand();
    auto observed = CDP_TRY(graph_.observe(writer_.snapshot(), transaction, observation));
    if (observed.said) said_.push_back(std::move(*observed.said));
    return observed;
}

// An identifier by its token alone: what is stored of it names it, or an event that was told.
Result<identity::Sighting> Retelling::known(const Token& token) {
    const auto key = identity::node_key(token);
    const Opened stored{facts_, needs_.vault};
    if (const auto named = CDP_TRY(facts_.get(key)))
        if (const auto node = stored_node(*named))
            if (const auto value = CDP_TRY(stored.value_of(token, *node)))
                return identity::Sighting{{node->type, value->value, value->raw, node->link_class},
                                          token};
    auto& transaction = writer_.at_hand();
    const auto row = CDP_TRY(transaction.get(key));
    const auto node = row ? identity::decode_node(*row) : std::nullopt;
    if (!node) return damaged("an identifier that facts name and nothing describes");
    const auto own = CDP_TRY(needs_.scratch_vault.find_or_make(transaction, token));
    const auto value = CDP_TRY(identity::Graph::open(own, token, *node));
    return identity::Sighting{{node->type, value.value, value.raw, node->link_class}, token};
}

Result<void> Retelling::step(std::string_view stage, std::uint64_t rows) {
    constexpr std::uint64_t kReportEvery = 1024;
    if (report_ && rows % kReportEvery == 0) report_(stage, rows);
    return writer_.full() ? flush() : Result<void>::ok();
}

Result<void> Retelling::flush() {
    const auto version = CDP_TRY(writer_.flush());
    for (auto& said : said_)
        if (version > 0) graph_.committed(std::move(said), version);
    said_.clear();
    return Result<void>::ok();
}

}  // namespace cdp
