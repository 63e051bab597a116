#include <algorithm>
#include <map>
#include <set>

#include "cdp/audit_answers.h"
#include "cdp/audit_disclosed.h"
#include "cdp/audit_erased.h"
#include "cdp/audit_mask.h"
#include "cdp/audit_person.h"
#include "cdp/base/bytes.h"
#include "cdp/consent_history.h"
#include "cdp/erasures.h"
#include "cdp/named.h"
#include "cdp/newest_withdrawal.h"
#include "cdp/withdrawals.h"
#include "consent/json_writer.h"

namespace cdp {
namespace {

using consent::JsonWriter;

// Who is asked about, and in which period.
struct Asked {
    AuditedPerson person;
    DisclosedWanted wanted;
    std::string members = {};  // of the answer: who it is about
};

// `question` is the one whose cursors these are.
Result<Asked> read_asked(const AuditSources& sources, const AuditQuery& query,
                         std::string_view question) {
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    Asked asked{.person = CDP_TRY(audited_person(sources, reading, query.subject)), .wanted = {}};
    asked.members = CDP_TRY(person_members(sources, reading, asked.person));
    auto& wanted = asked.wanted;
    wanted.question = question;
    wanted.purpose = query.purpose;
    wanted.channel = query.channel;
    wanted.since = query.since.value_or(Timestamp::min());
    wanted.until = query.until.value_or(Timestamp::max());
    wanted.limit = query.page.limit;
    wanted.cursor = query.page.cursor;
    return asked;
}

Result<std::string> list_json(const AuditSources& sources, const DisclosedList& list,
                              const DisclosedShown& shown) {
    AuditProofs proofs(sources);
    std::string out;
    for (const auto& row : list.rows)
        out += (out.empty() ? "" : ",") + CDP_TRY(disclosed_json(sources, proofs, row, shown));
    return "[" + out + "]";
}

// Also from those whom an operator split off and from identifiers that only values name: what they
// said holds for the person.
Result<std::optional<NewestWithdrawal>> withdrawal_of(const AuditSources& sources,
                                                      const AuditedPerson& person,
                                                      std::string_view purpose) {
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto loaded = CDP_TRY(sources.people.load({*snapshot, transaction}, person.asked));
    std::vector<Token> under;
    for (const auto& member : loaded.consents) under.push_back(member.token);
    return newest_withdrawal(CDP_TRY(all_committed(*snapshot, sources.vault, under)),
                             loaded.consents, purpose);
}

Result<std::string> withdrawal_json(const AuditSources& sources, const Committed& said) {
    const auto proof = CDP_TRY(AuditProofs(sources).of(said));
    const auto published = sources.store.snapshot();
    return "{" + CDP_TRY(said_members(*published, sources.vault, said)) + ",\"proof\":" + proof +
           "}";
}

}  // namespace

Result<Shown> audit_disclosures(const AuditSources& sources, const AuditQuery& query) {
    auto [person, wanted, members] = CDP_TRY(read_asked(sources, query, "disclosures"));
    std::string body = "{" + members;
    bool nobody_withdrew = false;
    if (query.since_withdrawal) {
        const auto said = CDP_TRY(withdrawal_of(sources, person, query.purpose));
        nobody_withdrew = !said;
        body +=
            ",\"withdrawal\":" + (said ? CDP_TRY(withdrawal_json(sources, said->said)) : "null");
        if (said) wanted.since = said->received;
    }
    if (!query.field.empty())
        wanted.mask = [&](const consent::Mask& mask) {
            return std::ranges::any_of(mask, [&](const auto& field) {
                return !field.withheld && is_called(field, query.field);
            });
        };
    const auto list =
        nobody_withdrew ? DisclosedList{} : CDP_TRY(disclosed_of(sources, person.members, wanted));
    if (wanted.since != Timestamp::min()) body += moment("since", wanted.since);
    body += ",\"disclosures\":" +
            CDP_TRY(list_json(sources, list, {.wanted = wanted, .field = query.field}));
    body += "," + CDP_TRY(gaps_member(sources, wanted)) + "," + end_members(list) + "}";
    return Shown(std::move(body), person.looked());
}

Result<Shown> audit_access(const AuditSources& sources, const AuditQuery& query) {
    auto [person, wanted, members] = CDP_TRY(read_asked(sources, query, "access"));
    wanted.kind = consent::BatchKind::access;
    const auto list = CDP_TRY(disclosed_of(sources, person.members, wanted));
    return Shown("{" + members +
                     ",\"accesses\":" + CDP_TRY(list_json(sources, list, {.wanted = wanted})) +
                     "," + CDP_TRY(gaps_member(sources, wanted)) + "," + end_members(list) + "}",
                 person.looked());
}

namespace {

// Of the rows of one page: fields, and how often each was meant.
struct Tally {
    std::uint64_t fields = 0;
    std::uint64_t times = 0;

    void add(const Disclosed& row) {
        ++fields;
        times += row.row.count;
    }
    void put(JsonWriter& out, std::string_view name) const {
        out.open(name).number("fields", static_cast<std::int64_t>(fields));
        out.number("times", static_cast<std::int64_t>(times)).close();
    }
};

std::string withheld_summary(const DisclosedList& list) {
    std::map<std::string, Tally> reasons;
    Tally left;
    for (const auto& row : list.rows)
        for (const auto& field : row.mask) (field.withheld ? reasons[field.form] : left).add(row);
    JsonWriter out;
    out.open().open("withheld");
    for (const auto& [reason, tally] : reasons) tally.put(out, reason);
    out.close();
    left.put(out, "left");
    return out.close().take();
}

}  // namespace

Result<Shown> audit_withheld(const AuditSources& sources, const AuditQuery& query) {
    auto [person, wanted, members] = CDP_TRY(read_asked(sources, query, "withheld"));
    wanted.mask = [](const consent::Mask& mask) {
        return std::ranges::any_of(mask, &consent::MaskField::withheld);
    };
    const auto list = CDP_TRY(disclosed_of(sources, person.members, wanted));
    return Shown("{" + members + ",\"summary\":" + withheld_summary(list) +
                     ",\"rows\":" + CDP_TRY(list_json(sources, list, {.wanted = wanted})) + "," +
                     CDP_TRY(gaps_member(sources, wanted)) + "," + end_members(list) + "}",
                 person.looked());
}

namespace {

// What one channel has of a person.
struct Recipient {
    std::optional<Disclosed> newest = {};
    Timestamp first{};
    std::uint64_t count = 0;
    std::set<std::string> purposes = {};
    std::set<consent::MaskField> fields = {};

    void add(Disclosed row) {
        first = count == 0 ? row.row.first : std::min(first, row.row.first);
        count += row.row.count;
        purposes.insert(row.batch.purpose);
        for (const auto& field : row.mask)
            if (!field.withheld) fields.insert(field);
        if (!newest) newest = std::move(row);
    }
};

void put_registered(JsonWriter& out, const consent::Channel* channel) {
    out.flag("registered", channel != nullptr);
    if (!channel) return;
    out.text("role", to_string(channel->role)).text_if("contact", channel->contact);
    out.text_if("deletion_endpoint", channel->deletion_endpoint);
}

// What it must take note of, and whether it has.
void put_withdrawals(JsonWriter& out, const std::vector<WithdrawalNotice>& all,
                     std::string_view channel) {
    out.open_list("withdrawals");
    for (const auto& one : all) {
        if (one.channel != channel) continue;
        out.open().text("record", to_hex(one.record.view()));
        out.text("received", format_time(one.received));
        out.text_if("due", one.due ? format_time(*one.due) : "");
        out.text_if("acknowledged", one.acknowledged ? format_time(*one.acknowledged) : "").close();
    }
    out.close_list();
}

Result<std::string> recipient_json(const AuditSources& sources, AuditProofs& proofs,
                                   const Recipient& one, const DisclosedWanted& wanted,
                                   const std::vector<WithdrawalNotice>& withdrawals) {
    const auto& batch = one.newest->batch;
    JsonWriter out;
    out.open().text("channel", batch.channel).text("recipient", batch.recipient);
    out.text("country", batch.country);
    put_registered(out, sources.config.policy.find_channel(batch.channel));
    out.texts("purposes", one.purposes);
    out.open_list("fields");
    for (const auto& field : one.fields) out.json({}, mask_field_json(field));
    out.close_list();
    out.text("first_time", format_time(one.first));
    out.text("last_time", format_time(one.newest->row.last));
    out.number("disclosures", static_cast<std::int64_t>(one.count));
    put_withdrawals(out, withdrawals, batch.channel);
    out.json("newest", CDP_TRY(disclosed_json(sources, proofs, *one.newest, {.wanted = wanted})));
    return out.close().take();
}

}  // namespace

namespace {

// Of whom nothing is held any more: whoever had been given something must be told all the same.
// nullopt: never erased.
Result<std::optional<Shown>> recipients_of_erased(const AuditSources& sources,
                                                  const AuditSubject& subject) {
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto resolved =
        sources.people.resolve({*snapshot, transaction}, subject.type, subject.value);
    if (!resolved) return at("/subject", resolved.error());
    const auto& token = *resolved;
    const auto past = CDP_TRY(sources.erasures.of(transaction, token, {.limit = 1}));
    if (past.erasures.empty()) return std::optional<Shown>{};
    JsonWriter out;
    out.open().json("person", "null");
    out.open("subject").text("type", subject.type).text("value", subject.value).close();
    out.json("recipients", "[]");
    out.json("before_erasure", CDP_TRY(recipients_before_erasure(sources, transaction, token)));
    out.json("gaps", "[]").number("erased", 0).json("next", "null");
    return std::optional(Shown(out.close().take(), {.identifiers = {token}, .persons = {}}));
}

Result<std::string> before_erasure(const AuditSources& sources, const Token& token) {
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    return recipients_before_erasure(sources, transaction, token);
}

}  // namespace

Result<Shown> audit_recipients(const AuditSources& sources, const AuditQuery& query) {
    auto asked = read_asked(sources, query, "recipients");
    if (!asked && asked.error().code == ErrorCode::not_found && query.subject)
        if (auto erased = CDP_TRY(recipients_of_erased(sources, *query.subject)))
            return *std::move(erased);
    auto [person, wanted, members] = CDP_TRY(std::move(asked));
    wanted.mask = [](const consent::Mask& mask) {
        return std::ranges::any_of(mask, [](const auto& field) { return !field.withheld; });
    };
    std::map<std::string, Recipient> recipients;
    const auto list = CDP_TRY(each_disclosed(sources, person.members, wanted, [&](Disclosed row) {
        auto& recipient = recipients[row.batch.channel];
        recipient.add(std::move(row));
    }));
    const auto withdrawals = CDP_TRY(sources.withdrawals.of_person(person.asked));
    AuditProofs proofs(sources);
    std::string out;
    for (const auto& [channel, one] : recipients)
        out += (out.empty() ? "" : ",") +
               CDP_TRY(recipient_json(sources, proofs, one, wanted, withdrawals));
    return Shown("{" + members + ",\"recipients\":[" + out +
                     "],\"before_erasure\":" + CDP_TRY(before_erasure(sources, person.asked)) +
                     "," + CDP_TRY(gaps_member(sources, wanted)) + "," + end_members(list) + "}",
                 person.looked());
}

}  // namespace cdp
