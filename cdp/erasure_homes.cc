#include "cdp/erasure_homes.h"

#include <algorithm>

#include "cdp/filing.h"
#include "cdp/group_rows.h"
#include "cdp/sightings.h"
#include "cdp/trait_rows.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::KeyReader;
using storage::KeyWriter;
using storage::Space;

}  // namespace

void ErasureHomes::add(const Token& home, const std::string& source, const Event& event) {
    if (!gone_.tokens.contains(home)) homes_.insert(home);
    if (event.group_id.empty()) return;
    auto& said = groups_[needs_.groups.id_of(event.group_id)];
    for (const Trait& trait : event.group_traits) said.push_back({trait, event.time, source});
}

Result<ErasureHomes::Counts> ErasureHomes::tell_again() {
    Counts counts;
    for (const Token& home : homes_)
        if (!gone_.tokens.contains(home)) CDP_CHECK(tell_home(home, counts));
    for (const auto& [group, said] : groups_) CDP_CHECK(tell_group(group, said));
    return counts;
}

Result<void> ErasureHomes::tell_home(const Token& home, Counts& counts) {
    auto& transaction = reading_.transaction;
    const auto key = CDP_TRY(needs_.vault.find(reading_.snapshot, home));
    if (!key) return Result<void>::ok();
    const auto traits = CDP_TRY(keys_under(KeyWriter(Space::trait, home).str()));
    const auto groups = CDP_TRY(keys_under(KeyWriter(Space::group_of, home).str()));
    const auto node = CDP_TRY(needs_.graph.find(transaction, home));
    for (const auto& row : traits) {
        // Whose it was that is nobody's by itself cannot be told any more.
        const bool stays = !node || !node->shared;
        if (!stays || !CDP_TRY(is_kept_fact(*key, row))) transaction.erase(row);
    }
    for (const auto& row : groups) {
        transaction.erase(row);
        transaction.erase(group_member_key(KeyReader(row).id<GroupId>(), home));
    }
    const Tell file = [&](const StoredEvent& stored, const Event& event) -> Result<void> {
        CDP_CHECK(file_traits(transaction, {needs_.vault, needs_.corrections}, *key,
                              {event, {}, home, {}, stored.trust, stored.source}));
        return needs_.groups.file(transaction, event, home, stored.trust, stored.source);
    };
    CDP_CHECK(needs_.corrections.tell(transaction, *key, home));
    CDP_CHECK(each_event(home, file));
    for (const auto& row : traits) counts.traits += !CDP_TRY(transaction.get(row));
    for (const auto& row : groups) counts.groups += !CDP_TRY(transaction.get(row));
    return Result<void>::ok();
}

// A company that nobody else named goes too.
Result<void> ErasureHomes::tell_group(const GroupId& group, const std::vector<SaidTrait>& said) {
    auto& transaction = reading_.transaction;
    std::vector<Token> members;
    for (const auto& row : CDP_TRY(keys_under(KeyWriter(Space::group_member, group).str())))
        if (const auto home = KeyReader(row).id<Token>(); !gone_.tokens.contains(home))
            members.push_back(home);
    if (!members.empty() && !CDP_TRY(won(group, said))) return Result<void>::ok();
    const auto key = CDP_TRY(needs_.vault.find(reading_.snapshot, subject_of(group)));
    for (const auto& row : CDP_TRY(keys_under(KeyWriter(Space::group_trait, group).str())))
        if (members.empty() || !key || !CDP_TRY(is_kept_fact(*key, row))) transaction.erase(row);
    if (members.empty()) {
        transaction.erase(group_key(group));
        transaction.erase(KeyWriter(Space::subject_key, subject_of(group)).str());
        keyless_.push_back(subject_of(group));
    }
    for (const Token& home : members)
        CDP_CHECK(each_event(home, [&](const StoredEvent& stored, const Event& event) {
            if (event.group_id.empty() || needs_.groups.id_of(event.group_id) != group)
                return Result<void>::ok();
            return needs_.groups.file(transaction, event, home, stored.trust, stored.source);
        }));
    return Result<void>::ok();
}

// A trait that no event says any more, and that none who goes taught.
Result<bool> ErasureHomes::is_kept_fact(const storage::SubjectKey& key,
                                        const std::string& row) const {
    const auto sealed = CDP_TRY(reading_.transaction.get(row));
    if (!sealed) return false;
    const auto tellers = CDP_TRY(open_trait(key, row, *sealed)).tellers;
    return !tellers.empty() && std::ranges::none_of(tellers, [&](const Token& token) {
        return gone_.tokens.contains(token);
    });
}

// Whether something that goes is what the company is known by: else all of it stays as it is.
Result<bool> ErasureHomes::won(const GroupId& group, const std::vector<SaidTrait>& said) const {
    const auto key = CDP_TRY(needs_.vault.find(reading_.snapshot, subject_of(group)));
    if (!key) return false;
    for (const auto& row : CDP_TRY(keys_under(KeyWriter(Space::group_trait, group).str()))) {
        const auto sealed = CDP_TRY(reading_.transaction.get(row));
        if (sealed && !CDP_TRY(open_trait(*key, row, *sealed)).tellers.empty() &&
            !CDP_TRY(is_kept_fact(*key, row)))
            return true;
    }
    for (const auto& [trait, time, source] : said) {
        const auto row = group_trait_key(group, needs_.vault.hash<TraitName>("trait", trait.name));
        const auto sealed = CDP_TRY(reading_.transaction.get(row));
        if (!sealed) continue;
        const auto stored = CDP_TRY(open_trait(*key, row, *sealed));
        if (stored.time == time && stored.source == source && stored.json == trait.json)
            return true;
    }
    return false;
}

Result<void> ErasureHomes::each_event(const Token& home, const Tell& tell) const {
    const auto key = CDP_TRY(needs_.vault.find(reading_.snapshot, home));
    if (!key) return Result<void>::ok();
    const auto visit = [&](std::string_view row, std::string_view sealed) -> Result<void> {
        KeyReader in(row);
        const auto time = in.newest_first();
        if (gone_.events.contains(in.id<EventId>())) return Result<void>::ok();
        const auto stored = decode_event(CDP_TRY(storage::Vault::open(*key, row, sealed)));
        if (!stored) return damaged("an event that cannot be read");
        auto event = read_again(*stored, needs_.config);
        if (!event) return Result<void>::ok();
        event->time = time;
        return tell(*stored, *event);
    };
    const auto prefix = KeyWriter(Space::event, home).str();
    reading_.transaction.watch(prefix);
    auto outcome = Result<void>::ok();
    CDP_CHECK(
        reading_.snapshot.scan(prefix, "", [&](std::string_view row, std::string_view sealed) {
            outcome = visit(row, sealed);
            return static_cast<bool>(outcome);
        }));
    return outcome;
}

Result<std::vector<std::string>> ErasureHomes::keys_under(const std::string& prefix) const {
    std::vector<std::string> keys;
    CDP_CHECK(reading_.transaction.scan(prefix, [&](std::string_view key, std::string_view) {
        keys.emplace_back(key);
        return true;
    }));
    return keys;
}

}  // namespace cdp
