#include "cdp/audit_names.h"

#include "cdp/facts.h"
#include "cdp/paging.h"
#include "cdp/trait_rows.h"
#include "identity/node.h"

namespace cdp {

Result<std::optional<NameMet>> trait_met(const AuditSources& sources,
                                         const storage::Snapshot& snapshot, std::string_view key,
                                         std::string_view sealed) {
    const auto home = storage::subject_in(key);
    const auto subject = CDP_TRY(sources.vault.find(snapshot, home));
    if (!subject) return std::optional<NameMet>();
    const auto trait = CDP_TRY(open_trait(*subject, key, sealed));
    if (trait.json == "null") return std::optional<NameMet>();
    return std::optional(NameMet{trait.name, home, trait.time});
}

Result<std::optional<NameMet>> type_met(std::string_view key, std::string_view value) {
    const auto node = identity::decode_node(value);
    if (!node) return damaged("a node that cannot be read");
    return std::optional(NameMet{node->type, storage::subject_in(key), node->first_seen});
}

Result<std::optional<std::string>> scan_rows(const storage::Snapshot& snapshot,
                                             storage::Space space, const std::string& from,
                                             AuditPage& page, const VisitRow& visit) {
    const auto prefix = storage::space_prefix(space);
    if (!from.empty() && !from.starts_with(prefix)) return malformed_cursor();
    std::optional<std::string> end;
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot.scan(prefix, from, [&](std::string_view key, std::string_view value) {
        const auto taken = page.full() ? Result<bool>(false) : visit(key, value);
        if (!taken) outcome = taken.error();
        if (!taken) return false;
        if (!*taken) end = std::string(key);
        if (!*taken) return false;
        page.looked_at(1);
        return true;
    }));
    CDP_CHECK(outcome);
    return end;
}

}  // namespace cdp
