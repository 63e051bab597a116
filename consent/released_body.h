#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "consent/cursor.h"
#include "consent/disclosure.h"
#include "consent/gate.h"

namespace consent {

// Text that stands in our source code.
class Literal {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): a literal is meant to be passed as it is
    consteval Literal(const char* text) : text_(text) {}
    constexpr std::string_view text() const { return text_; }

private:
    std::string_view text_;
};

// Among `persons`: the id of a withdrawal that the reader must take note of; the row's evidence.
inline constexpr std::string_view kWithdrawalField = "withdrawal";

// A whole body, and what it tells about whom.
struct Composed {
    std::string body;
    Disclosure disclosure;
};

// Composes the JSON a channel receives. There is no way to write any other string into it, and
// everything that is somebody's is listed as it is written.
class ReleasedBody {
public:
    ReleasedBody& text(Literal literal);
    ReleasedBody& number(std::int64_t n);
    ReleasedBody& number(std::uint64_t n);
    ReleasedBody& time(cdp::Timestamp time);  // a quoted RFC 3339 string

    // 32 hexadecimal digits without quotes, so that they may stand inside a longer literal.
    ReleasedBody& person(const cdp::PersonId& id, const cdp::Token& asked);
    ReleasedBody& id(const cdp::PersonId& id);  // when nothing is known of the person but the id
    ReleasedBody& id(const cdp::EventId& id);
    ReleasedBody& id(const DecisionId& id);
    // The id of a withdrawal, which the reader must take note of for what is under `home`.
    ReleasedBody& withdrawal(const cdp::RecordId& record, const cdp::Token& home);
    ReleasedBody& ledger_size(std::uint64_t n);  // that the decision relied on

    // JSON strings.
    ReleasedBody& purpose(const Gate& gate);
    // The same of one of several: the body is not for that purpose.
    ReleasedBody& some_purpose(const Gate& gate);
    ReleasedBody& cursor(const Cursor& cursor);
    ReleasedBody& name(const Released& released);
    ReleasedBody& source(const Released& released);
    ReleasedBody& value(const Released& released);     // JSON of any kind
    ReleasedBody& withheld(const Withheld& withheld);  // {"field":…,"reason":…}
    // Lists it without a word: the reader was told the same of another of the person's identifiers.
    ReleasedBody& unsaid(const Withheld& withheld);

    // Parts composed elsewhere in the same way.
    ReleasedBody& append(const ReleasedBody& other);

    std::size_t size() const { return out_.size(); }
    Composed finish() &&;

private:
    void list(const std::shared_ptr<const Listing>& listing);

    std::string out_;
    std::vector<std::shared_ptr<const Listing>> listings_;
    std::vector<cdp::PersonId> persons_;
    std::string purpose_;
    DecisionId decision_ = {};
    std::uint64_t ledger_size_ = 0;
};

}  // namespace consent
