#include "cdp/withdrawals.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/disclosures.h"
#include "cdp/erasure_facts.h"
#include "cdp/paging.h"
#include "cdp/people.h"
#include "cdp/refuse.h"
#include "cdp/released_list.h"
#include "cdp/withdrawal_rows.h"
#include "cdp/withdrawal_walk.h"
#include "consent/entry.h"
#include "consent/gate.h"
#include "consent/released_body.h"
#include "storage/contended.h"

namespace cdp {
namespace {

constexpr std::size_t kLogRowsMax = 2'000;    // for one page
constexpr std::size_t kLookedAtMax = 20'000;  // of the log and of disclosures
// An answer that is under way may be listed behind the withdrawal that it did not know of. Until
// then a withdrawal that seems to concern nobody is not passed over.
constexpr std::chrono::seconds kHeldBack{2};
constexpr int kRacesMax = 50;

// A position numbers the denials of everybody, so nobody is told one: what readers keep is sealed.
class Positions {
public:
    Positions(const storage::Vault& vault, const consent::Channel& channel)
        : vault_(vault), holder_("withdrawals for " + channel.id) {}

    consent::Cursor seal(std::uint64_t position) const {
        return consent::Cursor::seal(vault_, holder_, ByteWriter().u64(position).str());
    }
    // malformed_cursor.
    Result<std::uint64_t> open(std::string_view text) const {
        const auto place = consent::Cursor::open(vault_, holder_, text);
        if (!place) return malformed_cursor("/after");
        ByteReader in(*place);
        const auto position = in.u64();
        if (!in.done()) return malformed_cursor("/after");
        return position;
    }

private:
    const storage::Vault& vault_;
    const std::string holder_;
};

Result<std::uint64_t> position_after(const Positions& positions, std::string_view after,
                                     std::uint64_t newest) {
    if (after.empty()) return std::uint64_t{0};
    if (after == "latest") return newest;
    const auto position = CDP_TRY(positions.open(after));
    // Whoever was told of more has read another data folder, or this one before it was put back.
    if (position > newest)
        return refuse("position_unknown",
                      "The feed has not come that far: read it anew from its start.", "/after");
    return position;
}

Error not_a_channel() {
    return {.code = ErrorCode::forbidden,
            .reason = "channel_unknown",
            .message = "The key does not belong to a configured channel with a purpose."};
}

// A channel reads its own feed.
Result<const consent::Channel*> channel_of(const consent::Policy& policy, const Principal& reader,
                                           const std::string& asked) {
    if (reader.role != Role::channel) {
        if (asked.empty())
            return refuse("channel_required", "Say whose feed, by `channel`.", "/channel");
        const auto* channel = policy.find_channel(asked);
        if (!channel)
            return refuse("channel_unknown", "No such channel is configured.", "/channel");
        return channel;
    }
    const auto* channel = policy.find_channel(reader.channel);
    if (!channel || channel->purposes.empty() || (!asked.empty() && asked != channel->id))
        return not_a_channel();
    return channel;
}

class Page {
public:
    Page(const consent::Policy& policy, const consent::Channel& channel, Timestamp now,
         const Positions& positions)
        : policy_(policy), channel_(channel), now_(now), positions_(positions) {
        out_.text("{\"withdrawals\":[");
    }

    void add(const Concern& concern) {
        // Of who was erased nothing is left that it could be listed under.
        const auto& tokens = concern.denial.tokens;
        const auto home = tokens.empty() ? Token{} : tokens.front();
        comma_.write(out_);
        out_.text("{\"position\":").cursor(positions_.seal(concern.position));
        add_kind(concern);
        out_.text(",\"record\":\"").withdrawal(concern.denial.id, home);
        out_.text("\",\"person\":\"").person(concern.person->id, home);
        out_.text("\",\"purposes\":[");
        Separator comma;
        for (const auto& name : concern.purposes) {
            if (!policy_.find_purpose(name)) continue;  // it is not declared any more
            comma.write(out_);
            out_.some_purpose(consent::Gate(policy_, {}, {name, channel_.id, now_}));
        }
        out_.text("],\"time\":").time(concern.denial.time);
        out_.text(",\"received\":").time(concern.denial.received).text(",\"due\":");
        if (const auto by = due(policy_, concern))
            out_.time(*by);
        else
            out_.text("null");
        if (concern.acknowledged)
            out_.text(",\"acknowledged\":true}");
        else
            out_.text(",\"acknowledged\":false}");
        ++size_;
        if (concern.kept && !concern.kept->heard) unheard_.push_back(*concern.kept);
        tokens_.insert(concern.denial.tokens.begin(), concern.denial.tokens.end());
        persons_.insert(concern.person->id);
    }
    std::size_t size() const { return size_; }
    const std::vector<KeptWithdrawal>& unheard() const { return unheard_; }
    Looked looked() const {
        return {{tokens_.begin(), tokens_.end()}, {persons_.begin(), persons_.end()}};
    }
    consent::Composed finish(std::uint64_t next, bool end) && {
        out_.text("],\"next\":").cursor(positions_.seal(next)).text(",\"end\":");
        if (end)
            out_.text("true}");
        else
            out_.text("false}");
        return std::move(out_).finish();
    }

private:
    void add_kind(const Concern& concern) {
        if (!concern.kept || !concern.kept->erased)
            out_.text(",\"kind\":\"withdrawal\"");
        else if (*concern.kept->erased == ErasureScope::person)
            out_.text(",\"kind\":\"erasure\",\"scope\":\"person\"");
        else
            out_.text(",\"kind\":\"erasure\",\"scope\":\"identifier\"");
    }

    const consent::Policy& policy_;
    const consent::Channel& channel_;
    const Timestamp now_;
    const Positions& positions_;
    consent::ReleasedBody out_;
    Separator comma_;
    std::size_t size_ = 0;
    std::vector<KeptWithdrawal> unheard_;  // that nobody was told of yet
    std::set<Token> tokens_;
    std::set<PersonId> persons_;
};

Error unknown(std::size_t index) {
    return {.code = ErrorCode::not_found,
            .reason = "withdrawal_unknown",
            .message = "That is no withdrawal that concerns this channel.",
            .pointer = "/acknowledgements/" + std::to_string(index)};
}

Result<std::string> id_in(const std::string& text, std::size_t index, const char* member) {
    const auto bytes = from_hex(text);
    if (bytes && bytes->size() == sizeof(RecordId)) return *bytes;
    return refuse("malformed_id", "An id is 32 hexadecimal digits.",
                  "/acknowledgements/" + std::to_string(index) + "/" + member);
}

}  // namespace

Result<std::string> Withdrawals::feed(const Reader& reader, const WithdrawalsQuery& query) const {
    CDP_CHECK(check_limit(query.limit));
    CDP_CHECK(check_reason(reader));
    const auto& policy = needs_.config.policy;
    const auto* channel = CDP_TRY(channel_of(policy, reader.who, query.channel));
    const Positions positions(needs_.vault, *channel);
    WithdrawalWalk walk(needs_);
    const auto newest = CDP_TRY(walk.size());
    auto next = CDP_TRY(position_after(positions, query.after, newest));
    const auto now = needs_.clock.now();
    Page page(policy, *channel, now, positions);
    std::size_t rows = 0;
    bool held_back = false;
    CDP_CHECK(walk.run(next, channel->id, [&](auto position, auto received, const auto& concerns) {
        held_back = concerns.empty() && received > now - kHeldBack;
        if (held_back) return false;
        for (const auto& one : concerns) page.add(one);
        next = position;
        return page.size() < query.limit && ++rows < kLogRowsMax && walk.looked_at() < kLookedAtMax;
    }));
    auto whom = page.looked();
    const auto unheard = page.unheard();
    auto composed = std::move(page).finish(next, held_back || next == newest);
    if (reader.who.role != Role::channel)
        return needs_.disclosures.show(reader, Shown(std::move(composed.body), std::move(whom)));
    const auto answer = CDP_TRY(needs_.disclosures.release(
        reader.who, std::make_shared<const Unlisted>(std::move(composed))));
    CDP_CHECK(note_heard(unheard));
    return *answer.body();
}

Result<void> Withdrawals::note_heard(std::span<const KeptWithdrawal> kept) const {
    for (int race = 0; race < kRacesMax && !kept.empty(); ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto now = needs_.clock.now();
        for (const auto& one : kept)
            CDP_CHECK(cdp::note_heard(transaction, needs_.vault, one, now));
        if (transaction.empty()) return Result<void>::ok();
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return Result<void>::ok();
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    if (kept.empty()) return Result<void>::ok();
    return storage::contended("nobody was told. Read it again in a moment.");
}

// Whether it left before or after the withdrawal is not asked: to take note of more than one must
// is no mistake.
Result<std::size_t> Withdrawals::acknowledge(const Principal& channel,
                                             std::span<const Acknowledgement> all) const {
    if (channel.role != Role::channel || !CDP_TRY(is_channel(channel.channel)))
        return not_a_channel();
    if (all.empty() || all.size() > kAcknowledgementsMax)
        return refuse("acknowledgements_missing", "1 to 500 acknowledgements are expected.",
                      "/acknowledgements");
    WithdrawalWalk walk(needs_);
    std::vector<Acknowledging> taken;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto record = RecordId::from(CDP_TRY(id_in(all[i].record, i, "record")));
        CDP_TRY(id_in(all[i].person, i, "person"));
        auto found = CDP_TRY(find(walk, channel.channel, record, all[i].person));
        if (!found) return unknown(i);
        taken.push_back(*std::move(found));
        walk.forget();
    }
    std::size_t made = 0;
    CDP_CHECK(write(channel, taken, made));
    return made;
}

Result<std::optional<Withdrawals::Acknowledging>> Withdrawals::find(
    WithdrawalWalk& walk, const std::string& channel, const RecordId& record,
    const std::string& person_id) const {
    using Found = std::optional<Acknowledging>;
    const auto token = needs_.people.resolve(walk.reading(), "person", person_id);
    if (!token && token.error().code != ErrorCode::not_found) return token.error();
    const auto person = token ? CDP_TRY(walk.person_of(*token)) : nullptr;
    if (person) {
        // The last of a day counts: the others were said before.
        const auto& denials = person->denials;
        const auto denial =
            std::ranges::find(denials.rbegin(), denials.rend(), record, &Denial::id);
        if (denial != denials.rend() && std::ranges::any_of(person->told, [&](const Told& told) {
                return told.channel == channel && takes_back(*denial, told);
            })) {
            const bool again =
                std::ranges::find(denials, record, &Denial::id)->counted < denial->counted;
            return Found({.record = record,
                          .tokens = denial->tokens,
                          .since = again ? denial->counted : Timestamp::min()});
        }
    }
    for (const auto& kept : CDP_TRY(walk.kept(record, channel)))
        if (to_hex(kept.person->id.view()) == person_id)
            return Found({.record = record,
                          .tokens = {Token{kept.person->id.bytes}},
                          .since = Timestamp::min()});
    return Found{};
}

Result<void> Withdrawals::keep_open(storage::Transaction& transaction,
                                    std::span<const Token> erased) const {
    WithdrawalWalk walk(needs_);
    std::set<std::shared_ptr<const Withdrawing>> persons;
    for (const Token& token : erased)
        if (const auto person = CDP_TRY(walk.person_of(token))) persons.insert(person);
    for (const auto& person : persons)
        for (const auto& denial : person->denials) {
            const auto gone = std::ranges::count_if(denial.tokens, [&](const Token& token) {
                return std::ranges::find(erased, token) != erased.end();
            });
            if (gone == 0) continue;
            const bool whole = gone == std::ssize(denial.tokens);
            for (const auto& one : CDP_TRY(walk.concerns(person, denial, "")))
                if (!one.acknowledged)
                    CDP_CHECK(cdp::keep(transaction, needs_.vault,
                                        {.record = denial.id,
                                         .person = person->id,
                                         .channel = one.channel,
                                         .purpose = denial.purpose,
                                         .state = denial.state,
                                         .time = denial.time,
                                         .received = denial.received,
                                         .purposes = one.purposes,
                                         .fields = one.fields,
                                         .told_last = one.told_last,
                                         .heard = one.heard(),
                                         .whole = whole}));
        }
    return Result<void>::ok();
}

Result<bool> Withdrawals::is_channel(const std::string& id) const {
    return needs_.config.policy.find_channel(id) || CDP_TRY(was_told(needs_.disclosures, id));
}

Result<void> Withdrawals::write(const Principal& channel, std::span<const Acknowledging> taken,
                                std::size_t& made) const {
    for (int race = 0; race < kRacesMax; ++race) {
        made = 0;
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto find = [&](const Acknowledging& one,
                              std::span<const Token> tokens) -> Result<bool> {
            const auto known = CDP_TRY(
                find_acknowledged(transaction, needs_.vault, one.record, channel.channel, tokens));
            return known && known->time >= one.since;
        };
        for (const auto& one : taken) {
            if (CDP_TRY(find(one, one.tokens))) continue;
            ++made;
            const Acknowledged said{.time = needs_.clock.now(),
                                    .channel = channel.channel,
                                    .by = channel.name,
                                    .salt = consent::random_salt()};
            for (const auto& token : one.tokens)
                if (!CDP_TRY(find(one, {&token, 1})))
                    cdp::write(transaction, needs_.vault, one.record, token, said);
            const auto bytes = said.said_of(one.record);
            consent::append_entry(transaction, needs_.vault,
                                  {.type = consent::EntryType::withdrawal_ack,
                                   .time = said.time,
                                   .salt = said.salt,
                                   .bytes = bytes});
        }
        if (transaction.empty()) return Result<void>::ok();
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return Result<void>::ok();
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("nothing was taken down. Send it again in a moment.");
}

Result<std::vector<WithdrawalNotice>> Withdrawals::of_person(const Token& member) const {
    WithdrawalWalk walk(needs_);
    std::vector<WithdrawalNotice> out;
    const auto person = CDP_TRY(walk.person_of(member));
    if (!person) return out;
    for (const auto& denial : person->denials)
        for (const auto& one : CDP_TRY(walk.concerns(person, denial, ""))) {
            WithdrawalNotice notice{.record = denial.id,
                                    .channel = one.channel,
                                    .received = denial.received,
                                    .due = due(needs_.config.policy, one)};
            if (one.acknowledged) notice.acknowledged = one.acknowledged->time;
            out.push_back(notice);
        }
    std::ranges::sort(out, {}, &WithdrawalNotice::received);
    return out;
}

}  // namespace cdp
