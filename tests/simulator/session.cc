#include "tests/simulator/session.h"

#include <algorithm>

#include "tests/simulator/typing.h"

namespace simulator {
namespace {

const params::Manners& manners_on(DeviceKind kind) {
    switch (kind) {
        case DeviceKind::tablet: return params::kOnTablet;
        case DeviceKind::kiosk: return params::kAtKiosk;
        case DeviceKind::phone:
        case DeviceKind::laptop: return params::kOnOwn;
    }
    return params::kOnOwn;
}

Channel channel_of(const Device& device) {
    if (device.kind == DeviceKind::kiosk) return Channel::kiosk;
    return device.id.empty() ? Channel::web : Channel::app;
}

}  // namespace

struct Player::Session {
    const Visit& visit;
    const Person& person;
    Device& device;
    std::int64_t time = 0;
    int events = 1;
    int login_at = -1;  // position; -1: never
    int guest_at = -1;
};

void Player::play(const Visit& visit) {
    ++sessions_;
    switch (visit.place) {
        case Place::phone:
        case Place::laptop:
        case Place::tablet:
        case Place::kiosk: return browse(visit);
        case Place::till: return at_till(visit);
        case Place::call: return call(visit);
        case Place::mail: return mail(visit);
    }
}

void Player::browse(const Visit& visit) {
    auto& device = all_.devices[visit.device];
    Session session{.visit = visit, .person = all_.people[visit.person], .device = device};
    session.time = std::max(visit.start, device.free_at + gap());
    if (dice_.chance(params::kCookieChurn)) {
        new_cookie(device);
        device.logged_in.clear();
    }
    const auto& manners = manners_on(device.kind);
    const bool stranger = !device.logged_in.empty() && device.account_of != visit.person;
    if (stranger && dice_.chance(manners.sees_stranger)) log_out(device);
    const auto more =
        device.kind == DeviceKind::kiosk ? params::kMoreEventsAtKiosk : params::kMoreEvents;
    while (session.events < params::kEventsMax && dice_.chance(more)) ++session.events;
    plan(session);
    for (int position = 0; position < session.events; ++position) {
        if (position > 0) session.time += gap();
        one_event(session, position);
    }
    if (!device.logged_in.empty() && dice_.chance(manners.logs_out)) log_out(device);
    device.free_at = session.time;
}

// When in the session the person says who it is, if ever.
void Player::plan(Session& session) {
    const auto& device = session.device;
    const auto some = [&] {
        return static_cast<int>(dice_.below(static_cast<std::size_t>(session.events)));
    };
    if (!device.logged_in.empty()) return;
    if (has_account(session.visit.person, session.time) &&
        dice_.chance(manners_on(device.kind).logs_in))
        session.login_at = some();
    else if (dice_.chance(params::kGuestCheckout) || dice_.chance(params::kNewsletter))
        session.guest_at = some();
}

void Player::one_event(Session& session, int position) {
    const auto kind = position % 3 == 2 ? Kind::track : Kind::page;
    if (position == session.login_at) {
        auto made = on_device(session, Kind::identify);
        log_in(session, made);
        return keep(std::move(made));
    }
    if (position == session.guest_at) {
        auto made = on_device(session, Kind::identify);
        guest(session, made);
        return keep(std::move(made));
    }
    auto made = on_device(session, kind);
    if (position == 0 && session.device.account_of == session.visit.person &&
        !session.device.logged_in.empty() && dice_.chance(params::kIdentifiesAgain)) {
        made.kind = Kind::identify;
        account_contacts(session.visit.person, session.time, made);
    }
    keep(std::move(made));
}

void Player::log_in(Session& session, SimEvent& event) {
    auto& device = session.device;
    const auto& person = session.person;
    const bool second = !person.second_account.empty() && dice_.chance(params::kSecondAccountUsed);
    device.logged_in = second ? person.second_account : person.account;
    device.account_of = session.visit.person;
    event.user_id = device.logged_in;
    // The first login after registering tells the server which visitor it was.
    auto& registered = all_.people[session.visit.person].registered_at;
    if (registered > 0) {
        registered = 0;
        if (dice_.chance(params::kAliasAtRegistration)) {
            auto alias = on_device(session, Kind::alias);
            alias.user_id = event.user_id;
            alias.previous_id = device.cookie;
            alias.time -= 1;
            keep(std::move(alias));
        }
    }
    if (second)
        return type_email(
            dice_, all_,
            person.second_email.empty() ? address(person.second_account) : person.second_email,
            event);
    account_contacts(session.visit.person, session.time, event);
}

void Player::guest(Session& session, SimEvent& event) {
    const auto who = session.visit.person;
    if (event.channel == Channel::kiosk && !session.person.loyalty.empty() &&
        dice_.chance(params::kCardAtKiosk)) {
        event.loyalty_id = session.person.loyalty;
        return;
    }
    type_email(dice_, all_, email_now(who, session.time), event);
    if (dice_.chance(params::kPhoneAtCheckout))
        type_phone(dice_, phone_now(who, session.time), event);
}

void Player::account_contacts(std::uint32_t who, std::int64_t time, SimEvent& event) {
    const auto& person = all_.people[who];
    record_email(dice_, value_at(person.emails, time), event);
    if (dice_.chance(params::kPhoneAtLogin)) record_phone(dice_, phone_now(who, time), event);
    if (!person.loyalty.empty() && dice_.chance(params::kLoyaltyAtLogin))
        event.loyalty_id = person.loyalty;
}

void Player::log_out(Device& device) {
    device.logged_in.clear();
    if (dice_.chance(params::kResetAtLogout)) new_cookie(device);
}

void Player::new_cookie(Device& device) {
    device.cookie =
        device.cookie.substr(0, device.cookie.rfind('-') + 1) + std::to_string(++cookies_);
}

void Player::at_till(const Visit& visit) {
    const auto& person = all_.people[visit.person];
    auto made = event(visit.person, visit.start, Channel::till, Kind::track);
    const bool card = !person.loyalty.empty() && dice_.chance(params::kCardAtTill);
    if (card) made.loyalty_id = person.loyalty;
    if (!card || dice_.chance(params::kReceiptWithCard))
        type_email(dice_, all_, email_now(visit.person, visit.start), made);
    if (dice_.chance(params::kPhoneAtTill))
        type_phone(dice_, phone_now(visit.person, visit.start), made);
    const bool returns = dice_.chance(params::kSecondAtTill);
    auto second = made;
    keep(std::move(made));
    if (!returns) return;
    second.time += gap();
    keep(std::move(second));
}

void Player::call(const Visit& visit) {
    const auto& person = all_.people[visit.person];
    auto made = event(visit.person, visit.start, Channel::call_centre, Kind::track);
    type_phone(dice_, phone_now(visit.person, visit.start), made);
    if (has_account(visit.person, visit.start) && dice_.chance(params::kAccountAtCall))
        made.user_id = person.account;
    if (dice_.chance(params::kEmailAtCall))
        type_email(dice_, all_, email_now(visit.person, visit.start), made);
    if (!person.loyalty.empty() && dice_.chance(params::kLoyaltyAtCall))
        made.loyalty_id = person.loyalty;
    const bool goes_on = dice_.chance(params::kSecondAtCall);
    auto second = made;
    keep(std::move(made));
    if (!goes_on) return;
    second.time += gap();
    keep(std::move(second));
}

// The mail tool knows a hash; for some lists also whose account it is.
void Player::mail(const Visit& visit) {
    const auto& person = all_.people[visit.person];
    auto made = event(visit.person, visit.start, Channel::mail_tool, Kind::track);
    made.email_sha256 = sha256(value_at(person.emails, visit.start));
    if (has_account(visit.person, visit.start) && person.hashed_with_account)
        made.user_id = person.account;
    keep(std::move(made));
}

void Player::crm_record(std::uint32_t who, std::int64_t time) {
    ++sessions_;
    const auto& person = all_.people[who];
    auto made = event(who, time, Channel::crm, Kind::identify);
    made.user_id = person.account;
    made.loyalty_id = person.loyalty;
    record_email(dice_, value_at(person.emails, time), made);
    made.email_verified = true;
    if (dice_.chance(params::kPhoneAtLogin))
        record_phone(dice_, value_at(person.phones, time), made);
    keep(std::move(made));
}

void Player::crm_merge(std::uint32_t who, const std::string& other, std::int64_t time) {
    ++sessions_;
    auto made = event(who, time, Channel::crm, Kind::alias);
    made.user_id = all_.people[who].account;
    made.previous_id = other;
    keep(std::move(made));
}

SimEvent Player::event(std::uint32_t who, std::int64_t time, Channel channel, Kind kind) const {
    SimEvent made;
    made.true_actor = who;
    made.time = time;
    made.session = sessions_;
    made.channel = channel;
    made.kind = kind;
    return made;
}

SimEvent Player::on_device(const Session& session, Kind kind) const {
    const auto& device = session.device;
    auto made = event(session.visit.person, session.time, channel_of(device), kind);
    made.clock_error = device.clock_error;
    made.anonymous_id = device.cookie;
    made.device_id = device.id;
    made.user_id = device.logged_in;
    made.shared_device = device.kind == DeviceKind::tablet || device.kind == DeviceKind::kiosk;
    return made;
}

void Player::keep(SimEvent event) {
    out_.push_back(std::move(event));
}

// Mostly seconds, sometimes minutes.
std::int64_t Player::gap() {
    const auto longest = dice_.between(5, params::kGapSecondsMax);
    return dice_.between(3, longest) * 1000 + dice_.between(0, 999);
}

bool Player::has_account(std::uint32_t who, std::int64_t time) const {
    const auto& person = all_.people[who];
    return !person.account.empty() && person.registered_at <= time;
}

std::string Player::email_now(std::uint32_t who, std::int64_t time) {
    const auto& person = all_.people[who];
    const auto& family = all_.homes[person.home].family_email;
    if (!family.empty() && dice_.chance(params::kUsesFamilyEmail)) return family;
    if (!person.second_email.empty() && dice_.chance(params::kUsesSecondEmail))
        return person.second_email;
    return value_at(person.emails, time);
}

std::string Player::phone_now(std::uint32_t who, std::int64_t time) {
    const auto& person = all_.people[who];
    const auto& landline = all_.homes[person.home].landline;
    if (!landline.empty() && dice_.chance(params::kUsesLandline)) return landline;
    return value_at(person.phones, time);
}

}  // namespace simulator
