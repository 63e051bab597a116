#include "cdp/groups.h"

#include "cdp/group_rows.h"
#include "cdp/trait_rows.h"

namespace cdp {

GroupId Groups::id_of(std::string_view normal_form) const {
    return needs_.vault.hash<GroupId>("group", normal_form);
}

Result<void> Groups::file(storage::Transaction& transaction, const Event& event, const Token& home,
                          Trust trust, const std::string& source) const {
    if (event.group_id.empty()) return Result<void>::ok();
    const auto group = id_of(event.group_id);
    const bool was_member = CDP_TRY(join(transaction, group, home, day_of(event.time)));
    if (was_member && event.group_traits.empty()) return Result<void>::ok();

    const auto key = CDP_TRY(needs_.vault.find_or_make(transaction, subject_of(group)));
    const auto row = group_key(group);
    if (!was_member && !CDP_TRY(transaction.get(row)))
        transaction.put(row, storage::Vault::seal(key, row, encode_group_id(event.group_id)));
    for (const Trait& trait : event.group_traits)
        CDP_CHECK(
            keep_latest(transaction, key,
                        group_trait_key(group, needs_.vault.hash<TraitName>("trait", trait.name)),
                        {trait.name, trait.json, event.time, trust, source}));
    return Result<void>::ok();
}

// Whether the identifier was a member before. Both rows are written together, so one is read: that
// of the home, which the events of other members do not touch.
Result<bool> Groups::join(storage::Transaction& transaction, const GroupId& group,
                          const Token& home, std::int32_t day) const {
    const auto row = group_of_key(home, group);
    DaySpan days{day, day};
    const auto stored = CDP_TRY(transaction.get(row));
    if (stored) {
        const auto before = decode_days(*stored);
        if (!before) return damaged("a membership that cannot be read");
        days = before->joined(days);
        if (days == *before) return true;
    }
    transaction.put(row, encode(days));
    transaction.put(group_member_key(group, home), encode(days));
    return stored.has_value();
}

}  // namespace cdp
