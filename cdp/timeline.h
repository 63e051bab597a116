#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/people.h"
#include "cdp/platform.h"
#include "consent/gate.h"

namespace cdp {

// The events of a person as a channel may see them, in pages. Everything it refers to must outlive
// it.
class Timeline {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const People& people;
        const consent::Consents& consents;
        const Config& config;
        const Clock& clock;
    };
    explicit Timeline(Needs needs) : needs_(needs) {}

    // See Platform::timeline.
    Result<ProfileAnswer> page(const Principal& channel, std::string_view type,
                               std::string_view value, const TimelineQuery& query) const;

private:
    // Later times first, then smaller ids.
    struct Place {
        Timestamp time{};
        EventId id{};

        bool before(const Place& other) const {
            return time != other.time ? time > other.time : id < other.id;
        }
    };
    struct Entry {
        Place place;
        Token home;
        StoredEvent event;
    };

    consent::Cursor cursor_to(const Place& place, const Principal& channel) const;
    std::optional<Place> open_cursor(std::string_view cursor, const Principal& channel) const;
    Result<std::vector<Entry>> entries_of(People::Reading reading, const Person& person,
                                          const std::optional<Place>& after,
                                          std::size_t most) const;
    void write_event(const Entry& entry, const consent::Gate& gate, const consent::Released& name,
                     consent::ReleasedBody& body) const;
    std::span<const std::string> labels_of(const StoredEvent& event) const;
    consent::Passed pass_name(const Entry& entry, const consent::Gate& gate) const;
    consent::Passed pass_property(const Entry& entry, const consent::Gate& gate,
                                  const std::string& name, std::string_view json) const;

    Needs needs_;
};

}  // namespace cdp
