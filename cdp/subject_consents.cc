#include "cdp/base/bytes.h"
#include "cdp/committed.h"
#include "cdp/consent_history.h"
#include "cdp/json_text.h"
#include "cdp/signal_json.h"
#include "cdp/subject_walk.h"
#include "consent/rows.h"
#include "consent/signal_rows.h"
#include "consent/suppression.h"

// What the person answered, and what follows from it now.
namespace cdp {

using consent::JsonWriter;
using storage::Space;

namespace {

// A record stands under several identifiers: whether `under` is the first of these.
Result<bool> is_first(const storage::Snapshot& snapshot, const consent::Record& record,
                      const Token& under, const std::set<Token>& own) {
    for (const auto& one : record.asserted) {
        if (one.token == under) return true;
        if (!own.contains(one.token)) continue;
        if (CDP_TRY(snapshot.get(consent::record_key(one.token, record)))) return false;
    }
    return true;
}

// Whoever took an answer down is told by their task: staff are people too.
consent::Record without_names(consent::Record record) {
    if (record.origin == consent::Origin::officer) record.source.clear();
    if (record.actor.kind != consent::ActorKind::self) record.actor.id.clear();
    return record;
}

// The same answer stands under several identifiers, and is the same in the ledger.
Result<std::string> told(const storage::Snapshot& snapshot, const Committed& said,
                         const NameOf& names) {
    const auto* record = std::get_if<consent::Record>(&said.row);
    const auto ledger = ',' + CDP_TRY(ledger_member(snapshot, said.commitment()));
    if (!record)
        return CDP_TRY(stamp_shown(std::get<consent::Cell>(said.row), said.under, names)) + ledger;
    return CDP_TRY(record_shown(without_names(*record), names)) + ledger +
           ",\"receipt\":\"/v1/receipts/" + to_hex(record->id.view()) + "\"";
}

}  // namespace

Result<void> SubjectWalk::tell_consents(ReportForm& form) {
    form.list("consents");
    const NameOf names = [this](const Token& token) { return name_of(token); };
    for (const Token& token : own_tokens_) {
        const auto key = CDP_TRY(needs_.vault.find(snapshot_, token));
        if (!key) continue;
        const Row tell = [&](std::string_view row, std::string_view sealed) -> Result<void> {
            if (consent::is_suppression(row)) return Result<void>::ok();
            const auto said = CDP_TRY(open_committed(*key, token, row, sealed));
            ++counts_.consents;
            const auto* record = std::get_if<consent::Record>(&said.row);
            if (record && !CDP_TRY(is_first(snapshot_, *record, token, own_)))
                return Result<void>::ok();
            form.entry("{" + CDP_TRY(told(snapshot_, said, names)) + "}");
            return Result<void>::ok();
        };
        CDP_CHECK(each(Space::consent, token, tell));
    }
    return Result<void>::ok();
}

// They outlive an erasure, and are not among what it takes.
Result<void> SubjectWalk::tell_suppressions(ReportForm& form) {
    form.list("suppressions");
    for (const Token& token : own_tokens_)
        for (const auto& one : CDP_TRY(Suppressions::of(transaction_, token))) {
            JsonWriter out;
            out.open().text("id", to_hex(one.id.view()));
            out.json("identifier", "{" + CDP_TRY(name_of(token)) + "}");
            out.text("reason", consent::to_string(one.reason));
            out.text("scope", consent::to_string(one.scope)).text("from", format_time(one.from));
            if (one.until) out.text("until", format_time(*one.until));
            form.entry(out.close().take());
        }
    return Result<void>::ok();
}

Result<void> SubjectWalk::tell_signals(ReportForm& form) {
    form.list("signals");
    for (const Token& token : own_tokens_) {
        const auto key = CDP_TRY(needs_.vault.find(snapshot_, token));
        if (!key) continue;
        const Row tell = [&](std::string_view row, std::string_view sealed) -> Result<void> {
            const auto kept = CDP_TRY(consent::open_signal(*key, row, sealed));
            ++counts_.signals;
            JsonWriter out;
            out.open().json("identifier", "{" + CDP_TRY(name_of(token)) + "}");
            out.text("signal", consent::to_string(kept.type)).text("text", kept.text);
            out.json("says", signal_json(kept.type, kept.text));
            form.entry(out.close().take());
            return Result<void>::ok();
        };
        CDP_CHECK(each(Space::signal, token, tell));
    }
    return Result<void>::ok();
}

// Of data that would be collected now under each identifier.
Result<void> SubjectWalk::tell_decisions(ReportForm& form) {
    form.list("decisions");
    if (!keyless_.empty()) ++unreadable_["decisions"];
    for (const auto& asked : channels_)
        for (const auto& member : person_.consents) {
            if (member.quarantined_until_released || !is_own(member.token)) continue;
            const auto value = member.contact ? std::optional(member.token) : std::nullopt;
            const auto decision =
                asked.gate.judge().decide({.home = member.token, .value = value, .captured = now_});
            JsonWriter out;
            out.open().text("purpose", asked.purpose.name).text("channel", asked.channel.id);
            out.text_if("recipient", asked.channel.recipient);
            out.json("identifier", "{" + CDP_TRY(name_of(member.token)) + "}");
            out.text("outcome", consent::to_string(decision.outcome()));
            out.text("reason", consent::to_string(decision.reason));
            if (decision.evidence) out.text("record", to_hex(decision.evidence->view()));
            if (decision.defer_until) out.text("defer_until", format_time(*decision.defer_until));
            form.entry(out.close().take());
        }
    return Result<void>::ok();
}

}  // namespace cdp
