#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "cdp/attribution.h"
#include "cdp/event_links.h"
#include "cdp/people.h"

namespace cdp {

struct PersonEvent {
    Place place;
    Token home;
    // The member it is the person's by, when the home is none: one the event names itself, or the
    // one named in the session it is of.
    std::optional<Token> through;
    StoredEvent event;
};

struct EventPage {
    std::vector<PersonEvent> events;  // newest first, each once
    // Where to go on. A page may end before it is full: what one page reads is bounded.
    std::optional<Place> next;
};

struct EventPageSize {
    std::size_t events = 0;         // at least 1
    std::size_t rows_max = 20'000;  // looked at; more only to get any further at all
};

// The newest events after a place, all of them that are the person's; of a shared identifier those
// that are nobody's. Reads what lies near the page in time.
Result<EventPage> events_of_person(Attribution& attribution, const Person& person,
                                   const std::optional<Place>& after, const EventPageSize& size);

// All events of somebody, who is no shared identifier, newest first, in one walk: what is held at a
// time are the places of those of half a day. False stops. Sessions on shared identifiers count on
// those in `sessions_on` alone; nullptr: on all.
using VisitPersonEvent = std::function<Result<bool>(const PersonEvent& event)>;
Result<void> each_event_of_person(Attribution& attribution, const Person& person,
                                  const std::vector<Token>* sessions_on,
                                  const VisitPersonEvent& visit);

// All events of somebody that are filed under identifiers which are nobody's, newest first, in one
// walk; what is held beside the answer are those of half a day. `sessions_on` likewise.
Result<std::vector<FiledEvent>> events_elsewhere(Attribution& attribution, const Person& person,
                                                 const std::vector<Token>* sessions_on);

}  // namespace cdp
