#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "tests/bench/commands.h"
#include "tests/bench/mix.h"

namespace {

// --name value pairs after the command.
std::map<std::string, std::string> options_of(int argc, char** argv) {
    std::map<std::string, std::string> options;
    for (int i = 2; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
    return options;
}

std::uint64_t number(const std::map<std::string, std::string>& options, const char* name,
                     std::uint64_t otherwise) {
    const auto at = options.find(name);
    return at == options.end() ? otherwise : std::stoull(at->second);
}

bench::Load load_of(const std::string& name) {
    if (name == "introductions") return bench::Load::introductions;
    if (name == "acquaintances") return bench::Load::acquaintances;
    if (name == "consents") return bench::Load::consents;
    if (name == "hub") return bench::Load::hub;
    return bench::Load::mix;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string command = argc > 1 ? argv[1] : "";
    auto options = options_of(argc, argv);
    if (command == "load")
        return bench::run_load({.what = load_of(options["--what"]),
                                .port = static_cast<std::uint16_t>(number(options, "--port", 0)),
                                .key = options["--key"],
                                .run = number(options, "--run", 1),
                                .first = number(options, "--first", 0),
                                .people = number(options, "--people", bench::kPeople),
                                .active = number(options, "--active", 0),
                                .batches = number(options, "--batches", 1000),
                                .connections = number(options, "--connections", 8)})
                   ? 0
                   : 1;
    if (command == "rows" || command == "log")
        return bench::run_rows({.from = options["--from"],
                                .before = options["--before"],
                                .folder = options["--folder"],
                                .runs = number(options, "--runs", 1),
                                .rows_per_group = number(options, "--rows-per-group", 400),
                                .rows_most = number(options, "--most", 0),
                                .log_only = command == "log"})
                   ? 0
                   : 1;
    if (command == "open") return bench::run_open(options["--from"]) ? 0 : 1;
    if (command == "gate") return bench::run_gate() ? 0 : 1;
    if (command == "ledger")
        return bench::run_ledger(options["--folder"], number(options, "--entries", 1'000'000)) ? 0
                                                                                               : 1;
    if (command == "rewrap")
        return bench::run_rewrap(options["--folder"], number(options, "--subjects", 1'000'000)) ? 0
                                                                                                : 1;
    if (command == "restore")
        return bench::run_restore(options["--folder"], number(options, "--events", 1'000'000)) ? 0
                                                                                               : 1;
    if (command == "sealing") return bench::run_sealing(options["--data"]) ? 0 : 1;
    if (command == "tcf") return bench::run_tcf() ? 0 : 1;
    if (command == "gpp") return bench::run_gpp() ? 0 : 1;
    std::fprintf(stderr,
                 "usage: cdp_bench load|rows|log|open|gate|ledger|rewrap|restore|sealing|tcf|gpp "
                 "[--name value]...\n");
    return 2;
}
