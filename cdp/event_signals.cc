#include <algorithm>

#include "cdp/event_read.h"

namespace cdp::reading {
namespace {

using consent::SignalType;
using simdjson::dom::object;

// Where the strings of each framework stand in `context.consent`.
struct Slot {
    SignalType type;
    std::string_view member;
};
constexpr Slot kStrings[] = {
    {SignalType::tcf, "tcString"},        {SignalType::tcf, "tcf"},
    {SignalType::gpp, "gppString"},       {SignalType::gpp, "gpp"},
    {SignalType::usp, "usPrivacyString"}, {SignalType::usp, "uspString"},
    {SignalType::usp, "us_privacy"},
};

// Apple's status as a word in two SDKs, as its number in a third.
constexpr std::string_view kTrackingWords[] = {"attStatus", "trackingStatus"};
constexpr std::string_view kTrackingNumber = "attTrackingStatus";
constexpr std::string_view kTrackingNumbers[] = {"notDetermined", "restricted", "denied",
                                                 "authorized"};

class Reader {
public:
    explicit Reader(Warnings& warnings) : warnings_(warnings) {}

    void add(SignalType type, std::string_view text) {
        SentSignal signal{type, std::string(text)};
        if (std::ranges::find(out_, signal) == out_.end()) out_.push_back(std::move(signal));
    }

    // Anything but a clear no is the opt-out: what cannot be read refuses.
    void global_privacy_control(const json::Value& value) {
        if (!value) return;
        bool flag = false;
        std::int64_t number = 0;
        if (value->get_bool().get(flag) == simdjson::SUCCESS) {
            if (flag) add(SignalType::gpc, "1");
        } else if (value->get_int64().get(number) == simdjson::SUCCESS) {
            if (number != 0) add(SignalType::gpc, "1");
        } else {
            const auto text = json::string_of(value);
            if (text == "" || text == "0" || text == "false") return;
            if (text != "1" && text != "true") warnings_.add("invalid_gpc");
            add(SignalType::gpc, "1");
        }
    }

    // A string of no text cannot be read, and is refused where it is: see read_signal.
    void strings(const object& consent) {
        for (const auto& slot : kStrings)
            if (const auto value = json::member(consent, slot.member))
                add(slot.type, json::string_of(value).value_or(""));
    }

    // Without a status, advertising that is switched off is a no; switched on, it says nothing.
    void tracking(const object& device) {
        bool said = false;
        for (const auto name : kTrackingWords)
            if (const auto value = json::member(device, name)) {
                add(SignalType::att, json::string_of(value).value_or(""));
                said = true;
            }
        if (const auto value = json::member(device, kTrackingNumber)) {
            std::uint64_t number = 0;
            const bool known = value->get_uint64().get(number) == simdjson::SUCCESS &&
                               number < std::size(kTrackingNumbers);
            add(SignalType::att, known ? kTrackingNumbers[number] : "");
            said = true;
        }
        const auto enabled = json::member(device, "adTrackingEnabled");
        if (!said && enabled && !json::is_true(enabled) && json::string_of(enabled) != "true")
            add(SignalType::att, "adTrackingEnabled: false");
    }

    std::vector<SentSignal> take() { return std::move(out_); }

private:
    Warnings& warnings_;
    std::vector<SentSignal> out_;
};

}  // namespace

std::vector<SentSignal> read_signals(const Members& members, bool gpc, Warnings warnings) {
    Reader reader(warnings);
    if (gpc) reader.add(SignalType::gpc, "1");
    reader.global_privacy_control(members.gpc);
    if (const auto consent = json::object_of(members.consent)) {
        reader.global_privacy_control(json::member(*consent, "gpc"));
        reader.strings(*consent);
    }
    if (const auto device = json::object_of(members.device)) reader.tracking(*device);
    return reader.take();
}

}  // namespace cdp::reading
