#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cdp/audit_answers.h"
#include "cdp/audit_batches.h"
#include "cdp/audit_mask.h"
#include "cdp/audit_scan.h"
#include "cdp/consent_json.h"
#include "cdp/json_text.h"
#include "cdp/known_then.h"
#include "cdp/paging.h"
#include "cdp/refuse.h"
#include "consent/clocks.h"
#include "consent/fold.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;
using consent::QuietHours;
using InForce = PolicyVersions::InForce;

constexpr std::size_t kBatchesAtOnce = 100;

// Where a page ended: a row of a batch, of channels in the order of their names.
struct Place {
    std::string channel;
    Timestamp last{};  // of the batch
    std::uint64_t batch = 0;
    std::uint32_t row = 0;  // the first that was not looked at
};

std::string encode(const Place& place) {
    return ByteWriter()
        .bytes(place.channel)
        .i64(milliseconds_of(place.last))
        .u64(place.batch)
        .u32(place.row)
        .take();
}

Result<std::optional<Place>> decode_place(const std::string& bytes) {
    if (bytes.empty()) return std::optional<Place>();
    ByteReader in(bytes);
    Place place;
    place.channel = in.bytes();
    place.last = timestamp_of(in.i64());
    place.batch = in.u64();
    place.row = in.u32();
    if (!in.done()) return malformed_cursor();
    return std::optional(std::move(place));
}

bool names(const QuietHours& rule, consent::Medium medium) {
    return std::ranges::find(rule.mediums, medium) != rule.mediums.end();
}

// 2026-11-21T22:00:00.000+09:00
std::string local_json(const QuietHours& rule, Timestamp time) {
    auto text = format_time(time + rule.offset);
    text.pop_back();
    const auto minutes = rule.offset.count();
    const auto part = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    text += minutes < 0 ? '-' : '+';
    const auto size = minutes < 0 ? -minutes : minutes;
    return '"' + text + part(size / 60) + ":" + part(size % 60) + '"';
}

// Of the person's id alone nobody is written to.
bool tells_something(const consent::Mask& mask) {
    return std::ranges::any_of(mask, [](const consent::MaskField& field) {
        return !field.withheld && field.section != consent::Section::persons;
    });
}

class Nights {
public:
    Nights(const AuditSources& sources, const AuditQuery& query, People::Reading reading,
           PolicyTimes policies, AuditPage page)
        : sources_(sources),
          query_(query),
          reading_(reading),
          names_(sources.vault, reading.snapshot),
          policies_(std::move(policies)),
          masks_(sources.disclosures),
          page_(std::move(page)) {}

    Result<Shown> answer() && {
        const auto place = CDP_TRY(decode_place(page_.after()));
        for (const auto& channel : CDP_TRY(channels())) {
            if (place && channel < place->channel) continue;
            const bool within = place && channel == place->channel;
            if (!CDP_TRY(read_channel(channel, within ? place : std::nullopt))) break;
        }
        return std::move(page_).shown("disclosures");
    }

private:
    // Those whom the quiet hours of some policy of that time concern.
    Result<std::set<std::string>> channels() {
        std::set<std::string> out;
        bool known = query_.channel.empty();
        for (const auto* one : CDP_TRY(policies_.between(*query_.since, *query_.until)))
            for (const auto& channel : one->policy->channels) {
                if (!query_.channel.empty() && channel.id != query_.channel) continue;
                known = true;
                if (std::ranges::any_of(one->policy->quiet_hours, [&](const auto& rule) {
                        return names(rule, channel.medium);
                    }))
                    out.insert(channel.id);
            }
        if (!known)
            return refuse("channel_unknown", "No such channel was configured then.", "/channel");
        return out;
    }

    // False: the page is full.
    Result<bool> read_channel(const std::string& channel, const std::optional<Place>& place) {
        BatchQuery query{.since = *query_.since, .until = *query_.until, .limit = kBatchesAtOnce};
        if (place) {
            const auto batch = CDP_TRY(sources_.disclosures.batch(place->batch));
            if (!batch) return malformed_cursor();
            if (!CDP_TRY(read_batch(batch->batch, place->row))) return false;
            query.after =
                batch_of_key(channel_hash(sources_.vault, channel), place->last, place->batch);
        }
        do {
            auto batches = CDP_TRY(sources_.disclosures.of_channel(channel, query));
            for (const auto& batch : batches.batches)
                if (!CDP_TRY(read_batch(batch, 0))) return false;
            query.after = std::move(batches.next);
        } while (!query.after.empty());
        return true;
    }

    Result<bool> read_batch(const consent::Batch& batch, std::uint32_t from) {
        const auto& in_force = *CDP_TRY(policies_.at(batch.first));
        const auto* channel = in_force.policy->find_channel(batch.channel);
        const auto rules = channel ? rules_of(in_force, *channel, batch.first, batch.last)
                                   : std::vector<const QuietHours*>{};
        page_.looked_at(1);
        if (!rules.empty()) {
            const auto whole = CDP_TRY(sources_.disclosures.batch(batch.number));
            for (auto i = from; whole && i < whole->rows.size(); ++i) {
                if (page_.full()) return end_at(batch, i);
                page_.looked_at(1);
                CDP_CHECK(read_row(in_force, *channel, batch, i, whole->rows[i]));
            }
        }
        return page_.full() ? end_at(batch, batch.rows) : Result<bool>(true);
    }

    Result<bool> end_at(const consent::Batch& batch, std::uint32_t row) {
        page_.end_at(encode(Place{batch.channel, batch.last, batch.number, row}));
        return false;
    }

    static std::vector<const QuietHours*> rules_of(const InForce& in_force,
                                                   const consent::Channel& channel, Timestamp first,
                                                   Timestamp last) {
        std::vector<const QuietHours*> out;
        for (const auto& rule : in_force.policy->quiet_hours)
            if (names(rule, channel.medium) &&
                (quiet_until(rule, first) || quiet_until(rule, last) ||
                 next_turn(rule, first) <= last))
                out.push_back(&rule);
        return out;
    }

    Result<void> read_row(const InForce& in_force, const consent::Channel& channel,
                          const consent::Batch& batch, std::uint32_t index, const BatchRow& row) {
        if (row.last < *query_.since || row.first >= *query_.until) return Result<void>::ok();
        const auto rules = rules_of(in_force, channel, row.first, row.last);
        if (rules.empty()) return Result<void>::ok();
        const auto& mask = *CDP_TRY(masks_.find(row.mask));
        if (!tells_something(mask)) return Result<void>::ok();
        const auto* purpose = in_force.policy->find_purpose(batch.purpose);
        JsonList all;
        for (const auto* rule : rules)
            all.add(CDP_TRY(rule_json(*in_force.policy, *rule, batch, row)));
        if (row.subject != Token{}) page_.tell_of(row.subject);
        page_.tell(
            "{\"time\":" + time_json(row.first) + ",\"last\":" + time_json(row.last) +
            ",\"times\":" + std::to_string(row.count) +
            ",\"batch\":" + std::to_string(batch.number) + ",\"row\":" + std::to_string(index) +
            ",\"channel\":" + json_string(batch.channel) + ",\"medium\":\"" +
            std::string(to_string(channel.medium)) + "\",\"recipient\":" +
            json_string(batch.recipient) + ",\"purpose\":" + json_string(batch.purpose) +
            ",\"message_class\":" + (purpose ? json_string(to_string(purpose->sends())) : "null") +
            ",\"identifier\":{" + CDP_TRY(names_.name_of(row.subject)) +
            "},\"decision\":" + hex_json(row.decision.view()) + "," + mask_json(mask) +
            ",\"rules\":" + all.str() + "}");
        return Result<void>::ok();
    }

    Result<std::string> rule_json(const consent::Policy& policy, const QuietHours& rule,
                                  const consent::Batch& batch, const BatchRow& row) {
        const auto time = quiet_until(rule, row.first) ? row.first : row.last;
        const auto head = "{\"jurisdiction\":" + json_string(rule.jurisdiction) +
                          ",\"local_time\":" + local_json(rule, time) +
                          moment("quiet_until", quiet_until(rule, time));
        // Whose it was is erased.
        if (row.subject == Token{}) return head + ",\"known_there\":null,\"night_consent\":null}";
        const auto known = CDP_TRY(known_then({sources_.graph, sources_.people, sources_.policies},
                                              reading_, row.subject, time));
        const bool there = std::ranges::any_of(known.members, [&](const auto& member) {
            return std::ranges::any_of(member.facts, [&](const consent::Fact& fact) {
                return consent::holds_for(rule.jurisdiction, fact.jurisdiction);
            });
        });
        return head + ",\"known_there\":" + (there ? "true" : "false") + ",\"night_consent\":" +
               night_consent(policy, rule, batch, row, known.members, time) + "}";
    }

    // What was said about the night under the identifier, or by the address of the person that the
    // purpose goes to.
    static std::string night_consent(const consent::Policy& policy, const QuietHours& rule,
                                     const consent::Batch& batch, const BatchRow& row,
                                     std::vector<consent::Member> members, Timestamp time) {
        if (rule.unless_granted.empty()) return "null";
        for (auto& member : members) keep_said_by(member, time);
        consent::Topic topic{.purpose = rule.unless_granted,
                             .channel = batch.channel,
                             .now = time,
                             .self_consent_age = policy.self_consent_age};
        if (const auto* purpose = policy.find_purpose(batch.purpose))
            topic.target_types = purpose->target_types;
        const consent::Fold fold(members, topic, {});
        const auto* own = fold.find(row.subject);
        std::optional<consent::Word> word;
        if (own) word = own->word;
        if ((!word || word->reason == consent::Reason::never_asked) && fold.target_grant)
            word = fold.target_grant;
        if (fold.person_denial) word = fold.person_denial;
        if (!word || word->reason == consent::Reason::never_asked) return "null";
        return "{\"purpose\":" + json_string(rule.unless_granted) +
               ",\"granted\":" + (word->reason == consent::Reason::granted ? "true" : "false") +
               ",\"reason\":\"" + std::string(to_string(word->reason)) +
               "\",\"record\":" + (word->evidence ? hex_json(word->evidence->view()) : "null") +
               "}";
    }

    const AuditSources& sources_;
    const AuditQuery& query_;
    People::Reading reading_;
    const StoredNames names_;
    PolicyTimes policies_;
    Masks masks_;
    AuditPage page_;
};

}  // namespace

Result<Shown> audit_night(const AuditSources& sources, const AuditQuery& query) {
    if (!query.since)
        return refuse("since_required", "Say from when on, an RFC 3339 time.", "/since");
    if (!query.until)
        return refuse("until_required", "Say until when, an RFC 3339 time.", "/until");
    auto page = CDP_TRY(AuditPage::begin("night", query.page));
    CDP_CHECK(sources.disclosures.drain());
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    return Nights(sources, query, {*snapshot, transaction},
                  CDP_TRY(PolicyTimes::load(sources.policies, *snapshot)), std::move(page))
        .answer();
}

}  // namespace cdp
