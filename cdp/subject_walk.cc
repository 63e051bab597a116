#include "cdp/subject_walk.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "cdp/event_remnant.h"
#include "cdp/retention.h"
#include "consent/rows.h"
#include "consent/suppression.h"
#include "identity/links.h"
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
                         const Scope& scope)
    : needs_(needs),
      snapshot_(snapshot),
      transaction_(snapshot, storage::kPartition),
      reading_{snapshot_, transaction_},
      scope_(scope),
      now_(needs.clock.now()),
      names_(needs.vault, snapshot),
      others_(needs.config, needs.vault, [this](const Token& token) { return is_others(token); }) {}

Result<void> SubjectWalk::load() {
    const auto node = CDP_TRY(needs_.people.find(reading_, scope_.asked));
    person_.id = node.person();
    own_tokens_ = CDP_TRY(needs_.people.tokens_of(reading_, scope_.asked, node));
    if (scope_.members)
        joined_ = std::erase_if(own_tokens_, [&](const Token& token) {
                      return std::ranges::find(*scope_.members, token) == scope_.members->end();
                  }) > 0;
    own_ = {own_tokens_.begin(), own_tokens_.end()};
    for (const Token& token : own_tokens_) {
        const auto own = CDP_TRY(node_of(token));
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
    // What others said who joined since is not this person's to learn.
    if (!keyless_.empty() || joined_) return Result<void>::ok();
    person_.consents = CDP_TRY(needs_.people.load(reading_, scope_.asked)).consents;
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
    auto about = ",\"person\":\"" + to_hex(person_.id.view()) + '"';
    about += ",\"asked\":{" + CDP_TRY(name_of(scope_.asked)) + "}";
    tell_frame(form, about);
    tell_logic(form);
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
    tell_left_out(form);
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
    return each_event_of_person(
        attribution, person_, scope_.members, [&](const PersonEvent& one) -> Result<bool> {
            // Nothing is committed: what was read need not be remembered, of however many events.
            reads = storage::Transaction(snapshot_, storage::kPartition);
            if (!is_own(one.through.value_or(one.home))) return true;
            auto left = unexpired(one.event, one.place.time, now_, needs_.config);
            if (!left) return true;
            return visit({one.place, one.home, one.through, *std::move(left)});
        });
}

Result<void> SubjectWalk::each_held_trait(const VisitTrait& visit) const {
    return each_trait(reading_, person_, [&](const PersonMember& member, StoredTrait trait) {
        if (is_past(trait_expiry(needs_.config, trait.name, trait.time), now_))
            return Result<void>::ok();
        return visit(member, std::move(trait));
    });
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

Result<std::optional<identity::Node>> SubjectWalk::node_of(const Token& token) const {
    const auto row = CDP_TRY(snapshot_.get(identity::node_key(token)));
    if (!row) return std::optional<identity::Node>{};
    auto node = identity::decode_node(*row);
    if (!node) return damaged("a node that cannot be read");
    return node;
}

// What several people have is the person's too, if it was seen with them.
Result<bool> SubjectWalk::is_others(const Token& token) const {
    if (is_own(token)) return false;
    const auto node = CDP_TRY(node_of(token));
    if (!node || !node->active) return false;
    if (!node->shared) return true;
    bool seen = false;
    CDP_CHECK(each(Space::link, token, [&](std::string_view key, std::string_view value) {
        const auto link = identity::decode_link(key, value);
        seen = seen || (link && is_own(link->to));
        return Result<void>::ok();
    }));
    return !seen;
}

Result<std::string> SubjectWalk::name_of(const Token& token) const {
    constexpr std::size_t kToldMax = 4'096;
    if (const auto told = names_told_.find(token); told != names_told_.end()) return told->second;
    if (names_told_.size() >= kToldMax) names_told_.clear();
    const auto node = CDP_TRY(node_of(token));
    std::string name;
    if (is_own(token) || (node && node->shared)) {
        name = CDP_TRY(names_.name_of(token));
    } else {
        consent::JsonWriter out;
        if (node)
            out.text("type", node->type);
        else
            out.json("type", "null");
        name = out.json("value", "null").take();
    }
    return names_told_.emplace(token, std::move(name)).first->second;
}

Result<std::string> SubjectWalk::source(std::uint32_t hash) const {
    return needs_.sources.name(snapshot_, hash);
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
