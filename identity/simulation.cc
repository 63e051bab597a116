#include "identity/simulation.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "identity/damage.h"
#include "storage/key.h"

namespace identity {
namespace {

constexpr std::uint64_t kReportEvery = 1024;

// Tokens are hashes, so their first bytes are a fair draw.
bool is_drawn(const cdp::Token& token, double part) {
    if (part >= 1) return true;
    std::uint32_t draw = 0;
    for (std::size_t i = 0; i < sizeof draw; ++i) draw = draw << 8 | token.bytes[i];
    return draw < std::ldexp(part, 32);
}

class Simulation {
public:
    Simulation(const storage::Snapshot& snapshot, const Rules& rules, const Report& report)
        : snapshot_(snapshot), rules_(rules), report_(report) {}

    cdp::Result<void> take(const cdp::Token& token) {
        if (done_.contains(token)) return cdp::Result<void>::ok();
        storage::Transaction reading(snapshot_, storage::kPartition);
        Component component(reading, rules_, Trusting::afresh);
        CDP_CHECK(component.load({&token, 1}));
        count(component, component.folded());
        if (out_.identifiers / kReportEvery == reported_) return cdp::Result<void>::ok();
        reported_ = out_.identifiers / kReportEvery;
        if (report_ && !report_({out_.identifiers, moves_.size()}))
            return cdp::Error{.code = cdp::ErrorCode::unavailable,
                              .reason = "stopped",
                              .message = "The simulation was stopped."};
        return cdp::Result<void>::ok();
    }

    cdp::Result<Simulated> finish(std::size_t examples_of_each) {
        const auto changes = changes_of(moves_, CDP_TRY(stayed()), {Cause::What::rules, {}, {}});
        std::map<ChangeKind, std::size_t> shown;
        for (const auto& change : changes) {
            ++count_of(change.kind);
            if (++shown[change.kind] <= examples_of_each) out_.examples.push_back(change);
        }
        return std::move(out_);
    }

private:
    void count(const Component& component, const Partition& partition) {
        const auto members = component.members();
        for (std::uint32_t at = 0; at < members.size(); ++at) {
            const auto& [token, node] = std::tie(members[at].token, members[at].node);
            if (!members[at].expanded || !done_.insert(token).second) continue;
            ++out_.identifiers;
            out_.shared_before += node.shared;
            out_.shared_after += partition.shared[at];
            const bool is = partition.active[at];
            out_.persons_before += node.active && node.anchor == token;
            out_.persons_after += is && partition.anchor[at] == at;
            const cdp::PersonId after{members[partition.anchor[at]].node.rank.bytes};
            if (node.active && is && node.person() != after)
                moves_.push_back({token, node.person(), after, after, {}, {}});
        }
    }

    // Of the persons that somebody leaves or comes to, those that somebody stays with.
    cdp::Result<std::set<cdp::PersonId>> stayed() const {
        std::map<cdp::PersonId, std::size_t> left;
        for (const auto& move : moves_) {
            ++left[*move.from];
            left.try_emplace(*move.to, 0);
        }
        std::set<cdp::PersonId> out;
        storage::Transaction reading(snapshot_, storage::kPartition);
        for (const auto& [person, n] : left) {
            const auto row =
                CDP_TRY(reading.get(storage::KeyWriter(storage::Space::person, person).str()));
            if (!row || row->size() != 16) return damaged("a person row that cannot be read");
            std::size_t members = 0;
            CDP_CHECK(reading.scan(
                storage::KeyWriter(storage::Space::member, cdp::Token::from(*row)).str(),
                [&](std::string_view, std::string_view) { return ++members <= n; }));
            if (members > n) out.insert(person);
        }
        return out;
    }

    std::uint64_t& count_of(ChangeKind kind) {
        switch (kind) {
            case ChangeKind::merged: return out_.merged;
            case ChangeKind::split: return out_.split;
            case ChangeKind::moved: return out_.moved;
            // What is simulated erases nobody.
            case ChangeKind::redirected:
            case ChangeKind::erased: break;
        }
        return out_.redirected;
    }

    const storage::Snapshot& snapshot_;
    const Rules& rules_;
    const Report& report_;
    Simulated out_;
    std::vector<Move> moves_;
    std::unordered_set<cdp::Token> done_;
    std::uint64_t reported_ = 0;
};

}  // namespace

cdp::Result<Simulated> simulate(const storage::Snapshot& snapshot, const Rules& rules,
                                const Sample& sample, std::size_t examples_of_each,
                                const Report& report) {
    Simulation simulation(snapshot, rules, report);
    if (!sample.identifiers.empty()) {
        for (const auto& token : sample.identifiers) CDP_CHECK(simulation.take(token));
        return simulation.finish(examples_of_each);
    }
    std::optional<cdp::Error> error;
    CDP_CHECK(snapshot.scan(storage::space_prefix(storage::Space::node), "",
                            [&](std::string_view key, std::string_view) {
                                const auto token =
                                    cdp::Token::from(key.substr(storage::kGroupBytes - 16, 16));
                                if (!is_drawn(token, sample.part)) return true;
                                const auto taken = simulation.take(token);
                                if (!taken) error = taken.error();
                                return !error;
                            }));
    if (error) return *error;
    return simulation.finish(examples_of_each);
}

}  // namespace identity
