#include "tests/simulator/typing.h"

#include <sodium.h>

#include <array>
#include <string_view>

#include "cdp/base/ids.h"
#include "tests/simulator/params.h"

namespace simulator {
namespace {

// What people type who do not want to say, and what programs send who do not know. The last is on
// nobody's list.
constexpr std::array<const char*, 6> kMadeUpEmails{"test@test.com", "noreply@shop.example",
                                                   "none@none.com", "a@a.com",
                                                   "asdf@asdf.com", "customer@shop.example"};
constexpr std::array<const char*, 4> kMadeUpPhones{"0000000000", "1111111111", "1234567890",
                                                   "9999999999"};

std::string mistyped(Dice& dice, const Population& all, const std::string& email) {
    if (dice.chance(params::kTypoIsSomebody)) return dice.pick(all.people).emails.front().value;
    const auto at = email.find('@');
    switch (dice.below(3)) {
        case 0: return email.substr(0, at) + "@shop.exmaple";
        case 1: return email.substr(0, at) + "@shp.example";
        default: return "o" + email.substr(1);
    }
}

std::string upper_first(std::string text) {
    if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
    return text;
}

// As the source's form or keyboard leaves it.
std::string noisy_email(Dice& dice, const std::string& email) {
    std::string upper = email;
    switch (dice.below(4)) {
        case 0: return upper_first(email);
        case 1: return email + " ";
        case 2: return "mailto:" + email;
        default:
            for (char& c : upper)
                if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
            return upper;
    }
}

// Only numbers with a country code have other forms.
std::string noisy_phone(Dice& dice, const std::string& phone) {
    if (!phone.starts_with("+49")) return phone;
    const auto national = phone.substr(3);
    switch (dice.below(4)) {
        case 0: return "0" + national;
        case 1: return "0049" + national;
        case 2: return "+49 " + national.substr(0, 3) + " " + national.substr(3);
        default:
            return "(0" + national.substr(0, 3) + ") " + national.substr(3, 4) + "-" +
                   national.substr(7);
    }
}

}  // namespace

void record_email(Dice& dice, std::string email, SimEvent& event) {
    event.email_sent = dice.chance(params::kNoisyForm) ? noisy_email(dice, email) : email;
    event.email = std::move(email);
}

void record_phone(Dice& dice, std::string phone, SimEvent& event) {
    event.phone_sent = dice.chance(params::kNoisyForm) ? noisy_phone(dice, phone) : phone;
    event.phone = std::move(phone);
}

void type_email(Dice& dice, const Population& all, std::string email, SimEvent& event) {
    if (event.channel == Channel::till && dice.chance(params::kStoreAddress))
        email = address("till");
    else if (dice.chance(params::kPlaceholderEmail))
        email = dice.pick(kMadeUpEmails);
    else if (dice.chance(params::kTypo))
        email = mistyped(dice, all, email);
    record_email(dice, std::move(email), event);
}

void type_phone(Dice& dice, std::string phone, SimEvent& event) {
    if (dice.chance(params::kPlaceholderPhone)) phone = dice.pick(kMadeUpPhones);
    record_phone(dice, std::move(phone), event);
}

std::string sha256(const std::string& text) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    return cdp::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace simulator
