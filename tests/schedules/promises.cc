#include <algorithm>
#include <map>

#include "cdp/rebuild.h"
#include "storage/memory_store.h"
#include "tests/cdp/world.h"
#include "tests/schedules/process.h"

namespace tests {
namespace {

using nlohmann::json;

class Check {
public:
    Check(Process& process, const Account& account) : process_(process), account_(account) {}

    std::vector<std::string> run() {
        for (const auto& wrong : account_.wrong) broken("answered " + wrong);
        check_events();
        check_consents();
        check_profiles();
        check_folds();
        check_ledger();
        return std::move(broken_);
    }

private:
    void broken(std::string what) { broken_.push_back(std::move(what)); }

    // How often each value of a member is exported.
    std::map<std::string, int> exported(cdp::ExportKind kind, const char* member) {
        std::map<std::string, int> out;
        const auto done = process_.platform().export_lines(
            PlatformWorld::officer("a check"), kind, [&](std::string_view line) {
                const auto read = json::parse(line);
                if (read.contains(member)) ++out[read.at(member).get<std::string>()];
                return true;
            });
        if (!done) broken("export: " + done.error().reason + " " + done.error().detail);
        return out;
    }

    std::vector<const DoneErasure*> erasures_of(int unit) const {
        std::vector<const DoneErasure*> out;
        for (const auto& erasure : account_.erasures)
            if (erasure.unit == unit) out.push_back(&erasure);
        return out;
    }

    void check_events() {
        auto stored = exported(cdp::ExportKind::events, "messageId");
        for (const auto& event : account_.events) {
            const auto found = stored.find(event.id);
            const int times = found == stored.end() ? 0 : found->second;
            if (found != stored.end()) stored.erase(found);
            if (times > 1) broken(event.id + " is stored " + std::to_string(times) + " times");
            check_event(event, times == 1);
        }
        for (const auto& [id, times] : stored) broken(id + " was never sent");
    }

    void check_event(const SentEvent& event, bool there) {
        const auto erasures = erasures_of(event.unit);
        const bool untouched = std::ranges::all_of(
            erasures, [&](const auto* erasure) { return erasure->over_before(event); });
        if (event.answer == Answer::stored && untouched && !there)
            broken(event.id + " was acknowledged and is missing");
        if (event.answer == Answer::suppressed && erasures.empty())
            broken(event.id + " was suppressed without an erasure");
        // An account that is erased takes along what named it. What came by a cookie alone may
        // belong to nobody yet.
        const bool erased = std::ranges::any_of(erasures, [&](const auto* erasure) {
            return erasure->answered() && event.over_before(*erasure);
        });
        if (event.by_account && erased && there) broken(event.id + " was erased and is there");
    }

    void check_consents() {
        auto stored = exported(cdp::ExportKind::consents, "time");
        for (const auto& said : account_.consents) {
            const auto found = stored.find(cdp::format_time(said.time));
            const int times = found == stored.end() ? 0 : found->second;
            if (times > 1) broken("an answer is stored " + std::to_string(times) + " times");
            if (said.answered() && erasures_of(said.unit).empty() && times == 0)
                broken("an answer of unit " + std::to_string(said.unit) + " is missing");
        }
    }

    // What was withdrawn, in an answer that had come before somebody looked, was not shown, unless
    // a later answer that allows it was on its way.
    void check_profiles() {
        for (const auto& seen : account_.profiles) {
            if (!seen.shows) continue;
            const SaidConsent* last = nullptr;
            for (const auto& said : account_.consents)
                if (said.unit == seen.unit && !said.granted && said.over_before(seen) &&
                    (last == nullptr || said.time > last->time))
                    last = &said;
            const auto allows = [&](const SaidConsent& said) {
                return said.unit == seen.unit && said.granted && said.began < seen.ended &&
                       (last == nullptr || said.time > last->time);
            };
            if (!std::ranges::any_of(account_.consents, allows))
                broken("unit " + std::to_string(seen.unit) + " was shown without leave");
        }
    }

    void check_folds() {
        const auto scratch = storage::make_memory_store();
        const storage::Vault vault(fixed_keyring());
        cdp::Rebuild rebuild({process_.store(), process_.vault(), *scratch, vault,
                              process_.config(), process_.clock()},
                             nullptr);
        const auto found = rebuild.check();
        if (!found) return broken("rebuild: " + found.error().reason + " " + found.error().detail);
        for (const auto& fold : found->found)
            if (fold.all() > 0)
                broken(std::string(fold.fold) + ": " + std::to_string(fold.missing) +
                       " rows are missing, " + std::to_string(fold.extra) + " too many, " +
                       std::to_string(fold.different) + " say something else");
    }

    void check_ledger() {
        const auto checked = process_.platform().check_ledger(nullptr);
        if (!checked)
            return broken("ledger: " + checked.error().reason + " " + checked.error().detail);
    }

    Process& process_;
    const Account& account_;
    std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> broken_promises(Process& process, const Account& account) {
    return Check(process, account).run();
}

}  // namespace tests
