#include "api/key_verbs.h"

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/command_line.h"
#include "api/json.h"
#include "api/pace.h"
#include "api/reach.h"
#include "cdp/backups.h"
#include "cdp/key_epochs.h"
#include "storage/escrow.h"

namespace api {
namespace {

using nlohmann::json;

const cdp::SystemClock kClock;

cdp::KeyEpochs::Needs needs_of(const OpenFolder& folder) {
    return {*folder.store, *folder.vault, *folder.keyring, kClock};
}

class Progress {
public:
    void tell(const std::string& stage, std::uint64_t keys) {
        if (pace_.due())
            std::fprintf(stderr, "cdp: %llu keys %s\n", static_cast<unsigned long long>(keys),
                         stage.c_str());
    }

private:
    Pace pace_;
};

cdp::Result<json> change(const OpenFolder& folder) {
    Progress progress;
    auto backups = backups_of(folder, /*disclosures=*/nullptr);
    cdp::KeyEpochs epochs(needs_of(folder));
    epochs.reach(backups);
    const auto changed = CDP_TRY(epochs.change([&](std::string_view stage, std::uint64_t keys) {
        progress.tell(std::string(stage), keys);
    }));
    return parse_json(render(changed));
}

cdp::Result<json> change(AdminClient& server) {
    Progress progress;
    return server.ask_with_progress(
        {.method = "POST", .target = "/v1/keys/epochs"}, [&](const json& told) {
            progress.tell(told.value("stage", ""), told.value("keys", std::uint64_t{0}));
        });
}

void print_failing(const json& places) {
    for (const auto& place : places)
        std::printf("not reached: %s (%s)\n", place.value("path", "").c_str(),
                    place.value("failing", "").c_str());
}

void print_changed(const json& changed) {
    const auto number = [&](const char* name) {
        return static_cast<unsigned long long>(changed.value(name, std::uint64_t{0}));
    };
    std::printf(
        "epoch %llu ended, epoch %llu is in force\n%llu keys re-wrapped, %llu no longer exist\n"
        "%.3f s, entry %llu of the ledger\n",
        number("from"), number("to"), number("rewrapped"), number("gone"),
        changed.value("seconds", 0.0), number("entry"));
    print_failing(changed["failing"]);
}

cdp::Result<json> state(const OpenFolder& folder) {
    const cdp::KeyEpochs epochs(needs_of(folder));
    return parse_json(CDP_TRY(epochs.state()));
}

cdp::Result<json> state(AdminClient& server) {
    return parse_json(CDP_TRY(server.ask_whole({.target = "/v1/keys/epochs"})));
}

void print_state(const json& document) {
    std::printf("%-8s  %-8s  %12s  %s\n", "EPOCH", "STATE", "KEYS", "SINCE");
    for (const auto& row : document["epochs"])
        std::printf("%-8u  %-8s  %12llu  %s\n", row.value("epoch", 0u),
                    row.value("state", "").c_str(),
                    static_cast<unsigned long long>(row.value("keys", std::uint64_t{0})),
                    row["since"].is_string() ? row["since"].get<std::string>().c_str() : "-");
    for (const char* kind : {"escrows", "backups"})
        for (const auto& place : document[kind])
            std::printf("%.6s %s holds epochs %s%s%s\n", kind, place.value("path", "").c_str(),
                        place["epochs"].dump().c_str(),
                        place["failing"].is_null() ? "" : "; not reached: ",
                        place["failing"].is_null() ? "" : place.value("failing", "").c_str());
}

cdp::Result<void> write(const OpenFolder& folder, const EscrowCommand& command,
                        const storage::EscrowRecipient& recipient) {
    const cdp::Escrows escrows(needs_of(folder));
    CDP_TRY(escrows.add(command.file, recipient));
    return cdp::Result<void>::ok();
}

cdp::Result<void> write(AdminClient& server, const EscrowCommand& command,
                        const storage::EscrowRecipient& recipient) {
    const json body{{"path", command.file}, {"recipient", storage::to_hex(recipient)}};
    CDP_TRY(
        server.ask_whole({.method = "POST", .target = "/v1/keys/escrows", .body = body.dump()}));
    return cdp::Result<void>::ok();
}

}  // namespace

int change_epoch(const std::string& data, bool json_wanted) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto changed = std::visit([](auto& one) { return change(one); }, *reached);
    if (!changed) return fail(changed.error());
    if (json_wanted)
        std::printf("%s\n", changed->dump().c_str());
    else
        print_changed(*changed);
    return finish_output();
}

int show_epochs(const std::string& data, bool json_wanted) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto shown = std::visit([](auto& one) { return state(one); }, *reached);
    if (!shown) return fail(shown.error());
    if (json_wanted)
        std::printf("%s\n", shown->dump().c_str());
    else
        print_state(*shown);
    return finish_output();
}

int write_escrow(const EscrowCommand& given) {
    const auto recipient = storage::parse_recipient(given.recipient);
    if (!recipient) {
        std::fprintf(stderr, "cdp: --recipient takes 64 hexadecimal digits\n");
        return kUsedWrongly;
    }
    auto command = given;
    command.file = std::filesystem::absolute(given.file).lexically_normal();
    auto reached = reach(command.data);
    if (!reached) return fail(reached.error());
    const auto written =
        std::visit([&](auto& one) { return write(one, command, *recipient); }, *reached);
    return written ? finish_output() : fail(written.error());
}

int new_escrow_pair(const EscrowCommand& command) {
    const auto pair = storage::EscrowPair::generate();
    const auto written = storage::write_private_half(command.file, pair.private_half);
    if (!written) return fail(written.error());
    std::printf("%s\n", storage::to_hex(pair.recipient).c_str());
    return finish_output();
}

int open_escrow(const EscrowCommand& command) {
    const auto private_half = storage::read_private_half(command.private_key);
    if (!private_half) return fail(private_half.error());
    const auto keyring = storage::read_escrow(command.file, *private_half);
    if (!keyring) return fail(keyring.error());
    const auto written = storage::write_keyring(command.keyring, *keyring);
    return written ? finish_output() : fail(written.error());
}

}  // namespace api
