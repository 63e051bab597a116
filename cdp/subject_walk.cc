#include "cdp/subject_walk.h"

#include "consent/rows.h"
#include "consent/suppression.h"
#include "storage/key.h"

namespace cdp {

using storage::KeyWriter;
using storage::Space;

SubjectWalk::Asked::Asked(const SubjectWalk& walk, const consent::Purpose& for_purpose,
                          const consent::Channel& at)
    : purpose(for_purpose),
      channel(at),
      gate(walk.needs_.config.policy, walk.person_.consents,
           {.purpose = for_purpose.name, .channel = at.id, .now = walk.now_}),
      forms(walk.needs_.vault, walk.needs_.config, at.id) {}

SubjectWalk::SubjectWalk(const SubjectReports::Needs& needs, const storage::Snapshot& snapshot,
                         const Token& asked)
    : needs_(needs),
      snapshot_(snapshot),
      transaction_(snapshot, storage::kPartition),
      reading_{snapshot_, transaction_},
      asked_(asked),
      now_(needs.clock.now()),
      names_(needs.vault, snapshot) {}

Result<void> SubjectWalk::load() {
    const auto node = CDP_TRY(needs_.people.find(reading_, asked_));
    person_.id = node.person();
    own_tokens_ = CDP_TRY(needs_.people.tokens_of(reading_, asked_, node));
    own_ = {own_tokens_.begin(), own_tokens_.end()};
    for (const Token& token : own_tokens_) {
        const auto own = CDP_TRY(needs_.graph.find(transaction_, token));
        if (!own) continue;
        if (!CDP_TRY(needs_.vault.find(snapshot_, token)))
            keyless_.insert(token);
        else if (own->active)
            person_.members.push_back(CDP_TRY(needs_.people.load_member(reading_, token)));
    }
    return load_consents();
}

// What cannot be read may be a refusal: then nothing is decided.
Result<void> SubjectWalk::load_consents() {
    traits_ = CDP_TRY(held_traits(needs_.config, needs_.vault, needs_.corrections, reading_,
                                  person_, now_))
                  .traits;
    if (!keyless_.empty()) return Result<void>::ok();
    person_.consents = CDP_TRY(needs_.people.load(reading_, asked_)).consents;
    CDP_CHECK(heed_named(needs_.people, reading_, person_, traits_, now_));
    decided_ = true;
    for (const auto& purpose : needs_.config.policy.purposes)
        for (const auto& channel : needs_.config.policy.channels) {
            const Asked asked(*this, purpose, channel);
            if (!asked.gate.judge().refused()) channels_.emplace_back(*this, purpose, channel);
        }
    return Result<void>::ok();
}

Result<void> SubjectWalk::tell_all(ReportForm& form) {
    CDP_CHECK(count_unreadable());
    tell_frame(form);
    tell_purposes(form);
    CDP_CHECK(tell_identifiers(form));
    CDP_CHECK(tell_links(form));
    CDP_CHECK(tell_asserted(form));
    CDP_CHECK(tell_traits(form));
    CDP_CHECK(tell_corrections(form));
    CDP_CHECK(tell_groups(form));
    CDP_CHECK(tell_consents(form));
    CDP_CHECK(tell_suppressions(form));
    CDP_CHECK(tell_signals(form));
    CDP_CHECK(tell_decisions(form));
    CDP_CHECK(tell_disclosures(form));
    CDP_CHECK(tell_requests(form));
    CDP_CHECK(tell_erasures(form));
    tell_retention(form);
    CDP_CHECK(tell_events(form));
    tell_end(form);
    return Result<void>::ok();
}

Result<void> SubjectWalk::each(Space space, const Token& token, const Row& visit) const {
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot_.scan(KeyWriter(space, token).str(), "",
                             [&](std::string_view key, std::string_view value) {
                                 outcome = visit(key, value);
                                 return static_cast<bool>(outcome);
                             }));
    return outcome;
}

Result<void> SubjectWalk::each_event(const VisitPersonEvent& visit) const {
    storage::Transaction reads(snapshot_, storage::kPartition);
    Attribution attribution({needs_.vault, needs_.graph, needs_.config}, {snapshot_, reads});
    return each_event_of_person(attribution, person_, visit);
}

Result<void> SubjectWalk::count_unreadable() {
    const auto count = [&](std::string_view what, Space space, const Token& token,
                           std::uint64_t& held) {
        return each(space, token, [&](std::string_view key, std::string_view) {
            if (space == Space::consent && consent::is_suppression(key)) return Result<void>::ok();
            ++unreadable_[std::string(what)];
            ++held;
            return Result<void>::ok();
        });
    };
    for (const Token& token : keyless_) {
        ++unreadable_["identifiers"];
        CDP_CHECK(count("events", Space::event, token, counts_.events));
        CDP_CHECK(count("traits", Space::trait, token, counts_.traits));
        CDP_CHECK(count("consents", Space::consent, token, counts_.consents));
        CDP_CHECK(count("signals", Space::signal, token, counts_.signals));
        std::uint64_t corrections = 0;
        CDP_CHECK(count("corrections", Space::corrected, token, corrections));
    }
    return Result<void>::ok();
}

Result<std::string> SubjectWalk::name_of(const Token& token) const {
    const auto node = CDP_TRY(needs_.graph.find(transaction_, token));
    if (is_own(token) || (node && node->shared)) return names_.name_of(token);
    consent::JsonWriter out;
    if (node)
        out.text("type", node->type);
    else
        out.json("type", "null");
    return out.json("value", "null").take();
}

Result<std::string> SubjectWalk::source(std::uint32_t hash) const {
    return needs_.sources.find(snapshot_, hash);
}

void SubjectWalk::put_channels(consent::JsonWriter& out, const Pass& pass) {
    if (!decided_) return;
    out.open_list("channels");
    for (auto& asked : channels_) {
        const auto passed = pass(asked);
        const auto* kept = std::get_if<consent::Withheld>(&passed);
        const auto& decision =
            kept ? kept->decision() : std::get<consent::Released>(passed).decision();
        out.open().text("channel", asked.channel.id).text_if("recipient", asked.channel.recipient);
        out.text("purpose", asked.purpose.name).flag("may_have_it", kept == nullptr);
        out.text("reason", consent::to_string(decision.reason)).close();
    }
    out.close_list();
}

}  // namespace cdp
