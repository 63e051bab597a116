#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "consent/decision.h"
#include "consent/disclosure.h"
#include "consent/policy.h"
#include "consent/transform.h"

// The only way out. A channel's response is composed of ReleasedBody calls alone, and what is
// personal in it comes from Released, which only the gate makes.
namespace consent {

// Something that could leave. Views: they need to live only as long as the call that takes them.
// An identifier is a field too: its own token is both home and value.
struct Field {
    std::string_view name = {};                       // trait name, identifier type, event name
    std::span<const std::string> labels = {};         // from the policy; none: it stays here
    std::span<const std::string> collected_for = {};  // purposes; empty: as its labels say
    Section section = Section::fields;
    std::string_view within = {};  // listed, never told: the name of the event it is of
    // An e-mail address or phone number, or something that holds one: it passes only when
    // `datum.value` says which.
    bool is_contact = false;
    Datum datum = {};
    std::string_view json = {};    // the value
    std::string_view normal = {};  // its normal form, for a hash; empty: it has none
    cdp::Timestamp time{};
    std::string_view source = {};
    // For channels that ask for another form of the value; see Value.
    std::span<const NamedHash> hashes = {};
    std::string_view keyed_token = {};
};

// A value that may leave, as it may leave.
class Released {
public:
    const std::string& name() const { return name_; }
    const std::string& json() const { return json_; }  // after the transform
    cdp::Timestamp time() const { return time_; }
    const std::string& source() const { return source_; }
    const Decision& decision() const { return decision_; }

private:
    friend class Gate;
    friend class ReleasedBody;
    Released(const Field& field, std::string json, Transform transform, const Decision& decision);

    std::string name_;
    std::string json_;
    cdp::Timestamp time_;
    std::string source_;
    Decision decision_;
    std::shared_ptr<const Listing> listing_;  // how it is listed when it leaves
};

// A field that stays, and why. What a channel is told of it is its name and the reason.
class Withheld {
public:
    Section section() const { return listing_->field.section; }
    const std::string& name() const { return listing_->field.name; }
    const cdp::Token& home() const { return listing_->home; }
    const Decision& decision() const { return decision_; }

private:
    friend class Gate;
    friend class ReleasedBody;
    Withheld(const Field& field, const Decision& decision);

    Decision decision_;
    std::shared_ptr<const Listing> listing_;
};

using Passed = std::variant<Withheld, Released>;

// The gate for one person, purpose and channel. The policy must outlive it.
class Gate {
public:
    Gate(const Policy& policy, std::span<const Member> members, const Question& question);

    Passed pass(const Field& field) const;

    const Judge& judge() const { return judge_; }
    // As the policy declares it; empty when it does not.
    const std::string& purpose() const { return purpose_; }

private:
    // The reason to withhold that lies in the field's class alone, or how it may leave.
    std::variant<Reason, ChannelLabel> registered(const Field& field) const;

    // A label that the channel may receive.
    struct Allowed {
        std::string_view label;
        ChannelLabel how;
        bool collected;  // for this purpose
    };

    std::string purpose_;
    std::vector<Allowed> allowed_;
    Judge judge_;
};

}  // namespace consent
