#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cdp/event_days.h"
#include "cdp/event_links.h"
#include "cdp/people.h"

// What events that go said of who is who, taken back from whoever stays; private to
// cdp/erasure*.cc. docs/decisions/0026.
namespace cdp {

// For one transaction. Leaves of identifiers that stay what a fold of the events and answers makes
// of them that are left.
class ErasureLinks {
public:
    // Of a link's row that holds no day any more.
    using LinkGone = std::function<void(const SaidLink&, const identity::LinkDays&)>;

    // `gone` must outlive it; whoever else goes is entered there before anything is taken back.
    ErasureLinks(const EventLinks& links, const identity::Graph& graph, People::Reading reading,
                 const Gone& gone)
        : links_(links), graph_(graph), reading_(reading), gone_(gone) {}

    // An event that goes. Whether it names anybody who stays.
    bool add(const identity::Observation& said);
    // One who stays, and whose other meaning in alias calls goes.
    Result<void> lose_twin(const Token& token);

    // The links between those who stay, unless what is left says them.
    Result<void> take_back(const LinkGone& tell);
    // Whom nothing that is left names: no event, no answer. After take_back.
    Result<std::vector<Token>> alone();
    // Since when the others were seen, and as what. After alone.
    Result<void> mend_nodes();

    // Who may have become somebody else.
    const std::set<Token>& around() const { return around_; }

private:
    // What is left of an identifier.
    struct Left {
        std::optional<Timestamp> first = {};
        bool seen = false;
        bool alias = false;  // an alias call may mean it
    };
    Result<Left> left_of(EventDays& days, const Token& token, const identity::Node& node);
    Result<std::optional<Timestamp>> first_event(storage::Space space, const Token& token,
                                                 Timestamp least);
    Result<std::optional<Timestamp>> first_answer(const Token& token);
    Result<std::optional<Timestamp>> first_alias(EventDays& days, const Token& token);
    Result<void> ask_neighbours(const Token& token);

    const EventLinks& links_;
    const identity::Graph& graph_;
    People::Reading reading_;
    const Gone& gone_;
    std::map<std::string, SaidLink> said_ = {};  // by ends, source and day
    std::set<Token> named_ = {};                 // by what goes
    std::map<Token, Left> left_ = {};
    std::set<Token> around_ = {};
};

}  // namespace cdp
