#include "consent/channel.h"

#include <array>
#include <utility>

#include "consent/names.h"

namespace consent {
namespace {

using namespace std::string_view_literals;

constexpr Names kTransforms{std::pair{Transform::raw, "raw"sv},
                            std::pair{Transform::sha256, "sha256"sv},
                            std::pair{Transform::keyed_token, "keyed_token"sv},
                            std::pair{Transform::truncate, "truncate"sv}};
constexpr Names kRoles{std::pair{ChannelRole::processor, "processor"sv},
                       std::pair{ChannelRole::third_party, "third_party"sv},
                       std::pair{ChannelRole::joint, "joint"sv}};
constexpr Names kBases{std::pair{TransferBasis::none, "none"sv},
                       std::pair{TransferBasis::adequacy, "adequacy"sv},
                       std::pair{TransferBasis::standard_clauses, "standard_clauses"sv},
                       std::pair{TransferBasis::binding_rules, "binding_rules"sv},
                       std::pair{TransferBasis::derogation, "derogation"sv}};
constexpr Names kMediums{
    std::pair{Medium::email, "email"sv}, std::pair{Medium::sms, "sms"sv},
    std::pair{Medium::push, "push"sv},   std::pair{Medium::kakao, "kakao"sv},
    std::pair{Medium::ads, "ads"sv},     std::pair{Medium::analytics, "analytics"sv},
    std::pair{Medium::other, "other"sv}};

constexpr std::array kForms = {"plain"sv,    "google"sv, "google_data_manager"sv,
                               "meta"sv,     "snap"sv,   "tiktok"sv,
                               "x"sv,        "uid2"sv,   "reddit"sv,
                               "microsoft"sv};

}  // namespace

std::span<const std::string_view> hash_forms() {
    return kForms;
}

std::string_view to_string(Transform value) {
    return kTransforms.name(value);
}
std::optional<Transform> parse_transform(std::string_view name) {
    return kTransforms.value(name);
}
std::string_view to_string(ChannelRole value) {
    return kRoles.name(value);
}
std::optional<ChannelRole> parse_channel_role(std::string_view name) {
    return kRoles.value(name);
}
std::string_view to_string(TransferBasis value) {
    return kBases.name(value);
}
std::optional<TransferBasis> parse_transfer_basis(std::string_view name) {
    return kBases.value(name);
}
std::string_view to_string(Medium value) {
    return kMediums.name(value);
}
std::optional<Medium> parse_medium(std::string_view name) {
    return kMediums.value(name);
}

}  // namespace consent
