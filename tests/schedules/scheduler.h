#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

// Runs a program of many threads so that one of them runs at a time and a seed decides which, and
// what the clocks say: the same seed, the same run.
//
// It stands between the program and the C library (interpose.cc): every mutex, condition variable,
// future, thread, sleep and look at a clock is a place where another thread may go on. Nothing of
// the program under test is made for it. docs/decisions/0037.
namespace tests {

struct Schedule {
    std::uint64_t seed = 1;
    // How often a thread that could go on makes way for another: once in so many places.
    std::uint64_t switch_one_in = 4;
    // How often the clocks leap by up to `leap_max_ns`, as if the machine had stood still.
    std::uint64_t leap_one_in = 5'000;
    std::int64_t leap_max_ns = 800'000'000;
    // Endless: the run is ended as a deadlock is.
    std::uint64_t steps_max = 50'000'000;
};

struct ScheduleRun {
    std::uint64_t steps = 0;     // places at which another thread could have gone on
    std::uint64_t switches = 0;  // at which one did
    std::uint64_t trace = 0;     // a hash of which thread went on at each, and when
    std::int64_t ended_ns = 0;   // of the simulated clock
};

// Runs `body` on this thread, and every thread that it starts, under the schedule. They have all
// ended when it returns. A deadlock, or a thread that was left running, is told on stderr with what
// each thread waits for and ends the process with 3: threads that wait cannot be unwound.
ScheduleRun run_scheduled(const Schedule& schedule, const std::function<void()>& body);

// Inside a run: the simulated time since it began, and a place where another thread may go on.
std::int64_t simulated_ns();
void give_way();

// What the C library's replacements ask; by the thread whose turn it is.
namespace turn {

// Whether the caller is a thread of a run.
bool taken();
// Waits until woken on `what`, or until the simulated `deadline`: then false.
bool wait_on(const void* what, const char* kind, std::optional<std::int64_t> deadline = {});
// Wakes one or all of those that wait on it.
void wake_one(const void* what);
void wake_all(const void* what);
// Draws from the run's seed.
bool one_in(std::uint64_t n);

// A thread of the run is begun by the one that starts it, and runs when it is its turn.
struct Thread;
Thread& begin_thread();
void* run_thread(Thread& thread, void* (*start)(void*), void* argument);
// Waits until it has run to its end.
void wait_for_thread(const Thread& thread);
void start_failed(Thread& thread);

}  // namespace turn

}  // namespace tests
