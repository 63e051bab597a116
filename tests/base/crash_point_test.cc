#include "cdp/base/crash_point.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace {

// How a process ends that passes `here` three times, then returns 7.
int passing_here(const char* armed) {
    const auto child = ::fork();
    if (child == 0) {
        ::setenv("CDP_TEST_CRASH_AT", armed, 1);
        ::close(STDERR_FILENO);  // it says where it ends
        ::execl("/proc/self/exe", "base_tests", "passes here three times", nullptr);
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("passes here three times", "[.]") {
    for (int pass = 0; pass < 3; ++pass) cdp::crash_point("here");
    ::_exit(7);
}

TEST_CASE("a process ends where the environment it was started with says, and nowhere else") {
    CHECK(passing_here("here") == 137);
    CHECK(passing_here("here:3") == 137);
    CHECK(passing_here("here:4") == 7);
    CHECK(passing_here("there") == 7);
    CHECK(passing_here("here:x") == 137);
    CHECK(passing_here("") == 7);
}

TEST_CASE("nothing arms a process that runs") {
    REQUIRE_FALSE(cdp::kCrashPointsArmed);
    ::setenv("CDP_TEST_CRASH_AT", "here", 1);
    cdp::crash_point("here");
    ::unsetenv("CDP_TEST_CRASH_AT");
    CHECK_FALSE(cdp::kCrashPointsArmed);
}
