#include "cdp/agents.h"

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "cdp/privacy.h"

namespace api {
namespace {

cdp::Result<cdp::NewAgent> read_agent(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(document, "", {"id", "name", "verify_key", "callback_hosts"}));
    cdp::NewAgent out;
    out.id = CDP_TRY(string_member(document, "id", ""));
    out.name = CDP_TRY(string_member(document, "name", ""));
    out.verify_key = CDP_TRY(string_member(document, "verify_key", ""));
    out.callback_hosts = CDP_TRY(strings_member(document, "callback_hosts", ""));
    return out;
}

}  // namespace

void add_agent(const Services& services, const Request& request, Answer answer) {
    auto wanted = read_agent(request.body);
    if (!wanted) return answer(problem(wanted.error()));
    services.aside(request,
                   [&agents = services.platform.privacy().agents, wanted = std::move(*wanted),
                    author = author_of(request), answer = std::move(answer)] {
                       const auto added = agents.add(author, wanted);
                       answer(added ? document(agent_json(*added)) : problem(added.error()));
                   });
}

Response list_agents(const Services& services, const Request&) {
    const auto all = services.platform.privacy().agents.all();
    if (!all) return problem(all.error());
    const auto listed = [](const std::vector<cdp::Agent>& agents) {
        std::string list;
        for (const auto& agent : agents) list += (list.empty() ? "" : ",") + agent_json(agent);
        return list;
    };
    return document("{\"agents\":[" + listed(all->agents) + "],\"ended\":[" + listed(all->ended) +
                    "]}");
}

void remove_agent(const Services& services, const Request& request, Answer answer) {
    services.aside(request, [&agents = services.platform.privacy().agents,
                             id = percent_decode(request.parameter), author = author_of(request),
                             answer = std::move(answer)] {
        const auto removed = agents.remove(author, id);
        answer(removed ? document(std::string("{}")) : problem(removed.error()));
    });
}

}  // namespace api
