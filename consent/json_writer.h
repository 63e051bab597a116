#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "consent/json_string.h"

namespace consent {

// One JSON document, member by member. What is opened is closed by whoever opened it; inside a list
// names are empty. Texts are UTF-8.
class JsonWriter {
public:
    JsonWriter& open(std::string_view name = {}) { return begin(name, '{'); }
    JsonWriter& close() { return end('}'); }
    JsonWriter& open_list(std::string_view name = {}) { return begin(name, '['); }
    JsonWriter& close_list() { return end(']'); }

    JsonWriter& text(std::string_view name, std::string_view value) {
        return plain(name, json_string(value));
    }
    // Nothing when there is nothing to say.
    JsonWriter& text_if(std::string_view name, std::string_view value) {
        return value.empty() ? *this : text(name, value);
    }
    JsonWriter& number(std::string_view name, std::int64_t value) {
        return plain(name, std::to_string(value));
    }
    JsonWriter& flag(std::string_view name, bool value) {
        return plain(name, value ? "true" : "false");
    }
    // What is JSON already.
    JsonWriter& json(std::string_view name, std::string_view value) { return plain(name, value); }
    template <typename Texts>
    JsonWriter& texts(std::string_view name, const Texts& values) {
        open_list(name);
        for (const auto& value : values) text({}, value);
        return close_list();
    }

    std::string take() { return std::move(out_); }

private:
    JsonWriter& begin(std::string_view name, char bracket) {
        put_name(name);
        out_.push_back(bracket);
        first_ = true;
        return *this;
    }
    JsonWriter& end(char bracket) {
        out_.push_back(bracket);
        first_ = false;
        return *this;
    }
    JsonWriter& plain(std::string_view name, std::string_view value) {
        put_name(name);
        out_ += value;
        return *this;
    }
    void put_name(std::string_view name) {
        if (!first_) out_.push_back(',');
        first_ = false;
        if (!name.empty()) out_.append(json_string(name)).push_back(':');
    }

    std::string out_;
    bool first_ = true;
};

}  // namespace consent
