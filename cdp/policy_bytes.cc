#include "cdp/policy_bytes.h"

#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"

namespace cdp {
namespace {

// Bumped when a member is added below: the policies of before keep their bytes and their hash.
constexpr std::uint8_t kFormat = 1;

template <typename T>
concept Number = std::is_enum_v<T> || std::is_integral_v<T>;

// What is told to the one is told by the other: they differ in direction alone.
class Writing {
public:
    void pass(const std::string& text) { out_.bytes(text); }
    template <Number T>
    void pass(const T& value) {
        out_.u32(static_cast<std::uint32_t>(value));
    }
    template <typename Rep, typename Period>
    void pass(const std::chrono::duration<Rep, Period>& value) {
        out_.i64(value.count());
    }
    std::size_t count(std::size_t size) {
        out_.u32(static_cast<std::uint32_t>(size));
        return size;
    }
    std::string take() { return out_.take(); }

private:
    ByteWriter out_;
};

class Reading {
public:
    explicit Reading(std::string_view bytes) : in_(bytes) {}

    void pass(std::string& text) { text = in_.bytes(); }
    template <Number T>
    void pass(T& value) {
        value = static_cast<T>(in_.u32());
    }
    template <typename Rep, typename Period>
    void pass(std::chrono::duration<Rep, Period>& value) {
        value = std::chrono::duration<Rep, Period>(static_cast<Rep>(in_.i64()));
    }
    // Every element takes a byte at least.
    std::size_t count(std::size_t) {
        const auto size = in_.u32();
        return size <= in_.rest().size() ? size : 0;
    }
    bool done() const { return in_.done(); }

private:
    ByteReader in_;
};

template <typename Io, typename T>
    requires requires(Io& io, T& value) { io.pass(value); }
void pass(Io& io, T& value) {
    io.pass(value);
}

template <typename T>
void pass(Writing& io, const std::vector<T>& list);
template <typename T>
void pass(Reading& io, std::vector<T>& list);
template <typename T>
void pass(Writing& io, const std::map<std::string, T, std::less<>>& map);
template <typename T>
void pass(Reading& io, std::map<std::string, T, std::less<>>& map);

// In this order; what a value consists of is found where this is used.
template <typename Io, typename... Ts>
void pass_all(Io& io, Ts&... values) {
    (pass(io, values), ...);
}

template <typename T, typename Known>
concept Is = std::same_as<std::remove_const_t<T>, Known>;

template <typename Io, Is<consent::RegimeRow> T>
void pass(Io& io, T& row) {
    pass_all(io, row.jurisdictions, row.channels, row.regime);
}

void pass(Writing& io, const std::optional<consent::MessageClass>& value) {
    io.pass(value ? static_cast<std::uint32_t>(*value) + 1 : 0U);
}

void pass(Reading& io, std::optional<consent::MessageClass>& value) {
    std::uint32_t number = 0;
    io.pass(number);
    value.reset();
    if (number > 0) value = static_cast<consent::MessageClass>(number - 1);
}

template <typename Io, Is<consent::Purpose> T>
void pass(Io& io, T& purpose) {
    pass_all(io, purpose.name, purpose.regime, purpose.target_types, purpose.regimes,
             purpose.signals, purpose.message_class);
}

template <typename Io, Is<consent::ChannelLabel> T>
void pass(Io& io, T& label) {
    pass_all(io, label.label, label.transform, label.form, label.length);
}

template <typename Io, Is<consent::Channel> T>
void pass(Io& io, T& channel) {
    pass_all(io, channel.id, channel.recipient, channel.country, channel.purposes, channel.labels,
             channel.role, channel.transfer, channel.medium, channel.withdrawal_seconds,
             channel.tcf_vendor, channel.google_vendor, channel.contact, channel.deletion_endpoint);
}

template <typename Io, Is<consent::QuietHours> T>
void pass(Io& io, T& hours) {
    pass_all(io, hours.jurisdiction, hours.mediums, hours.from, hours.until, hours.offset,
             hours.unless_granted);
}

template <typename Io, Is<consent::Reconfirmation> T>
void pass(Io& io, T& rule) {
    pass_all(io, rule.jurisdiction, rule.every, rule.or_deny);
}

template <typename Io, Is<consent::Label> T>
void pass(Io& io, T& label) {
    pass_all(io, label.name, label.collected_for);
}

template <typename Io, Is<consent::EventRule> T>
void pass(Io& io, T& rule) {
    pass_all(io, rule.pattern, rule.labels);
}

template <typename T>
void pass(Writing& io, const std::vector<T>& list) {
    io.count(list.size());
    for (const auto& one : list) pass(io, one);
}

template <typename T>
void pass(Reading& io, std::vector<T>& list) {
    list.resize(io.count(0));
    for (auto& one : list) pass(io, one);
}

template <typename T>
void pass(Writing& io, const std::map<std::string, T, std::less<>>& map) {
    io.count(map.size());
    for (const auto& [name, value] : map) {
        pass(io, name);
        pass(io, value);
    }
}

template <typename T>
void pass(Reading& io, std::map<std::string, T, std::less<>>& map) {
    for (auto n = io.count(0); n > 0; --n) {
        std::string name;
        io.pass(name);
        pass(io, map[name]);
    }
}

template <typename Io, Is<consent::Policy> T>
void pass(Io& io, T& policy) {
    pass_all(io, policy.purposes, policy.channels, policy.labels, policy.traits, policy.properties,
             policy.identifier_types, policy.identifier_default, policy.events,
             policy.event_default, policy.trait_purposes, policy.quiet_hours,
             policy.reconfirmations, policy.advertisement_label, policy.self_consent_age,
             policy.category_aliases);
}

}  // namespace

std::string encode(const consent::Policy& policy) {
    Writing io;
    io.pass(kFormat);
    pass(io, policy);
    return io.take();
}

Result<consent::Policy> decode_policy(std::string_view bytes) {
    Reading io(bytes);
    std::uint8_t format = 0;
    io.pass(format);
    consent::Policy policy;
    if (format == kFormat) pass(io, policy);
    if (format != kFormat || !io.done() || encode(policy) != bytes)
        return damaged("a policy that cannot be read");
    return policy;
}

consent::Sha256 version_of(const consent::Policy& policy) {
    return consent::sha256(encode(policy));
}

}  // namespace cdp
