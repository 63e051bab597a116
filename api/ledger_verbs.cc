#include "api/ledger_verbs.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/command_line.h"
#include "api/json.h"
#include "api/ledger_json.h"
#include "api/pace.h"
#include "api/reach.h"
#include "cdp/key_epochs.h"
#include "cdp/ledger_rows.h"
#include "consent/ledger.h"

namespace api {
namespace {

using Keys = std::vector<std::string>;

cdp::Result<Keys> keys_of(const OpenFolder& folder) {
    Keys keys;
    for (const auto& key : CDP_TRY(consent::read_public_keys(*folder.store->snapshot())))
        keys.push_back(key.str());
    // What was never used to sign is not stored yet.
    const auto& own = folder.vault->ledger_key();
    const consent::NoteSigner signer(own->origin, own->seed);
    const auto current = signer.verifier().str();
    std::erase(keys, current);
    keys.push_back(current);
    return keys;
}

cdp::Result<Keys> keys_of(AdminClient& server) {
    const auto answer = CDP_TRY(server.ask_whole({.target = "/v1/ledger/keys"}));
    const auto document = CDP_TRY(parse_json(answer));
    return document.at("keys").get<Keys>();
}

void tell_progress(std::string_view stage, std::uint64_t done) {
    std::fprintf(stderr, "cdp: %llu %.*s\n", static_cast<unsigned long long>(done),
                 static_cast<int>(stage.size()), stage.data());
}

cdp::Result<std::string> check(const OpenFolder& folder) {
    Pace pace;
    const auto checked = CDP_TRY(cdp::check_ledger(*folder.store, *folder.vault,
                                                   [&](std::string_view stage, std::uint64_t done) {
                                                       if (pace.due()) tell_progress(stage, done);
                                                       return true;
                                                   }));
    return render_ledger_checked(checked);
}

// The last line is the outcome, those before it say how far it is.
cdp::Result<std::string> check(AdminClient& server) {
    Pace pace;
    std::string text;
    CDP_CHECK(server.ask({.target = "/v1/ledger/check"}, [&](std::string_view bytes) {
        text += bytes;
        for (auto end = text.find('\n'); end + 1 < text.size() && end != text.npos;
             end = text.find('\n')) {
            const auto line = parse_json(text.substr(0, end));
            text.erase(0, end + 1);
            if (line && pace.due())
                tell_progress(line->value("stage", ""), line->value("done", std::uint64_t{0}));
        }
        return true;
    }));
    return text;
}

void print_checked(const nlohmann::json& checked) {
    const auto number = [&](const char* name) {
        return static_cast<unsigned long long>(checked.value(name, std::uint64_t{0}));
    };
    std::printf(
        "%llu entries, %llu of them published; %llu rows of records, %llu cells, %llu others\n",
        number("entries"), number("published"), number("records"), number("cells"),
        number("others"));
    const auto& fault = checked["fault"];
    if (fault.is_null()) {
        std::printf("everything fits\n");
        return;
    }
    std::printf("%s", fault.value("what", "").c_str());
    if (fault.contains("index")) std::printf(" %llu", fault["index"].get<unsigned long long>());
    if (fault.contains("id")) std::printf(" %s", fault["id"].get<std::string>().c_str());
    std::printf(": %s\n", fault.value("why", "").c_str());
}

cdp::Result<std::string> prove(const OpenFolder& folder, std::uint64_t index) {
    consent::Ledger ledger(*folder.store, *folder.vault);
    while (CDP_TRY(ledger.publish(cdp::SystemClock().now()))) continue;
    return consent::render(CDP_TRY(prove_entry(ledger, index)));
}

cdp::Result<std::string> prove(AdminClient& server, std::uint64_t index) {
    return server.ask_whole({.target = "/v1/ledger/proofs/" + std::to_string(index)});
}

cdp::Result<std::string> rotate(const OpenFolder& folder) {
    const cdp::SystemClock clock;
    consent::Ledger ledger(*folder.store, *folder.vault);
    const cdp::KeyEpochs epochs({*folder.store, *folder.vault, *folder.keyring, clock});
    return epochs.rotate_ledger_key(
        [&](const cdp::KeyEpochs::Renew& renew) { return ledger.rotate(clock.now(), renew); });
}

cdp::Result<std::string> rotate(AdminClient& server) {
    return server.ask_whole({.method = "POST", .target = "/v1/ledger/keys"});
}

}  // namespace

int show_ledger_keys(const std::string& data, bool all) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    auto keys = std::visit([](auto& one) { return keys_of(one); }, *reached);
    if (!keys) return fail(keys.error());
    if (!all) keys->erase(keys->begin(), keys->end() - 1);
    for (const auto& key : *keys) std::printf("%s\n", key.c_str());
    return finish_output();
}

int check_ledger(const std::string& data, bool json) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto text = std::visit([](auto& one) { return check(one); }, *reached);
    if (!text) return fail(text.error());
    const auto checked = parse_json(*text);
    if (!checked) return fail(checked.error());
    if (json)
        std::fputs(text->c_str(), stdout);
    else
        print_checked(*checked);
    const int printed = finish_output();
    return (*checked)["fault"].is_null() ? printed : int{kFailed};
}

int prove_ledger_entry(const std::string& data, std::uint64_t index) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto proof = std::visit([&](auto& one) { return prove(one, index); }, *reached);
    if (!proof) return fail(proof.error());
    std::fputs(proof->c_str(), stdout);
    return finish_output();
}

int rotate_ledger_key(const std::string& data) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto text = std::visit([](auto& one) { return rotate(one); }, *reached);
    if (!text) return fail(text.error());
    const auto rotated = parse_json(*text);
    if (!rotated) return fail(rotated.error());
    std::printf("%s\n", rotated->value("key", "").c_str());
    for (const auto& place : (*rotated)["failing"])
        std::fprintf(stderr, "cdp: the escrow %s was not reached\n",
                     place.value("path", "").c_str());
    return finish_output();
}

}  // namespace api
