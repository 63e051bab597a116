#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "cdp/audit_answers.h"
#include "cdp/audit_person.h"
#include "cdp/audit_scan.h"
#include "cdp/audit_standing.h"
#include "cdp/base/bytes.h"
#include "cdp/consent_json.h"
#include "cdp/facts.h"
#include "cdp/person_then.h"
#include "consent/json_string.h"
#include "identity/change.h"
#include "storage/key.h"

// Question 8: Global Privacy Control on a device, and what it has done to the person.
namespace cdp {
namespace {

using consent::Fact;
using consent::json_string;
using consent::SignalType;

constexpr std::string_view kGpcKey = "gpc";

// The signal under one identifier, from one source.
struct Heard {
    Timestamp first{};
    Timestamp last{};
    std::set<std::string> purposes = {};
    std::vector<RecordId> records = {};

    void add(Timestamp time, const std::string& purpose, const RecordId& id) {
        first = records.empty() ? time : std::min(first, time);
        last = records.empty() ? time : std::max(last, time);
        purposes.insert(purpose);
        records.push_back(id);
    }
};

using HeardBySource = std::map<std::string, Heard>;

bool heeds_gpc(const consent::Purpose& purpose) {
    return std::ranges::find(purpose.signals, kGpcKey) != purpose.signals.end();
}

bool names(const std::set<RecordId>& signals, const std::optional<RecordId>& record) {
    return record && signals.contains(*record);
}

// A beginning of the present stay of an identifier with others: first the member row's, then, of
// intervals that touch, those of its history.
Result<std::optional<Timestamp>> stay_ending_at(storage::Transaction& transaction,
                                                const Token& token, Timestamp until) {
    std::optional<Timestamp> since;
    bool readable = true;
    CDP_CHECK(transaction.scan(storage::KeyWriter(storage::Space::history, token).str(),
                               [&](std::string_view key, std::string_view value) {
                                   const auto end = storage::KeyReader(key).newest_first();
                                   if (end > until) return true;
                                   if (end < until) return false;
                                   const auto begin = identity::decode_since(value.substr(0, 9));
                                   readable = value.size() > 9 && begin;
                                   since = begin;
                                   return false;
                               }));
    if (!readable) return damaged("a history row that cannot be read");
    return since;
}

class Gpc {
public:
    Gpc(const AuditSources& sources, People::Reading reading, const AuditedPerson& audited,
        const Person& person)
        : sources_(sources),
          reading_(reading),
          audited_(audited),
          person_(person),
          now_(sources.clock.now()) {}

    Result<std::string> answer() {
        std::string devices;
        for (const auto& member : person_.members) {
            const auto heard = CDP_TRY(heard_under(member.token));
            if (heard.empty()) continue;
            devices += (devices.empty() ? "" : ",") + CDP_TRY(device_json(member, heard));
        }
        std::string heeded;
        std::string purposes;
        for (const auto& purpose : sources_.config.policy.purposes) {
            if (!heeds_gpc(purpose)) continue;
            heeded += (heeded.empty() ? "" : ",") + json_string(purpose.name);
            if (signals_.empty()) continue;
            purposes += (purposes.empty() ? "" : ",") + CDP_TRY(purpose_json(purpose));
        }
        return "\"heeded_by\":[" + heeded + "],\"devices\":[" + devices + "],\"purposes\":[" +
               purposes + "],\"overrides\":[" + CDP_TRY(overrides_json()) + "]";
    }

private:
    Result<HeardBySource> heard_under(const Token& token) {
        HeardBySource heard;
        for (const auto& row :
             CDP_TRY(sources_.consents.rows(reading_.snapshot, reading_.transaction, token))) {
            if (const auto* cell = std::get_if<consent::Cell>(&row)) {
                const auto& stamp = cell->first;
                if (!stamp.signal || stamp.signal->type != SignalType::gpc) continue;
                heard[stamp.source].add(stamp.time, stamp.purpose, cell->id);
                signals_.insert(cell->id);
            } else {
                const auto& record = std::get<consent::Record>(row);
                if (!record.signal || record.signal->type != SignalType::gpc) continue;
                heard[record.source].add(record.time, record.purpose, record.id);
                signals_.insert(record.id);
            }
        }
        return heard;
    }

    // Since when the identifier has been together with an account of the person, or with whom was
    // asked about when there is none.
    Result<std::optional<Timestamp>> since_when(const PersonMember& device) {
        std::set<Token> others;
        for (const auto& member : person_.members)
            if (member.node.link_class == identity::LinkClass::account &&
                member.token != device.token)
                others.insert(member.token);
        if (others.empty()) others.insert(audited_.asked);
        const auto key =
            storage::KeyWriter(storage::Space::member, device.node.anchor).id(device.token).str();
        const auto row = CDP_TRY(reading_.snapshot.get(key));
        auto since = row ? identity::decode_since(*row) : std::nullopt;
        while (since) {
            const auto before = *since - std::chrono::milliseconds{1};
            const auto then =
                CDP_TRY(person_then(sources_.graph, reading_.transaction, device.token, before));
            if (!then || std::ranges::none_of(then->members, [&](const Token& token) {
                    return others.contains(token);
                }))
                break;
            const auto earlier =
                CDP_TRY(stay_ending_at(reading_.transaction, device.token, *since));
            if (!earlier || *earlier >= *since) break;
            since = earlier;
        }
        return since;
    }

    Result<std::string> device_json(const PersonMember& member, const HeardBySource& heard) {
        std::string out = "{\"identifier\":{" + CDP_TRY(name_of(member.token)) + "}" +
                          moment("since", CDP_TRY(since_when(member))) + ",\"signals\":[";
        for (const auto& [source, one] : heard) {
            out += (out.back() == '[' ? "" : ",") + ("{\"source\":" + json_string(source)) +
                   moment("first", one.first) + moment("last", one.last) + ",\"purposes\":[";
            for (const auto& purpose : one.purposes)
                out += (out.back() == '[' ? "" : ",") + json_string(purpose);
            out += "],\"records\":[";
            for (const auto& id : one.records)
                out += (out.back() == '[' ? "" : ",") + hex_json(id.view());
            out += "]}";
        }
        return out + "]}";
    }

    // Whether everything of the person is refused, and what is decided about each identifier.
    Result<std::string> purpose_json(const consent::Purpose& purpose) {
        const consent::Fold fold(person_.consents,
                                 {.purpose = purpose.name,
                                  .channel = {},
                                  .now = now_,
                                  .self_consent_age = sources_.config.policy.self_consent_age},
                                 {});
        const auto& denial = fold.person_denial;
        std::string out = "{\"purpose\":" + json_string(purpose.name) +
                          ",\"opted_out\":" + (denial ? "true" : "false");
        if (denial && denial->evidence)
            out += ",\"record\":" + hex_json(denial->evidence->view()) +
                   ",\"by_gpc\":" + (names(signals_, denial->evidence) ? "true" : "false");
        out += ",\"decisions\":[";
        for (const auto& use : uses_of(sources_.config.policy, purpose.name)) {
            if (use.purpose != purpose.name) continue;
            const consent::Judge judge(
                sources_.config.policy, person_.consents,
                {.purpose = use.purpose, .channel = use.channel, .now = now_});
            for (const auto& member : person_.consents) {
                if (member.quarantined_until_released) continue;
                out += (out.back() == '[' ? "" : ",") + CDP_TRY(decision_json(use, member, judge));
            }
        }
        return out + "]}";
    }

    Result<std::string> decision_json(const Use& use, const consent::Member& member,
                                      const consent::Judge& judge) {
        const auto causes = judge.explain(datum_of(member, now_));
        const auto decision = judge.decide(datum_of(member, now_));
        const bool by_gpc =
            !decision.allowed() && std::ranges::any_of(causes, [&](const consent::Cause& cause) {
                return names(signals_, cause.evidence);
            });
        return "{\"channel\":" + json_string(use.channel) + ",\"identifier\":{" +
               CDP_TRY(name_of(member.token)) + "}," + decision_members(decision) +
               ",\"by_gpc\":" + (by_gpc ? "true" : "false") + "}";
    }

    // What took such a signal back: by its name, or as the later word of the whole person under the
    // same identifier.
    Result<std::string> overrides_json() {
        std::vector<std::string> list;
        for (const auto& member : person_.consents)
            for (const Fact& fact : member.facts) {
                const auto named = std::ranges::find_if(
                    fact.overrides, [&](const RecordId& id) { return signals_.contains(id); });
                if (named == fact.overrides.end() && !is_later_word(member, fact)) continue;
                std::string one = "{\"record\":" + hex_json(fact.id.view()) + ",\"identifier\":{" +
                                  CDP_TRY(name_of(member.token)) +
                                  "},\"purpose\":" + json_string(fact.purpose) +
                                  moment("time", fact.time);
                if (named != fact.overrides.end())
                    one += ",\"overrides\":" + hex_json(named->view());
                list.push_back(one + "}");
            }
        std::string out;
        for (const auto& one : list) out += (out.empty() ? "" : ",") + one;
        return out;
    }

    bool is_later_word(const consent::Member& member, const Fact& grant) const {
        if (grant.state != consent::State::granted || grant.scope != consent::Scope::person ||
            grant.unproven || !consent::counts(grant.state, grant.origin, member.contact))
            return false;
        if (!grant.channels.empty()) return false;
        bool later = false;
        for (const Fact& signal : member.facts) {
            if (!signals_.contains(signal.id) || !consent::covers(grant.purpose, signal.purpose))
                continue;
            if (signal.time >= grant.time) return false;
            later = true;
        }
        return later;
    }

    Result<std::string> name_of(const Token& token) const {
        return StoredNames(sources_.vault, reading_.snapshot).name_of(token);
    }

    const AuditSources& sources_;
    People::Reading reading_;
    const AuditedPerson& audited_;
    const Person& person_;
    Timestamp now_;
    std::set<RecordId> signals_ = {};  // every record and cell of the signal
};

}  // namespace

Result<Shown> audit_gpc(const AuditSources& sources, const AuditQuery& query) {
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto audited = CDP_TRY(audited_person(sources, reading, query.subject));
    const auto person = CDP_TRY(sources.people.load(reading, audited.asked));
    const auto answer = CDP_TRY(Gpc(sources, reading, audited, person).answer());
    return Shown("{" + CDP_TRY(person_members(sources, reading, audited)) + "," + answer + "}",
                 audited.looked());
}

}  // namespace cdp
