#pragma once

#include <map>
#include <string>

namespace CLI {
class App;
}

namespace api {

// `cdp audit VERB`: every question of the table, over the running server's admin socket if there is
// one, else over the folder itself.
struct AuditCommand {
    std::string data;
    std::string config;  // for a folder that nobody serves: what serve runs with
    std::string id;
    std::string reason;
    std::map<std::string, std::string, std::less<>> parameters;
};

// Adds the verbs to `audit`. `command` and `code` outlive the parsing.
void add_audit_verbs(CLI::App& audit, AuditCommand& command, int& code);

}  // namespace api
