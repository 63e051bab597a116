#include "cdp/withdrawal_walk.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/disclosures.h"
#include "cdp/facts.h"
#include "consent/released_body.h"

namespace cdp {
namespace {

// Of one person. What left before these rows is taken for something that each channel was told.
constexpr std::size_t kToldRowsMax = 20'000;

// Ids of persons alone, and what operators look at, take nobody's consent.
bool is_told(const consent::MaskField& field) {
    return !field.withheld && field.section != consent::Section::persons &&
           field.section != consent::Section::routes;
}

bool tells_of_withdrawals(const consent::Mask& mask) {
    return std::ranges::any_of(mask, [](const auto& field) {
        return field.section == consent::Section::persons &&
               field.name == consent::kWithdrawalField;
    });
}

std::shared_ptr<const ToldFields> fields_of(const consent::Mask& mask) {
    std::set<std::string> labels;
    std::set<std::string> names;
    for (const auto& field : mask) {
        if (!is_told(field)) continue;
        labels.insert(field.labels.begin(), field.labels.end());
        names.insert(told_name(field));
    }
    if (names.empty()) return nullptr;
    return std::make_shared<const ToldFields>(
        ToldFields{{labels.begin(), labels.end()}, {names.begin(), names.end()}});
}

Denial denial_of(const consent::Fact& fact, const Token& under) {
    return {.id = fact.id,
            .tokens = {under},
            .purpose = fact.purpose,
            .channels = fact.channels,
            .labels = fact.labels,
            .state = fact.state,
            .whole_person = fact.scope == consent::Scope::person,
            .time = fact.time,
            .received = fact.received,
            .counted = fact.received};
}

// The earliest that was not acknowledged, else the latest.
void add_open(std::map<std::string, Concern>& by_channel, Concern&& one) {
    const auto [at, fresh] = by_channel.try_emplace(one.channel, one);
    if (!fresh && at->second.acknowledged) at->second = std::move(one);
}

}  // namespace

std::string told_name(const consent::MaskField& field) {
    return std::string(to_string(field.section)) + "/" +
           (field.within.empty() ? "" : field.within + "/") + field.name;
}

Result<bool> was_told(Disclosures& disclosures, std::string_view channel) {
    return !CDP_TRY(disclosures.of_channel(channel, {.limit = 1})).batches.empty();
}

bool Withdrawing::has(const Token& token) const {
    return std::ranges::binary_search(members, token);
}

void WithdrawalWalk::forget() {
    persons_.clear();
}

std::optional<Timestamp> Concern::heard() const {
    if (kept) return kept->heard;
    const auto at = person->heard.find({channel, denial.id});
    if (at == person->heard.end()) return std::nullopt;
    return at->second;
}

std::optional<Timestamp> due(const consent::Policy& policy, const Concern& concern) {
    const auto* channel = policy.find_channel(concern.channel);
    if (!channel || channel->withdrawal_seconds == 0) return std::nullopt;
    return concern.denial.received + std::chrono::seconds(channel->withdrawal_seconds);
}

WithdrawalWalk::WithdrawalWalk(const Withdrawals::Needs& needs)
    : needs_(needs),
      snapshot_(needs.store.snapshot()),
      transaction_(*snapshot_, storage::kPartition) {}

Result<std::uint64_t> WithdrawalWalk::size() const {
    return storage::log_size(*snapshot_, consent::withdrawal_log());
}

Result<void> WithdrawalWalk::run(std::uint64_t after, const std::string& channel,
                                 const Visit& visit) {
    const auto log = consent::withdrawal_log();
    auto outcome = Result<void>::ok();
    auto position = after;
    const auto take = [&](std::string_view key, std::string_view value) -> Result<bool> {
        if (ByteReader(key.substr(log.size())).u64() != position++)
            return damaged("a row of the log of withdrawals is missing");
        const auto withdrawal = CDP_TRY(consent::decode_withdrawal(value));
        ++looked_at_;
        auto concerns = CDP_TRY(concerns_of(withdrawal, channel));
        for (auto& one : concerns) one.position = position;
        return visit(position, withdrawal.received, concerns);
    };
    const auto from = ByteWriter().raw(log).u64(after).take();
    CDP_CHECK(snapshot_->scan(log, from, [&](std::string_view key, std::string_view value) {
        const auto more = take(key, value);
        if (!more) outcome = more.error();
        return more && *more;
    }));
    return outcome;
}

Result<std::vector<Concern>> WithdrawalWalk::concerns_of(const consent::Withdrawal& withdrawal,
                                                         const std::string& channel) {
    std::vector<Concern> out;
    const auto row = CDP_TRY(consent::find(*snapshot_, needs_.vault, withdrawal));
    // By person and channel, of which one page may end behind any.
    std::map<PersonId, std::map<std::string, Concern>> all;
    for (const auto& token : withdrawal.tokens) {
        const auto person = row ? CDP_TRY(person_of(token)) : nullptr;
        if (!person || all.contains(person->id)) continue;
        auto& by_channel = all[person->id];
        for (auto denial : person->denials) {
            if (denial.id != withdrawal.id) continue;
            // When a stamp came in only the log knows.
            denial.received = withdrawal.cell ? std::max(withdrawal.received, denial.received)
                                              : withdrawal.received;
            for (auto& one : CDP_TRY(concerns(person, denial, channel)))
                add_open(by_channel, std::move(one));
        }
    }
    for (auto& one : CDP_TRY(kept(withdrawal.id, channel))) {
        const bool stands = std::ranges::any_of(
            all, [&](const auto& person) { return person.second.contains(one.channel); });
        if (one.kept->whole || !stands)
            all[one.person->id].try_emplace(one.channel, std::move(one));
    }
    for (auto& [id, by_channel] : all)
        for (auto& [name, one] : by_channel) out.push_back(std::move(one));
    return out;
}

Result<std::vector<Concern>> WithdrawalWalk::concerns(
    const std::shared_ptr<const Withdrawing>& person, const Denial& denial,
    const std::string& channel) {
    std::map<std::string, Concern> by_channel;
    for (const auto* told : news_to(denial, person->told, person->denials)) {
        if (!channel.empty() && told->channel != channel) continue;
        auto& concern = by_channel[told->channel];
        concern.channel = told->channel;
        if (std::ranges::find(concern.purposes, told->purpose) == concern.purposes.end())
            concern.purposes.push_back(told->purpose);
        concern.fields.insert(told->fields->names.begin(), told->fields->names.end());
        concern.told_last = std::max(concern.told_last, told->last);
    }
    std::vector<Concern> out;
    for (auto& [id, concern] : by_channel) {
        concern.denial = denial;
        concern.person = person;
        std::ranges::sort(concern.purposes);
        concern.acknowledged =
            CDP_TRY(find_acknowledged(transaction_, needs_.vault, denial.id, id, denial.tokens));
        // That was of an earlier refusal of the same day.
        const auto first = std::ranges::find(person->denials, denial.id, &Denial::id);
        const bool again = first != person->denials.end() && first->counted < denial.counted;
        if (again && concern.acknowledged && concern.acknowledged->time < denial.counted)
            concern.acknowledged.reset();
        out.push_back(std::move(concern));
    }
    return out;
}

Result<std::vector<Concern>> WithdrawalWalk::kept(const RecordId& record,
                                                  const std::string& channel) {
    std::vector<Concern> out;
    for (auto& one : CDP_TRY(kept_of(*snapshot_, needs_.vault, record))) {
        if (!channel.empty() && one.channel != channel) continue;
        auto person = std::make_shared<Withdrawing>();
        person->id = one.person;
        const std::array under{one.under()};
        Concern concern{.denial = {.id = one.record,
                                   .purpose = one.purpose,
                                   .state = one.state,
                                   .time = one.time,
                                   .received = one.received,
                                   .counted = one.received},
                        .person = std::move(person),
                        .channel = one.channel,
                        .purposes = one.purposes,
                        .fields = one.fields,
                        .told_last = one.told_last};
        concern.acknowledged = CDP_TRY(
            find_acknowledged(transaction_, needs_.vault, one.record, concern.channel, under));
        concern.kept = std::move(one);
        out.push_back(std::move(concern));
    }
    return out;
}

Result<std::shared_ptr<const Withdrawing>> WithdrawalWalk::person_of(const Token& token) {
    if (const auto at = persons_.find(token); at != persons_.end()) return at->second;
    const auto node = CDP_TRY(needs_.graph.find(transaction_, token));
    if (!node || !node->active) return persons_[token] = nullptr;
    auto person = std::make_shared<Withdrawing>();
    person->id = node->person();
    person->members = CDP_TRY(needs_.graph.members(transaction_, node->anchor));
    CDP_CHECK(load_denials(*person));
    CDP_CHECK(load_told(*person));
    for (const auto& member : person->members) persons_[member] = person;
    return std::shared_ptr<const Withdrawing>(persons_[token] = person);
}

// A record stands under each identifier that it names. Of a day on which somebody changed their
// mind each refusal is one: they share their cell.
Result<void> WithdrawalWalk::load_denials(Withdrawing& person) {
    std::map<std::pair<Timestamp, RecordId>, Denial> found;
    for (const auto& member : person.members)
        for (const auto& fact : CDP_TRY(needs_.people.said_under(reading(), member, {})).facts) {
            if (!consent::is_denial(fact.state)) continue;
            const auto denial = denial_of(fact, member);
            const auto [at, fresh] = found.try_emplace({denial.counted, denial.id}, denial);
            if (fresh || at->second.tokens.back() == member) continue;
            at->second.tokens.push_back(member);
            at->second.whole_person |= denial.whole_person;
        }
    for (auto& [place, denial] : found) {
        std::ranges::sort(denial.tokens);
        person.denials.push_back(std::move(denial));
    }
    return Result<void>::ok();
}

Result<void> WithdrawalWalk::load_told(Withdrawing& person) {
    std::size_t rows = 0;
    for (const auto& member : person.members) {
        DisclosedQuery query;
        do {
            const auto page = CDP_TRY(needs_.disclosures.of_subject(member, query));
            for (const auto& row : page.rows) take(person, member, row);
            rows += page.rows.size();
            query.after = page.next;
            if (rows >= kToldRowsMax && !query.after.empty()) {
                CDP_CHECK(add_unread(person.told, page.rows.back().row.last));
                break;
            }
        } while (!query.after.empty());
    }
    looked_at_ += rows;
    return Result<void>::ok();
}

// Everything, to each channel that was ever told something, for all that it is registered for.
Result<void> WithdrawalWalk::add_unread(std::vector<Told>& told, Timestamp until) {
    const auto& policy = needs_.config.policy;
    ToldFields all;
    for (const auto& label : policy.labels) all.labels.push_back(label.name);
    std::ranges::sort(all.labels);
    const auto fields = std::make_shared<const ToldFields>(std::move(all));
    for (const auto& channel : policy.channels) {
        if (!CDP_TRY(was_told(needs_.disclosures, channel.id))) continue;
        for (const auto& purpose : channel.purposes)
            told.push_back({channel.id, purpose, Timestamp::min(), until, fields});
    }
    return Result<void>::ok();
}

void WithdrawalWalk::take(Withdrawing& person, const Token& member, const Disclosed& disclosed) {
    const auto& [batch, index, row, mask, evidence, reason] = disclosed;
    if (batch.kind != consent::BatchKind::release || row.subject != member) return;
    if (tells_of_withdrawals(mask))
        for (const auto& record : evidence) {
            auto& first =
                person.heard.try_emplace({batch.channel, record}, row.first).first->second;
            first = std::min(first, row.first);
        }
    const auto [at, fresh] = fields_.try_emplace(row.mask);
    if (fresh) at->second = fields_of(mask);
    if (at->second)
        person.told.push_back({batch.channel, batch.purpose, row.first, row.last, at->second});
}

}  // namespace cdp
