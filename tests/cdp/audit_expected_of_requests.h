#pragma once

#include "tests/cdp/audit_asking.h"

// What is expected of the question about people's requests.
namespace tests {

// 21
inline Compared rights_requests(Asking& ask) {
    Compared out;
    std::size_t open = 0;
    for (const auto& one : ask.known.asked) {
        out.expected.insert(
            line(one.id, "erasure", one.status, one.law, one.due, "false", one.steps));
        open += one.status != "denied";
    }
    for (const auto& one : ask.all("rights-requests", {}, "requests")) {
        std::string acts;
        for (const auto& step : one.at("steps")) {
            acts += step.at("step").get<std::string>() + ' ';
            CHECK(ask.proven(step).entry.type == consent::EntryType::request_status);
        }
        out.told.insert(line(one.at("external_id"), one.at("kind"), one.at("status"),
                             one.at("regime"), one.at("answer_by"), one.at("overdue").dump(),
                             acts));
    }
    cdp::AuditQuery query;
    query.status = "open";
    if (ask.all("rights-requests", query, "requests").size() != open) out.told.insert("open");
    query.status = "overdue";
    CHECK(ask.all("rights-requests", query, "requests").empty());
    return out;
}

}  // namespace tests
