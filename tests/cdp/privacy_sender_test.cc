#include "cdp/privacy_sender.h"

#include "cdp/privacy_request_rows.h"
#include "tests/cdp/privacy_desk.h"

// Who brings requests is told apart from keys, and from ourselves.

namespace {

using cdp::PrivacyKind;
using cdp::Role;
using tests::Desk;

TEST_CASE("a sender is a key by its role and name, or one that no key can be") {
    struct Row {
        const char* sender;
        Role role;
        const char* name;
        const char* speaker;
    };
    const auto row = GENERATE(values<Row>({
        {"officer:kim", Role::officer, "kim", "officer:kim"},
        {"admin:cdp", Role::admin, "cdp", "admin:cdp"},
        {"uid:0", Role::officer, "uid:0", "uid:0"},
        {"agent:HELPER", Role::officer, "agent:HELPER", "agent:HELPER"},
        {"iab:shop.example", Role::officer, "iab:shop.example", "iab:shop.example"},
    }));
    CAPTURE(row.sender);
    const auto principal = cdp::principal_of(row.sender);
    CHECK(principal.role == row.role);
    CHECK(principal.name == row.name);
    CHECK(cdp::speaker_of(principal) == row.speaker);
}

TEST_CASE("what an agent or a first party asks is on record as theirs, not as an officer's") {
    Desk world;
    const auto actor_of = [&](cdp::PrivacyProtocol protocol, const std::string& sender) {
        auto wanted = Desk::asked(PrivacyKind::objection, "u1", "");
        wanted.protocol = protocol;
        const auto done = world.advance(world.submit(wanted, sender));
        REQUIRE(done.results.records.size() == 1);
        for (const auto& line : world.exported(cdp::ExportKind::consents))
            if (line.dump().find(done.results.records[0]) != std::string::npos)
                return line.at("actor").at("kind").get<std::string>() + ' ' +
                       line.at("actor").at("id").get<std::string>();
        return std::string("no record");
    };
    CHECK(actor_of(cdp::PrivacyProtocol::drp, "agent:HELPER") == "agent agent:HELPER");
    CHECK(actor_of(cdp::PrivacyProtocol::iab, "iab:shop.example") == "agent iab:shop.example");
    CHECK(actor_of(cdp::PrivacyProtocol::direct, "officer:kim") == "officer officer:kim");
}

TEST_CASE("what ourselves did is told apart from what a key of the same name did") {
    Desk world;
    const auto done = world.advance(world.submit(Desk::asked(PrivacyKind::erasure), "officer:cdp"));
    for (const auto& step : done.steps) {
        const bool asked =
            step.act == cdp::PrivacyAct::receive || step.act == cdp::PrivacyAct::verify;
        CHECK(step.author == (asked ? "officer:cdp" : cdp::kOurselves));
    }
}

}  // namespace
