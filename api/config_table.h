#pragma once

#include <toml++/toml.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/base/result.h"

namespace api {

// What is wrong at one place of a TOML file.
struct ConfigFault {
    std::uint32_t line = 0;  // 0: not in the file, a default
    std::string path;        // channels.email_tool.labels[1]
    std::string message;
};

// The sentence for whoever wrote the file: `cdp.toml:12: channels.a.labels[1]: …`
cdp::Error error_of(const ConfigFault& fault, const std::string& file);

// One table of a configuration, read key by key. The first fault is kept and later reads do
// nothing, so that a reader checks once, at its end. Keys that nobody asked for are a fault.
class ConfigTable {
public:
    ConfigTable(const toml::table& table, std::string path, std::optional<ConfigFault>& fault)
        : table_(table), path_(std::move(path)), fault_(fault) {}

    // Each leaves `out` alone when the key is absent.
    void read(std::string_view key, std::string& out);
    void read(std::string_view key, bool& out);
    void read(std::string_view key, std::int64_t low, std::int64_t high, std::int64_t& out);
    void read(std::string_view key, std::vector<std::string>& out);

    bool has(std::string_view key) const { return table_.contains(key); }
    // Keys in the order of the file.
    std::vector<std::string> keys() const;
    // Marks the key as known. nullptr when it is absent or no table.
    const toml::table* table(std::string_view key);
    const toml::array* array(std::string_view key);
    std::string path_of(std::string_view key) const;

    void blame(std::string_view key, std::string message);
    void blame(const toml::node& node, std::string path, std::string message);

    void blame(std::string message) { blame(table_, path_, std::move(message)); }

    // Faults the first key that was not asked for.
    void finish();

    std::optional<ConfigFault>& fault() { return fault_; }

private:
    const toml::node* find(std::string_view key);

    const toml::table& table_;
    std::string path_;
    std::optional<ConfigFault>& fault_;
    std::vector<std::string> known_;
};

// Reads a word that stands for one of a few values.
template <typename Value, typename Parse>
void read_word(ConfigTable& table, std::string_view key, Parse parse, const char* message,
               Value& out) {
    std::string word;
    table.read(key, word);
    if (word.empty()) return;
    if (const auto value = parse(word))
        out = *value;
    else
        table.blame(key, message);
}

// Calls `read(table)` for each table in the list `document[key]`; false when there is no such list.
template <typename Read>
bool each_entry(ConfigTable& document, std::string_view key, Read read) {
    if (!document.has(key)) return false;
    const auto* list = document.array(key);
    for (std::size_t i = 0; list && i < list->size(); ++i) {
        const auto path = document.path_of(key) + "[" + std::to_string(i) + "]";
        const auto* entry = (*list)[i].as_table();
        if (!entry) {
            document.blame((*list)[i], path, "A table is expected.");
            return true;
        }
        ConfigTable table(*entry, path, document.fault());
        read(table);
        table.finish();
    }
    return true;
}

// A key as TOML writes it: bare if it can be.
std::string toml_key(std::string_view key);

// The keys of a table, in the order of the file.
std::vector<std::string> keys_in_order(const toml::table& table);

}  // namespace api
