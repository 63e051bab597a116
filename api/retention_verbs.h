#pragma once

#include <string>

namespace api {

struct RetentionCommand {
    std::string data = {};
    std::string config = {};  // unused while a server runs
    bool dry_run = false;
    bool json = false;
};

// What is kept for how long, and what is about to go.
int show_retention(const RetentionCommand& command);
// Prunes what has passed its time, or only counts it.
int run_retention(const RetentionCommand& command);

}  // namespace api
