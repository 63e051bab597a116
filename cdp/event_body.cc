#include <utility>

#include "cdp/event.h"
#include "cdp/event_envelope.h"
#include "cdp/event_parts.h"
#include "cdp/event_read.h"
#include "cdp/json_check.h"
#include "cdp/json_scan.h"

namespace cdp {
namespace reading {
namespace {

Error refuse_fault(const json::Fault& fault, const Place& place, const std::string& where) {
    return refuse(fault.reason,
                  std::string("The JSON cannot be used: ") + fault.message + where + ".",
                  place.pointer(fault.pointer));
}

// Why simdjson refused a text, or why it was not even asked.
Error find_error(std::string_view text, const Place& place, std::optional<std::size_t> begin) {
    const auto fault = json::find_fault(text, kJsonDepthMax, json::Strictness::full);
    // The two judges are tested to agree; if ever they do not, the stricter one is right.
    if (!fault) return refuse("invalid_json", "The JSON cannot be used.", place.pointer());
    return refuse_fault(*fault, place,
                        begin
                            ? ", at byte " + std::to_string(*begin + fault->offset) + " of the body"
                            : std::string());
}

Error too_large(const Place& place) {
    return refuse("event_too_large", "An event holds at most 32 KB.", place.pointer());
}

// What its events come to: what the envelope says is held, and stored, once for each of them.
class BatchSize {
public:
    Result<void> add(const Event& event) {
        bytes_ += event.raw.size();
        parts_ += parts_of(event);
        if (bytes_ > kBatchBytesMax)
            return refuse("batch_too_large",
                          "The events come to more than 16 MB with what the batch says for each "
                          "of them.",
                          "/batch");
        if (parts_ > kBatchPartsMax)
            return refuse("batch_too_large",
                          "The events have more than 250,000 identifiers, traits, preferences and "
                          "signals together.",
                          "/batch");
        return Result<void>::ok();
    }

private:
    std::size_t bytes_ = 0;
    std::size_t parts_ = 0;
};

// Reads the events of one body, one after another.
class BodyReader {
public:
    BodyReader(std::string_view body, const Cut& cut, Outside outside, const ParseContext& context)
        : body_(body), cut_(cut), outside_(outside), context_(context) {}

    Result<ParsedBatch> read() {
        ParsedBatch batch;
        batch.single = !cut_.is_batch;
        if (cut_.is_batch) CDP_CHECK(read_envelope(batch));
        batch.events.reserve(cut_.events.size());
        batch.refused_ids.resize(cut_.events.size());
        BatchSize size;
        for (std::size_t i = 0; i < cut_.events.size(); ++i) {
            const Place place{cut_.is_batch ? std::optional(i) : std::nullopt};
            auto event = read_slice(cut_.events[i], place, batch.refused_ids[i], batch);
            if (event) CDP_CHECK(size.add(*event));
            batch.events.push_back(std::move(event));
        }
        return batch;
    }

private:
    // Nothing of it outlives this call but what is copied.
    Result<void> read_envelope(ParsedBatch& batch) {
        json::Document document;
        const auto& text = cut_.envelope;
        const auto root =
            cut_.envelope_depth > kJsonDepthMax ? std::nullopt : document.parse(text, text.size());
        if (!root) {
            auto fault = json::find_fault(text, kJsonDepthMax, json::Strictness::full);
            if (!fault) return refuse("invalid_json", "The JSON cannot be used.", "");
            if (fault->offset > cut_.gap_begin + 1) fault->offset += cut_.gap_bytes;
            return refuse_fault(*fault, {},
                                ", at byte " + std::to_string(fault->offset) + " of the body");
        }
        const simdjson::dom::object envelope(*root);
        outside_.sent = time_of(json::member(envelope, "sentAt"));
        batch.write_key = json::string_of(json::member(envelope, "writeKey")).value_or("");
        defaults_.emplace(cut_);
        return Result<void>::ok();
    }

    Result<Event> read_slice(const Slice& slice, const Place& place, std::string& refused_id,
                             ParsedBatch& batch) {
        if (slice.text.size() > kEventBytesMax) return too_large(place);
        const auto begin = static_cast<std::size_t>(slice.text.data() - body_.data());
        auto root = slice.depth > kJsonDepthMax
                        ? std::nullopt
                        : document().parse(slice.text, body_.size() - begin);
        if (!root) return find_error(slice.text, place, begin);
        if (!root->is_object())
            return refuse("invalid_event", "An event must be a JSON object.", place.pointer());
        if (!defaults_ || defaults_->empty())
            return read_object(slice.text, *root, place, refused_id, batch);

        const auto text = defaults_->written_into(slice.text);
        if (!text) return too_large(place);
        if (json::find_fault(*text, kJsonDepthMax, json::Strictness::full))
            return find_error(*text, place, std::nullopt);
        root = document().parse(*text, text->size());
        if (!root) return find_error(*text, place, std::nullopt);
        return read_object(*text, *root, place, refused_id, batch);
    }

    Result<Event> read_object(std::string_view text, const simdjson::dom::element& root,
                              const Place& place, std::string& refused_id, ParsedBatch& batch) {
        const auto members = members_of_event(text, simdjson::dom::object(root));
        if (!cut_.is_batch) {
            batch.write_key = json::string_of(members.write_key).value_or("");
            if (!members.type && !outside_.implied)
                return refuse("invalid_event", "The body holds neither a batch nor an event.",
                              "/batch");
        }
        auto event = read_event(members, outside_, place, context_);
        if (!event) refused_id = json::string_of(members.message_id).value_or("");
        return event;
    }

    // Kept for the thread: its buffers are as large as the largest event, and dear to make.
    static json::Document& document() {
        thread_local json::Document one;
        return one;
    }

    std::string_view body_;
    const Cut& cut_;
    Outside outside_;
    const ParseContext& context_;
    std::optional<Defaults> defaults_;
};

}  // namespace
}  // namespace reading

Result<ParsedBatch> parse_body(std::string_view body, std::optional<EventType> implied,
                               const ParseContext& context) {
    CDP_ASSERT(context.types != nullptr);
    CDP_ASSERT(context.new_message_id != nullptr);
    const auto cut = CDP_TRY(reading::cut_body(body));
    const reading::Outside outside{.implied = implied, .implied_wins = !cut.is_batch, .sent = {}};
    return reading::BodyReader(body, cut, outside, context).read();
}

Result<Event> parse_event(std::string_view raw, EventType type, const ParseContext& context) {
    CDP_ASSERT(context.types != nullptr);
    CDP_ASSERT(context.new_message_id != nullptr);
    json::Scan scan(raw);
    const auto text = scan.value();
    if (!text || !scan.at_end()) return refuse("invalid_json", "The event is not valid JSON.", "");
    reading::Cut cut;
    cut.events.push_back({*text, scan.depth()});
    const reading::Outside outside{.implied = type, .implied_wins = true, .sent = {}};
    auto batch = CDP_TRY(reading::BodyReader(raw, cut, outside, context).read());
    return std::move(batch.events.front());
}

std::string write_key_of(std::string_view body) {
    std::string found;
    for (const auto& [key, value] : json::members_of(body))
        if (value.front() == '"' && json::key_is(key, "writeKey"))
            found = json::unescape(value.substr(1, value.size() - 2)).value_or("");
    return found;
}

}  // namespace cdp
