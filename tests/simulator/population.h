#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulator/dice.h"

// Who lives where, with which devices and contacts: what the events are later made of.
namespace simulator {

inline constexpr std::uint32_t kNobody = 0xffffffff;

enum class DeviceKind : std::uint8_t { phone, laptop, tablet, kiosk };

struct Device {
    DeviceKind kind = DeviceKind::phone;
    std::string id;  // context.device.id; empty in a browser
    std::int64_t clock_error = 0;

    std::string cookie;
    std::string logged_in;  // account; empty: nobody
    std::uint32_t account_of = kNobody;
    std::int64_t free_at = 0;
};

struct Dated {
    std::int64_t from = 0;
    std::string value;
};

struct Person {
    std::uint32_t home = 0;
    std::string account;  // empty: never registers
    std::string second_account;
    std::int64_t registered_at = 0;  // before the stream starts: 0
    std::string loyalty;
    std::vector<Dated> emails;
    std::vector<Dated> phones;
    std::string second_email;
    bool hashed_with_account = false;
    std::uint32_t phone = 0;  // devices
    std::uint32_t laptop = kNobody;
};

struct Home {
    std::vector<std::uint32_t> members;
    std::string landline;
    std::string family_email;
    std::uint32_t tablet = kNobody;
};

struct Population {
    std::vector<Person> people;
    std::vector<Home> homes;
    std::vector<Device> devices;
    std::vector<std::uint32_t> kiosks;
};

Population make_population(Dice& dice, std::uint32_t people);

// In force at that time.
const std::string& value_at(const std::vector<Dated>& values, std::int64_t time);

// `shop.example`, where every address of the stream lives.
std::string address(const std::string& local);

}  // namespace simulator
