#include "cdp/withdrawals.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"

namespace api {
namespace {

cdp::Result<std::vector<cdp::Acknowledgement>> read_acknowledgements(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(document, "", {"acknowledgements"}));
    const auto list = document.find("acknowledgements");
    if (list == document.end() || !list->is_array() || list->empty() ||
        list->size() > cdp::kAcknowledgementsMax)
        return invalid("acknowledgements_missing", "1 to 500 acknowledgements are expected here.",
                       "/acknowledgements");
    std::vector<cdp::Acknowledgement> out;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto at = "/acknowledgements/" + std::to_string(i);
        CDP_CHECK(check_members((*list)[i], at, {"record", "person"}));
        auto& heard = out.emplace_back();
        heard.record = CDP_TRY(string_member((*list)[i], "record", at));
        heard.person = CDP_TRY(string_member((*list)[i], "person", at));
    }
    return out;
}

}  // namespace

void read_withdrawals(const Services& services, const Request& request, Answer answer) {
    const auto page = page_of(request);
    if (!page) return answer(problem(page.error()));
    const auto in_query = [&](std::string_view name) {
        return query_value(request.head->query, name).value_or("");
    };
    cdp::WithdrawalsQuery query{
        .after = in_query("after"), .limit = page->limit, .channel = in_query("channel")};
    services.aside(request,
                   [&withdrawals = services.platform.withdrawals(), reader = reader_of(request),
                    query = std::move(query), answer = std::move(answer)] {
                       answer(document(withdrawals.feed(reader, query)));
                   });
}

// How many were not taken down before.
void acknowledge_withdrawals(const Services& services, const Request& request, Answer answer) {
    auto all = read_acknowledgements(request.body);
    if (!all) return answer(problem(all.error()));
    services.aside(request,
                   [&withdrawals = services.platform.withdrawals(), channel = request.caller,
                    all = std::move(*all), answer = std::move(answer)] {
                       const auto made = withdrawals.acknowledge(channel, all);
                       if (!made) return answer(problem(made.error()));
                       answer(document("{\"acknowledged\":" + std::to_string(all.size()) +
                                       ",\"new\":" + std::to_string(*made) + "}"));
                   });
}

}  // namespace api
