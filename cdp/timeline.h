#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/destination_forms.h"
#include "cdp/disclosures.h"
#include "cdp/field.h"
#include "cdp/person_events.h"
#include "cdp/platform.h"
#include "cdp/read_needs.h"
#include "consent/released_body.h"

namespace cdp {

// The events of a person as a channel may see them, in pages. Everything it refers to must outlive
// it.
class Timeline {
public:
    explicit Timeline(ReadNeeds needs) : needs_(needs) {}

    // See Platform::timeline.
    Result<std::shared_ptr<const Unlisted>> page(const Principal& channel, std::string_view type,
                                                 std::string_view value,
                                                 const TimelineQuery& query) const;

private:
    struct Property {
        std::string name;
        std::string_view json;
        FieldClass what;
    };
    // An event that is left, and what its properties are.
    struct Shown {
        const PersonEvent& entry;
        FieldClass name = {};
        std::vector<Property> properties = {};
    };

    consent::Cursor cursor_to(const Place& place, const Principal& channel) const;
    std::optional<Place> open_cursor(std::string_view cursor, const Principal& channel) const;
    Result<void> add_homes(People::Reading reading, std::span<const PersonEvent> events,
                           Person& person) const;
    std::vector<Shown> shown_of(std::vector<PersonEvent>& events) const;
    Result<void> heed_named(People::Reading reading, std::span<Shown> shown, Person& person,
                            Timestamp now) const;
    void write_event(const Shown& shown, const consent::Gate& gate, DestinationForms& forms,
                     const consent::Released& name, consent::ReleasedBody& body) const;
    static consent::Passed pass(const PersonEvent& entry, const consent::Gate& gate,
                                consent::Field field);
    static consent::Passed pass_name(const Shown& shown, const consent::Gate& gate);
    Property property_of(const PersonEvent& entry, std::string name, std::string_view json) const;
    consent::Passed pass_property(const PersonEvent& entry, const consent::Gate& gate,
                                  DestinationForms& forms, const Property& property) const;

    ReadNeeds needs_;
};

}  // namespace cdp
