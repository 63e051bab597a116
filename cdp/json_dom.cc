#include "cdp/json_dom.h"

#include <algorithm>
#include <array>
#include <new>
#include <vector>

#include "cdp/event.h"
#include "cdp/json_check.h"
#include "cdp/json_scan.h"

namespace cdp::json {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

bool keys_distinct(const element& value);

bool all_distinct(std::vector<std::string_view> keys) {
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) == keys.end();
}

bool keys_distinct(const object& object) {
    // Nearly every object is small; comparing each with each beats sorting there.
    std::array<std::string_view, 16> few;
    std::size_t count = 0;
    std::vector<std::string_view> many;
    for (const auto field : object) {
        if (!keys_distinct(field.value)) return false;
        if (count < few.size()) {
            for (std::size_t i = 0; i < count; ++i)
                if (few[i] == field.key) return false;
            few[count++] = field.key;
        } else {
            many.push_back(field.key);
        }
    }
    if (many.empty()) return true;
    many.insert(many.end(), few.begin(), few.end());
    return all_distinct(std::move(many));
}

bool keys_distinct(const element& value) {
    if (value.type() == element_type::OBJECT) return keys_distinct(object(value));
    if (value.type() != element_type::ARRAY) return true;
    for (const auto child : simdjson::dom::array(value))
        if (!keys_distinct(child)) return false;
    return true;
}

}  // namespace

std::optional<element> Document::parse(std::string_view text, std::size_t readable) {
    const char* begin = text.data();
    if (readable < text.size() + simdjson::SIMDJSON_PADDING) {
        copy_ = simdjson::padded_string(text);
        begin = copy_.data();
        if (!begin) throw std::bad_alloc();
    }
    element root;
    const auto error = parser_.parse(begin, text.size(), /*realloc_if_needed=*/false).get(root);
    // No fault of the text, which would be dropped for one.
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (error != simdjson::SUCCESS) return std::nullopt;
    if (!keys_distinct(root)) return std::nullopt;
    return root;
}

bool is_good(std::string_view text) {
    Scan scan(text);
    if (!scan.value() || scan.depth() > kJsonDepthMax) return false;
    Document document;
    return document.parse(text, text.size()).has_value();
}

std::optional<std::string_view> string_of(const Value& value) {
    std::string_view out;
    if (!value || value->get_string().get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
}

std::optional<object> object_of(const Value& value) {
    object out;
    if (!value || value->get_object().get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
}

std::optional<simdjson::dom::array> array_of(const Value& value) {
    simdjson::dom::array out;
    if (!value || value->get_array().get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
}

bool is_true(const Value& value) {
    bool out = false;
    return value && value->get_bool().get(out) == simdjson::SUCCESS && out;
}

Value member(const object& object, std::string_view name) {
    for (const auto field : object)
        if (field.key == name) return field.value.is_null() ? Value{} : Value{field.value};
    return std::nullopt;
}

}  // namespace cdp::json
