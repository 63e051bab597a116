#include "tests/simulator/generator.h"

#include <algorithm>
#include <unordered_map>

#include "tests/simulator/params.h"
#include "tests/simulator/session.h"

namespace simulator {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr double kLateInTest = .15;

// Between eight in the morning and ten at night.
std::int64_t some_time(Dice& dice) {
    return params::kStart + dice.between(0, params::kDays - 1) * kDay +
           dice.between(8 * kHour, 22 * kHour);
}

Place some_place(Dice& dice) {
    constexpr int kShares[] = {params::kVisitPhone, params::kVisitLaptop, params::kVisitTablet,
                               params::kVisitKiosk, params::kVisitTill,   params::kVisitCall,
                               params::kVisitMail};
    int sum = 0;
    for (const int share : kShares) sum += share;
    auto roll = static_cast<int>(dice.below(static_cast<std::size_t>(sum)));
    for (int place = 0;; ++place) {
        roll -= kShares[place];
        if (roll < 0) return static_cast<Place>(place);
    }
}

// Where the person has no such device, the telephone serves.
void find_device(Dice& dice, const Population& all, Visit& visit) {
    const auto& person = all.people[visit.person];
    const auto tablet = all.homes[person.home].tablet;
    if (visit.place == Place::laptop) visit.device = person.laptop;
    if (visit.place == Place::tablet) visit.device = tablet;
    if (visit.place == Place::kiosk) visit.device = dice.pick(all.kiosks);
    if (visit.place <= Place::tablet && visit.device == kNobody) {
        visit.place = Place::phone;
        visit.device = person.phone;
    }
}

std::vector<Visit> plan_visits(Dice& dice, const Population& all) {
    std::vector<Visit> visits;
    for (std::uint32_t who = 0; who < all.people.size(); ++who) {
        do {
            Visit visit{.start = some_time(dice), .person = who, .place = some_place(dice)};
            find_device(dice, all, visit);
            visits.push_back(visit);
            if (visit.place != Place::tablet || !dice.chance(params::kFollowedOnTablet)) continue;
            visit.person = dice.pick(all.homes[all.people[who].home].members);
            visit.start += dice.between(3 * kMinute, kHour);
            visits.push_back(visit);
        } while (dice.chance(params::kMoreVisits));
    }
    std::ranges::stable_sort(visits, {}, &Visit::start);
    return visits;
}

void add_crm(Dice& dice, const Population& all, Player& player) {
    for (std::uint32_t who = 0; who < all.people.size(); ++who) {
        const auto& person = all.people[who];
        const bool recorded = dice.chance(params::kCrmRecord);
        const bool wrong = dice.chance(params::kWrongMerge);
        if (person.account.empty()) continue;
        const auto time = std::max(person.registered_at, some_time(dice));
        if (recorded) player.crm_record(who, time);
        if (!person.second_account.empty() && dice.chance(params::kSecondAccountMerged))
            player.crm_merge(who, person.second_account, time);
        else if (wrong)
            player.crm_merge(who, "u" + std::to_string(dice.below(all.people.size())), time);
    }
}

void deliver_late(Dice& dice, std::vector<SimEvent>& events) {
    std::unordered_map<std::uint32_t, std::int64_t> late_until;  // by session; 0: not late
    for (auto& event : events) {
        event.arrival = event.time + dice.between(200, 5'000);
        const auto [session, is_new] = late_until.try_emplace(event.session, 0);
        if (is_new && dice.chance(params::kLateSession))
            session->second = event.time + dice.between(kHour, params::kLateDaysMax * kDay);
        if (session->second > event.time)
            event.arrival = session->second + dice.between(0, 2'000);
        else if (dice.chance(params::kLateEvent))
            event.arrival += dice.between(kMinute, params::kLateDaysMax * kDay);
    }
}

}  // namespace

std::string_view to_string(Channel value) {
    switch (value) {
        case Channel::web: return "web";
        case Channel::app: return "app";
        case Channel::kiosk: return "kiosk";
        case Channel::till: return "till";
        case Channel::call_centre: return "call_centre";
        case Channel::mail_tool: return "mail_tool";
        case Channel::crm: return "crm";
    }
    return "";
}

std::string_view to_string(Kind value) {
    switch (value) {
        case Kind::page: return "page";
        case Kind::track: return "track";
        case Kind::identify: return "identify";
        case Kind::alias: return "alias";
    }
    return "";
}

std::vector<SimEvent> generate(std::uint64_t seed, std::uint32_t people) {
    Dice dice(seed);
    auto all = make_population(dice, people);
    std::vector<SimEvent> events;
    Player player(dice, all, events);
    const auto visits = plan_visits(dice, all);
    add_crm(dice, all, player);
    for (const auto& visit : visits) player.play(visit);
    // A till or a call may turn out to have left no identifier: such an event never reaches us.
    std::erase_if(events, [](const SimEvent& event) {
        return event.user_id.empty() && event.anonymous_id.empty() && event.email.empty() &&
               event.phone.empty() && event.loyalty_id.empty() && event.email_sha256.empty();
    });
    std::ranges::stable_sort(events, {}, &SimEvent::time);
    for (std::size_t i = 0; i < events.size(); ++i) events[i].message_id = "m" + std::to_string(i);
    deliver_late(dice, events);
    return events;
}

std::vector<std::uint32_t> delivery(std::span<const SimEvent> events, std::uint64_t seed) {
    Dice dice(seed + 0xd0);
    std::vector<std::pair<std::int64_t, std::uint32_t>> deliveries;
    for (std::uint32_t i = 0; i < events.size(); ++i) {
        deliveries.emplace_back(events[i].arrival, i);
        if (dice.chance(params::kDuplicate))
            deliveries.emplace_back(events[i].arrival + dice.between(1'000, kDay), i);
    }
    std::ranges::sort(deliveries);
    std::vector<std::uint32_t> order;
    for (const auto& [time, event] : deliveries) order.push_back(event);
    return order;
}

std::vector<std::uint32_t> shuffled(std::vector<std::uint32_t> order, std::uint64_t seed) {
    Dice dice(seed + 0x5f);
    for (std::size_t left = order.size(); left > 1; --left)
        std::swap(order[left - 1], order[dice.below(left)]);
    return order;
}

std::vector<std::uint32_t> with_late(std::span<const SimEvent> events,
                                     const std::vector<std::uint32_t>& order, std::uint64_t seed) {
    Dice dice(seed + 0x1a);
    std::vector<std::pair<std::int64_t, std::uint32_t>> deliveries;
    for (const auto event : order) {
        auto time = events[event].arrival;
        if (dice.chance(kLateInTest)) time += dice.between(kHour, params::kLateDaysMax * kDay);
        deliveries.emplace_back(time, event);
    }
    std::ranges::stable_sort(deliveries, {}, &std::pair<std::int64_t, std::uint32_t>::first);
    std::vector<std::uint32_t> late;
    for (const auto& [time, event] : deliveries) late.push_back(event);
    return late;
}

}  // namespace simulator
