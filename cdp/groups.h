#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/event.h"
#include "cdp/facts.h"
#include "cdp/people.h"
#include "cdp/platform.h"
#include "cdp/shown.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// A keyed hash of a group's id, in a domain of its own: never an identifier's token. The subject
// under whose key the group's id and traits are sealed has the same bytes.
using GroupId = Id<struct GroupTag>;

// When a group was seen with somebody: the first and the last UTC day (cdp::day_of).
struct DaySpan {
    std::int32_t first = 0;
    std::int32_t last = 0;

    // The least span that holds both.
    DaySpan joined(const DaySpan& other) const {
        return {std::min(first, other.first), std::max(last, other.last)};
    }
    friend bool operator==(const DaySpan&, const DaySpan&) = default;
};

// Groups (companies, workspaces) with their traits and the identifiers seen with them: a fold of
// stored events that no order and no repetition of events changes. They say nothing about who is
// who: two identifiers of one group are not one person's for that. Safe to use from many threads;
// everything it refers to must outlive it.
class Groups {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const People& people;
    };
    explicit Groups(Needs needs) : needs_(needs) {}

    // Of an id in normal form (normal_group_id).
    GroupId id_of(std::string_view normal_form) const;

    // Takes in what an event says of its group, if it names one: that its home was seen with it,
    // and of a group call the group's traits. An event of a day already known writes no membership.
    Result<void> file(storage::Transaction& transaction, const Event& event, const Token& home,
                      Trust trust, const std::string& source) const;

    // Its id, of one that somebody was seen with.
    Result<std::string> name_of(const storage::Snapshot& snapshot, const GroupId& group) const;

    // See Platform::group and Platform::groups_of.
    Result<Shown> page(std::string_view raw_id, const PageQuery& query) const;
    Result<Shown> of_person(std::string_view type, std::string_view value,
                            const PageQuery& query) const;

    // A row of Space::group as a line of the export, with every member.
    Result<std::string> export_line(const storage::Snapshot& snapshot, std::string_view row,
                                    std::string_view sealed) const;

private:
    struct Member {
        Token home;
        DaySpan days;
    };
    using Persons = std::map<PersonId, DaySpan>;

    Result<bool> join(storage::Transaction& transaction, const GroupId& group, const Token& home,
                      std::int32_t day) const;
    Result<std::string> traits_json(const storage::Snapshot& snapshot, const GroupId& group,
                                    const storage::SubjectKey& key) const;
    Result<std::vector<Member>> members_after(const storage::Snapshot& snapshot,
                                              const GroupId& group,
                                              const std::optional<Token>& after,
                                              std::size_t most) const;
    Result<void> add_persons(const storage::Snapshot& snapshot, const std::vector<Member>& members,
                             Persons& persons) const;
    Result<void> add_groups(const storage::Snapshot& snapshot, const Token& home,
                            const std::optional<GroupId>& after, std::size_t most,
                            std::map<GroupId, DaySpan>& groups) const;

    Needs needs_;
};

}  // namespace cdp
