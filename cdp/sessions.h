#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"

// Whose the anonymous events on a shared identifier are. Pure: what an identifier saw goes in, and
// comes out with owners. docs/decisions/0010 says why so.
namespace cdp {

// Where an event stands in time. Rows are stored in this order: later times first, then smaller
// ids.
struct Place {
    Timestamp time{};
    EventId id{};

    bool before(const Place& other) const {
        return time != other.time ? time > other.time : id < other.id;
    }
    friend bool operator==(const Place&, const Place&) = default;
};

// Whose an event is, and the identifier of that person it is theirs by.
struct Owner {
    PersonId person{};
    Token through{};

    friend bool operator==(const Owner&, const Owner&) = default;
};

// An event that a shared identifier was seen in.
struct Touch {
    Place place;
    std::optional<Owner> owner;  // nullopt: nobody's by itself
    bool filed = false;          // the shared identifier is its home

    friend bool operator==(const Touch&, const Touch&) = default;
};

// No event belongs to somebody whose own event is further away than this: what it costs to tell is
// bounded by it.
inline constexpr std::chrono::hours kSessionReach{12};

// Divides the events of one shared identifier, fed newest first. Neighbours at most `session` apart
// are chained. An unowned event goes to the owned event that a chain of unowned ones leads to,
// within kSessionReach; where two can be reached, the run between them is divided at its largest
// gap, of equal ones the latest. An event that reaches none stays unowned.
class Sessions {
public:
    explicit Sessions(std::chrono::milliseconds session) : session_(session) {}

    // Appends to `decided`, in order, every touch that no further one can change.
    void add(const Touch& touch, std::vector<Touch>& decided);
    // There are no more.
    void finish(std::vector<Touch>& decided);

private:
    struct Waiting {
        Touch touch;
        std::chrono::milliseconds gap;  // to the one before it in the feed
    };

    bool reaches_later(const Touch& touch) const;
    void decide_first(std::vector<Touch>& decided);
    void divide(const Owner& earlier, std::chrono::milliseconds gap, std::vector<Touch>& decided);

    std::chrono::milliseconds session_;
    std::optional<Touch> later_ = {};     // the owned event the chain begins at
    std::deque<Waiting> run_ = {};        // undecided, chained, newest first
    std::optional<Timestamp> last_ = {};  // time of the last touch fed
};

// The same for events in any order, of which some may be there twice. Newest first.
std::vector<Touch> attribute(std::vector<Touch> touches, std::chrono::milliseconds session);

}  // namespace cdp
