#include "cdp/group_rows.h"
#include "cdp/paging.h"
#include "cdp/trait_rows.h"
#include "consent/cursor.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;

// Rows of one group read at a time, so that a large one is never in memory as rows.
constexpr std::size_t kExportPage = 1000;

constexpr std::string_view kHolderOfMembers = "members of a group ";
constexpr std::string_view kHolderOfGroups = "groups of a person";

Error unknown_group() {
    return {.code = ErrorCode::not_found,
            .reason = "group_unknown",
            .message = "No event has named that group."};
}

// The last id of the page before; nullopt: from the start.
template <typename IdType>
Result<std::optional<IdType>> place_after(const storage::Vault& vault, std::string_view holder,
                                          std::string_view cursor) {
    if (cursor.empty()) return std::optional<IdType>{};
    const auto place = consent::Cursor::open(vault, holder, cursor);
    if (!place || place->size() != IdType{}.bytes.size()) return malformed_cursor();
    return std::optional(IdType::from(*place));
}

std::string days_json(const DaySpan& days) {
    return "\"firstSeen\":\"" + format_day(days.first) + "\",\"lastSeen\":\"" +
           format_day(days.last) + "\"}";
}

std::string persons_json(const std::map<PersonId, DaySpan>& persons) {
    std::string out = "[";
    for (const auto& [person, days] : persons) {
        if (out.size() > 1) out += ',';
        out += "{\"person\":\"" + to_hex(person.view()) + "\"," + days_json(days);
    }
    return out + "]";
}

std::string next_json(const std::optional<consent::Cursor>& next) {
    return next ? ",\"next\":\"" + next->text() + "\"}" : ",\"next\":null}";
}

}  // namespace

// Members of one person are folded within a page; a page reads as many rows as its limit says,
// however large the group and its persons are.
Result<Shown> Groups::page(std::string_view raw_id, const PageQuery& query) const {
    CDP_CHECK(check_limit(query.limit));
    const auto form = normal_group_id(raw_id);
    const auto* id = std::get_if<std::string>(&form);
    if (!id) return unknown_group();
    const auto group = id_of(*id);
    const auto holder = std::string(kHolderOfMembers).append(group.view());
    const auto after = CDP_TRY(place_after<Token>(needs_.vault, holder, query.cursor));

    const auto snapshot = needs_.store.snapshot();
    const auto key = CDP_TRY(needs_.vault.find(*snapshot, subject_of(group)));
    if (!key || !CDP_TRY(snapshot->get(group_key(group)))) return unknown_group();
    auto members = CDP_TRY(members_after(*snapshot, group, after, query.limit + 1));
    std::optional<consent::Cursor> next;
    if (members.size() > query.limit) {
        members.pop_back();
        next = consent::Cursor::seal(needs_.vault, holder, members.back().home.view());
    }
    Persons persons;
    CDP_CHECK(add_persons(*snapshot, members, persons));
    Looked whom;
    for (const auto& [person, days] : persons) whom.persons.push_back(person);
    return Shown("{\"group\":" + json_string(*id) +
                     ",\"traits\":" + CDP_TRY(traits_json(*snapshot, group, *key)) +
                     ",\"members\":" + persons_json(persons) + next_json(next),
                 std::move(whom));
}

// Ordered by group across the person's identifiers, so that each group stands once and whole.
Result<Shown> Groups::of_person(std::string_view type, std::string_view value,
                                const PageQuery& query) const {
    CDP_CHECK(check_limit(query.limit));
    const auto after = CDP_TRY(place_after<GroupId>(needs_.vault, kHolderOfGroups, query.cursor));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto token = CDP_TRY(needs_.people.resolve(reading, type, value));
    const auto node = CDP_TRY(needs_.people.find(reading, token));
    std::map<GroupId, DaySpan> groups;
    for (const Token& member : CDP_TRY(needs_.graph.members(transaction, node.anchor)))
        CDP_CHECK(add_groups(*snapshot, member, after, query.limit + 1, groups));
    std::optional<consent::Cursor> next;
    if (groups.size() > query.limit) {
        groups.erase(std::prev(groups.end()));
        next = consent::Cursor::seal(needs_.vault, kHolderOfGroups, groups.rbegin()->first.view());
    }
    std::string out = "{\"person\":\"" + to_hex(node.person().view()) + "\",\"groups\":[";
    std::string_view comma;
    for (const auto& [group, days] : groups) {
        out.append(comma).append("{\"group\":");
        out += json_string(CDP_TRY(name_of(*snapshot, group))) + "," + days_json(days);
        comma = ",";
    }
    return Shown(out + "]" + next_json(next), {.identifiers = {token}, .persons = {}});
}

Result<std::string> Groups::export_line(const storage::Snapshot& snapshot, std::string_view row,
                                        std::string_view sealed) const {
    const auto group = GroupId::from(row.substr(storage::kGroupBytes - 16, 16));
    const auto key = CDP_TRY(needs_.vault.find(snapshot, subject_of(group)));
    if (!key) return damaged("a group without its key");
    const auto id = decode_group_id(CDP_TRY(storage::Vault::open(*key, row, sealed)));
    if (!id) return damaged("a group that cannot be read");
    Persons persons;
    std::optional<Token> after;
    for (;;) {
        const auto members = CDP_TRY(members_after(snapshot, group, after, kExportPage));
        CDP_CHECK(add_persons(snapshot, members, persons));
        if (members.size() < kExportPage) break;
        after = members.back().home;
    }
    return "{\"group\":" + json_string(*id) +
           ",\"traits\":" + CDP_TRY(traits_json(snapshot, group, *key)) +
           ",\"members\":" + persons_json(persons) + "}\n";
}

Result<std::string> Groups::name_of(const storage::Snapshot& snapshot, const GroupId& group) const {
    const auto row = group_key(group);
    const auto key = CDP_TRY(needs_.vault.find(snapshot, subject_of(group)));
    const auto sealed = CDP_TRY(snapshot.get(row));
    if (!key || !sealed) return damaged("a membership without its group");
    auto id = decode_group_id(CDP_TRY(storage::Vault::open(*key, row, *sealed)));
    if (!id) return damaged("a group that cannot be read");
    return std::move(*id);
}

// By name. A trait that was cleared is none.
Result<std::string> Groups::traits_json(const storage::Snapshot& snapshot, const GroupId& group,
                                        const storage::SubjectKey& key) const {
    std::map<std::string, StoredTrait> traits;
    std::optional<Error> error;
    CDP_CHECK(snapshot.scan(storage::KeyWriter(storage::Space::group_trait, group).str(), "",
                            [&](std::string_view row, std::string_view sealed) {
                                auto trait = open_trait(key, row, sealed);
                                if (!trait) {
                                    error = trait.error();
                                    return false;
                                }
                                if (trait->json != "null")
                                    traits.emplace(trait->name, std::move(*trait));
                                return true;
                            }));
    if (error) return *error;
    std::string out = "{";
    for (const auto& [name, trait] : traits) {
        if (out.size() > 1) out += ',';
        out += json_string(name) + ":{\"value\":" + trait.json + ",\"time\":\"" +
               format_time(trait.time) + "\",\"source\":" + json_string(trait.source) + "}";
    }
    return out + "}";
}

Result<std::vector<Groups::Member>> Groups::members_after(const storage::Snapshot& snapshot,
                                                          const GroupId& group,
                                                          const std::optional<Token>& after,
                                                          std::size_t most) const {
    std::vector<Member> members;
    bool readable = true;
    const auto from = after ? group_member_key(group, *after) : std::string();
    CDP_CHECK(snapshot.scan(storage::KeyWriter(storage::Space::group_member, group).str(), from,
                            [&](std::string_view row, std::string_view value) {
                                storage::KeyReader in(row);
                                const auto home = in.id<Token>();
                                const auto days = decode_days(value);
                                readable = in.ok() && days;
                                if (!readable) return false;
                                if (after && home == *after) return true;
                                members.push_back({home, *days});
                                return members.size() < most;
                            }));
    if (!readable) return damaged("a membership that cannot be read");
    return members;
}

// Whose the identifiers are now. One that is shared is a person of its own.
Result<void> Groups::add_persons(const storage::Snapshot& snapshot,
                                 const std::vector<Member>& members, Persons& persons) const {
    std::vector<std::string> rows;
    rows.reserve(members.size());
    for (const Member& member : members) rows.push_back(identity::node_key(member.home));
    const auto nodes = CDP_TRY(snapshot.multi_get(rows));
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto node = nodes[i] ? identity::decode_node(*nodes[i]) : std::nullopt;
        if (!node) return damaged("a membership without its identifier");
        const auto [at, fresh] = persons.try_emplace(node->person(), members[i].days);
        if (!fresh) at->second = at->second.joined(members[i].days);
    }
    return Result<void>::ok();
}

// Keeps the first `most` groups in order: what comes later in this scan cannot be among them.
Result<void> Groups::add_groups(const storage::Snapshot& snapshot, const Token& home,
                                const std::optional<GroupId>& after, std::size_t most,
                                std::map<GroupId, DaySpan>& groups) const {
    bool readable = true;
    const auto from = after ? group_of_key(home, *after) : std::string();
    CDP_CHECK(snapshot.scan(storage::KeyWriter(storage::Space::group_of, home).str(), from,
                            [&](std::string_view row, std::string_view value) {
                                storage::KeyReader in(row);
                                const auto group = in.id<GroupId>();
                                const auto days = decode_days(value);
                                readable = in.ok() && days;
                                if (!readable) return false;
                                if (after && group == *after) return true;
                                if (groups.size() >= most && groups.rbegin()->first < group)
                                    return false;
                                const auto [at, fresh] = groups.try_emplace(group, *days);
                                if (!fresh) at->second = at->second.joined(*days);
                                if (groups.size() > most) groups.erase(std::prev(groups.end()));
                                return true;
                            }));
    if (!readable) return damaged("a membership that cannot be read");
    return Result<void>::ok();
}

}  // namespace cdp
