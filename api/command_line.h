#pragma once

#include <cstdint>
#include <string>

#include "cdp/access.h"
#include "cdp/base/result.h"

namespace api {

// What scripts may rely on.
enum ExitCode : int { kDone = 0, kFailed = 1, kUsedWrongly = 2, kStoreBroken = 70 };

// Runs `cdp VERB …`. Prints results on stdout and one line per error on stderr.
int run_command_line(int argc, char** argv);

struct ServeCommand {
    std::string data;
    std::string listen;
    std::string config;
    unsigned threads = 0;
};

struct SimulateCommand {
    std::string data;
    std::string rules;
    double part = 1.0;
    unsigned examples = 10;
    bool json = false;
};

// The verbs. Each takes the running server's admin socket if there is one, else the folder itself.
int init(const std::string& data, const std::string& keyring, const std::string& ledger_origin);
int serve(const ServeCommand& command);
int add_key(const std::string& data, const cdp::Principal& principal);
int list_keys(const std::string& data, bool json);
int export_lines(const std::string& data, const std::string& kind, const std::string& reason);
int check_config(const std::string& file);
int simulate_rules(const SimulateCommand& command);

// Prints "cdp: MESSAGE" on stderr and says what that means for the exit code.
int fail(const cdp::Error& error);

// The exit code of a verb that has printed all it had to say. A reader that has seen enough is no
// failure; a full disk behind `> file` is.
int finish_output();

}  // namespace api
