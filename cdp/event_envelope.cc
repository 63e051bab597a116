#include "cdp/event_envelope.h"

#include <algorithm>
#include <set>

#include "cdp/event.h"
#include "cdp/event_read.h"
#include "cdp/json_check.h"
#include "cdp/json_scan.h"

namespace cdp::reading {
namespace {

Error cannot_cut(std::string_view body, std::size_t position) {
    // A batch and its envelope are two levels around an event.
    const auto fault = json::find_fault(body, kJsonDepthMax + 2, json::Strictness::grammar);
    if (!fault || std::string_view(fault->reason) == "too_deep")
        return refuse("invalid_json",
                      "The body is not valid JSON: its events cannot be told apart behind byte " +
                          std::to_string(position) + ".",
                      "");
    return refuse("invalid_json",
                  std::string("The body is not valid JSON: ") + fault->message + ", at byte " +
                      std::to_string(fault->offset) + " of the body.",
                  fault->pointer);
}

Error no_object(std::string_view body) {
    if (json::find_fault(body, kJsonDepthMax, json::Strictness::grammar))
        return cannot_cut(body, 0);
    return refuse("invalid_event", "The body must be a JSON object.", "");
}

enum class Outcome { good, bad, too_many };

Outcome cut_batch(json::Scan& scan, Cut& cut) {
    if (scan.take(']')) return Outcome::good;
    do {
        scan.reset_depth();
        const auto element = scan.value();
        if (!element) return Outcome::bad;
        if (cut.events.size() == kBatchEventsMax) return Outcome::too_many;
        cut.events.push_back({*element, scan.depth()});
    } while (scan.take(','));
    return scan.take(']') ? Outcome::good : Outcome::bad;
}

// The value of one top-level member. Only the first `batch` that is an array is one; a second makes
// a duplicate key of the envelope.
Outcome cut_member(std::string_view body, json::Scan& scan, std::string_view key, Cut& cut) {
    if (!cut.is_batch && json::key_is(key, "batch") && scan.take('[')) {
        cut.is_batch = true;
        cut.gap_begin = scan.position() - 1;
        const Outcome outcome = cut_batch(scan, cut);
        const std::size_t end = scan.position();
        cut.gap_bytes = end - cut.gap_begin - 2;
        if (outcome != Outcome::good) return outcome;
        cut.envelope.append(body.substr(0, cut.gap_begin)).append("[]");
        return Outcome::good;
    }
    scan.reset_depth();
    const auto value = scan.value();
    if (!value) return Outcome::bad;
    cut.envelope_depth = std::max(cut.envelope_depth, scan.depth() + 1);
    if (value->front() == '{' && json::key_is(key, "context")) cut.context = *value;
    if (value->front() == '{' && json::key_is(key, "integrations")) cut.integrations = *value;
    return Outcome::good;
}

void append_member(std::string& object, std::string_view key, std::string_view value) {
    if (object.size() > 1) object.push_back(',');
    object.append("\"").append(key).append("\":").append(value);
}

}  // namespace

Result<Cut> cut_body(std::string_view body) {
    if (body.size() > kBodyBytesMax)
        return refuse("body_too_large", "The body is larger than 4 MB.", "");
    json::Scan scan(body);
    if (!scan.take('{')) return no_object(body);
    Cut cut;
    if (!scan.take('}')) {
        do {
            const auto key = scan.key();
            if (!key) return cannot_cut(body, scan.position());
            switch (cut_member(body, scan, *key, cut)) {
                case Outcome::good: break;
                case Outcome::bad: return cannot_cut(body, scan.position());
                case Outcome::too_many:
                    return refuse("batch_too_large", "A batch holds at most 2500 events.",
                                  "/batch");
            }
        } while (scan.take(','));
        if (!scan.take('}')) return cannot_cut(body, scan.position());
    }
    if (!scan.at_end()) return cannot_cut(body, scan.position());
    if (cut.is_batch) {
        cut.envelope.append(body.substr(cut.gap_begin + 2 + cut.gap_bytes));
        cut.envelope_depth = std::max<std::size_t>(cut.envelope_depth, 2);
    } else {
        cut.events.push_back({json::trim(body), std::max<std::size_t>(cut.envelope_depth, 1)});
    }
    return cut;
}

Defaults::Defaults(const Cut& cut) {
    for (const auto& [name, text] : {std::pair{std::string_view("context"), cut.context},
                                     {"integrations", cut.integrations}}) {
        if (text.empty()) continue;
        Object object{name, text, {}};
        for (const auto& [key, value] : json::members_of(text))
            object.entries.push_back({*json::unescape(key), key, value});
        bytes_ += text.size();
        if (!object.entries.empty()) objects_.push_back(std::move(object));
    }
}

std::string Defaults::completed(std::string_view own, const Object& defaults) {
    std::set<std::string> names;
    std::string out = "{";
    for (const auto& [key, value] : json::members_of(own)) {
        append_member(out, key, value);
        names.insert(*json::unescape(key));
    }
    for (const auto& entry : defaults.entries)
        if (!names.contains(entry.name)) append_member(out, entry.key, entry.value);
    return out + "}";
}

std::optional<std::string> Defaults::written_into(std::string_view event) const {
    // Not even looked at, so that a large envelope is not copied for each event.
    if (bytes_ > kEventBytesMax) return std::nullopt;
    std::vector<bool> written(objects_.size());
    std::string out = "{";
    for (const auto& [key, value] : json::members_of(event)) {
        std::optional<std::string> replaced;
        for (std::size_t i = 0; i < objects_.size(); ++i) {
            if (!json::key_is(key, objects_[i].name)) continue;
            written[i] = true;
            if (value.front() == '{')
                replaced = completed(value, objects_[i]);
            else if (value == "null")
                replaced = std::string(objects_[i].text);
        }
        append_member(out, key, replaced ? std::string_view(*replaced) : value);
    }
    for (std::size_t i = 0; i < objects_.size(); ++i)
        if (!written[i]) append_member(out, objects_[i].name, objects_[i].text);
    out.push_back('}');
    if (out.size() > kEventBytesMax) return std::nullopt;
    return out;
}

}  // namespace cdp::reading
