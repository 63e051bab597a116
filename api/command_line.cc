#include "api/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "api/audit_check.h"
#include "api/audit_verbs.h"
#include "api/backup_verbs.h"
#include "api/clock.h"
#include "api/key_verbs.h"
#include "api/ledger_verbs.h"
#include "api/rebuild.h"
#include "api/receipt_check.h"
#include "api/report_verb.h"
#include "api/retention_verbs.h"
#include "api/verify_verb.h"
#include "cdp/queries.h"

namespace api {
namespace {

struct KeyOptions {
    std::string role;
    std::string name;
    std::string channel;
    std::string trust = "client";
    EscrowCommand escrow = {};
};

cdp::Principal principal_of(const KeyOptions& options) {
    return {.role = *cdp::parse_role(options.role),
            .name = options.name,
            .channel = options.channel,
            .trust = options.trust == "server" ? cdp::Trust::server : cdp::Trust::client};
}

void add_data(CLI::App* verb, std::string& data) {
    verb->add_option("--data", data, "The data folder")->required()->type_name("DIR");
}

void add_escrow_verbs(CLI::App& keys, EscrowCommand& command, int& code) {
    auto* escrow = keys.add_subcommand("escrow", "The keyring, sealed for who keeps it elsewhere");
    escrow->require_subcommand(0, 1);
    escrow->add_option("--data", command.data, "The data folder")->type_name("DIR");
    escrow->add_option("--to", command.file, "Where it goes, and is kept up to date")
        ->type_name("FILE");
    escrow->add_option("--recipient", command.recipient, "The public half of a pair")
        ->type_name("KEY");
    escrow->callback([escrow, &command, &code] {
        if (!escrow->get_subcommands().empty()) return;
        for (const auto* name : {"--data", "--to", "--recipient"})
            if (escrow->count(name) == 0) throw CLI::RequiredError(name);
        code = write_escrow(command);
    });

    auto* fresh = escrow->add_subcommand("new", "Make a pair and print its public half");
    fresh->add_option("--out", command.file, "Where the private half goes")
        ->required()
        ->type_name("FILE");
    fresh->callback([&] { code = new_escrow_pair(command); });

    auto* open = escrow->add_subcommand("open", "Get the keyring back");
    open->add_option("file", command.file, "The escrow")->required()->type_name("FILE");
    open->add_option("--private-key", command.private_key, "The private half")
        ->required()
        ->type_name("FILE");
    open->add_option("--out", command.keyring, "Where the keyring goes")
        ->required()
        ->type_name("KEYRING");
    open->callback([&] { code = open_escrow(command); });
}

void add_keys_verbs(CLI::App& app, std::string& data, KeyOptions& key, bool& json, int& code) {
    auto* keys = app.add_subcommand("keys", "Access keys, and those that data are kept with");
    keys->require_subcommand(1);

    auto* add = keys->add_subcommand("add", "Make a key and print it, alone, on stdout");
    add_data(add, data);
    add->add_option("--role", key.role, "Who holds it")
        ->required()
        ->check(CLI::IsMember({"source", "channel", "officer", "steward", "admin"}));
    add->add_option("--name", key.name, "Name of the source, channel or person")->required();
    add->add_option("--channel", key.channel, "Role channel: the channel it reads for");
    add->add_option("--trust", key.trust, "Role source: whether its key is secret (default client)")
        ->check(CLI::IsMember({"client", "server"}));
    add->callback([&] { code = add_key(data, principal_of(key)); });

    auto* list = keys->add_subcommand("list", "Print who has keys; never the keys");
    add_data(list, data);
    list->add_flag("--json", json, "One JSON document");
    list->callback([&] { code = list_keys(data, json); });

    auto* epoch = keys->add_subcommand(
        "epoch", "Wrap every subject's key anew and end the epoch it was wrapped under");
    add_data(epoch, data);
    epoch->add_flag("--json", json, "One JSON document");
    epoch->callback([&] { code = change_epoch(data, json); });

    auto* epochs = keys->add_subcommand("epochs", "Print the epochs and what holds them");
    add_data(epochs, data);
    epochs->add_flag("--json", json, "One JSON document");
    epochs->callback([&] { code = show_epochs(data, json); });

    add_escrow_verbs(*keys, key.escrow, code);
}

void add_serve_verb(CLI::App& app, ServeCommand& command, int& code) {
    auto* verb = app.add_subcommand("serve", "Serve a data folder over HTTP");
    add_data(verb, command.data);
    verb->add_option("--listen", command.listen, "Address and port; port 0 picks one")
        ->required()
        ->type_name("HOST:PORT");
    verb->add_option("--config", command.config, "Configuration, TOML")->type_name("FILE");
    verb->add_option("--threads", command.threads, "I/O threads (default: one per core)")
        ->check(CLI::Range(1, 1024));
    verb->callback([&] { code = serve(command); });
}

void add_identity_verbs(CLI::App& app, SimulateCommand& command, int& code) {
    auto* identity = app.add_subcommand("identity", "Who is who");
    identity->require_subcommand(1);
    auto* verb = identity->add_subcommand(
        "simulate", "Say who would merge and split under other rules; changes nothing");
    add_data(verb, command.data);
    verb->add_option("--rules", command.rules, "[identifier_types] as in a configuration, TOML")
        ->required()
        ->type_name("FILE");
    verb->add_option("--sample-part", command.part, "How much to fold, over 0 and up to 1")
        ->check(CLI::Range(1e-9, 1.0));
    verb->add_option("--examples", command.examples, "How many to show of each kind")
        ->check(CLI::Range(0, 100));
    verb->add_flag("--json", command.json, "One JSON document");
    verb->callback([&] { code = simulate_rules(command); });
}

void add_rebuild_verb(CLI::App& app, RebuildCommand& command, int& code) {
    auto* verb = app.add_subcommand("rebuild", "Make everything derived again from the facts");
    add_data(verb, command.data);
    verb->add_option("--config", command.config, "The configuration that serve runs with, TOML")
        ->type_name("FILE");
    verb->add_flag("--check", command.check, "Only say what differs; exit 1 if anything does");
    verb->add_flag("--json", command.json, "One JSON document");
    verb->callback([&] { code = rebuild(command); });
}

void add_repository(CLI::App* verb, const char* option, const char* what, BackupCommand& command) {
    verb->add_option(option, command.repository, what)->required()->type_name("REPO");
    verb->add_flag("--json", command.json, "One JSON document");
}

void add_keyring(CLI::App* verb, BackupCommand& command) {
    verb->add_option("--keyring", command.keyring,
                     "The keyring of the data (default: where it was when backups began)")
        ->type_name("FILE");
}

void add_retention_verbs(CLI::App& app, RetentionCommand& command, int& code) {
    auto* retention = app.add_subcommand("retention", "What is kept for how long");
    retention->require_subcommand(1);
    auto* show = retention->add_subcommand("show", "Print the rules and what is about to go");
    show->callback([&] { code = show_retention(command); });
    auto* run = retention->add_subcommand("run", "Prune what has passed its time");
    run->add_flag("--dry-run", command.dry_run, "Count it only");
    run->callback([&] { code = run_retention(command); });
    for (auto* verb : {show, run}) {
        add_data(verb, command.data);
        verb->add_option("--config", command.config,
                         "The configuration that serve runs with, TOML; unused while it runs")
            ->type_name("FILE");
        verb->add_flag("--json", command.json, "One JSON document");
    }
}

void add_backup_verbs(CLI::App& app, BackupCommand& command, int& code) {
    auto* backup = app.add_subcommand("backup", "Copies of the data folder, sealed");
    backup->require_subcommand(1);

    auto* create = backup->add_subcommand("create", "Make one, also while the server runs");
    add_data(create, command.data);
    add_repository(create, "--to", "Where backups are kept", command);
    create->callback([&] { code = create_backup(command); });

    auto* list = backup->add_subcommand("list", "Print which there are");
    add_repository(list, "--from", "Where backups are kept", command);
    add_keyring(list, command);
    list->add_option("--data", command.data, "The data folder, for its keyring")->type_name("DIR");
    list->callback([&] { code = list_backups(command); });

    auto* verify =
        backup->add_subcommand("verify", "Read all of them; exit 70 for what is damaged");
    add_repository(verify, "--from", "Where backups are kept", command);
    add_keyring(verify, command);
    verify->add_option("--data", command.data, "The data folder, for its keyring")
        ->type_name("DIR");
    verify->add_option("--id", command.id, "Only this one")->type_name("ID");
    verify->callback([&] { code = verify_backups(command); });

    auto* restore =
        backup->add_subcommand("restore", "Make a data folder of one, erasures and all");
    add_data(restore, command.data);
    add_repository(restore, "--from", "Where backups are kept", command);
    add_keyring(restore, command);
    restore->add_option("--id", command.id, "Which one (default: the newest)")->type_name("ID");
    restore
        ->add_option("--erasures", command.erasures,
                     "Another repository, or the former data folder: what was erased there is too")
        ->type_name("DIR");
    restore->add_option("--config", command.config, "The configuration that serve runs with, TOML")
        ->type_name("FILE");
    restore->callback([&] { code = restore_backup(command); });
}

void add_clock_verbs(CLI::App& app, std::string& data, bool& json, int& code) {
    auto* clock = app.add_subcommand("clock", "The time by which data are deleted");
    clock->require_subcommand(1);
    auto* show = clock->add_subcommand("show", "Print it, and whether the clock is believed");
    show->callback([&] { code = show_clock(data, json); });
    auto* accept = clock->add_subcommand(
        "accept", "Say that the clock is right: what has expired by it may go");
    accept->callback([&] { code = accept_clock(data, json); });
    for (auto* verb : {show, accept}) {
        add_data(verb, data);
        verb->add_flag("--json", json, "One JSON document");
    }
}

struct LedgerOptions {
    std::string data;
    bool all = false;
    bool json = false;
    std::uint64_t index = 0;
    WitnessCommand witness;
};

void add_ledger_verbs(CLI::App& app, LedgerOptions& options, int& code) {
    auto* ledger = app.add_subcommand("ledger", "The log of what was consented, and its proofs");
    ledger->require_subcommand(1);

    auto* vkey = ledger->add_subcommand("vkey", "Print the key that its checkpoints verify with");
    add_data(vkey, options.data);
    vkey->add_flag("--all", options.all, "Every key it ever had, oldest first");
    vkey->callback([&] { code = show_ledger_keys(options.data, options.all); });

    auto* check = ledger->add_subcommand(
        "verify", "Compute everything in it again; name the first thing that does not fit");
    add_data(check, options.data);
    check->add_flag("--json", options.json, "One JSON document");
    check->callback([&] { code = check_ledger(options.data, options.json); });

    auto* prove = ledger->add_subcommand("prove", "Print the proof that an entry is in it");
    add_data(prove, options.data);
    prove->add_option("--index", options.index, "Which entry, from 0")->required();
    prove->callback([&] { code = prove_ledger_entry(options.data, options.index); });

    auto* rotate = ledger->add_subcommand("rotate", "Sign with a fresh key from now on");
    add_data(rotate, options.data);
    rotate->callback([&] { code = rotate_ledger_key(options.data); });

    auto& command = options.witness;
    auto* witness = ledger->add_subcommand(
        "witness", "Check a server from outside: that its ledger only grew since the last look");
    witness->add_option("--url", command.url, "Where it is served")->required()->type_name("URL");
    witness->add_option("--vkey", command.keys, "Its key; may be given again")
        ->required()
        ->type_name("VKEY");
    witness->add_option("--state", command.state, "Where the last look is kept")
        ->required()
        ->type_name("FILE");
    witness->add_flag("--json", command.json, "One JSON document");
    witness->callback([&] { code = witness_ledger(command); });
}

void add_receipt_verbs(CLI::App& app, ReceiptCommand& command, int& code) {
    auto* receipt = app.add_subcommand("receipt", "What people were given of what they answered");
    receipt->require_subcommand(1);
    auto* check = receipt->add_subcommand(
        "verify", "Say whether one shows what was recorded; needs no data folder");
    check->add_option("file", command.file, "The receipt, JSON")->required()->type_name("FILE");
    check->add_option("--key", command.keys, "The ledger's public key; may be given again")
        ->required()
        ->allow_extra_args(false)
        ->type_name("VKEY");
    check->add_flag("--json", command.json, "One JSON document");
    check->callback([&] { code = verify_receipt(command); });
}

void add_audit_check_verb(CLI::App& audit, AuditCheckCommand& command, int& code) {
    auto* check = audit.add_subcommand(
        "verify", "Say whether an answer shows what the ledger holds; needs no data folder");
    check->add_option("file", command.file, "The answer, JSON")->required()->type_name("FILE");
    check->add_option("--key", command.keys, "The ledger's public key; may be given again")
        ->required()
        ->allow_extra_args(false)
        ->type_name("VKEY");
    check->add_flag("--json", command.json, "One JSON document");
    check->callback([&] { code = verify_audit(command); });
}

void add_report_verb(CLI::App& privacy, ReportCommand& command, int& code) {
    auto* verb = privacy.add_subcommand("report", "Everything held about somebody, for them");
    verb->add_option("subject", command.subject, "The person, by any identifier")
        ->required()
        ->type_name("TYPE:VALUE");
    add_data(verb, command.data);
    verb->add_option("--format", command.format, "json, html, or portable (default json)");
    verb->add_option("--output", command.output, "A new file it goes to (default: stdout)")
        ->type_name("FILE");
    verb->add_option("--config", command.config,
                     "The configuration that serve runs with, TOML; unused while it runs")
        ->type_name("FILE");
    verb->add_option("--reason", command.reason, "Recorded with who asked")->type_name("TEXT");
    verb->callback([&] { code = write_report(command); });
}

int use(CLI::App& app, int argc, char** argv, const int& code) {
    try {
        app.parse(argc, argv);
        return code;
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);
        std::fprintf(stderr, "cdp: %s\n", error.what());
        return kUsedWrongly;
    }
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CLI::App app("A customer data platform in one binary.", "cdp");
    app.set_version_flag("--version", "cdp " CDP_VERSION);
    app.require_subcommand(1);
    int code = kDone;
    std::string data;
    std::string file;
    std::string reason;
    std::string kind;
    bool json = false;
    KeyOptions key;
    ServeCommand serve_command;
    SimulateCommand simulate_command;

    auto* init_verb = app.add_subcommand("init", "Make a data folder; prints the first admin key");
    add_data(init_verb, data);
    init_verb->add_option("--keyring", file, "Where the secrets go (default: DIR/keyring)")
        ->type_name("FILE");
    std::string origin;
    init_verb->add_option("--ledger-origin", origin, "What its ledger is called, for good")
        ->type_name("NAME");
    init_verb->callback([&] { code = init(data, file, origin); });

    add_serve_verb(app, serve_command, code);
    add_keys_verbs(app, data, key, json, code);
    add_identity_verbs(app, simulate_command, code);

    LedgerOptions ledger_options;
    add_ledger_verbs(app, ledger_options, code);

    ReceiptCommand receipt_command;
    add_receipt_verbs(app, receipt_command, code);

    AuditCommand audit_command;
    auto* audit = app.add_subcommand("audit", "What privacy officers ask; prints JSON");
    audit->require_subcommand(1);
    add_audit_verbs(*audit, audit_command, code);
    AuditCheckCommand audit_check_command;
    add_audit_check_verb(*audit, audit_check_command, code);

    ReportCommand report_command;
    auto* privacy = app.add_subcommand("privacy", "What people may ask of the data held of them");
    privacy->require_subcommand(1);
    add_report_verb(*privacy, report_command, code);

    BackupCommand backup_command;
    RetentionCommand retention_command;
    add_backup_verbs(app, backup_command, code);
    add_retention_verbs(app, retention_command, code);
    auto* verify = app.add_subcommand("verify", "Read all data; exit 70 for what is damaged");
    add_data(verify, data);
    verify->add_flag("--json", json, "One JSON document");
    verify->callback([&] { code = verify_data(data, json); });

    add_clock_verbs(app, data, json, code);
    RebuildCommand rebuild_command;
    add_rebuild_verb(app, rebuild_command, code);

    auto* export_verb = app.add_subcommand("export", "Print everything of one kind as NDJSON");
    export_verb->add_option("kind", kind, "What the lines are")
        ->required()
        ->check(CLI::IsMember(cdp::export_kind_names()));
    add_data(export_verb, data);
    export_verb->add_option("--reason", reason, "Recorded with who asked")->type_name("TEXT");
    export_verb->callback([&] { code = export_lines(data, kind, reason); });

    auto* config = app.add_subcommand("config", "Configuration files");
    config->require_subcommand(1);
    auto* check = config->add_subcommand("check", "Say what is wrong with one");
    check->add_option("--config", file, "Configuration, TOML")->required()->type_name("FILE");
    check->callback([&] { code = check_config(file); });

    return use(app, argc, argv, code);
}

}  // namespace api
