#pragma once

#include <vector>

#include "tests/simulator/generator.h"
#include "tests/simulator/params.h"

namespace simulator {

enum class Place : std::uint8_t { phone, laptop, tablet, kiosk, till, call, mail };

// One person, at one place, from then on.
struct Visit {
    std::int64_t start = 0;
    std::uint32_t person = 0;
    Place place = Place::phone;
    std::uint32_t device = kNobody;  // of the first four
};

// Plays visits in order of time and keeps what stays on the devices between them: cookies and
// open logins.
class Player {
public:
    Player(Dice& dice, Population& all, std::vector<SimEvent>& out)
        : dice_(dice), all_(all), out_(out) {}

    void play(const Visit& visit);
    // What the CRM sends once about a person it has an account of.
    void crm_record(std::uint32_t who, std::int64_t time);
    void crm_merge(std::uint32_t who, const std::string& other, std::int64_t time);

private:
    struct Session;

    void browse(const Visit& visit);
    void plan(Session& session);
    void one_event(Session& session, int position);
    void log_in(Session& session, SimEvent& event);
    void guest(Session& session, SimEvent& event);
    void log_out(Device& device);
    void new_cookie(Device& device);
    void at_till(const Visit& visit);
    void call(const Visit& visit);
    void mail(const Visit& visit);

    SimEvent event(std::uint32_t who, std::int64_t time, Channel channel, Kind kind) const;
    SimEvent on_device(const Session& session, Kind kind) const;
    void keep(SimEvent event);
    std::int64_t gap();
    bool has_account(std::uint32_t who, std::int64_t time) const;
    // The address the person uses now, which may be the family's or a second one.
    std::string email_now(std::uint32_t who, std::int64_t time);
    std::string phone_now(std::uint32_t who, std::int64_t time);
    void account_contacts(std::uint32_t who, std::int64_t time, SimEvent& event);

    Dice& dice_;
    Population& all_;
    std::vector<SimEvent>& out_;
    std::uint32_t sessions_ = 0;
    std::uint32_t cookies_ = 0;
};

}  // namespace simulator
