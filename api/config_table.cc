#include "api/config_table.h"

#include <algorithm>

namespace api {

cdp::Error error_of(const ConfigFault& fault, const std::string& file) {
    auto place = file;
    if (fault.line > 0) place += ":" + std::to_string(fault.line);
    const auto path = fault.path.empty() ? std::string() : fault.path + ": ";
    return {cdp::ErrorCode::invalid_argument,
            "config_wrong",
            place + ": " + path + fault.message,
            {},
            {}};
}

std::string toml_key(std::string_view key) {
    const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
    return bare ? std::string(key) : "\"" + std::string(key) + "\"";
}

std::vector<std::string> keys_in_order(const toml::table& table) {
    std::vector<std::pair<toml::source_position, std::string>> found;
    for (const auto& [key, node] : table)
        found.emplace_back(key.source().begin, std::string(key.str()));
    std::ranges::sort(found, [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> out;
    for (auto& [position, key] : found) out.push_back(std::move(key));
    return out;
}

const toml::node* ConfigTable::find(std::string_view key) {
    known_.emplace_back(key);
    return fault_ ? nullptr : table_.get(key);
}

void ConfigTable::read(std::string_view key, std::string& out) {
    const auto* node = find(key);
    if (!node) return;
    if (const auto value = node->value_exact<std::string>())
        out = *value;
    else
        blame(key, "A string is expected.");
}

void ConfigTable::read(std::string_view key, bool& out) {
    const auto* node = find(key);
    if (!node) return;
    if (const auto value = node->value_exact<bool>())
        out = *value;
    else
        blame(key, "true or false is expected.");
}

void ConfigTable::read(std::string_view key, std::int64_t low, std::int64_t high,
                       std::int64_t& out) {
    const auto* node = find(key);
    if (!node) return;
    const auto value = node->value_exact<std::int64_t>();
    if (value && *value >= low && *value <= high)
        out = *value;
    else
        blame(key, "A number from " + std::to_string(low) + " to " + std::to_string(high) +
                       " is expected.");
}

void ConfigTable::read(std::string_view key, std::vector<std::string>& out) {
    const auto* list = array(key);
    if (!list) return;
    out.clear();
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto text = (*list)[i].value_exact<std::string>();
        if (!text)
            return blame((*list)[i], path_of(key) + "[" + std::to_string(i) + "]",
                         "A string is expected.");
        out.push_back(*text);
    }
}

std::vector<std::string> ConfigTable::keys() const {
    return keys_in_order(table_);
}

const toml::table* ConfigTable::table(std::string_view key) {
    const auto* node = find(key);
    if (node && !node->is_table()) blame(key, "A table is expected.");
    return node ? node->as_table() : nullptr;
}

const toml::array* ConfigTable::array(std::string_view key) {
    const auto* node = find(key);
    if (node && !node->is_array()) blame(key, "A list is expected.");
    return node ? node->as_array() : nullptr;
}

std::string ConfigTable::path_of(std::string_view key) const {
    return path_.empty() ? toml_key(key) : path_ + "." + toml_key(key);
}

void ConfigTable::blame(std::string_view key, std::string message) {
    if (const auto* node = table_.get(key)) blame(*node, path_of(key), std::move(message));
}

void ConfigTable::blame(const toml::node& node, std::string path, std::string message) {
    if (!fault_) fault_ = {node.source().begin.line, std::move(path), std::move(message)};
}

void ConfigTable::finish() {
    for (const auto& key : keys())
        if (std::ranges::find(known_, key) == known_.end())
            return blame(key, "There is no such setting.");
}

}  // namespace api
