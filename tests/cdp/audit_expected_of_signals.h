#pragma once

#include <map>
#include <optional>

#include "tests/cdp/audit_asking.h"

// What is known of signals and withdrawals, and of what is configured.
namespace tests {

using cdp::AuditQuery;

inline bool reaches_as_far(const WordSaid& earlier, const WordSaid& later) {
    return earlier.whole_person || (!later.whole_person && earlier.under == later.under);
}

// 9: each refusal and each channel that had been given what it takes back, once.
inline Compared withdrawals(Asking& ask) {
    Compared out;
    const auto& known = ask.known;
    for (const auto* status : {"open", "acknowledged"})
        for (const auto& one : ask.all("withdrawals", {.status = status}, "withdrawals"))
            out.told.insert(line(status, one.at("channel"), one.value("purpose", "erasure"),
                                 one.value("state", one.value("scope", "")), one["received"],
                                 names_in(one["identifiers"]), one["due"], one["overdue"],
                                 one["told"]));
    const auto moment = [&](const std::vector<TookNote>& all, const std::string& channel,
                            Timestamp received) {
        for (const auto& one : all)
            if (one.channel == channel && one.received == received) return std::optional(one.time);
        return std::optional<Timestamp>();
    };
    const auto expect = [&](const consent::Channel& channel, const std::string& purpose,
                            const std::string& state, Timestamp received, const Names& named) {
        const auto noted = moment(known.noted, channel.id, received);
        const auto told = moment(known.told, channel.id, received);
        const auto due = received + std::chrono::seconds(channel.withdrawal_seconds);
        const bool agreed = channel.withdrawal_seconds > 0;
        out.expected.insert(
            line(noted ? "acknowledged" : "open", channel.id, purpose, state, received, named,
                 agreed ? cdp::format_time(due) : "null",
                 agreed && noted.value_or(ask.shop.clock().now()) > due ? "true" : "false",
                 told ? cdp::format_time(*told) : "null"));
    };
    for (const auto& word : known.said) {
        if (!word.refuses() || known.is_repetition(word)) continue;
        const auto gone = std::ranges::find_if(
            known.gone, [&](const auto& one) { return one.names.contains(word.under); });
        const bool is_gone = gone != known.gone.end();
        const auto whose = is_gone ? gone->names : known.person(word.under);
        for (const auto& channel : known.policy.channels) {
            const bool concerned =
                std::ranges::any_of(given_of(known, whose), [&](const auto* one) {
                    if (one->channel != channel.id || one->time > word.received) return false;
                    if (!one->tells_something() || !word.speaks_of(one->purpose)) return false;
                    return std::ranges::none_of(known.said, [&](const WordSaid& other) {
                        return whose.contains(other.under) && other.refuses() &&
                               other.speaks_of(one->purpose) && reaches_as_far(other, word) &&
                               one->time < other.received && other.received < word.received;
                    });
                });
            if (!concerned) continue;
            const auto noted = moment(known.noted, channel.id, word.received);
            // Of who was erased it is told as long as nobody took note, without whom it names.
            if (is_gone && noted && *noted < gone->time) continue;
            expect(channel, word.purpose, word.state, word.received,
                   is_gone ? Names{} : Names{word.under});
        }
    }
    for (const auto& gone : known.gone)
        for (const auto& channel : known.policy.channels)
            if (gone.channels.contains(channel.id))
                expect(channel, "erasure", "person", gone.time, {});
    return out;
}

// 18: a name may go on on the next page.
inline Compared unmapped(Asking& ask) {
    Compared out;
    std::map<std::string, std::pair<std::size_t, std::string>> told, expected;
    const auto add = [](auto& to, const std::string& name, std::size_t count,
                        const std::string& oldest) {
        auto& [sum, first] = to[name];
        sum += count;
        first = first.empty() ? oldest : std::min(first, oldest);
    };
    for (const auto& one : ask.all("unmapped", {}, "unmapped"))
        add(told, line(one.at("kind"), one["name"]), one["identifiers"], one["oldest"]);
    for (const auto& one : ask.known.unmapped)
        if (!ask.known.is_gone(one.home))
            add(expected, line(one.kind, one.name), 1, cdp::format_time(one.time));
    for (const auto& [name, met] : told)
        out.told.insert(line(name, std::to_string(met.first), met.second));
    for (const auto& [name, met] : expected)
        out.expected.insert(line(name, std::to_string(met.first), met.second));
    return out;
}

// 26
inline Compared unused(Asking& ask) {
    Compared out;
    const auto& known = ask.known;
    for (const auto& one : ask.all("unused", {.days = "1"}, "unused"))
        out.told.insert(line(one.at("kind"), one["name"], one.value("last_read", "never"),
                             one.value("last_channel", "")));
    std::set<std::pair<std::string, std::string>> stored;  // section and name
    for (const auto& [name, since] : known.names) {
        if (known.is_gone(name)) continue;
        stored.emplace("identifiers", subject_of(name).type);
        if (name.starts_with("user_id:"))
            for (const auto* trait : {"email", "phone", "firstName", "plan", "secret"})
                stored.emplace("fields", trait);
    }
    for (const auto& one : known.unmapped)
        if (one.kind == "trait" && !known.is_gone(one.home)) stored.emplace("fields", one.name);
    const auto today = cdp::day_of(ask.shop.clock().now());
    for (const auto& [section, name] : stored) {
        std::pair<std::int32_t, std::string> last(0, "");
        for (const auto& one : known.given)
            if (one.left.contains(section + "/" + name))
                last = std::max(last, std::pair(cdp::day_of(one.time), one.channel));
        if (last.first >= today - 1) continue;
        out.expected.insert(line(section == "fields" ? "trait" : "identifier_type", name,
                                 last.first > 0 ? cdp::format_day(last.first) : "never",
                                 last.second));
    }
    return out;
}

// Of each type and identifier the newest that was known at a time.
inline Names in_force(const History& known, const Names& whose, Timestamp at) {
    std::map<std::pair<std::string, std::string>, const WordSaid*> newest;
    for (const auto& word : known.said)
        if (!word.signal.empty() && whose.contains(word.under) && word.time <= at) {
            auto& one = newest[{word.signal, word.under}];
            if (!one || one->time <= word.time) one = &word;
        }
    Names out;
    for (const auto& [key, word] : newest)
        out.insert(word->signal + " " + word->under + " " + hash_text(word->raw));
    return out;
}

// 19
inline Compared signals(Asking& ask) {
    Compared out;
    const auto& known = ask.known;
    ask.each_person([&](const Names& all, const std::string& name) {
        for (const auto& one : ask.all("signals", about(name), "signals"))
            out.told.insert(one.contains("error") ? line(name, one)
                                                  : line(name_in(one["identifier"]), one["type"],
                                                         one["raw"], one["sha256"]));
        for (const auto& row : ask.all("signals", about(name), "disclosures")) {
            if (row.contains("error")) continue;
            Names names;
            for (const auto& one : row["in_force"])
                names.insert(one["type"].get<std::string>() + " " + name_in(one["identifier"]) +
                             " " + one["sha256"].get<std::string>());
            out.told.insert(line(name, row["first"], row["channel"], row["purpose"], names));
        }
        for (const auto& word : known.said)
            if (all.contains(word.under) && !word.signal.empty())
                out.expected.insert(line(word.under, word.signal, word.raw, hash_text(word.raw)));
        for (const auto* one : given_of(known, all))
            out.expected.insert(
                line(name, one->time, one->channel, one->purpose, in_force(known, all, one->time)));
    });
    return out;
}

// 20
inline Compared conflicts(Asking& ask) {
    Compared out;
    const auto& known = ask.known;
    for (const auto& person : ask.all("conflicts", {}, "persons"))
        for (const auto& purpose : person.at("purposes"))
            out.told.insert(
                line(purpose["purpose"],
                     *known.person(name_in(purpose["standing"][0]["identifier"])).begin()));
    for (const auto& [first, all] : known.persons())
        for (const auto& purpose : known.policy.purposes) {
            // The last of each voice: of a kind of signal, or in words.
            std::map<std::pair<std::string, std::string>, const WordSaid*> last;
            for (const auto& word : known.said) {
                if (!all.contains(word.under) || !word.speaks_of(purpose.name)) continue;
                auto& one = last[{word.under, word.signal}];
                if (!one || one->time <= word.time) one = &word;
            }
            std::set<bool> refusals;
            for (const auto& [voice, word] : last)
                if (!known.is_taken_back(*word)) refusals.insert(word->refuses());
            if (refusals.size() == 2) out.expected.insert(line(purpose.name, first));
        }
    return out;
}

// 22
inline Compared processing(Asking& ask) {
    Compared out;
    const auto answer = ask.one("processing", {});
    CHECK(answer["controller"]["name"] == "The shop");
    for (const auto& purpose : answer["purposes"]) {
        const Names recipients(purpose["recipients"].begin(), purpose["recipients"].end());
        out.told.insert(line(purpose["name"], purpose["regime"], recipients));
    }
    for (const auto& one : answer["recipients"]) {
        Names labels;
        for (const auto& label : one["receives"]) labels.insert(label["label"]);
        out.told.insert(line(one["channel"], one["recipient"], labels));
    }
    for (const auto& purpose : ask.known.policy.purposes) {
        Names recipients;
        for (const auto& [name, channel] : ask.known.uses())
            if (name == purpose.name) recipients.insert(channel);
        out.expected.insert(
            line(purpose.name, std::string(consent::to_string(purpose.regime)), recipients));
    }
    for (const auto& channel : ask.known.policy.channels) {
        Names labels;
        for (const auto& label : channel.labels) labels.insert(label.label);
        out.expected.insert(line(channel.id, channel.recipient, labels));
    }
    return out;
}

}  // namespace tests
