#include "cdp/rebuild.h"

#include "cdp/facts.h"
#include "cdp/rebuild_facts.h"
#include "cdp/rebuild_mend.h"
#include "cdp/rebuild_rows.h"
#include "cdp/source_names.h"
#include "identity/change.h"
#include "identity/upkeep.h"

namespace cdp {
namespace {

Result<std::vector<FoldDifferences>> compare_all(const Rebuild::Needs& needs) {
    const auto stored = needs.store.snapshot();
    const auto folded = needs.scratch.snapshot();
    std::vector<FoldDifferences> out;
    for (const Fold& fold : folds())
        out.push_back(CDP_TRY(
            compare(fold, {*stored, needs.vault}, {*folded, needs.scratch_vault}, nullptr)));
    return out;
}

std::uint64_t count(const std::vector<FoldDifferences>& folds) {
    std::uint64_t rows = 0;
    for (const auto& fold : folds) rows += fold.all();
    return rows;
}

Result<std::uint64_t> changes_in(const storage::Store& store) {
    return storage::log_size(*store.snapshot(), identity::change_log());
}

}  // namespace

Result<Rebuilt> Rebuild::check() {
    const identity::Graph graph(needs_.store, needs_.vault, needs_.config.types);
    const identity::Upkeep upkeep(needs_.store, needs_.vault, graph, needs_.config.types,
                                  needs_.clock);
    if (CDP_TRY(upkeep.follows_other_rules()))
        return Error{.code = ErrorCode::conflict,
                     .reason = "other_rules",
                     .message =
                         "The persons stored here were made under other rules than this "
                         "configuration's; give the one that the server runs with, or "
                         "start the server once with this one."};
    Rebuilt out;
    const auto facts = needs_.store.snapshot();
    Retelling retelling(needs_, *facts, report_, out);
    CDP_CHECK(retelling.run());
    sources_ = retelling.sources();
    out.found = CDP_TRY(compare_all(needs_));
    out.differed = out.left = count(out.found);
    return out;
}

Result<Rebuilt> Rebuild::mend() {
    auto out = CDP_TRY(check());
    const auto before = CDP_TRY(changes_in(needs_.store));
    if (out.differed > 0) {
        CDP_CHECK(Mending(needs_, report_).run());
        out.left = count(CDP_TRY(compare_all(needs_)));
        out.announced = CDP_TRY(changes_in(needs_.store)) - before;
    }
    CDP_CHECK(name_sources());
    if (out.left > 0) return out;
    const identity::Graph graph(needs_.store, needs_.vault, needs_.config.types);
    const identity::Upkeep upkeep(needs_.store, needs_.vault, graph, needs_.config.types,
                                  needs_.clock);
    CDP_CHECK(upkeep.note_rules());
    return out;
}

// What evidence knows by a hash alone. Nothing is compared with it, so it is no fold of `folds`.
Result<void> Rebuild::name_sources() const {
    const SourceNames names(needs_.vault);
    BatchWriter writer(needs_.store);
    for (const auto& [name, trust] : sources_) {
        auto& transaction = writer.at_hand();
        const auto kept = names.find(writer.snapshot(), source_hash_of(needs_.vault, name));
        if (!kept || !*kept || (*kept)->name != name || (*kept)->trust != trust)
            names.keep(transaction, {name, trust});
    }
    CDP_TRY(writer.flush());
    return Result<void>::ok();
}

}  // namespace cdp
