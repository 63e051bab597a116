#include "api/admission.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "api/http_head.h"

namespace api {
namespace {

constexpr std::size_t kAddresses = 64 * 1024;
constexpr std::size_t kKeys = 4 * 1024;

std::uint64_t random_word() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

// Both halves of a product of 128 bits, folded.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ typedef unsigned __int128 Wide;
    const auto product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t";
    const auto first = text.find_first_not_of(kBlank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// The values of all lines with this name, in their order.
std::vector<std::string_view> values_of(std::string_view head, std::string_view lower_case_name) {
    std::vector<std::string_view> out;
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.starts_with("\r\n")) {
        const auto end = head.find("\r\n");
        const auto line = head.substr(0, end);
        const auto colon = line.find(':');
        if (same_word(line.substr(0, colon), lower_case_name))
            out.push_back(line.substr(colon + 1));
        head.remove_prefix(end + 2);
    }
    return out;
}

// for="[2001:db8::1]:4711" among the parameters of one element (RFC 7239).
std::string_view for_parameter(std::string_view element) {
    while (!element.empty()) {
        const auto end = std::min(element.find(';'), element.size());
        const auto pair = trimmed(element.substr(0, end));
        element.remove_prefix(std::min(end + 1, element.size()));
        if (pair.size() < 4 || !same_word(pair.substr(0, 4), "for=")) continue;
        auto value = pair.substr(4);
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
            value = value.substr(1, value.size() - 2);
        return value;
    }
    return {};
}

}  // namespace

Address client_behind(std::string_view head, const EdgeConfig& config, const Address& peer) {
    const bool standard = config.forwarded_field == ForwardedField::forwarded;
    const auto lines = values_of(head, standard ? "forwarded" : "x-forwarded-for");
    auto client = peer;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line)
        for (auto rest = *line; !rest.empty();) {
            const auto comma = rest.rfind(',');
            const auto element = trimmed(comma == rest.npos ? rest : rest.substr(comma + 1));
            rest = comma == rest.npos ? std::string_view{} : rest.substr(0, comma);
            const auto address = read_address(standard ? for_parameter(element) : element);
            if (!address) return client;
            client = *address;
            if (!config.trusted_proxies.contains(client)) return client;
        }
    return client;
}

std::uint64_t Admission::Hash::operator()(std::string_view bytes) const {
    auto out = secret[0] ^ bytes.size();
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const auto n = std::min(bytes.size(), sizeof word);
        std::memcpy(&word, bytes.data(), n);
        bytes.remove_prefix(n);
        out = fold(out ^ word, secret[1]);
    }
    return fold(out ^ secret[1], secret[0]);
}

std::uint64_t Admission::Hash::operator()(const Address& address) const {
    return (*this)(std::string_view(reinterpret_cast<const char*>(address.bytes.data()),
                                    address.bytes.size()));
}

Admission::Admission(const EdgeConfig& config)
    : config_(config),
      hash_{{random_word(), random_word() | 1}},
      addresses_(config.address_requests, kAddresses),
      keys_(config.key_requests, kKeys),
      wrong_keys_(config.wrong_keys, kAddresses),
      keyless_gzip_(config.keyless_gzip, kAddresses),
      connections_(0, hash_) {}

bool Admission::enter(const Address& peer) {
    if (!is_counted(peer)) return true;
    const std::lock_guard lock(mutex_);
    const auto [place, fresh] = connections_.try_emplace(subscriber_of(peer), 0);
    if (place->second >= config_.connections_per_address) return false;
    ++place->second;
    return true;
}

void Admission::leave(const Address& peer) {
    if (!is_counted(peer)) return;
    const std::lock_guard lock(mutex_);
    const auto place = connections_.find(subscriber_of(peer));
    if (place != connections_.end() && --place->second == 0) connections_.erase(place);
}

std::uint32_t Admission::wait_for_request(const Address& client, Time now) {
    if (!is_bounded(client)) return 0;
    return addresses_.take(hash_(subscriber_of(client)), now);
}

std::uint32_t Admission::wait_for_key(const cdp::Principal& caller, const Address& client,
                                      Time now) {
    if (!is_bounded(client)) return 0;
    return keys_.take(
        fold(hash_(caller.name) ^ static_cast<std::uint64_t>(caller.role), hash_.secret[1]), now);
}

std::uint32_t Admission::wait_after_wrong_key(const Address& client, Time now) {
    return wrong_keys_.take(hash_(subscriber_of(client)), now);
}

std::uint32_t Admission::wait_for_keyless_gzip(const Address& client, Time now) {
    if (!is_bounded(client)) return 0;
    return keyless_gzip_.take(hash_(subscriber_of(client)), now);
}

}  // namespace api
