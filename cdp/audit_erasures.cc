#include <algorithm>
#include <map>

#include "cdp/audit_answers.h"
#include "cdp/audit_erased.h"
#include "cdp/audit_person.h"
#include "cdp/audit_proofs.h"
#include "cdp/base/bytes.h"
#include "cdp/erasures.h"
#include "cdp/named.h"
#include "cdp/paging.h"
#include "cdp/people.h"
#include "consent/json_writer.h"

namespace cdp {
namespace {

// What one recipient had been given, over all erasures.
struct Before {
    ErasureRecipient given = {};
    std::vector<std::string> erasures = {};
    RecipientStatus status = {};
};

Result<std::string> erased_json(const AuditSources& sources, AuditProofs& proofs,
                                const Erasure& erasure) {
    std::string proof = "null";
    if (erasure.state == Erasure::State::completed)
        proof =
            CDP_TRY(proofs.of(consent::EntryType::erasure, erasure.salt, encode_outcome(erasure)));
    // Proving may have published it.
    return "{\"erasure\":" + CDP_TRY(sources.erasures.json(*sources.store.snapshot(), erasure)) +
           ",\"proof\":" + proof + "}";
}

}  // namespace

// Nobody is known by what was erased, so nothing here may ask for a person.
Result<Shown> audit_erasures(const AuditSources& sources, const AuditQuery& query) {
    if (!query.subject) return subject_required();
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto& [type, value] = *query.subject;
    const auto token = sources.people.resolve({*snapshot, transaction}, type, value);
    if (!token) return at("/subject", token.error());
    CDP_CHECK(
        check_type_known(sources.config, sources.graph, transaction, type, *token, "/subject"));
    const auto past = CDP_TRY(sources.erasures.of(transaction, *token, query.page));
    const auto node = CDP_TRY(sources.graph.find(transaction, *token));
    AuditProofs proofs(sources);
    std::string list;
    for (const auto& erasure : past.erasures)
        list += (list.empty() ? "" : ",") + CDP_TRY(erased_json(sources, proofs, erasure));
    std::string out = "{\"erasures\":[" + list +
                      "],\"next\":" + (past.next.empty() ? "null" : '"' + past.next + '"');
    // Who came back since, or was never erased.
    out += std::string(",\"held\":") + (node ? "true" : "false");
    if (node) out += ",\"since\":\"" + format_time(node->first_seen) + '"';
    return Shown(out + "}", {.identifiers = {*token}, .persons = {}});
}

Result<std::string> recipients_before_erasure(const AuditSources& sources,
                                              storage::Transaction& transaction,
                                              const Token& token) {
    const auto past = CDP_TRY(sources.erasures.of(transaction, token, {.limit = kPageMax}));
    std::map<std::string, Before> all;
    const auto snapshot = sources.store.snapshot();
    for (const auto& erasure : past.erasures) {
        const auto statuses =
            CDP_TRY(statuses_of(*snapshot, sources.vault, sources.config.policy, erasure));
        for (const auto& [channel, given] : erasure.recipients) {
            auto& one = all[channel];
            if (one.erasures.empty()) one.given.recipient = given.recipient;
            one.given.times += given.times;
            one.given.last = std::max(one.given.last, given.last);
            one.erasures.push_back(to_hex(erasure.id.view()));
            if (const auto at = statuses.find(channel); at != statuses.end())
                one.status.add(at->second);
        }
    }
    consent::JsonWriter out;
    out.open_list();
    for (const auto& [channel, one] : all) {
        out.open();
        sources.erasures.put_recipient(out, channel, one.given);
        put_status(out, one.status);
        out.open_list("erasures");
        for (const auto& id : one.erasures) out.text({}, id);
        out.close_list().close();
    }
    return out.close_list().take();
}

}  // namespace cdp
