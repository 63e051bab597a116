#include "api/backup_verbs.h"

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/command_line.h"
#include "api/config.h"
#include "api/json.h"
#include "api/pace.h"
#include "api/reach.h"
#include "cdp/restore.h"

namespace api {
namespace {

using nlohmann::json;

constexpr double kMegabyte = 1e6;

class Progress {
public:
    void tell(const std::string& stage, std::uint64_t bytes, std::uint64_t of) {
        if (pace_.due())
            std::fprintf(stderr, "cdp: %s, %.1f of %.1f MB\n", stage.c_str(),
                         static_cast<double>(bytes) / kMegabyte,
                         static_cast<double>(of) / kMegabyte);
    }
    cdp::BackupReport report() {
        return [this](std::string_view stage, std::uint64_t bytes, std::uint64_t of) {
            tell(std::string(stage), bytes, of);
            return true;
        };
    }

private:
    Pace pace_;
};

unsigned long long number(const json& document, const char* name) {
    return document.value(name, std::uint64_t{0});
}

cdp::Result<json> create(const OpenFolder& folder, const std::string& to) {
    const cdp::SystemClock clock;
    const cdp::Platform platform(*folder.store, *folder.vault, clock, cdp::Config{},
                                 CDP_TRY(folder.journal()));
    Progress progress;
    auto backups = backups_of(folder, &platform.disclosures());
    return parse_json(render(CDP_TRY(backups.create(to, progress.report()))));
}

cdp::Result<json> create(AdminClient& server, const std::string& to) {
    Progress progress;
    return server.ask_with_progress(
        {.method = "POST", .target = "/v1/backups", .body = json{{"to", to}}.dump()},
        [&](const json& told) {
            progress.tell(told.value("stage", ""), number(told, "bytes"), number(told, "of"));
        });
}

void print_row(const json& backup) {
    const auto why = backup["unreadable"].is_string() ? backup.value("unreadable", "") : "yes";
    std::printf("%-28s  %-24s  %6llu  %12llu  %10llu  %s\n", backup.value("id", "").c_str(),
                backup.value("made", "").c_str(), number(backup, "files"), number(backup, "bytes"),
                number(backup, "ledger_size"), why.c_str());
}

int print_document(const json& document) {
    std::printf("%s\n", document.dump().c_str());
    return finish_output();
}

json render(const cdp::CheckedBackup& checked) {
    json faults = json::array();
    for (const auto& fault : checked.faults)
        faults.push_back(
            {{"code", fault.reason}, {"message", fault.message}, {"at", fault.detail}});
    return {{"id", checked.id},
            {"files", checked.files},
            {"bytes", checked.bytes},
            {"keys", checked.keys},
            {"faults", std::move(faults)}};
}

void print_checked(const json& document) {
    for (const auto& backup : document["backups"]) {
        const auto& faults = backup["faults"];
        std::printf("%s: %llu files, %llu bytes, %llu keys: %s\n", backup.value("id", "").c_str(),
                    number(backup, "files"), number(backup, "bytes"), number(backup, "keys"),
                    faults.empty() ? "whole" : "not as it was written");
        for (const auto& fault : faults)
            std::printf("  %s %s\n", fault.value("message", "").c_str(),
                        fault.value("at", "").c_str());
    }
}

void print_restored(const json& restored) {
    const auto& backup = restored["backup"];
    std::printf(
        "restored %s: %llu files, %llu bytes, ledger of %llu entries\n"
        "%llu erasures since were done again, of %llu identifiers; %llu it knew\n"
        "%llu suppressions since were made or revoked again\n",
        backup.value("id", "").c_str(), number(backup, "files"), number(backup, "bytes"),
        number(backup, "ledger_size"), number(restored, "erasures_done"),
        number(restored, "identifiers_gone"), number(restored, "erasures_known"),
        number(restored, "suppressions_done"));
}

cdp::Result<json> restore(const BackupCommand& command) {
    const auto config = CDP_TRY(given_config(command.config));
    const auto keyring =
        CDP_TRY(cdp::keyring_for(command.repository, command.keyring, /*data=*/""));
    const cdp::SystemClock clock;
    Progress progress;
    const auto restored = CDP_TRY(cdp::restore({.from = command.repository,
                                                .id = command.id,
                                                .target = command.data,
                                                .keyring_path = keyring,
                                                .erasures = command.erasures,
                                                .config = config.platform},
                                               clock, progress.report()));
    return parse_json(cdp::render(restored));
}

}  // namespace

int create_backup(const BackupCommand& command) {
    auto reached = reach(command.data);
    if (!reached) return fail(reached.error());
    const std::string to = std::filesystem::absolute(command.repository).lexically_normal();
    const auto made = std::visit([&](auto& one) { return create(one, to); }, *reached);
    if (!made) return fail(made.error());
    if (command.json) return print_document(*made);
    std::printf("%s: %llu files, %llu bytes, of which %llu files and %llu bytes are new\n",
                made->value("id", "").c_str(), number(*made, "files"), number(*made, "bytes"),
                number(*made, "copied_files"), number(*made, "copied_bytes"));
    if (const auto owed = number(*made, "erasures_owed"); owed > 0)
        std::printf("%llu erasures and suppressions could not be told to it yet\n", owed);
    return finish_output();
}

int list_backups(const BackupCommand& command) {
    const auto keyring = cdp::keyring_for(command.repository, command.keyring, command.data);
    if (!keyring) return fail(keyring.error());
    const auto listed = cdp::list_backups(command.repository, *keyring);
    if (!listed) return fail(listed.error());
    const auto document = parse_json(*listed);
    if (!document) return fail(document.error());
    if (command.json) return print_document(*document);
    std::printf("%-28s  %-24s  %6s  %12s  %10s  %s\n", "ID", "MADE", "FILES", "BYTES", "LEDGER",
                "READABLE");
    for (const auto& backup : (*document)["backups"]) print_row(backup);
    return finish_output();
}

int verify_backups(const BackupCommand& command) {
    const auto keyring = cdp::keyring_for(command.repository, command.keyring, command.data);
    if (!keyring) return fail(keyring.error());
    Progress progress;
    const auto checked =
        cdp::check_backups(command.repository, command.id, *keyring, progress.report());
    if (!checked) return fail(checked.error());
    json document{{"backups", json::array()}, {"whole", true}};
    for (const auto& one : *checked) {
        document["backups"].push_back(render(one));
        if (!one.faults.empty()) document["whole"] = false;
    }
    if (command.json)
        std::printf("%s\n", document.dump().c_str());
    else
        print_checked(document);
    const auto code = finish_output();
    return document["whole"] == true ? code : int{kStoreBroken};
}

int restore_backup(const BackupCommand& command) {
    const auto restored = restore(command);
    if (!restored) return fail(restored.error());
    if (command.json) return print_document(*restored);
    print_restored(*restored);
    return finish_output();
}

}  // namespace api
