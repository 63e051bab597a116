#include "cdp/seen_together.h"

#include <algorithm>
#include <array>
#include <optional>

namespace cdp {
namespace {

// Rows of one identifier that are passed one by one before the place wanted is looked up.
constexpr std::size_t kPassedMax = 8;

Timestamp start_of(std::int32_t day) {
    return Timestamp{std::chrono::sys_days{std::chrono::days{day}}};
}

// One identifier's rows, newest first.
class Stream {
public:
    Stream(const storage::Snapshot& snapshot, const Token& token, std::size_t& rows_left)
        : snapshot_(snapshot), token_(token), rows_left_(rows_left) {}

    // To the first row that is not before the place.
    Result<void> reach(const Place& place) {
        for (std::size_t passed = 0; at_ && at_->place.before(place); ++passed) {
            if (passed == kPassedMax) return start(place);
            CDP_CHECK(next());
        }
        return Result<void>::ok();
    }
    Result<void> start(const Place& place) {
        rows_.emplace(snapshot_, std::array{token_}, place);
        rows_left_ -= std::min(rows_left_, kPassedMax);
        return next();
    }
    Result<void> next() {
        at_.reset();
        if (rows_left_ == 0) return Result<void>::ok();
        --rows_left_;
        at_ = CDP_TRY(rows_->next());
        return Result<void>::ok();
    }

    // nullopt: there is no more to be read.
    std::optional<EventRow>& at() { return at_; }

private:
    const storage::Snapshot& snapshot_;
    const Token token_;
    std::size_t& rows_left_;
    std::optional<EventRows> rows_ = {};
    std::optional<EventRow> at_ = {};
};

}  // namespace

Result<std::vector<EventRow>> seen_together(const storage::Snapshot& snapshot,
                                            const Pairing& pairing, std::size_t most,
                                            std::size_t& rows_left) {
    std::vector<EventRow> found;
    const Timestamp first = start_of(pairing.first_day);
    const Place last{
        start_of(pairing.last_day) + std::chrono::days{1} - std::chrono::milliseconds{1},
        EventId{}};
    Stream a(snapshot, pairing.a, rows_left);
    Stream b(snapshot, pairing.b, rows_left);
    CDP_CHECK(a.start(last));
    CDP_CHECK(b.start(last));
    while (found.size() < most && a.at() && b.at() && a.at()->place.time >= first &&
           b.at()->place.time >= first) {
        const Place at_a = a.at()->place;
        const Place at_b = b.at()->place;
        if (at_a.before(at_b)) {
            CDP_CHECK(a.reach(at_b));
        } else if (at_b.before(at_a)) {
            CDP_CHECK(b.reach(at_a));
        } else {
            found.push_back(a.at()->filed() ? std::move(*a.at()) : std::move(*b.at()));
            CDP_CHECK(a.next());
            CDP_CHECK(b.next());
        }
    }
    return found;
}

}  // namespace cdp
