#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/population.h"

// A stream of events of people who share homes, devices and numbers, with the truth about each:
// who was at it. The same seed gives the same stream on every machine.
namespace simulator {

enum class Channel : std::uint8_t { web, app, kiosk, till, call_centre, mail_tool, crm };
enum class Kind : std::uint8_t { page, track, identify, alias };

std::string_view to_string(Channel value);
std::string_view to_string(Kind value);

// A value is empty when the event does not carry it.
struct SimEvent {
    std::int64_t time = 0;         // when it happened
    std::int64_t arrival = 0;      // when it is delivered first
    std::int64_t clock_error = 0;  // what the device's clock adds to every time it states
    std::uint32_t true_actor = 0;
    std::uint32_t session = 0;
    Channel channel = Channel::web;
    Kind kind = Kind::track;
    bool shared_device = false;  // tablet or kiosk

    std::string message_id;
    std::string user_id;
    std::string anonymous_id;
    std::string email;  // in normal form; what was sent is below
    std::string phone;
    std::string email_sha256;
    std::string loyalty_id;
    std::string device_id;
    std::string previous_id;  // alias only

    std::string email_sent;
    std::string phone_sent;
    bool email_verified = false;  // says the CRM
};

// In order of `time`; message ids are distinct.
std::vector<SimEvent> generate(std::uint64_t seed, std::uint32_t people);

// Positions of events in the order of delivery. Some stand in it twice, and an event that was
// delivered late stands behind younger ones.
std::vector<std::uint32_t> delivery(std::span<const SimEvent> events, std::uint64_t seed);

// The same deliveries in any order, and with 15 in 100 moved up to five days back.
std::vector<std::uint32_t> shuffled(std::vector<std::uint32_t> order, std::uint64_t seed);
std::vector<std::uint32_t> with_late(std::span<const SimEvent> events,
                                     const std::vector<std::uint32_t>& order, std::uint64_t seed);

}  // namespace simulator
