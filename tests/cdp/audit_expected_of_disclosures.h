#pragma once

#include <map>
#include <optional>

#include "tests/cdp/audit_asking.h"

// What is known of what left, and of who looked.
namespace tests {

using cdp::AuditQuery;

// The receipt of the newest word that refused what did not stand refused.
inline std::optional<Timestamp> withdrawn_at(const History& known, const Names& whose) {
    std::vector<const WordSaid*> all;
    for (const auto& one : known.said)
        if (whose.contains(one.under) && !known.is_repetition(one)) all.push_back(&one);
    std::ranges::stable_sort(all, {}, [](const WordSaid* one) { return one->time; });
    std::map<std::string, const WordSaid*> refused;
    const WordSaid* newest = nullptr;
    for (const auto* one : all) {
        auto& stands = refused[one->purpose];
        if (!one->refuses()) {
            const bool may =
                !one->id.empty() || (stands && stands->id.empty() && stands->under == one->under);
            if (may) stands = nullptr;
        } else if (!one->id.empty() || !stands) {
            stands = newest = one;
        }
    }
    return newest ? std::optional(newest->received) : std::nullopt;
}

// 1
inline Compared disclosures(Asking& ask) {
    Compared out;
    std::map<std::string, Names> told;
    ask.each_person([&](const Names& all, const std::string& name) {
        const auto& who = *all.begin();
        for (const auto& row : ask.all("disclosures", about(name), "disclosures")) {
            if (row.contains("error")) {
                out.told.insert(line(who, row));
                continue;
            }
            CHECK(row["first"] == row["last"]);
            const auto proof = ask.proven(row);
            REQUIRE((proof.row && proof.batch));
            CHECK(proof.batch->channel == row["channel"]);
            CHECK(cdp::format_time(proof.row->first) == row["first"]);
            told[line(who, row["first"], row["channel"], row["purpose"])].merge(
                fields_in(row["fields"]));
        }
        std::map<std::string, Names> expected;
        for (const auto* one : given_of(ask.known, all))
            expected[line(who, one->time, one->channel, one->purpose)].insert(one->left.begin(),
                                                                              one->left.end());
        for (const auto& [head, fields] : expected) out.expected.insert(line(head, fields));

        const auto since = withdrawn_at(ask.known, all);
        for (const auto* field : {"phone", "email"}) {
            auto query = about(name);
            query.field = field;
            query.since_withdrawal = true;
            for (const auto& row : ask.all("disclosures", query, "disclosures"))
                out.told.insert(line(who, "since", field, row.value("first", row.dump())));
            if (!since) continue;
            for (const auto* one : given_of(ask.known, all))
                for (const auto* section : {"fields/", "identifiers/"})
                    if (one->time >= *since && one->left.contains(section + std::string(field)))
                        out.expected.insert(line(who, "since", field, one->time));
        }
    });
    for (const auto& [head, fields] : told) out.told.insert(line(head, fields));
    return out;
}

// 5
inline Compared decisions(Asking& ask) {
    Compared out;
    for (const auto& one : ask.known.given) {
        if (one.purpose.empty() || ask.known.is_gone(one.asked)) continue;
        out.expected.insert(line(one.decision, one.time, one.channel, one.purpose, one.left));
        out.expected.insert(line(one.decision, "true", "read"));
        auto query = about(ask.any_of(ask.known.person(one.asked)));
        query.id = one.decision;
        const auto answer = ask.one("decision", query);
        if (!answer.contains("rows")) {
            out.told.insert(line(one.decision, answer));
            continue;
        }
        std::map<std::string, Names> told;
        for (const auto& row : answer["rows"])
            told[line(answer["decision"], row["first"], row["channel"], row["purpose"])].merge(
                fields_in(row["fields"]));
        for (const auto& [head, fields] : told) out.told.insert(head + line(fields));
        out.told.insert(
            line(answer["decision"], answer["again"]["same"], answer["again"]["made_by"]));
    }
    return out;
}

inline bool is_night_in_korea(Timestamp time) {
    const auto minutes =
        std::chrono::floor<std::chrono::hours>((time + std::chrono::hours(9)).time_since_epoch()) %
        std::chrono::hours(24);
    return minutes >= std::chrono::hours(21) || minutes < std::chrono::hours(8);
}

// Whether Korea's nights concern how the channel reaches people.
inline bool is_quiet(const consent::Policy& policy, const std::string& channel) {
    const auto& mediums = policy.quiet_hours.front().mediums;
    return std::ranges::any_of(policy.channels, [&](const consent::Channel& one) {
        return one.id == channel && std::ranges::count(mediums, one.medium) > 0;
    });
}

inline AuditQuery ever() {
    return {.since = cdp::parse_time("2026-11-01T00:00:00Z"),
            .until = cdp::parse_time("2027-12-31T00:00:00Z")};
}

// 10
inline Compared night(Asking& ask) {
    Compared out;
    const auto& known = ask.known;
    for (const auto& row : ask.all("night", ever(), "disclosures")) {
        const auto& rule = row.at("rules").at(0);
        out.told.insert(line(row["time"], row["channel"], row["purpose"], rule["known_there"]));
        if (row["identifier"]["type"] == "phone" && row["purpose"] == "sms_marketing")
            out.told.insert(line(
                row["time"], row["identifier"]["value"],
                rule["night_consent"].is_null() ? json("none") : rule["night_consent"]["record"]));
    }
    for (const auto& one : known.given) {
        if (!is_quiet(known.policy, one.channel) || !is_night_in_korea(one.time) ||
            !one.tells_something())
            continue;
        // It left, but nobody can say any more whose it was.
        if (known.is_gone(one.asked)) {
            out.expected.insert(line(one.time, one.channel, one.purpose, "null"));
            continue;
        }
        const auto whose = known.person(one.asked, one.time);
        const bool there = std::ranges::any_of(known.said, [&](const WordSaid& word) {
            return whose.contains(word.under) && word.jurisdiction == "KR" &&
                   word.received <= one.time;
        });
        out.expected.insert(line(one.time, one.channel, one.purpose, there ? "true" : "false"));
        if (one.purpose != "sms_marketing" || !one.left.contains("identifiers/phone")) continue;
        for (const auto& name : whose)
            if (name.starts_with("phone:")) {
                const auto* word = known.last_word(name, "night", one.time);
                out.expected.insert(
                    line(one.time, subject_of(name).value, word ? word->id : "none"));
            }
    }
    return out;
}

// 13
inline Compared purpose_limitation(Asking& ask) {
    Compared out;
    for (const auto* purpose : {"service", "advertising", "email_marketing"}) {
        for (const auto& batch :
             ask.all("purpose-limitation", {.collected_for = purpose}, "batches"))
            for (const auto& field : batch.at("fields"))
                out.told.insert(line(purpose, batch["first"], batch["channel"], batch["purpose"],
                                     field["name"], field["allowed"]));
        for (const auto& one : ask.known.given)
            for (const auto& [trait, purposes] : ask.known.policy.trait_purposes)
                if (std::ranges::count(purposes, purpose) > 0 && one.purpose != purpose &&
                    one.left.contains("fields/" + trait))
                    out.expected.insert(
                        line(purpose, one.time, one.channel, one.purpose, trait, "true"));
    }
    return out;
}

// 15
inline Compared access(Asking& ask) {
    Compared out;
    ask.each_person([&](const Names& all, const std::string& name) {
        // Asking is an access itself.
        auto query = about(name);
        query.until = ask.known.now;
        for (const auto& row : ask.all("access", query, "accesses"))
            if (row.contains("error"))
                out.told.insert(line(name, row));
            else if (row["reader"]["name"] == "lee")
                out.told.insert(line(name, row["first"], row["route"], row.value("reason", "")));
        for (const auto& one : ask.known.looked)
            if (all.contains(one.whom))
                out.expected.insert(line(name, one.time, "a look", one.reason));
    });
    return out;
}

// 16
inline Compared erasures(Asking& ask) {
    Compared out;
    for (const auto& [name, since] : ask.known.names) {
        const auto answer = ask.one("erasures", about(name));
        if (answer.at("erasures").empty()) {
            out.told.insert(line(name, "never", answer["held"]));
        } else {
            const auto& erasure = answer["erasures"][0]["erasure"];
            Names channels;
            for (const auto& one : erasure["recipients"]) channels.insert(one["channel"]);
            out.told.insert(
                line(name, erasure["status"], erasure["requested"], channels, answer["held"]));
            ask.proven(answer["erasures"][0]);
        }
        const auto gone = std::ranges::find_if(
            ask.known.gone, [&](const auto& one) { return one.names.contains(name); });
        out.expected.insert(gone == ask.known.gone.end()
                                ? line(name, "never", "true")
                                : line(name, "completed", gone->time, gone->channels, "false"));
    }
    return out;
}

// 17
inline Compared withheld(Asking& ask) {
    Compared out;
    ask.each_person([&](const Names& all, const std::string& name) {
        for (const auto& row : ask.all("withheld", about(name), "rows")) {
            if (row.contains("error")) {
                out.told.insert(line(name, row));
                continue;
            }
            for (const auto& field : row["withheld"]) {
                const auto section = field["section"].get<std::string>();
                const auto what = (section == "fields" ? "" : section + "/") +
                                  field["name"].get<std::string>() + "/" +
                                  field["reason"].get<std::string>();
                out.told.insert(line(name, row["first"], row["channel"], what));
            }
        }
        for (const auto* one : given_of(ask.known, all))
            for (const auto& field : one->withheld)
                out.expected.insert(line(name, one->time, one->channel, field));
    });
    return out;
}

// 25
inline Compared recipients(Asking& ask) {
    Compared out;
    ask.each_person([&](const Names& all, const std::string& name) {
        const auto answer = ask.one("recipients", about(name));
        if (!answer.contains("recipients")) {
            out.told.insert(line(name, answer));
            return;
        }
        for (const auto& one : answer["recipients"]) {
            ask.proven(one["newest"]);
            out.told.insert(line(name, one["channel"],
                                 Names(one["purposes"].begin(), one["purposes"].end()),
                                 one["first_time"], one["last_time"]));
        }
        std::map<std::string, std::vector<const BodyGiven*>> channels;
        for (const auto* one : given_of(ask.known, all)) channels[one->channel].push_back(one);
        for (const auto& [channel, given] : channels) {
            Names purposes;
            for (const auto* one : given) purposes.insert(one->purpose);
            out.expected.insert(
                line(name, channel, purposes, given.front()->time, given.back()->time));
        }
    });
    return out;
}

}  // namespace tests
