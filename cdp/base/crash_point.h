#pragma once

namespace cdp {

// Whether CDP_TEST_CRASH_AT was set when the process started; it is read once, before main.
extern const bool kCrashPointsArmed;
void pass_crash_point(const char* name);

// A place where a test may end the process at once, as kill -9 would: with CDP_TEST_CRASH_AT=NAME
// in the environment the first time it is passed, with NAME:N the Nth time. One line on stderr
// names the place; the exit code is 137. Unset, which is always but in tests, it is a branch on a
// constant and nothing can arm it: no request, no file, no configuration. Who may set a process's
// environment may kill it. tests/faults/points.py drives each.
inline void crash_point(const char* name) {
    if (kCrashPointsArmed) [[unlikely]]
        pass_crash_point(name);
}

}  // namespace cdp
