#pragma once

#include <string>

namespace api {

// `cdp privacy report`: what is held about somebody, over the running server's admin socket if
// there is one, else from the folder itself.
struct ReportCommand {
    std::string data;
    std::string config;   // for a folder that nobody serves: what serve runs with
    std::string subject;  // type:value
    std::string format = "json";
    std::string output;  // empty: stdout. A file is readable by its owner alone
    std::string reason;
};

// An output that could not be written whole is removed.
int write_report(const ReportCommand& command);

}  // namespace api
