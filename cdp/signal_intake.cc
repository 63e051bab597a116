#include "cdp/signal_intake.h"

#include <algorithm>
#include <optional>

#include "cdp/base/bytes.h"
#include "consent/gpp.h"
#include "consent/tcf_rules.h"

namespace cdp {
namespace {

using consent::SignalEffects;
using consent::SignalFault;
using consent::SignalKind;
using consent::SignalState;
using consent::SignalType;

constexpr std::string_view kGpcKey = "gpc";

// A string, decoded once and read for the publisher and for each vendor.
class Decoded {
public:
    Decoded(SignalType type, std::string_view text, Timestamp at) : type_(type), text_(text) {
        // From midnight on a writer's clock may be a day ahead, and then one more by mistake.
        context_.now = std::chrono::floor<std::chrono::days>(at);
        context_.rules.ahead_most += std::chrono::hours{24};
        decode();
    }

    SignalEffects effects(std::optional<consent::TcfVendor> vendor) const {
        auto context = context_;
        context.vendor = vendor;
        if (unreadable_) return consent::effects_of_unreadable(*unreadable_);
        switch (type_) {
            case SignalType::tcf: return effects_of(tcf_, context);
            case SignalType::gpp: return effects_of(gpp_, context);
            case SignalType::usp: return effects_of(usp_);
            case SignalType::gpc: return consent::effects_of_gpc(text_);
            case SignalType::att: return consent::effects_of_att(text_);
            // Nothing that is heeded here comes as these.
            case SignalType::gcm:
            case SignalType::cmp: return {};
        }
        return {};
    }

    // Whether vendors can be told apart.
    bool names_vendors() const {
        return !unreadable_ && (type_ == SignalType::tcf ||
                                (type_ == SignalType::gpp && (gpp_.tcf_eu || gpp_.tcf_canada)));
    }

    std::vector<SignalFault> take_faults() { return std::move(faults_); }

private:
    void decode() {
        switch (type_) {
            case SignalType::tcf:
                note(consent::read_tcf(text_, tcf_), SignalKind::tcf);
                if (!unreadable_) note(check_tcf(tcf_, context_.now, context_.rules));
                return;
            case SignalType::gpp:
                note(consent::read_gpp(text_, gpp_), SignalKind::gpp);
                if (!unreadable_) check_sections();
                return;
            case SignalType::usp: return note(consent::read_usp(text_, usp_), SignalKind::usp);
            case SignalType::att:
                if (text_.empty()) note(SignalFault::empty);
                return;
            case SignalType::gpc: return;
            case SignalType::gcm:
            case SignalType::cmp: return note(SignalFault::version_unknown);
        }
    }

    void check_sections() {
        for (const auto& section : gpp_.sections()) note(section.fault);
        if (gpp_.tcf_eu) note(check_tcf(*gpp_.tcf_eu, context_.now, context_.rules));
        if (gpp_.tcf_canada) note(check_tcf_canada(*gpp_.tcf_canada, context_.now, context_.rules));
    }

    void note(SignalFault fault, std::optional<SignalKind> unreadable = {}) {
        if (fault == SignalFault::none) return;
        if (std::ranges::find(faults_, fault) == faults_.end()) faults_.push_back(fault);
        if (unreadable) unreadable_ = unreadable;
    }

    SignalType type_;
    std::string_view text_;
    consent::SignalContext context_;
    consent::Tcf tcf_;
    consent::Gpp gpp_;
    consent::Usp usp_;
    std::optional<SignalKind> unreadable_;  // as a whole
    std::vector<SignalFault> faults_;
};

consent::State state_of(SignalState state) {
    switch (state) {
        case SignalState::granted: return consent::State::granted;
        case SignalState::noticed: return consent::State::noticed;
        case SignalState::objected: return consent::State::objected;
        case SignalState::denied: return consent::State::denied;
    }
    return consent::State::denied;
}

// The strictest of what the effects say under the purpose's keys; nullopt: nothing.
std::optional<SignalState> said_of(const consent::Purpose& purpose, const SignalEffects& effects) {
    std::optional<SignalState> strictest;
    for (const auto& key : purpose.signals)
        if (const auto state = effects.of(key))
            strictest = std::max(strictest.value_or(*state), *state);
    return strictest;
}

bool opts_out_person(const consent::Purpose& purpose, const SignalEffects& effects) {
    return effects.of(kGpcKey) &&
           std::ranges::find(purpose.signals, kGpcKey) != purpose.signals.end();
}

// A vendor of the channels, and what the string says for it.
struct VendorEffects {
    const consent::Channel* channel;
    SignalEffects effects;
};

std::vector<VendorEffects> vendors_of(const consent::Policy& policy, const Decoded& decoded) {
    std::vector<VendorEffects> vendors;
    if (!decoded.names_vendors()) return vendors;
    for (const auto& channel : policy.channels)
        if (channel.tcf_vendor != 0)
            vendors.push_back(
                {&channel, decoded.effects(consent::TcfVendor{.id = channel.tcf_vendor})});
    return vendors;
}

RecordId reading_id(const consent::StampSignal& signal, Timestamp at) {
    ByteWriter out;
    out.raw(consent::view(signal.digest)).u8(static_cast<std::uint8_t>(signal.type));
    out.u32(static_cast<std::uint32_t>(day_of(at)));
    return consent::short_id(out.str());
}

}  // namespace

SignalReading read_signal(const consent::Policy& policy, SignalType type, std::string_view text,
                          Timestamp at) {
    Decoded decoded(type, text, at);
    SignalReading reading{.words = {}, .faults = decoded.take_faults()};
    const auto effects = decoded.effects({});
    const auto vendors = vendors_of(policy, decoded);
    for (const auto& purpose : policy.purposes) {
        const auto said = said_of(purpose, effects);
        if (!said) continue;
        reading.words.push_back({.purpose = purpose.name,
                                 .channel = {},
                                 .state = state_of(*said),
                                 .opts_out_person = opts_out_person(purpose, effects)});
        for (const auto& vendor : vendors)
            if (const auto own = said_of(purpose, vendor.effects); own && *own > *said)
                reading.words.push_back({.purpose = purpose.name,
                                         .channel = vendor.channel->id,
                                         .state = state_of(*own)});
    }
    return reading;
}

std::string signal_warning(SignalFault fault) {
    return std::string("signal_").append(consent::fault_name(fault));
}

std::vector<ReadSignal> read_signals(const consent::Policy& policy,
                                     std::span<const SentSignal> signals, Timestamp at) {
    std::vector<ReadSignal> out;
    out.reserve(signals.size());
    for (const auto& sent : signals)
        out.push_back({.signal = {sent.type, consent::sha256(sent.text)},
                       .text = sent.text,
                       .reading = std::make_shared<const SignalReading>(
                           read_signal(policy, sent.type, sent.text, at))});
    return out;
}

std::vector<ReadSignal> SignalReader::read(std::span<const SentSignal> signals,
                                           Timestamp at) const {
    std::vector<ReadSignal> out;
    out.reserve(signals.size());
    for (const auto& sent : signals) {
        ReadSignal one{
            .signal = {sent.type, consent::sha256(sent.text)}, .text = sent.text, .reading = {}};
        const auto id = reading_id(one.signal, at);
        Shard& shard = shards_[id.bytes[15] % kShards];
        one.reading = find(shard, id);
        if (!one.reading) {
            one.reading = std::make_shared<const SignalReading>(
                read_signal(policy_, sent.type, sent.text, at));
            keep(shard, id, one.reading);
        }
        out.push_back(std::move(one));
    }
    return out;
}

SignalReader::Reading SignalReader::find(Shard& shard, const RecordId& id) const {
    const std::scoped_lock lock(shard.mutex);
    if (const auto at = shard.young.find(id); at != shard.young.end()) return at->second;
    const auto at = shard.old.find(id);
    if (at == shard.old.end()) return nullptr;
    return shard.young.insert(shard.old.extract(at)).position->second;
}

void SignalReader::keep(Shard& shard, const RecordId& id, const Reading& reading) const {
    const std::scoped_lock lock(shard.mutex);
    if (shard.young.size() >= generation_max_) {
        shard.old = std::move(shard.young);
        shard.young.clear();
    }
    shard.young.insert_or_assign(id, reading);
}

}  // namespace cdp
