#include "tests/schedules/scheduler.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "cdp/base/assert.h"
#include "cdp/base/random.h"
#include "tests/schedules/library.h"

namespace tests {

struct turn::Thread {
    enum class State : std::uint8_t { ready, waits, ended };

    int number = 0;
    State state = State::ready;
    const void* waits_on = nullptr;
    const char* kind = "";
    std::optional<std::int64_t> deadline = {};
    bool timed_out = false;
    int rounds = 0;  // of its end that are over
    std::atomic<int> turn = 0;
};

namespace {

using turn::Thread;

constexpr int kDeadlocked = 3;

// Everything here is touched by the thread whose turn it is, and by nobody else.
class Run {
public:
    explicit Run(const Schedule& schedule) : schedule_(schedule), random_(schedule.seed) {}

    Thread& add() {
        auto& thread = *threads_.emplace_back(std::make_unique<Thread>());
        thread.number = static_cast<int>(threads_.size()) - 1;
        return thread;
    }

    void step(Thread& self) {
        pass_time();
        if (!random_.one_in(schedule_.switch_one_in)) return;
        go_on_with(next(), self);
    }

    bool wait(Thread& self, const void* what, const char* kind,
              std::optional<std::int64_t> deadline) {
        pass_time();
        self.state = Thread::State::waits;
        self.waits_on = what;
        self.kind = kind;
        self.deadline = deadline;
        self.timed_out = false;
        go_on_with(next(), self);
        return !self.timed_out;
    }

    void wake_one(const void* what) {
        std::vector<Thread*> waiting;
        for (const auto& thread : threads_)
            if (waits_on(*thread, what)) waiting.push_back(thread.get());
        if (!waiting.empty()) make_ready(*waiting[random_.below(waiting.size())]);
    }
    void wake_all(const void* what) {
        for (const auto& thread : threads_)
            if (waits_on(*thread, what)) make_ready(*thread);
    }

    // The last that a thread does; it does not wait for another turn.
    void end(Thread& self) {
        self.state = Thread::State::ended;
        wake_all(&self);
        hand_over(next());
    }

    bool one_in(std::uint64_t n) { return random_.one_in(n); }
    std::int64_t now() const { return now_; }

    ScheduleRun finish() const {
        for (const auto& thread : threads_)
            if (thread->number != 0 && thread->state != Thread::State::ended)
                give_up("a thread was left running");
        return {.steps = steps_, .switches = switches_, .trace = trace_, .ended_ns = now_};
    }

private:
    static bool waits_on(const Thread& thread, const void* what) {
        return thread.state == Thread::State::waits && thread.waits_on == what;
    }

    static void make_ready(Thread& thread) {
        thread.state = Thread::State::ready;
        thread.waits_on = nullptr;
        thread.deadline.reset();
    }

    void pass_time() {
        if (++steps_ > schedule_.steps_max) give_up("it does not come to an end");
        now_ += static_cast<std::int64_t>(200 + random_.below(2'000));
        if (random_.one_in(schedule_.leap_one_in))
            now_ += static_cast<std::int64_t>(
                random_.below(static_cast<std::uint64_t>(schedule_.leap_max_ns)));
    }

    void end_waits_that_are_over() {
        for (const auto& thread : threads_) {
            if (thread->state != Thread::State::waits || !thread->deadline) continue;
            if (*thread->deadline > now_) continue;
            make_ready(*thread);
            thread->timed_out = true;
        }
    }

    // When nobody can go on, time passes until somebody can.
    Thread& next() {
        for (;;) {
            end_waits_that_are_over();
            std::vector<Thread*> ready;
            std::optional<std::int64_t> soonest;
            for (const auto& thread : threads_) {
                if (thread->state == Thread::State::ready) ready.push_back(thread.get());
                if (thread->deadline && (!soonest || *thread->deadline < *soonest))
                    soonest = thread->deadline;
            }
            if (!ready.empty()) return *ready[random_.below(ready.size())];
            if (!soonest) give_up("nobody can go on");
            now_ = *soonest;
        }
    }

    void go_on_with(Thread& other, Thread& self) {
        note(other);
        if (&other == &self) return;
        ++switches_;
        hand_over(other);
        while (self.turn.load(std::memory_order_acquire) == 0) library::wait_while_zero(self.turn);
        self.turn.store(0, std::memory_order_relaxed);
    }

    void hand_over(Thread& other) {
        other.turn.store(1, std::memory_order_release);
        library::wake(other.turn);
    }

    void note(const Thread& other) {
        trace_ = cdp::Random(trace_ ^ static_cast<std::uint64_t>(other.number + 1) ^
                             (static_cast<std::uint64_t>(now_) << 8))
                     .next();
    }

    [[noreturn]] void give_up(const char* why) const {
        std::fprintf(stderr, "schedule of seed %llu: %s after %llu steps\n",
                     static_cast<unsigned long long>(schedule_.seed), why,
                     static_cast<unsigned long long>(steps_));
        for (const auto& thread : threads_)
            std::fprintf(stderr, "  thread %d: %s %s %p\n", thread->number,
                         thread->state == Thread::State::ended   ? "has ended"
                         : thread->state == Thread::State::ready ? "could go on"
                                                                 : "waits for",
                         thread->state == Thread::State::waits ? thread->kind : "",
                         thread->waits_on);
        std::fflush(nullptr);
        std::_Exit(kDeadlocked);
    }

    const Schedule schedule_;
    cdp::Random random_;
    std::vector<std::unique_ptr<Thread>> threads_;  // by number; the body's is the first
    std::int64_t now_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t switches_ = 0;
    std::uint64_t trace_ = 0;
};

Run* the_run = nullptr;
thread_local Thread* self = nullptr;

pthread_key_t last_words();

// Destructors of thread-local objects and of other keys' values may lock: whoever would then wait
// for a thread that is no more of the run is woken by nobody. So a thread's turn ends after them:
// values of keys are destroyed after the objects, in several rounds, and this one in the last.
pthread_key_t last_words() {
    static const pthread_key_t key = [] {
        pthread_key_t made{};
        const int error = ::pthread_key_create(&made, [](void* thread) {
            auto& ended = *static_cast<Thread*>(thread);
            if (++ended.rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
                ::pthread_setspecific(last_words(), thread);
                return;
            }
            self = nullptr;
            the_run->end(ended);
        });
        CDP_ASSERT(error == 0);
        return made;
    }();
    return key;
}

}  // namespace

ScheduleRun run_scheduled(const Schedule& schedule, const std::function<void()>& body) {
    CDP_ASSERT(the_run == nullptr);
    last_words();
    Run run(schedule);
    the_run = &run;
    self = &run.add();
    body();
    const auto done = run.finish();
    self = nullptr;
    the_run = nullptr;
    return done;
}

std::int64_t simulated_ns() {
    return the_run->now();
}

void give_way() {
    if (self != nullptr) the_run->step(*self);
}

namespace turn {

bool taken() {
    return self != nullptr;
}

bool wait_on(const void* what, const char* kind, std::optional<std::int64_t> deadline) {
    return the_run->wait(*self, what, kind, deadline);
}

void wake_one(const void* what) {
    the_run->wake_one(what);
}

void wake_all(const void* what) {
    the_run->wake_all(what);
}

bool one_in(std::uint64_t n) {
    return the_run->one_in(n);
}

Thread& begin_thread() {
    return the_run->add();
}

void* run_thread(Thread& thread, void* (*start)(void*), void* argument) {
    while (thread.turn.load(std::memory_order_acquire) == 0) library::wait_while_zero(thread.turn);
    thread.turn.store(0, std::memory_order_relaxed);
    self = &thread;
    ::pthread_setspecific(last_words(), &thread);
    return start(argument);
}

void wait_for_thread(const Thread& thread) {
    while (thread.state != Thread::State::ended) wait_on(&thread, "the end of a thread");
}

void start_failed(Thread& thread) {
    thread.state = Thread::State::ended;
}

}  // namespace turn

}  // namespace tests
