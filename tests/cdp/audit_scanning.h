#pragma once

#include <future>
#include <string>
#include <vector>

#include "tests/cdp/world.h"

namespace tests {

// What is asked page by page is the same as all at once; returned as that.
inline nlohmann::json audited_whole(PlatformWorld& world, std::string_view verb,
                                    cdp::AuditQuery query, const std::string& list) {
    query.page = {.limit = 1000};
    const auto whole = world.audited(verb, query);
    REQUIRE(whole.contains(list));
    CHECK(whole["next"].is_null());
    nlohmann::json paged = nlohmann::json::array();
    query.page.limit = 1;
    while (true) {
        const auto page = world.audited(verb, query);
        REQUIRE(page.contains(list));
        REQUIRE(page[list].size() <= 1);
        for (const auto& one : page[list]) paged.push_back(one);
        REQUIRE(paged.size() <= whole[list].size());
        if (page["next"].is_null()) break;
        query.page.cursor = page["next"];
    }
    CHECK(paged == whole[list]);
    return whole;
}

inline nlohmann::json audited_list(PlatformWorld& world, std::string_view verb,
                                   const cdp::AuditQuery& query, const std::string& list) {
    return audited_whole(world, verb, query, list).at(list);
}

// The id that an answer was recorded under.
inline std::string record(
    PlatformWorld& world, cdp::ConsentRequest request,
    const cdp::Principal& caller = PlatformWorld::source("crm", cdp::Trust::server)) {
    using Outcome = cdp::Result<std::vector<cdp::RecordedConsent>>;
    std::promise<Outcome> outcome;
    world.platform().record_consents(caller, {std::move(request)},
                                     [&](Outcome result) { outcome.set_value(std::move(result)); });
    const auto taken = outcome.get_future().get();
    if (!taken) FAIL(taken.error().reason << " " << taken.error().pointer);
    return taken->front().id;
}

inline cdp::ConsentRequest answer_of(const std::string& type, const std::string& value,
                                     const std::string& purpose, const std::string& state) {
    cdp::ConsentRequest request;
    request.identifiers = {{type, value}};
    request.purpose = purpose;
    request.state = state;
    return request;
}

}  // namespace tests
