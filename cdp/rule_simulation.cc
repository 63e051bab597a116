#include "cdp/rule_simulation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cdp/facts.h"
#include "consent/json_string.h"
#include "identity/component.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;

// What is folded and what would change is remembered until the end. With these limits that is less
// than a gigabyte; beyond them a part says as much.
constexpr std::uint64_t kFoldedMax = 10'000'000;
constexpr std::uint64_t kMovesMax = 1'000'000;

// An example is there to be looked at.
constexpr std::size_t kShownMax = 10;

Error too_large() {
    return {.code = ErrorCode::invalid_argument,
            .reason = "simulation_too_large",
            .message =
                "That many identifiers, or that many changes, are not simulated at once: name a "
                "smaller part.",
            .pointer = "/sample"};
}

// What an example shows of persons: their identifiers now, and under the other rules.
class ShownPersons {
public:
    ShownPersons(RuleSimulation::Needs needs, const storage::Snapshot& snapshot,
                 const identity::Rules& rules)
        : needs_(needs), snapshot_(snapshot), rules_(rules) {}

    Result<std::string> now(const PersonId& person) const {
        storage::Transaction reading(snapshot_, storage::kPartition);
        const auto anchor = CDP_TRY(anchor_of(reading, person));
        return shown(reading, person, CDP_TRY(needs_.graph.members(reading, anchor)));
    }

    Result<std::string> then(const PersonId& person) const {
        storage::Transaction reading(snapshot_, storage::kPartition);
        const auto anchor = CDP_TRY(anchor_of(reading, person));
        identity::Component component(reading, rules_, identity::Trusting::afresh);
        CDP_CHECK(component.load({&anchor, 1}));
        const auto partition = component.folded();
        const auto best = component.find(anchor);
        std::vector<Token> members;
        for (std::uint32_t at = 0; at < component.members().size(); ++at)
            if (partition.active[at] && best == partition.anchor[at])
                members.push_back(component.members()[at].token);
        std::ranges::sort(members);
        return shown(reading, person, members);
    }

    // Those that were written, in the order met.
    const std::vector<Token>& identifiers() const { return identifiers_; }

private:
    Result<Token> anchor_of(storage::Transaction& reading, const PersonId& person) const {
        const auto anchor = CDP_TRY(needs_.graph.find_person(reading, person));
        if (!anchor) return damaged("a person id of no identifier");
        return *anchor;
    }

    Result<std::string> shown(storage::Transaction& reading, const PersonId& person,
                              const std::vector<Token>& members) const {
        std::string out = "{\"person\":\"" + to_hex(person.view()) + "\",\"identifiers\":[";
        const auto n = std::min(members.size(), kShownMax);
        for (std::size_t i = 0; i < n; ++i)
            out += (i > 0 ? "," : "") + CDP_TRY(identifier(reading, members[i]));
        out += ']';
        if (members.size() > n) out += ",\"more\":" + std::to_string(members.size() - n);
        return out + "}";
    }

    Result<std::string> identifier(storage::Transaction& reading, const Token& token) const {
        identifiers_.push_back(token);
        const auto node = CDP_TRY(needs_.graph.find(reading, token));
        const auto key = CDP_TRY(needs_.vault.find(snapshot_, token));
        if (!node || !key) return damaged("a member without its node");
        const auto value = CDP_TRY(identity::Graph::open(*key, token, *node));
        return "{\"type\":" + json_string(node->type) + ",\"value\":" + json_string(value.value) +
               "}";
    }

    RuleSimulation::Needs needs_;
    const storage::Snapshot& snapshot_;
    const identity::Rules& rules_;
    mutable std::vector<Token> identifiers_ = {};
};

Result<std::string> example_json(const ShownPersons& persons, const identity::Change& change) {
    std::string out = "{\"kind\":\"" + std::string(to_string(change.kind)) +
                      "\",\"from\":" + CDP_TRY(persons.now(change.from)) + ",\"to\":[";
    const auto n = std::min(change.to.size(), kShownMax);
    for (std::size_t i = 0; i < n; ++i)
        out += (i > 0 ? "," : "") + CDP_TRY(persons.then(change.to[i]));
    out += ']';
    if (change.to.size() > n) out += ",\"more\":" + std::to_string(change.to.size() - n);
    return out + "}";
}

// What of the other rules the stored evidence cannot show, because it matters where facts come in.
std::string notes_json(const identity::IdentifierTypes& now,
                       const identity::IdentifierTypes& then) {
    std::string out = "[";
    const auto add = [&](const std::string& name, std::string_view key, std::string_view message) {
        if (out.size() > 1) out += ',';
        out += "{\"type\":" + json_string(name) + ",\"setting\":" + json_string(key) +
               ",\"message\":" + json_string(message) + "}";
    };
    for (const auto& [name, type] : then.all()) {
        const auto& in_force = now.known(name);
        if (type.form != in_force.form)
            add(name, "form", "Values that are stored keep their form.");
        if (type.blocked != in_force.blocked)
            add(name, "blocked", "Values that are stored stay; an assertion blocks one of those.");
        if (type.link_class != in_force.link_class)
            add(name, "class", "Links that are stored keep the class they were seen in.");
    }
    return out + "]";
}

std::string pair_json(std::uint64_t before, std::uint64_t after) {
    return "{\"before\":" + std::to_string(before) + ",\"after\":" + std::to_string(after) + "}";
}

std::string counts_json(const identity::Simulated& simulated) {
    const std::array<std::pair<identity::ChangeKind, std::uint64_t>, 4> kinds{{
        {identity::ChangeKind::merged, simulated.merged},
        {identity::ChangeKind::split, simulated.split},
        {identity::ChangeKind::moved, simulated.moved},
        {identity::ChangeKind::redirected, simulated.redirected},
    }};
    std::string out =
        "{\"identifiers\":" + std::to_string(simulated.identifiers) +
        ",\"persons\":" + pair_json(simulated.persons_before, simulated.persons_after) +
        ",\"shared\":" + pair_json(simulated.shared_before, simulated.shared_after) +
        ",\"changes\":{";
    for (const auto& [kind, n] : kinds) {
        if (out.back() != '{') out += ',';
        out.append("\"").append(to_string(kind)).append("\":" + std::to_string(n));
    }
    return out + "}";
}

// Lowers the flag again.
class Turn {
public:
    explicit Turn(std::atomic<bool>& flag) : flag_(flag), mine_(!flag.exchange(true)) {}
    ~Turn() {
        if (mine_) flag_ = false;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool mine() const { return mine_; }

private:
    std::atomic<bool>& flag_;
    bool mine_;
};

}  // namespace

Result<Shown> RuleSimulation::run(const SimulationRequest& request,
                                  const identity::Report& report) const {
    const Turn turn(running_);
    if (!turn.mine())
        return Error{.code = ErrorCode::overloaded,
                     .reason = "simulation_running",
                     .message = "Another simulation is running; one runs at a time."};
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction reading(*snapshot, storage::kPartition);
    auto rules = CDP_TRY(needs_.graph.rules(reading));
    rules.type_of = [&types = request.types](std::string_view name) -> const auto& {
        return types.known(name);
    };
    const identity::Sample sample{.identifiers = CDP_TRY(tokens_of({*snapshot, reading}, request)),
                                  .part = request.part};

    bool over = false;
    const identity::Report bounded = [&](const identity::Progress& progress) {
        over = progress.identifiers > kFoldedMax || progress.changed > kMovesMax;
        return !over && (!report || report(progress));
    };
    if (report && !report({}))
        return Error{.code = ErrorCode::unavailable,
                     .reason = "stopped",
                     .message = "The simulation was stopped."};
    auto simulated = identity::simulate(*snapshot, rules, sample, request.examples, bounded);
    if (over) return too_large();
    if (!simulated) return simulated.error();

    std::string out = counts_json(*simulated) + ",\"examples\":[";
    const ShownPersons persons(needs_, *snapshot, rules);
    for (std::size_t i = 0; i < simulated->examples.size(); ++i)
        out += (i > 0 ? "," : "") + CDP_TRY(example_json(persons, simulated->examples[i]));
    out += "],\"notes\":" + notes_json(needs_.config.types, request.types) + "}";
    return Shown(std::move(out), {.identifiers = persons.identifiers(), .persons = {}});
}

Result<std::vector<Token>> RuleSimulation::tokens_of(People::Reading reading,
                                                     const SimulationRequest& request) const {
    std::vector<Token> out;
    for (const auto& [type, value] : request.identifiers) {
        const auto pointer = "/sample/identifiers/" + std::to_string(out.size());
        auto token = needs_.people.resolve(reading, type, value);
        if (!token && token.error().code == ErrorCode::invalid_argument) {
            auto error = token.error();
            const bool by_type = error.reason == "malformed_identifier_type";
            error.pointer = pointer + (by_type ? "/type" : "/value");
            return error;
        }
        if (!token && token.error().code != ErrorCode::not_found) return token.error();
        if (!token || !CDP_TRY(needs_.graph.find(reading.transaction, *token)))
            return Error{.code = ErrorCode::not_found,
                         .reason = "identifier_unknown",
                         .message = "That identifier was never seen.",
                         .pointer = pointer};
        out.push_back(*token);
    }
    return out;
}

}  // namespace cdp
