#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What readers ask of the platform, and what they are given.
namespace cdp {

// A person's profile as one channel may see it for one purpose. The body is composed of nothing but
// what the gate released.
struct ProfileAnswer {
    std::shared_ptr<const std::string> body;  // JSON object, DESIGN section 15
};

struct TimelineQuery {
    std::string purpose;
    std::size_t limit = 50;   // 1 to 1000
    std::string cursor = {};  // from the page before; empty: newest first from the start
};

// As a caller names it: `person` with a person id names the person's best identifier.
struct NamedIdentifier {
    std::string_view type;
    std::string_view value;
};

// Of any list that is read in pages.
struct PageQuery {
    std::size_t limit = 50;   // 1 to 1000
    std::string cursor = {};  // from the page before; empty: from the start
};

enum class ExportKind : std::uint8_t { events, persons, consents, links, groups };

std::optional<ExportKind> parse_export_kind(std::string_view name);
std::vector<std::string> export_kind_names();

// Who asked for an export and why; recorded before the first line leaves.
struct ExportRequest {
    ExportKind kind = ExportKind::events;
    std::string reason = {};
    std::int64_t uid = -1;
    std::string key_name = {};  // when asked over HTTP with a key
};

}  // namespace cdp
