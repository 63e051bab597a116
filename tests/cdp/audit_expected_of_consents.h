#pragma once

#include <map>
#include <optional>

#include "tests/cdp/audit_asking.h"

// What is known of what was said, and of what holds by it.
namespace tests {

using cdp::AuditQuery;

// 2: the decisions, for each identifier, by what was known then and is known now.
inline Compared beliefs(Asking& ask) {
    Compared out;
    const auto& known = ask.known;
    ask.each_person([&](const Names& all, const std::string& name) {
        const auto moment = [&] {
            const auto& word = known.said[ask.random.below(known.said.size())];
            return word.received + std::chrono::minutes(1);
        };
        auto query = about(name);
        query.as_of = moment();
        query.known_at = moment();
        const auto answer = ask.one("consent", query);
        if (!answer.contains("then")) {
            out.told.insert(line(name, answer));
            return;
        }
        for (const auto& proof : answer["proofs"]) ask.proven(proof);
        for (const auto* when : {"then", "now"}) {
            const auto& belief = answer[when];
            const auto& list = belief["identifiers"];
            out.told.insert(line(name, when, names_in(list)));
            for (const auto& use : belief["decisions"])
                for (const auto& one : use["identifiers"])
                    out.told.insert(line(when, name_in(list[one["identifier"].get<std::size_t>()]),
                                         use["purpose"], use["channel"], one["reason"]));
            const bool then = *when == 't';
            const auto known_at = then ? *query.known_at : Timestamp::max();
            const auto whose = then ? known.person(name, known_at) : all;
            out.expected.insert(line(name, when, whose));
            const auto members = known.members(whose, known_at, *query.as_of);
            for (const auto& [purpose, channel] : known.uses())
                for (const auto& one : whose)
                    out.expected.insert(
                        line(when, one, purpose, channel,
                             known.reason(members, purpose, channel, one, *query.as_of)));
        }
    });
    return out;
}

// 3, 4
inline Compared records(Asking& ask) {
    Compared out;
    for (const auto& word : ask.known.said) {
        if (word.id.empty() || ask.known.is_gone(word.under)) continue;
        const auto text = word.version.empty() ? "" : AuditedShop::text_of(word.version);
        out.expected.insert(line(word.id, word.purpose, word.state, word.time, word.received,
                                 word.actor, text, word.state));
        auto query = about(ask.any_of(ask.known.person(word.under)));
        query.id = word.id;
        const auto answer = ask.one("record", query);
        if (!answer.contains("record")) {
            out.told.insert(line(word.id, answer));
            continue;
        }
        const auto& record = answer["record"];
        const auto proof = ask.proven(record);
        REQUIRE(proof.record);
        CHECK(proof.record->purpose == record["purpose"]);
        out.told.insert(line(record["id"], record["purpose"], record["state"], record["time"],
                             record["received"], record["actor"]["kind"],
                             answer["notice"].is_null() ? json("") : answer["notice"]["text"],
                             std::string(to_string(proof.record->state))));
    }
    return out;
}

// 6
inline Compared grants(Asking& ask) {
    Compared out;
    for (const auto* version : {"3", "4"})
        for (const auto* status : {"in_force", "all"}) {
            const AuditQuery query{.id = "terms", .version = version, .status = status};
            for (const auto& one : ask.all("notice", query, "grants"))
                out.told.insert(line(status, one.at("record"), name_in(one.at("identifier")),
                                     one.at("in_force")));
            for (const auto& word : ask.known.said) {
                if (word.version != version || word.refuses() || ask.known.is_gone(word.under))
                    continue;
                const auto* last = ask.known.last_word(word.under, word.purpose);
                const bool stands = last && last->id == word.id;
                if (stands || *status == 'a')
                    out.expected.insert(
                        line(status, word.id, word.under, stands ? "true" : "false"));
            }
        }
    const auto wider = ask.one("notice", {.id = "terms", .version = "3", .against = "4"});
    out.told.insert(line(wider["widened"], wider["narrowed"]));
    out.expected.insert(line(json{"analytics"}, json::array()));
    return out;
}

// 7: who was two once, and who may become one.
inline Compared merges(Asking& ask) {
    Compared out;
    const auto& known = ask.known;
    const auto compare = [&](const std::string& a, const std::string& b, bool are_one,
                             const Names& of_a, const Names& of_b, const Names& whole) {
        AuditQuery query;
        query.a = subject_of(a);
        query.b = subject_of(b);
        const auto whole_answer = ask.one("merge", query);
        out.told.insert(line(a, b, whole_answer.value("compares", whole_answer.dump()),
                             names_in(whole_answer.value("side_a", json::array())),
                             names_in(whole_answer.value("side_b", json::array()))));
        out.expected.insert(line(a, b, are_one ? "unmerge" : "merge", of_a, of_b));
        for (const auto& one : ask.all("merge", query, "differences")) {
            if (one.contains("error") || one["as_one"]["reason"] == one["apart"]["reason"])
                continue;  // the same by another record
            out.told.insert(line(a, b, one["purpose"], one["channel"], name_in(one["identifier"]),
                                 one["as_one"]["reason"], one["apart"]["reason"]));
        }
        const auto ever = Timestamp::max();
        const auto as_one = known.members(whole, ever, ever);
        for (const auto* side : {&of_a, &of_b}) {
            const auto apart = known.members(*side, ever, ever);
            for (const auto& [purpose, channel] : known.uses())
                for (const auto& name : *side) {
                    const auto one = known.reason(as_one, purpose, channel, name, known.now);
                    const auto two = known.reason(apart, purpose, channel, name, known.now);
                    if (one != two)
                        out.expected.insert(line(a, b, purpose, channel, name, one, two));
                }
        }
    };
    for (const auto& one : known.joined) {
        const auto before = one.time - std::chrono::milliseconds(1);
        const bool born_so = std::ranges::any_of(known.names, [&](const auto& name) {
            return name.first == one.b && name.second == one.time;
        });
        if (born_so || known.is_gone(one.a)) continue;
        compare(one.a, one.b, true, known.person(one.a, before), known.person(one.b, before),
                known.person(one.a));
    }
    const auto persons = known.persons();
    for (auto at = persons.begin(); at != persons.end() && std::next(at) != persons.end();
         std::advance(at, 2)) {
        const auto& [a, of_a] = *at;
        const auto& [b, of_b] = *std::next(at);
        auto whole = of_a;
        whole.insert(of_b.begin(), of_b.end());
        compare(a, b, false, of_a, of_b, whole);
        if (std::next(at, 2) == persons.end()) break;
    }
    return out;
}

// 8
inline Compared gpc(Asking& ask) {
    Compared out;
    ask.each_person([&](const Names& all, const std::string& name) {
        const auto answer = ask.one("gpc", about(name));
        if (!answer.contains("devices")) {
            out.told.insert(line(name, answer));
            return;
        }
        for (const auto& device : answer["devices"])
            for (const auto& one : device["signals"])
                out.told.insert(
                    line(name_in(device["identifier"]), one["source"], one["first"], one["last"]));
        for (const auto& purpose : answer["purposes"])
            out.told.insert(line(name, purpose["purpose"], purpose["opted_out"]));
        CHECK(answer["overrides"].empty());

        bool any = false;
        for (const auto& device : all) {
            std::optional<Timestamp> first, last;
            for (const auto& word : ask.known.said) {
                if (word.under != device || word.signal != "gpc" || ask.known.is_repetition(word))
                    continue;
                if (!first) first = word.time;
                last = word.time;
            }
            if (first) out.expected.insert(line(device, "web", *first, *last));
            any = any || first;
        }
        if (!any) return;
        // Of an identifier of the person under which nothing was said: only what spreads.
        auto members = ask.known.members(all, Timestamp::max(), Timestamp::max());
        members.push_back({.token = History::token_of("probe:x"), .type = "probe"});
        const auto spread =
            ask.known.reason(members, "advertising", "ads_tool", "probe:x", ask.known.now);
        out.expected.insert(line(name, "advertising", spread == "never_asked" ? "false" : "true"));
    });
    return out;
}

// 14
inline Compared minors(Asking& ask) {
    Compared out;
    const auto& known = ask.known;
    for (const auto& one : ask.all("minors", {}, "records"))
        out.told.insert(line(one.at("id"), one["identifiers"][0]["value"], one["state"],
                             one["verification"], one["guardian_proof"], one.value("lacks", "")));
    for (const auto& word : known.said) {
        if (!word.of_minor || known.is_gone(word.under)) continue;
        const auto* last =
            word.guardian.empty() ? nullptr : known.last_word(word.guardian, word.purpose);
        const auto lacks = word.guardian.empty() ? "guardian_unnamed"
                           : !last || last->id != word.guardian_record
                               ? "guardian_record_not_in_force"
                               : "";
        out.expected.insert(line(word.id, subject_of(word.under).value, word.state, "card",
                                 *lacks ? "false" : "true", lacks));
    }
    return out;
}

// 23
inline Compared actors(Asking& ask) {
    Compared out;
    for (const auto* actor : {"", "self", "officer", "agent", "import", "api"})
        for (const auto* status : {"proven", "unproven"}) {
            for (const auto& one :
                 ask.all("records", {.actor = actor, .status = status}, "records"))
                out.told.insert(line(actor, status, one.at("id"), one["actor"]["kind"]));
            for (const auto& word : ask.known.said) {
                if (word.id.empty() || ask.known.is_gone(word.under)) continue;
                if (word.proven != (*status == 'p')) continue;
                if (*actor ? word.actor == actor : word.actor != "self")
                    out.expected.insert(line(actor, status, word.id, word.actor));
            }
        }
    return out;
}

}  // namespace tests
