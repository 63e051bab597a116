#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "cdp/audit_answers.h"
#include "cdp/audit_scan.h"
#include "cdp/audit_standing.h"
#include "cdp/consent_json.h"
#include "cdp/refuse.h"
#include "consent/json_string.h"
#include "storage/key.h"

// Question 20: people of whom one thing that was said allows what another refuses.
namespace cdp {
namespace {

using consent::Fact;
using consent::json_string;
using consent::SignalType;

// How something came to be said, which a fact does not know.
struct Voice {
    std::optional<SignalType> signal = {};
    std::string method = {};  // of a record
    std::string source = {};
    bool stamp = false;
};

Voice voice_of(const consent::Row& row) {
    if (const auto* cell = std::get_if<consent::Cell>(&row)) {
        Voice voice{.source = cell->first.source, .stamp = true};
        if (cell->first.signal) voice.signal = cell->first.signal->type;
        return voice;
    }
    const auto& record = std::get<consent::Record>(row);
    Voice voice{.method = std::string(consent::method_text(record)), .source = record.source};
    if (record.signal) voice.signal = record.signal->type;
    return voice;
}

// A thing said that still stands: no later one of the same kind says otherwise of the identifier.
struct Standing {
    const consent::Member* member;
    const Fact* fact;
    Voice voice;
};

using Voices = std::map<RecordId, Voice>;

bool opposes(const std::vector<Standing>& standing) {
    const auto grants = [](const Standing& one) {
        return one.fact->state == consent::State::granted;
    };
    return std::ranges::any_of(standing, grants) && !std::ranges::all_of(standing, grants);
}

// Whether anything in it can be at odds at all: spares everybody else the reading.
bool may_oppose(const StandingPersons::Loaded& person) {
    bool granted = false;
    bool denied = false;
    for (const auto& member : person.members)
        for (const Fact& fact : member.facts) {
            granted = granted || fact.state == consent::State::granted;
            denied = denied || consent::is_denial(fact.state);
        }
    return granted && denied;
}

// What of a member bears on the person at all.
bool bears(const consent::Member& member, const Fact& fact) {
    if (!consent::counts(fact.state, fact.origin, member.contact)) return false;
    const auto& split = member.quarantined_until_released;
    return !split || (fact.received < *split && fact.scope == consent::Scope::person &&
                      consent::is_denial(fact.state));
}

bool comes_before(const Fact& a, const Fact& b) {
    const auto denies = [](const Fact& fact) { return consent::is_denial(fact.state); };
    return std::tuple(a.time, denies(a), a.id) < std::tuple(b.time, denies(b), b.id);
}

class Person {
public:
    Person(const StandingPersons::Loaded& loaded, const Voices& voices, Timestamp now)
        : loaded_(loaded), voices_(voices), now_(now) {}

    // One for each identifier and kind of voice: a signal's type, or words.
    std::vector<Standing> standing(const std::string& purpose) const {
        std::vector<Standing> out;
        for (const auto& member : loaded_.members) add(member, purpose, out);
        std::ranges::sort(out, [](const Standing& a, const Standing& b) {
            return std::tuple(b.fact->time, b.fact->id) < std::tuple(a.fact->time, a.fact->id);
        });
        return out;
    }

private:
    // What is said of some channels alone stands beside what is said of all.
    using Kind = std::pair<std::optional<SignalType>, std::vector<std::string>>;

    void add(const consent::Member& member, const std::string& purpose,
             std::vector<Standing>& out) const {
        std::map<Kind, const Fact*> newest;
        const Fact* invalidated = nullptr;
        for (const Fact& fact : member.facts) {
            if (!consent::covers(fact.purpose, purpose) || !bears(member, fact)) continue;
            if (fact.time > now_ && !consent::is_denial(fact.state)) continue;
            if (fact.state == consent::State::invalidated &&
                (!invalidated || comes_before(*invalidated, fact)))
                invalidated = &fact;
            if (!settles(fact)) continue;
            const auto voice = voices_.find(fact.id);
            const Kind kind{voice == voices_.end() ? std::nullopt : voice->second.signal,
                            fact.channels};
            auto& last = newest.try_emplace(kind, &fact).first->second;
            if (comes_before(*last, fact)) last = &fact;
        }
        for (const auto& [kind, fact] : newest) {
            if (!stands(*fact, invalidated)) continue;
            const auto voice = voices_.find(fact->id);
            out.push_back({&member, fact, voice == voices_.end() ? Voice{} : voice->second});
        }
    }

    static bool settles(const Fact& fact) {
        return fact.state == consent::State::granted || fact.state == consent::State::expired ||
               consent::is_denial(fact.state);
    }

    bool stands(const Fact& fact, const Fact* invalidated) const {
        if (fact.state == consent::State::expired) return false;
        if (invalidated && !comes_before(*invalidated, fact)) return false;
        if (fact.state == consent::State::granted)
            return !fact.valid_until || *fact.valid_until > now_;
        return !is_taken_back(fact);
    }

    bool is_taken_back(const Fact& denial) const {
        return std::ranges::any_of(loaded_.members, [&](const consent::Member& member) {
            return std::ranges::any_of(member.facts, [&](const Fact& fact) {
                return denial.time < fact.time && fact.time <= now_ &&
                       std::ranges::find(fact.overrides, denial.id) != fact.overrides.end();
            });
        });
    }

    const StandingPersons::Loaded& loaded_;
    const Voices& voices_;
    Timestamp now_;
};

class Conflicts {
public:
    Conflicts(const AuditSources& sources, const AuditQuery& query, People::Reading reading,
              AuditPage& page)
        : sources_(sources),
          query_(query),
          reading_(reading),
          page_(page),
          persons_(sources, reading),
          now_(sources.clock.now()) {}

    // The person of an anchor.
    Result<void> take(const Token& anchor) {
        const auto& loaded = *CDP_TRY(persons_.find(anchor));
        page_.looked_at(loaded.facts);
        if (!loaded.id || !may_oppose(loaded)) return Result<void>::ok();
        const auto voices = CDP_TRY(voices_of(loaded));
        const Person person(loaded, voices, now_);
        std::string purposes;
        for (const auto& purpose : sources_.config.policy.purposes) {
            if (!query_.purpose.empty() && purpose.name != query_.purpose) continue;
            const auto standing = person.standing(purpose.name);
            if (!opposes(standing)) continue;
            purposes +=
                (purposes.empty() ? "" : ",") + CDP_TRY(purpose_json(loaded, purpose, standing));
        }
        if (purposes.empty()) return Result<void>::ok();
        page_.tell_of(loaded.id);
        for (const auto& member : loaded.members) page_.tell_of(member.token);
        page_.tell("{\"person\":" + person_json(loaded.id) + ",\"purposes\":[" + purposes + "]}");
        return Result<void>::ok();
    }

private:
    Result<Voices> voices_of(const StandingPersons::Loaded& loaded) {
        Voices voices;
        for (const auto& member : loaded.members)
            for (const auto& row : CDP_TRY(sources_.consents.rows(
                     reading_.snapshot, reading_.transaction, member.token))) {
                const auto* record = std::get_if<consent::Record>(&row);
                voices.emplace(record ? record->id : std::get<consent::Cell>(row).id,
                               voice_of(row));
            }
        page_.looked_at(loaded.facts);
        return voices;
    }

    Result<std::string> purpose_json(const StandingPersons::Loaded& loaded,
                                     const consent::Purpose& purpose,
                                     const std::vector<Standing>& standing) {
        std::string out = "{\"purpose\":" + json_string(purpose.name) + ",\"standing\":[";
        for (const auto& one : standing)
            out += (out.back() == '[' ? "" : ",") + CDP_TRY(standing_json(one));
        out += "],\"decisions\":[";
        for (const auto& use : uses_of(sources_.config.policy, purpose.name)) {
            if (use.purpose != purpose.name) continue;
            const consent::Judge judge(
                sources_.config.policy, loaded.members,
                {.purpose = use.purpose, .channel = use.channel, .now = now_});
            for (const auto& member : loaded.members) {
                if (member.quarantined_until_released) continue;
                out += (out.back() == '[' ? "" : ",") +
                       ("{\"channel\":" + json_string(use.channel)) + ",\"identifier\":{" +
                       CDP_TRY(name_of(member.token)) + "}," +
                       decision_members(judge.decide(datum_of(member, now_))) + "}";
            }
        }
        return out + "]}";
    }

    Result<std::string> standing_json(const Standing& one) {
        const Fact& fact = *one.fact;
        std::string out = "{\"identifier\":{" + CDP_TRY(name_of(one.member->token)) +
                          "},\"record\":" + hex_json(fact.id.view()) +
                          ",\"kind\":" + (one.voice.stamp ? "\"stamp\"" : "\"record\"") +
                          ",\"state\":\"" + std::string(consent::to_string(fact.state)) +
                          "\",\"scope\":\"" + std::string(consent::to_string(fact.scope)) +
                          "\",\"origin\":\"" + std::string(consent::to_string(fact.origin)) + "\"";
        if (one.voice.signal)
            out += ",\"signal\":\"" + std::string(consent::to_string(*one.voice.signal)) + "\"";
        if (!one.voice.method.empty()) out += ",\"method\":" + json_string(one.voice.method);
        out += ",\"source\":" + json_string(one.voice.source) + moment("time", fact.time);
        if (!fact.channels.empty()) {
            out += ",\"channels\":[";
            for (const auto& channel : fact.channels)
                out += (out.back() == '[' ? "" : ",") + json_string(channel);
            out += "]";
        }
        if (one.member->quarantined_until_released) out += ",\"quarantined\":true";
        return out + "}";
    }

    Result<std::string> name_of(const Token& token) const {
        return StoredNames(sources_.vault, reading_.snapshot).name_of(token);
    }

    const AuditSources& sources_;
    const AuditQuery& query_;
    People::Reading reading_;
    AuditPage& page_;
    StandingPersons persons_;
    Timestamp now_;
};

// Every person's anchor, from where the page before ended. A person's members stand together.
Result<void> scan_persons(const storage::Snapshot& snapshot, AuditPage& page,
                          const std::function<Result<void>(const Token&)>& visit) {
    const auto prefix = storage::space_prefix(storage::Space::member);
    // Behind everything that begins with the last anchor.
    const auto from =
        page.after().empty() ? std::string() : prefix + page.after() + std::string(17, '\xff');
    std::optional<Token> last;
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot.scan(prefix, from, [&](std::string_view key, std::string_view) {
        const auto anchor = Token::from(key.substr(prefix.size(), sizeof(Token)));
        if (last != anchor) {
            if (page.full()) {
                page.end_at(std::string(last->view()));
                return false;
            }
            last = anchor;
            outcome = visit(anchor);
        }
        page.looked_at(1);
        return static_cast<bool>(outcome);
    }));
    return outcome;
}

}  // namespace

Result<Shown> audit_conflicts(const AuditSources& sources, const AuditQuery& query) {
    if (!query.purpose.empty() && !sources.config.policy.find_purpose(query.purpose))
        return refuse("purpose_unknown", "No such purpose is configured.", "/purpose");
    auto page = CDP_TRY(AuditPage::begin("conflicts", query.page));
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    Conflicts conflicts(sources, query, {*snapshot, transaction}, page);
    CDP_CHECK(
        scan_persons(*snapshot, page, [&](const Token& anchor) { return conflicts.take(anchor); }));
    return std::move(page).shown("persons");
}

}  // namespace cdp
