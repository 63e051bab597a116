// What stands in the C library's place while a run goes on: an executable's own definitions come
// before those of shared libraries, for itself and for them. Outside of a run, and for threads that
// are none of it, everything is passed on.
//
// A wait in the kernel is replaced by a wait for one's turn; mutexes themselves stay the library's,
// taken by trying.

#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <map>
#include <optional>

#include "tests/schedules/library.h"
#include "tests/schedules/scheduler.h"

namespace {

namespace turn = tests::turn;

constexpr std::int64_t kSecond = 1'000'000'000;
// What the wall clock says when a run begins: 2026-11-21T12:00:00Z.
constexpr std::int64_t kBegin = std::int64_t{1'795'262'400} * kSecond;
// How often a wait for a condition ends without a cause, as POSIX allows.
constexpr std::uint64_t kSpuriousOneIn = 64;

void* find(const char* name, const char* version) {
    void* symbol = version != nullptr ? ::dlvsym(RTLD_NEXT, name, version) : nullptr;
    return symbol != nullptr ? symbol : ::dlsym(RTLD_NEXT, name);
}

// The library's own, found when first asked for. Statics that begin as constants have no guards:
// what guards the others is replaced here as well.
#define CDP_LIBRARY_OF(name, version)                                                            \
    ([]() -> decltype(&::name) {                                                                 \
        static decltype(&::name) found = nullptr;                                                \
        if (found == nullptr) found = reinterpret_cast<decltype(&::name)>(find(#name, version)); \
        return found;                                                                            \
    }())
#define CDP_LIBRARY(name) CDP_LIBRARY_OF(name, nullptr)
// Two of the name are kept for programs of long ago; the newer one is wanted.
#define CDP_LIBRARY_NEWER(name) CDP_LIBRARY_OF(name, "GLIBC_2.3.2")

std::int64_t to_ns(const timespec& time) {
    return std::int64_t{time.tv_sec} * kSecond + time.tv_nsec;
}

timespec to_timespec(std::int64_t ns) {
    return {.tv_sec = static_cast<time_t>(ns / kSecond),
            .tv_nsec = static_cast<long>(ns % kSecond)};
}

bool counts_from_1970(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

// A moment of a clock, on the run's own.
std::int64_t deadline_of(clockid_t clock, const timespec& moment) {
    return counts_from_1970(clock) ? to_ns(moment) - kBegin : to_ns(moment);
}

// Those that nobody has joined yet.
std::map<pthread_t, turn::Thread*>& threads() {
    static std::map<pthread_t, turn::Thread*> threads;
    return threads;
}

struct Begun {
    turn::Thread& thread;
    void* (*start)(void*);
    void* argument;
};

// When it is the thread's turn: giving memory back may lock.
void* start(void* argument) {
    const Begun begun = *static_cast<Begun*>(argument);
    delete static_cast<Begun*>(argument);
    return begun.start(begun.argument);
}

void* begin(void* argument) {
    return turn::run_thread(static_cast<Begun*>(argument)->thread, start, argument);
}

int take(pthread_mutex_t* mutex) {
    for (;;) {
        const int error = CDP_LIBRARY(pthread_mutex_trylock)(mutex);
        if (error != EBUSY) return error;
        turn::wait_on(mutex, "a mutex");
    }
}

void give_back(pthread_mutex_t* mutex) {
    CDP_LIBRARY(pthread_mutex_unlock)(mutex);
    turn::wake_all(mutex);
}

int wait_for_condition(pthread_cond_t* condition, pthread_mutex_t* mutex,
                       std::optional<std::int64_t> deadline) {
    if (turn::one_in(kSpuriousOneIn)) {
        give_back(mutex);
        tests::give_way();
        take(mutex);
        return 0;
    }
    give_back(mutex);
    const bool woken = turn::wait_on(condition, "a condition", deadline);
    take(mutex);
    return woken ? 0 : ETIMEDOUT;
}

long futex(long* arguments) {
    const auto* word = reinterpret_cast<const int*>(arguments[0]);
    const int operation = static_cast<int>(arguments[1]) & ~FUTEX_PRIVATE_FLAG;
    const int value = static_cast<int>(arguments[2]);
    const auto* time = reinterpret_cast<const timespec*>(arguments[3]);
    switch (operation & FUTEX_CMD_MASK) {
        case FUTEX_WAKE:
        case FUTEX_WAKE_BITSET:
            if (value == 1)
                turn::wake_one(word);
            else
                turn::wake_all(word);
            tests::give_way();
            return 1;
        case FUTEX_WAIT:
        case FUTEX_WAIT_BITSET: {
            if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
                errno = EAGAIN;
                return -1;
            }
            std::optional<std::int64_t> deadline;
            if (time != nullptr && (operation & FUTEX_CMD_MASK) == FUTEX_WAIT)
                deadline = tests::simulated_ns() + to_ns(*time);
            else if (time != nullptr)
                deadline = deadline_of(
                    (operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC,
                    *time);
            if (turn::wait_on(word, "a futex", deadline)) return 0;
            errno = ETIMEDOUT;
            return -1;
        }
        default: errno = ENOSYS; return -1;
    }
}

}  // namespace

namespace tests::library {

void wait_while_zero(std::atomic<int>& word) {
    CDP_LIBRARY(syscall)(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
}

void wake(std::atomic<int>& word) {
    CDP_LIBRARY(syscall)(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace tests::library

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
    if (!turn::taken()) return CDP_LIBRARY(pthread_create)(thread, attributes, start, argument);
    auto& begins = turn::begin_thread();
    auto* begun = new Begun{begins, start, argument};
    const int error = CDP_LIBRARY(pthread_create)(thread, attributes, begin, begun);
    if (error != 0) {
        delete begun;
        turn::start_failed(begins);
        return error;
    }
    threads()[*thread] = &begins;
    tests::give_way();
    return 0;
}

int pthread_join(pthread_t thread, void** result) {
    if (turn::taken()) {
        const auto found = threads().find(thread);
        if (found != threads().end()) {
            turn::wait_for_thread(*found->second);
            threads().erase(found);
        }
    }
    return CDP_LIBRARY(pthread_join)(thread, result);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    if (!turn::taken()) return CDP_LIBRARY(pthread_mutex_lock)(mutex);
    tests::give_way();
    return take(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
    if (turn::taken()) tests::give_way();
    return CDP_LIBRARY(pthread_mutex_trylock)(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
    const int error = CDP_LIBRARY(pthread_mutex_unlock)(mutex);
    if (turn::taken()) {
        turn::wake_all(mutex);
        tests::give_way();
    }
    return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
    if (!turn::taken()) return CDP_LIBRARY(pthread_rwlock_rdlock)(lock);
    tests::give_way();
    for (;;) {
        const int error = CDP_LIBRARY(pthread_rwlock_tryrdlock)(lock);
        if (error != EBUSY) return error;
        turn::wait_on(lock, "a shared mutex, to read");
    }
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
    if (!turn::taken()) return CDP_LIBRARY(pthread_rwlock_wrlock)(lock);
    tests::give_way();
    for (;;) {
        const int error = CDP_LIBRARY(pthread_rwlock_trywrlock)(lock);
        if (error != EBUSY) return error;
        turn::wait_on(lock, "a shared mutex, to write");
    }
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
    const int error = CDP_LIBRARY(pthread_rwlock_unlock)(lock);
    if (turn::taken()) {
        turn::wake_all(lock);
        tests::give_way();
    }
    return error;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
    if (!turn::taken()) return CDP_LIBRARY_NEWER(pthread_cond_wait)(condition, mutex);
    return wait_for_condition(condition, mutex, {});
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
    if (!turn::taken()) return CDP_LIBRARY_NEWER(pthread_cond_timedwait)(condition, mutex, until);
    return wait_for_condition(condition, mutex, deadline_of(CLOCK_REALTIME, *until));
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
    if (!turn::taken()) return CDP_LIBRARY(pthread_cond_clockwait)(condition, mutex, clock, until);
    return wait_for_condition(condition, mutex, deadline_of(clock, *until));
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
    if (!turn::taken()) return CDP_LIBRARY_NEWER(pthread_cond_signal)(condition);
    turn::wake_one(condition);
    tests::give_way();
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
    if (!turn::taken()) return CDP_LIBRARY_NEWER(pthread_cond_broadcast)(condition);
    turn::wake_all(condition);
    tests::give_way();
    return 0;
}

int pthread_once(pthread_once_t* once, void (*initialise)(void)) {
    // The library's would wait in the kernel for who is in the middle of it.
    constexpr pthread_once_t kDone = 2;
    constexpr pthread_once_t kBusy = INT_MIN;
    if (!turn::taken()) return CDP_LIBRARY(pthread_once)(once, initialise);
    while (*once == kBusy) turn::wait_on(once, "something that is done once");
    if (*once == kDone) return 0;
    *once = kBusy;
    try {
        initialise();
    } catch (...) {
        *once = 0;
        turn::wake_all(once);
        throw;
    }
    *once = kDone;
    turn::wake_all(once);
    return 0;
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const bool ours = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
                      clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME ||
                      counts_from_1970(clock);
    if (!turn::taken() || !ours) return CDP_LIBRARY(clock_gettime)(clock, time);
    tests::give_way();
    *time = to_timespec(tests::simulated_ns() + (counts_from_1970(clock) ? kBegin : 0));
    return 0;
}

time_t time(time_t* out) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) *out = now.tv_sec;
    return now.tv_sec;
}

int nanosleep(const timespec* duration, timespec* left) {
    if (!turn::taken()) return CDP_LIBRARY(nanosleep)(duration, left);
    static const char sleeping = 0;
    turn::wait_on(&sleeping, "time to pass", tests::simulated_ns() + to_ns(*duration));
    return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
    if (!turn::taken()) return CDP_LIBRARY(clock_nanosleep)(clock, flags, time, left);
    static const char sleeping = 0;
    const auto until = (flags & TIMER_ABSTIME) != 0 ? deadline_of(clock, *time)
                                                    : tests::simulated_ns() + to_ns(*time);
    turn::wait_on(&sleeping, "time to pass", until);
    return 0;
}

int sched_yield() noexcept {
    if (!turn::taken()) return CDP_LIBRARY(sched_yield)();
    tests::give_way();
    return 0;
}

// std::future and std::atomic::wait come here.
long syscall(long number, ...) noexcept {
    va_list list;
    va_start(list, number);
    long arguments[6];
    for (long& argument : arguments) argument = va_arg(list, long);
    va_end(list);
    if (number == SYS_futex && turn::taken()) return futex(arguments);
    return CDP_LIBRARY(syscall)(number, arguments[0], arguments[1], arguments[2], arguments[3],
                                arguments[4], arguments[5]);
}

}  // extern "C"
