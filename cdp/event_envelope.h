#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"

// How a body is cut into events, private to cdp/event*.cc.
namespace cdp::reading {

struct Slice {
    std::string_view text;
    std::size_t depth = 0;  // levels of brackets, its own included
};

// A body as text. Its parts are not yet known to be good JSON.
struct Cut {
    bool is_batch = false;
    std::vector<Slice> events;  // of a batch its elements, else the body itself

    // Of a batch: the body with `[]` for its events, and how many bytes that left out and where.
    std::string envelope;
    std::size_t envelope_depth = 0;
    std::size_t gap_begin = 0;
    std::size_t gap_bytes = 0;

    // Of a batch: members that count for each of its events; empty when there are none.
    std::string_view context;
    std::string_view integrations;
};

// Errors: invalid_json when the events cannot be told apart, invalid_event when the body is no
// object, batch_too_large, body_too_large.
Result<Cut> cut_body(std::string_view body);

// What an envelope says for each of its events: its `context` and `integrations`.
class Defaults {
public:
    // Of an envelope that is known to be good JSON.
    explicit Defaults(const Cut& cut);

    bool empty() const { return objects_.empty(); }
    // The text of a good event with the defaults written into it. What the event says itself wins,
    // one level deep. nullopt when that makes it larger than kEventBytesMax.
    std::optional<std::string> written_into(std::string_view event) const;

private:
    struct Entry {
        std::string name;  // escapes resolved
        std::string_view key;
        std::string_view value;
    };
    struct Object {
        std::string_view name;
        std::string_view text;
        std::vector<Entry> entries;
    };

    static std::string completed(std::string_view own, const Object& defaults);

    std::vector<Object> objects_;
    std::size_t bytes_ = 0;
};

}  // namespace cdp::reading
