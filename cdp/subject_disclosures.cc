#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cdp/answers_counted.h"
#include "cdp/subject_walk.h"

// Who was given what, and who looked.
namespace cdp {

using consent::JsonWriter;

namespace {

struct Given {
    std::uint64_t times = 0;
    Timestamp first = Timestamp::max();
    Timestamp last = Timestamp::min();
    std::set<consent::MaskField> fields = {};
};
struct Recipient {
    std::string channel;
    std::string recipient;
    std::string country;
    std::string purpose;

    friend auto operator<=>(const Recipient&, const Recipient&) = default;
};

void put_fields(JsonWriter& out, const std::set<consent::MaskField>& fields) {
    out.open_list("fields");
    for (const auto& field : fields) {
        out.open().text("section", consent::to_string(field.section));
        out.text_if("of_event", field.within).text("name", field.name);
        out.text("form", field.form).close();
    }
    out.close_list();
}

void put_recipient(JsonWriter& out, const consent::Policy& policy, const Recipient& who) {
    out.text("channel", who.channel).text("recipient", who.recipient);
    out.text_if("country", who.country).text("purpose", who.purpose);
    const auto* registered = policy.find_channel(who.channel);
    if (!registered) return;
    out.text("role", consent::to_string(registered->role));
    out.text("transfer", consent::to_string(registered->transfer));
    out.text_if("contact", registered->contact);
}

// Fields that left.
bool left(const consent::MaskField& field) {
    return !field.withheld;
}

}  // namespace

Result<void> SubjectWalk::tell_kinds_disclosed(ReportForm& form) {
    std::map<Recipient, std::set<std::string>> given;
    const auto take = [&](const DisclosedPlace&, std::optional<Disclosed> row) -> Result<bool> {
        if (!row || row->batch.kind != consent::BatchKind::release) return !form.stopped();
        const auto& batch = row->batch;
        for (const auto& field : row->mask)
            if (left(field))
                given[{batch.channel, batch.recipient, batch.country, batch.purpose}].insert(
                    field.labels.begin(), field.labels.end());
        return !form.stopped();
    };
    CDP_CHECK(needs_.disclosures.each_of(own_tokens_, std::nullopt, take));
    form.list("disclosures");
    for (const auto& [who, labels] : given) {
        JsonWriter out;
        put_recipient(out.open(), needs_.config.policy, who);
        form.entry(out.texts("categories", labels).close().take());
    }
    return Result<void>::ok();
}

Result<void> SubjectWalk::tell_disclosures(ReportForm& form) {
    AnswersCounted answers;
    std::map<Recipient, Given> given;
    std::map<std::pair<std::string, std::int32_t>, std::uint64_t> looks;  // by role and day
    const auto release = [&](const Disclosed& row) {
        const auto& batch = row.batch;
        if (std::ranges::none_of(row.mask, left)) return;
        auto& one = given[{batch.channel, batch.recipient, batch.country, batch.purpose}];
        one.times += answers.times(row);
        one.first = std::min(one.first, row.row.first);
        one.last = std::max(one.last, row.row.last);
        for (auto field : row.mask) {
            if (!left(field)) continue;
            field.labels.clear();
            one.fields.insert(std::move(field));
        }
    };
    const auto take = [&](const DisclosedPlace&, std::optional<Disclosed> row) -> Result<bool> {
        ++counts_.disclosures;
        if (!row)
            ++unreadable_["disclosures"];
        else if (row->batch.kind == consent::BatchKind::release)
            release(*row);
        else if (row->batch.kind == consent::BatchKind::access)
            looks[{row->batch.role, day_of(row->row.last)}] += answers.times(*row);
        return !form.stopped();
    };
    CDP_CHECK(needs_.disclosures.each_of(own_tokens_, std::nullopt, take));

    form.list("disclosures");
    for (const auto& [who, what] : given) {
        JsonWriter out;
        put_recipient(out.open(), needs_.config.policy, who);
        out.text("first", format_time(what.first)).text("last", format_time(what.last));
        out.number("times", static_cast<std::int64_t>(what.times));
        put_fields(out, what.fields);
        form.entry(out.close().take());
    }
    form.list("looked_at");
    for (const auto& [who, times] : looks)
        form.entry(JsonWriter()
                       .open()
                       .text("role", who.first)
                       .text("day", format_day(who.second))
                       .number("times", static_cast<std::int64_t>(times))
                       .close()
                       .take());
    return Result<void>::ok();
}

}  // namespace cdp
