#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/base/time.h"

// Pieces of the JSON that answers to people are made of.
namespace cdp {

inline std::string hex_json(std::string_view bytes) {
    return '"' + to_hex(bytes) + '"';
}

inline std::string time_json(Timestamp time) {
    return '"' + format_time(time) + '"';
}

inline std::string time_or_null(const std::optional<Timestamp>& time) {
    return time ? time_json(*time) : "null";
}

// [ONE,TWO]
class JsonList {
public:
    void add(std::string_view one) {
        if (!out_.empty()) out_ += ',';
        out_ += one;
    }
    std::string str() const { return '[' + out_ + ']'; }

private:
    std::string out_;
};

}  // namespace cdp
