#include <csignal>
#include <cstdio>
#include <exception>

#include "api/command_line.h"

int main(int argc, char** argv) {
    // A closed pipe is an error to report or to end on, not a reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return api::run_command_line(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cdp: %s\n", error.what());
        return api::kFailed;
    }
}
