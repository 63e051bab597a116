#include "tests/simulator/population.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "tests/simulator/params.h"

namespace simulator {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

// The default of an SDK whose user forgot to set one.
constexpr auto kDefaultDevice = "sdk-default-device";

// Numbers in a German block that nobody has been assigned.
std::string number(char block, std::size_t n) {
    char text[24];
    std::snprintf(text, sizeof text, "+49199%c%06zu", block, n);
    return text;
}

class Builder {
public:
    Builder(Dice& dice, std::uint32_t people) : dice_(dice), wanted_(people) {}

    Population build() {
        while (made_.people.size() < wanted_) add_home();
        const auto kiosks =
            std::max<std::size_t>(1, std::size_t{params::kKiosks} * wanted_ / params::kPeople);
        for (std::size_t i = 0; i < kiosks; ++i)
            made_.kiosks.push_back(add_device(DeviceKind::kiosk, "kiosk-" + std::to_string(i)));
        change_phones();
        return std::move(made_);
    }

private:
    void add_home() {
        const auto left = wanted_ - made_.people.size();
        const auto size = std::min<std::size_t>(left, home_size());
        const auto at = static_cast<std::uint32_t>(made_.homes.size());
        Home home;
        if (dice_.chance(params::kSharedLandline)) home.landline = number('8', at);
        if (size > 1 && dice_.chance(params::kFamilyEmail))
            home.family_email = address("family" + std::to_string(at));
        if (size > 1 && dice_.chance(params::kSharedTablet))
            home.tablet = add_device(DeviceKind::tablet, "tablet-" + std::to_string(at));
        for (std::size_t i = 0; i < size; ++i) {
            home.members.push_back(static_cast<std::uint32_t>(made_.people.size()));
            made_.people.push_back(person(at));
        }
        made_.homes.push_back(std::move(home));
    }

    std::size_t home_size() {
        const auto roll = static_cast<double>(dice_.below(10'000)) / 10'000;
        if (roll < params::kHomesOfOne) return 1;
        if (roll < params::kHomesOfOne + params::kHomesOfTwo) return 2;
        return roll < params::kHomesOfOne + params::kHomesOfTwo + params::kHomesOfThree ? 3 : 4;
    }

    Person person(std::uint32_t home) {
        const auto n = made_.people.size();
        const auto name = std::to_string(n);
        Person person;
        person.home = home;
        if (dice_.chance(params::kRegistered)) {
            person.account = "u" + name;
            if (dice_.chance(params::kRegistersLater)) person.registered_at = some_time(0);
            if (dice_.chance(params::kSecondAccount)) person.second_account = "u" + name + "-2";
        }
        if (dice_.chance(params::kLoyalty)) person.loyalty = "L" + std::to_string(700'000 + n);
        person.emails.push_back({0, address("p" + name)});
        if (dice_.chance(params::kEmailChange))
            person.emails.push_back({some_time(0), address("p" + name + ".new")});
        if (dice_.chance(params::kSecondEmail)) person.second_email = address("p" + name + ".work");
        person.phones.push_back({0, number('1', n)});
        person.hashed_with_account = dice_.chance(params::kHashedWithAccount);
        person.phone = add_device(DeviceKind::phone, "phone-" + name);
        if (dice_.chance(params::kLaptop))
            person.laptop = add_device(DeviceKind::laptop, "laptop-" + name);
        return person;
    }

    std::uint32_t add_device(DeviceKind kind, const std::string& name) {
        Device device;
        device.kind = kind;
        const bool may_be_app = kind == DeviceKind::phone || kind == DeviceKind::tablet;
        if (kind == DeviceKind::kiosk || (may_be_app && dice_.chance(params::kApp))) {
            const bool forgotten = may_be_app && dice_.chance(params::kDefaultDeviceId);
            device.id = forgotten ? kDefaultDevice : "d-" + name;
        }
        if (dice_.chance(params::kWrongClock))
            device.clock_error = off_by(params::kWrongClockMinutes * kMinute);
        else if (dice_.chance(params::kVeryWrongClock))
            device.clock_error = off_by(params::kVeryWrongClockHours * kHour);
        device.cookie = "c-" + name + "-0";
        made_.devices.push_back(std::move(device));
        return static_cast<std::uint32_t>(made_.devices.size() - 1);
    }

    std::int64_t off_by(std::int64_t most) { return dice_.between(-most, most); }

    std::int64_t some_time(int after_days) {
        return params::kStart + dice_.between(after_days * kDay, params::kDays * kDay - 1);
    }

    // In order of time, so that a number is given out again only after it was given back.
    void change_phones() {
        std::vector<std::pair<std::int64_t, std::uint32_t>> changes;
        for (std::uint32_t i = 0; i < made_.people.size(); ++i)
            if (dice_.chance(params::kPhoneChange)) changes.emplace_back(some_time(0), i);
        std::ranges::sort(changes);
        std::vector<Dated> given_back;  // oldest first
        std::size_t taken = 0;
        for (const auto& [time, who] : changes) {
            auto& phones = made_.people[who].phones;
            const auto old = phones.back().value;
            const bool ready = taken < given_back.size() &&
                               given_back[taken].from + params::kRecycledAfterDays * kDay <= time;
            const bool recycled = ready && dice_.chance(params::kRecycledOfPhoneChanges);
            phones.push_back({time, recycled ? given_back[taken++].value : number('2', who)});
            given_back.push_back({time, old});
        }
    }

    Dice& dice_;
    std::uint32_t wanted_;
    Population made_;
};

}  // namespace

Population make_population(Dice& dice, std::uint32_t people) {
    return Builder(dice, people).build();
}

const std::string& value_at(const std::vector<Dated>& values, std::int64_t time) {
    auto at = values.size() - 1;
    while (at > 0 && values[at].from > time) --at;
    return values[at].value;
}

std::string address(const std::string& local) {
    return local + "@shop.example";
}

}  // namespace simulator
