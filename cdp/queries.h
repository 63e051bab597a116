#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What readers ask of the platform, and what they are given.
namespace cdp {

// Declared where they are answered.
struct AssertionsQuery;
struct AuditQuery;
struct AuditQuestion;
struct DecisionQuestion;
struct ReceiptRequest;

// What a channel may be sent: composed of nothing but what the gate released, and listed before
// anybody can have it.
class ChannelAnswer {
public:
    const std::shared_ptr<const std::string>& body() const { return body_; }  // a JSON object

private:
    friend class Disclosures;
    explicit ChannelAnswer(std::shared_ptr<const std::string> body) : body_(std::move(body)) {}

    std::shared_ptr<const std::string> body_;
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

}  // namespace cdp
