#include "cdp/erasure_recipients.h"

#include <algorithm>
#include <array>

#include "cdp/base/bytes.h"
#include "cdp/disclosures.h"
#include "cdp/withdrawal_walk.h"
#include "consent/tiles.h"
#include "consent/withdrawal.h"

namespace cdp {
namespace {

RecordId record_of(const Erasure& erasure) {
    return RecordId{erasure.id.bytes};
}

bool anything_left(const Disclosed& one) {
    return one.batch.kind == consent::BatchKind::release &&
           std::ranges::any_of(one.mask, [](const auto& field) { return !field.withheld; });
}

void add_to(WasGiven& given, const Disclosed& one) {
    for (const auto& field : one.mask)
        if (!field.withheld) given.fields.insert(told_name(field));
    if (!one.batch.purpose.empty()) given.purposes.insert(one.batch.purpose);
    given.last = std::max(given.last, one.row.last);
}

Result<RecipientStatus> status_of(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                  const consent::Policy& policy, const KeptWithdrawal& notice) {
    using State = RecipientStatus::State;
    storage::Transaction transaction(snapshot, storage::kPartition);
    const std::array under{notice.under()};
    const auto acknowledged =
        CDP_TRY(find_acknowledged(transaction, vault, notice.record, notice.channel, under));
    RecipientStatus out{.state = notice.heard ? State::told : State::owed,
                        .since = notice.received,
                        .told = notice.heard};
    const auto* channel = policy.find_channel(notice.channel);
    if (channel && channel->withdrawal_seconds > 0)
        out.due = notice.received + std::chrono::seconds(channel->withdrawal_seconds);
    if (!acknowledged) return out;
    out.state = State::acknowledged;
    out.acknowledged = acknowledged->time;
    const auto commitment = acknowledged->commitment(notice.record);
    if (const auto index = CDP_TRY(snapshot.get(consent::entry_index_key(commitment))))
        out.ledger_index = ByteReader(*index).u64();
    return out;
}

}  // namespace

// One answer has a row for each identifier that it told of.
Result<GivenTo> add_recipients(Disclosures& disclosures, Erasure& erasure) {
    std::map<std::pair<std::uint64_t, consent::DecisionId>, std::uint32_t> told;
    erasure.recipients.clear();
    GivenTo out;
    for (const Token& token : erasure.tokens) {
        DisclosedQuery query{.mask = {}};
        do {
            const auto page = CDP_TRY(disclosures.of_subject(token, query));
            for (const Disclosed& one : page.rows) {
                if (!anything_left(one)) continue;
                add_to(out[{token, one.batch.channel}], one);
                auto& known = erasure.recipients[one.batch.channel];
                known.recipient = one.batch.recipient;
                known.last = std::max(known.last, one.row.last);
                auto& times = told[{one.batch.number, one.row.decision}];
                known.times += one.row.count > times ? one.row.count - times : 0;
                times = std::max(times, one.row.count);
            }
            query.after = page.next;
        } while (!query.after.empty());
    }
    return out;
}

Result<std::vector<KeptWithdrawal>> notices_of(const identity::Graph& graph,
                                               storage::Transaction& transaction,
                                               const Erasure& erasure, const GivenTo& given) {
    std::map<std::pair<PersonId, std::string>, WasGiven> by_person;
    for (const auto& [place, one] : given) {
        const auto node = CDP_TRY(graph.find(transaction, place.first));
        if (!node || !node->placed()) continue;
        auto& into = by_person[{node->person(), place.second}];
        into.purposes.insert(one.purposes.begin(), one.purposes.end());
        into.fields.insert(one.fields.begin(), one.fields.end());
        into.last = std::max(into.last, one.last);
    }
    std::vector<KeptWithdrawal> out;
    for (const auto& [place, one] : by_person)
        out.push_back({.record = record_of(erasure),
                       .person = place.first,
                       .channel = place.second,
                       .purposes = {one.purposes.begin(), one.purposes.end()},
                       .fields = one.fields,
                       .told_last = one.last,
                       .erased = erasure.scope});
    return out;
}

Result<void> tell(storage::Transaction& transaction, const storage::Vault& vault,
                  const Erasure& erasure, std::vector<KeptWithdrawal> notices) {
    if (notices.empty()) return Result<void>::ok();
    for (auto& one : notices) {
        one.time = erasure.requested;
        one.received = erasure.completed;
        CDP_CHECK(keep(transaction, vault, one));
    }
    consent::append(
        transaction,
        {.id = record_of(erasure), .time = erasure.requested, .received = erasure.completed});
    return Result<void>::ok();
}

// The clocks are those of what is open, if anything is.
void RecipientStatus::add(const RecipientStatus& other) {
    const bool open = state != State::acknowledged;
    const bool others = other.state != State::acknowledged;
    if (open == others) {
        since = std::min(since, other.since);
        if (!due || (other.due && *other.due < *due)) due = other.due;
    } else if (others) {
        since = other.since;
        due = other.due;
    }
    state = std::min(state, other.state);
    if (other.acknowledged && (!acknowledged || *acknowledged < *other.acknowledged)) {
        acknowledged = other.acknowledged;
        ledger_index = other.ledger_index;
    }
    if (other.told && (!told || *told < *other.told)) told = other.told;
}

std::string_view to_string(RecipientStatus::State state) {
    switch (state) {
        case RecipientStatus::State::owed: return "owed";
        case RecipientStatus::State::told: return "told";
        case RecipientStatus::State::acknowledged: return "acknowledged";
    }
    return "owed";
}

Result<RecipientStatuses> statuses_of(const storage::Snapshot& snapshot,
                                      const storage::Vault& vault, const consent::Policy& policy,
                                      const Erasure& erasure) {
    RecipientStatuses out;
    if (erasure.state != Erasure::State::completed) return out;
    for (const auto& notice : CDP_TRY(kept_of(snapshot, vault, record_of(erasure))))
        out[notice.channel].add(CDP_TRY(status_of(snapshot, vault, policy, notice)));
    for (const auto& [channel, one] : erasure.recipients)
        out.try_emplace(channel, RecipientStatus{.state = RecipientStatus::State::owed,
                                                 .since = erasure.completed});
    return out;
}

void put_status(consent::JsonWriter& out, const RecipientStatus& status) {
    out.text("status", to_string(status.state)).text("since", format_time(status.since));
    if (status.due) out.text("due", format_time(*status.due));
    if (status.told) out.text("told", format_time(*status.told));
    if (!status.acknowledged) return;
    out.open("acknowledged").text("time", format_time(*status.acknowledged));
    if (status.ledger_index)
        out.number("ledger_index", static_cast<std::int64_t>(*status.ledger_index));
    out.close();
}

}  // namespace cdp
