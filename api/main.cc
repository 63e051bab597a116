#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>

#include "api/command_line.h"

namespace {

// What nobody caught, on whatever thread: one line and a code of ours, as with any other error.
[[noreturn]] void end() {
    static std::atomic_flag told;
    while (told.test_and_set()) ::pause();
    const auto tell = [](const char* what) { std::fprintf(stderr, "cdp: %s\n", what); };
    try {
        // A thread that could not be started unwinds past others that run: then there is none.
        if (!std::current_exception()) tell("Threads or memory have run out.");
        if (const auto error = std::current_exception()) std::rethrow_exception(error);
    } catch (const std::bad_alloc&) {
        tell("Memory has run out.");
    } catch (const std::exception& error) {
        tell(error.what());
    } catch (...) {
        tell("Something went wrong here.");
    }
    ::_exit(api::kFailed);
}

}  // namespace

int main(int argc, char** argv) {
    // A closed pipe is an error to report or to end on, not a reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    std::set_terminate(end);
    try {
        return api::run_command_line(argc, argv);
    } catch (const std::bad_alloc&) {
        std::fputs("cdp: Memory has run out.\n", stderr);
        return api::kFailed;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cdp: %s\n", error.what());
        return api::kFailed;
    }
}
