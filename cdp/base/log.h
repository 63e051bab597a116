#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace cdp::log {

enum class Level { debug, info, warning, error };

// One key and value of a log line. There is no overload for std::string or std::string_view: what
// people typed in cannot reach the log by accident. Text that is known to be ours goes through
// `safe`.
struct Safe {
    std::string text;
};
inline Safe safe(std::string_view text) {
    return {std::string(text)};
}

struct Field {
    const char* key;
    std::variant<std::int64_t, double, const char*, Safe> value;
};

using Sink = std::function<void(Level, const char* event, std::initializer_list<Field>)>;

// Where lines go; set once by main before any thread starts. Without a sink they are dropped.
void set_sink(Sink sink);

// One structured line per event; `event` is a stable snake_case name.
void write(Level level, const char* event, std::initializer_list<Field> fields = {});

}  // namespace cdp::log
