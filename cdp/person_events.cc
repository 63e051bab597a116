#include "cdp/person_events.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>
#include <utility>

namespace cdp {
namespace {

// Events further up may have a say in whose those after the place are.
Place start_of(const std::optional<Place>& after) {
    return {after ? after->time + kSessionReach : Timestamp::max(), EventId{}};
}

// The newest events found so far after the cursor: one more than the page has, which says that
// there is another page.
class Newest {
public:
    struct Found {
        Token home;
        std::optional<Token> through = {};
        std::optional<StoredEvent> event = {};  // nullopt: to be read once the page is known
    };

    // `limit`: nullopt: all that are not settled yet.
    Newest(const std::optional<Place>& after, std::optional<std::size_t> limit)
        : after_(after), limit_(limit) {}

    bool is_after_cursor(const Place& place) const { return !after_ || after_->before(place); }
    bool full() const { return limit_ && found_.size() > *limit_; }
    const Place& last() const { return found_.rbegin()->first; }

    void add(const Place& place, Found found) {
        if (!is_after_cursor(place) || (full() && last().before(place))) return;
        found_.try_emplace(place, std::move(found));
        if (limit_ && found_.size() > *limit_ + 1) found_.erase(std::prev(found_.end()));
    }

    // Ends the page early: nothing is known of what comes after the place.
    void cut(const Place& place) {
        found_.erase(found_.upper_bound(place), found_.end());
        cut_ = place;
    }

    // Takes those out that are later than a time.
    std::vector<std::pair<Place, Found>> settle(Timestamp time) {
        std::vector<std::pair<Place, Found>> out;
        while (!found_.empty() && found_.begin()->first.time > time) {
            auto node = found_.extract(found_.begin());
            out.emplace_back(node.key(), std::move(node.mapped()));
        }
        return out;
    }

    Result<EventPage> page(const Attribution& attribution) && {
        EventPage page;
        if (full()) {
            found_.erase(std::prev(found_.end()));
            page.next = last();
        } else {
            page.next = cut_;
        }
        for (auto& [place, found] : found_) {
            auto one = CDP_TRY(whole(attribution, place, std::move(found)));
            if (!one.event.remnant) page.events.push_back(std::move(one));
        }
        return page;
    }

    static Result<PersonEvent> whole(const Attribution& attribution, const Place& place,
                                     Found found) {
        if (!found.event)
            found.event = CDP_TRY(attribution.open({place, found.home, found.home, {}}));
        if (!found.event) return damaged("an event that is not where it was");
        return PersonEvent{place, found.home, found.through, std::move(*found.event)};
    }

private:
    struct NewestFirst {
        bool operator()(const Place& a, const Place& b) const { return a.before(b); }
    };

    std::optional<Place> after_;
    std::optional<std::size_t> limit_;
    std::map<Place, Found, NewestFirst> found_ = {};
    std::optional<Place> cut_ = {};
};

// Walks a person's own events, newest first, and from each the sessions it has a say in.
class Walk {
public:
    Walk(Attribution& attribution, const Person& person, const std::optional<Place>& after,
         const EventPageSize& size)
        : attribution_(attribution),
          person_(person),
          after_(after),
          rows_max_(size.rows_max),
          newest_(after, size.events) {}
    // All of them, for `each` and `elsewhere`.
    Walk(Attribution& attribution, const Person& person, const std::vector<Token>* sessions_on)
        : attribution_(attribution), person_(person), sessions_on_(sessions_on), newest_({}, {}) {}

    Result<EventPage> run() {
        auto rows = attribution_.rows_of(tokens(), start_of(after_));
        std::optional<Place> begin = after_;
        std::size_t visited = 0;
        while (const auto row = CDP_TRY(rows.next())) {
            // What is older has no say in anything this new.
            const Timestamp settled = row->place.time + kSessionReach;
            if (newest_.full() && settled < newest_.last().time) break;
            if (!begin) begin = row->place;
            const Place known{settled, EventId{}};
            if (++visited > rows_max_ && begin->before(known)) {
                newest_.cut(known);
                break;
            }
            CDP_CHECK(visit(*row));
        }
        return std::move(newest_).page(attribution_);
    }

    Result<void> each(const VisitPersonEvent& tell) {
        return places([&](const Place& place, Newest::Found found) -> Result<bool> {
            const auto event = CDP_TRY(Newest::whole(attribution_, place, std::move(found)));
            return event.event.remnant ? Result<bool>(true) : tell(event);
        });
    }

    Result<std::vector<FiledEvent>> elsewhere() {
        std::vector<FiledEvent> out;
        remnants_ = true;
        CDP_CHECK(places([&](const Place& place, const Newest::Found& found) {
            if (found.through) out.push_back({place.id, found.home, place.time});
            return Result<bool>(true);
        }));
        return out;
    }

private:
    using VisitPlace = std::function<Result<bool>(const Place& place, Newest::Found found)>;

    // All of them, without what they say; false stops.
    Result<void> places(const VisitPlace& tell) {
        places_only_ = true;
        auto rows = attribution_.rows_of(tokens(), start_of({}));
        for (auto more = true; more;) {
            const auto row = CDP_TRY(rows.next());
            const auto settled = row ? row->place.time + kSessionReach : Timestamp::min();
            for (auto& [place, found] : newest_.settle(settled))
                if (!CDP_TRY(tell(place, std::move(found)))) return Result<void>::ok();
            more = row.has_value();
            if (row) CDP_CHECK(visit(*row));
        }
        return Result<void>::ok();
    }

    std::vector<Token> tokens() const {
        std::vector<Token> out;
        for (const PersonMember& member : person_.members) out.push_back(member.token);
        return out;
    }

    Result<void> visit(const EventRow& row) {
        // Filed under a person's identifier, the event is met there.
        if (!row.filed() && CDP_TRY(attribution_.person_of(row.home))) return Result<void>::ok();
        // Several members may point to it.
        if (std::exchange(last_, std::pair(row.place, row.home)) == std::pair(row.place, row.home))
            return Result<void>::ok();
        auto event = CDP_TRY(attribution_.open(row));
        if (!event) return Result<void>::ok();
        auto marks = CDP_TRY(attribution_.marks_of(*event));
        if (row.filed()) marks.owner = Owner{person_.id, row.token};
        if (!marks.owner || marks.owner->person != person_.id) return Result<void>::ok();

        const Token& through = marks.owner->through;
        const bool told = remnants_ || !event->remnant;
        if (places_only_) event.reset();
        if (told)
            newest_.add(row.place,
                        {row.home, through == row.home ? std::nullopt : std::optional(through),
                         std::move(event)});
        for (const Token& shared : marks.shared)
            if (!sessions_on_ || std::ranges::find(*sessions_on_, shared) != sessions_on_->end())
                CDP_CHECK(follow(shared, {row.place, marks.owner, row.home == shared}));
        return Result<void>::ok();
    }

    Result<void> follow(const Token& shared, const Touch& own) {
        // The walk from the person's next later event may have come down to this one.
        const auto met = met_.find(shared);
        const bool walked = met != met_.end() && met->second == own.place;
        if (newest_.is_after_cursor(own.place) && !walked)
            take(shared, CDP_TRY(attribution_.later(shared, own)));
        if (newest_.full() && newest_.last().before(own.place)) return Result<void>::ok();
        auto chain = CDP_TRY(attribution_.earlier(shared, own));
        if (chain.size() > 1 && chain.back().owner) met_[shared] = chain.back().place;
        take(shared, std::move(chain));
        return Result<void>::ok();
    }

    void take(const Token& shared, std::vector<Touch> chain) {
        for (const Touch& touch : attribute(std::move(chain), attribution_.session()))
            if (touch.filed && touch.owner && touch.owner->person == person_.id)
                newest_.add(touch.place, {.home = shared, .through = touch.owner->through});
    }

    Attribution& attribution_;
    const Person& person_;
    const std::vector<Token>* sessions_on_ = nullptr;  // nullptr: on whatever is shared
    std::optional<Place> after_ = {};
    std::size_t rows_max_ = 0;  // of a page
    bool places_only_ = false;
    bool remnants_ = false;  // they too: they say whose others are, and are no events any more
    Newest newest_;
    std::optional<std::pair<Place, Token>> last_ = {};  // the event opened last
    std::unordered_map<Token, Place> met_ = {};  // per shared identifier, where a walk down ended
};

// A shared identifier's own timeline: what its sessions give to nobody.
Result<EventPage> left_on(Attribution& attribution, const Token& shared,
                          const std::optional<Place>& after, const EventPageSize& size) {
    Newest newest(after, size.events);
    auto rows = attribution.rows_of(std::array{shared}, start_of(after));
    Sessions sessions(attribution.session());
    std::vector<Touch> decided;
    std::optional<Place> known;
    const auto settle = [&] {
        for (const Touch& touch : std::exchange(decided, {})) {
            known = touch.place;
            if (touch.filed && !touch.owner) newest.add(touch.place, {.home = shared});
        }
    };
    std::size_t visited = 0;
    while (const auto row = CDP_TRY(rows.next())) {
        const auto touch = CDP_TRY(attribution.touch_of(*row));
        if (touch) sessions.add(*touch, decided);
        settle();
        if (newest.full()) break;
        if (++visited > size.rows_max && known && newest.is_after_cursor(*known)) {
            newest.cut(*known);
            return std::move(newest).page(attribution);
        }
    }
    sessions.finish(decided);
    settle();
    return std::move(newest).page(attribution);
}

}  // namespace

Result<EventPage> events_of_person(Attribution& attribution, const Person& person,
                                   const std::optional<Place>& after, const EventPageSize& size) {
    if (person.members.size() == 1) {
        const Token& only = person.members.front().token;
        if (!CDP_TRY(attribution.person_of(only))) return left_on(attribution, only, after, size);
    }
    return Walk(attribution, person, after, size).run();
}

Result<void> each_event_of_person(Attribution& attribution, const Person& person,
                                  const std::vector<Token>* sessions_on,
                                  const VisitPersonEvent& visit) {
    return Walk(attribution, person, sessions_on).each(visit);
}

Result<std::vector<FiledEvent>> events_elsewhere(Attribution& attribution, const Person& person,
                                                 const std::vector<Token>* sessions_on) {
    return Walk(attribution, person, sessions_on).elsewhere();
}

}  // namespace cdp
