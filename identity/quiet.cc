#include "identity/quiet.h"

#include <utility>

namespace identity {

std::optional<QuietSayings::Ground> QuietSayings::find(const Saying& saying) {
    Shard& shard = shard_of(saying);
    const std::lock_guard lock(shard.mutex);
    if (const auto at = shard.young.find(saying); at != shard.young.end()) return at->second;
    auto node = shard.old.extract(saying);
    if (node.empty()) return std::nullopt;
    Ground ground = node.mapped();
    keep(shard, saying, std::move(node.mapped()));
    return ground;
}

void QuietSayings::add(const Saying& saying, Ground ground) {
    Shard& shard = shard_of(saying);
    const std::lock_guard lock(shard.mutex);
    shard.old.erase(saying);
    keep(shard, saying, std::move(ground));
}

void QuietSayings::keep(Shard& shard, const Saying& saying, Ground ground) {
    if (shard.young.size() >= kGenerationMax) {
        shard.old = std::move(shard.young);
        shard.young.clear();
    }
    shard.young.insert_or_assign(saying, std::move(ground));
}

}  // namespace identity
