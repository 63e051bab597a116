#include "tests/simulator/report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace simulator {
namespace {

template <typename Value>
double mean(const Resolver& resolver, Value value) {
    double sum = 0;
    for (const auto& row : resolver.rows) sum += value(row);
    return resolver.rows.empty() ? 0 : sum / static_cast<double>(resolver.rows.size());
}

template <typename Value>
std::pair<double, double> range(const Resolver& resolver, Value value) {
    std::pair<double, double> range{1e9, -1e9};
    for (const auto& row : resolver.rows) {
        range.first = std::min(range.first, value(row));
        range.second = std::max(range.second, value(row));
    }
    return range;
}

double b_f1(const Row& row) {
    return row.b_cubed.f1;
}
double p_f1(const Row& row) {
    return row.pairwise.f1;
}
double late_agreement(const Row& row) {
    return row.late;
}
double shuffled_agreement(const Row& row) {
    return row.shuffled;
}
double two_accounts(const Row& row) {
    return static_cast<double>(row.two_accounts);
}

template <typename... Values>
std::string text(const char* format, Values... values) {
    char line[256];
    const int length = std::snprintf(line, sizeof line, format, values...);
    return {line, static_cast<std::size_t>(std::clamp(length, 0, 255))};
}

// Mean of precision, recall and F1, and the range of F1.
template <typename Get>
std::string scores(const Resolver& resolver, Get get) {
    const auto p = mean(resolver, [&](const Row& row) { return get(row).precision; });
    const auto r = mean(resolver, [&](const Row& row) { return get(row).recall; });
    const auto f1 = [&](const Row& row) { return get(row).f1; };
    const auto [low, high] = range(resolver, f1);
    return text("%.3f/%.3f/%.3f (%.3f..%.3f)", p, r, mean(resolver, f1), low, high);
}

// What says best whose the event is.
std::string carried(const SimEvent& event) {
    if (!event.user_id.empty()) return "account";
    const std::pair<const std::string*, const char*> parts[] = {{&event.email, "email"},
                                                                {&event.email_sha256, "hash"},
                                                                {&event.phone, "phone"},
                                                                {&event.loyalty_id, "card"}};
    std::string names;
    for (const auto& [value, name] : parts)
        if (!value->empty()) names += (names.empty() ? "" : "+") + std::string(name);
    return names.empty() ? "nothing but the device" : names;
}

// By session: whether anybody says who it is, and whether that is who it is.
enum class Told : std::uint8_t { nothing, contact, account, account_of_another };

std::map<std::uint32_t, Told> told_by_session(std::span<const SimEvent> events) {
    std::map<std::string_view, std::map<std::uint32_t, std::size_t>> users;
    for (const auto& event : events)
        if (!event.user_id.empty()) ++users[event.user_id][event.true_actor];
    const auto owner = [&](std::string_view account) {
        return std::ranges::max_element(users[account], {},
                                        [](const auto& use) { return use.second; })
            ->first;
    };
    std::map<std::uint32_t, Told> told;
    for (const auto& event : events) {
        auto now = event.email.empty() && event.phone.empty() && event.loyalty_id.empty() &&
                           event.email_sha256.empty()
                       ? Told::nothing
                       : Told::contact;
        if (!event.user_id.empty())
            now =
                owner(event.user_id) == event.true_actor ? Told::account : Told::account_of_another;
        auto& most = told[event.session];
        most = std::max(most, now);
    }
    return told;
}

const char* name_of(Told told) {
    switch (told) {
        case Told::nothing: return "silent session";
        case Told::contact: return "session with contact";
        case Told::account: return "session with account";
        case Told::account_of_another: return "another's account";
    }
    return "";
}

std::string group_of(const SimEvent& event, Told told) {
    return std::string(to_string(event.channel)) + (event.shared_device ? ", shared, " : ", ") +
           name_of(told) + ": " + carried(event);
}

struct Loss {
    std::size_t events = 0;
    double precision = 0;  // sums, of what is lost
    double recall = 0;
};

std::string error_line(const std::string& name, const Loss& loss, const Loss& all) {
    const auto events = static_cast<double>(loss.events);
    const auto part = [](double one, double whole) { return whole > 0 ? 100 * one / whole : 0; };
    return text("%-62s %7zu  %.3f  %.3f  %6.1f %%  %6.1f %%\n", name.c_str(), loss.events,
                1 - loss.precision / events, 1 - loss.recall / events,
                part(loss.precision, all.precision), part(loss.recall, all.recall));
}

}  // namespace

std::vector<std::string> missed_goals(const Resolver& cdp) {
    std::vector<std::string> missed;
    const auto demand = [&](bool met, const char* goal) {
        if (!met) missed.emplace_back(goal);
    };
    demand(mean(cdp, p_f1) >= kPairwiseGoal, "pairwise F1 of at least .92");
    demand(mean(cdp, b_f1) >= kBCubedGoal, "B-cubed F1 of at least .91");
    demand(range(cdp, two_accounts).second <= 0, "no person with two accounts");
    demand(range(cdp, shuffled_agreement).first >= 1, "the same people from shuffled events");
    demand(range(cdp, late_agreement).first >= 1, "the same people from late events");
    return missed;
}

std::string table(std::span<const Resolver> resolvers) {
    auto out = text("%-21s | %-31s | %-31s | %-7s | %-15s | %-12s | %s\n", "resolver",
                    "B-cubed P/R/F1 (range of F1)", "pairwise P/R/F1 (range of F1)", "biggest",
                    "late / shuffled", "two accounts", "seconds");
    for (const auto& one : resolvers) {
        out += text("%-21s | ", one.name.c_str()) +
               scores(one, [](const Row& row) { return row.b_cubed; }) + " | " +
               scores(one, [](const Row& row) { return row.pairwise; }) +
               text(" | %5.1f %% | %.4f / %.4f | %12.1f | %.1f\n",
                    100 * mean(one, [](const Row& row) { return row.biggest; }),
                    mean(one, late_agreement), mean(one, shuffled_agreement),
                    mean(one, two_accounts), mean(one, [](const Row& row) { return row.seconds; }));
    }
    return out;
}

std::string table_json(std::span<const Resolver> resolvers) {
    const auto score = [](const Score& one) {
        return nlohmann::json{{"precision", one.precision}, {"recall", one.recall}, {"f1", one.f1}};
    };
    auto out = nlohmann::json::array();
    for (const auto& resolver : resolvers) {
        auto rows = nlohmann::json::array();
        for (const auto& row : resolver.rows)
            rows.push_back({{"bCubed", score(row.b_cubed)},
                            {"pairwise", score(row.pairwise)},
                            {"biggestShare", row.biggest},
                            {"lateAgreement", row.late},
                            {"shuffledAgreement", row.shuffled},
                            {"personsWithTwoAccounts", row.two_accounts},
                            {"seconds", row.seconds}});
        out.push_back({{"resolver", resolver.name},
                       {"pairwiseF1", mean(resolver, p_f1)},
                       {"bCubedF1", mean(resolver, b_f1)},
                       {"seeds", std::move(rows)}});
    }
    return out.dump(2) + "\n";
}

std::string errors(std::span<const SimEvent> events, const Labels& truth, const Labels& found) {
    std::map<std::uint32_t, double> by_truth;
    std::map<std::uint32_t, double> by_found;
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> by_both;
    for (std::size_t i = 0; i < events.size(); ++i) {
        ++by_truth[truth[i]];
        ++by_found[found[i]];
        ++by_both[{truth[i], found[i]}];
    }
    auto told = told_by_session(events);
    std::map<std::string, Loss> groups;
    Loss all;
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto both = by_both[{truth[i], found[i]}];
        for (auto* loss : {&groups[group_of(events[i], told[events[i].session])], &all}) {
            ++loss->events;
            loss->precision += 1 - both / by_found[found[i]];
            loss->recall += 1 - both / by_truth[truth[i]];
        }
    }
    std::vector<std::pair<std::string, Loss>> order(groups.begin(), groups.end());
    std::ranges::sort(order, std::greater(), [](const auto& group) {
        return group.second.precision + group.second.recall;
    });
    auto out = text("%-62s %7s  %5s  %5s  %8s  %8s\n", "events that carry", "number", "prec",
                    "recall", "prec lost", "recall lost");
    for (const auto& [name, loss] : order) out += error_line(name, loss, all);
    return out + error_line("all", all, all);
}

}  // namespace simulator
