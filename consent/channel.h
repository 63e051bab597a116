#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Recipients, as registered: who they are, what they may receive and in which form. Configuration.
namespace consent {

enum class Transform : std::uint8_t { raw, sha256, keyed_token, truncate };

struct ChannelLabel {
    std::string label = {};
    Transform transform = Transform::raw;
    // sha256: of the destination's own normal form, by its name; empty: ours (`plain`).
    std::string form = {};
    std::uint32_t length = 0;  // truncate: how many characters are left
};

// The names a `form` may have.
std::span<const std::string_view> hash_forms();

enum class ChannelRole : std::uint8_t { processor, third_party, joint };
enum class TransferBasis : std::uint8_t {
    none,  // stays where data may flow freely
    adequacy,
    standard_clauses,
    binding_rules,
    derogation,
};
// By what it reaches people.
enum class Medium : std::uint8_t { email, sms, push, kakao, ads, analytics, other };

// A downstream recipient, as registered.
struct Channel {
    std::string id = {};
    std::string recipient = {};              // the legal entity
    std::string country = {};                // ISO 3166-1 alpha-2
    std::vector<std::string> purposes = {};  // an ancestor registers its descendants
    std::vector<ChannelLabel> labels = {};   // what it may receive, and how
    ChannelRole role = ChannelRole::processor;
    TransferBasis transfer = TransferBasis::none;
    Medium medium = Medium::other;
    std::uint32_t withdrawal_seconds = 0;  // within which it acts on a withdrawal; 0: not agreed
    std::uint16_t tcf_vendor = 0;          // of IAB Europe's list; 0: none
    std::uint32_t google_vendor = 0;       // of Google's ad technology providers; 0: none
    std::string contact = {};
    std::string deletion_endpoint = {};  // https
};

std::string_view to_string(Transform value);
std::optional<Transform> parse_transform(std::string_view name);
std::string_view to_string(ChannelRole value);
std::optional<ChannelRole> parse_channel_role(std::string_view name);
std::string_view to_string(TransferBasis value);
std::optional<TransferBasis> parse_transfer_basis(std::string_view name);
std::string_view to_string(Medium value);
std::optional<Medium> parse_medium(std::string_view name);

}  // namespace consent
