// Stands before the allocator, so that allocations fail at random once CDP_TEST_MEMORY_FAILS of a
// million do. libfiu does it for malloc alone, and allocates within the allocator's own calls of
// the system, which ends in its locks or a fault of its own.
#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> state{0};
std::uint32_t of_a_million = 0;

[[gnu::constructor]] void begin() {
    const char* rate = std::getenv("CDP_TEST_MEMORY_FAILS");
    const char* seed = std::getenv("CDP_TEST_SEED");
    if (seed) state = std::strtoull(seed, nullptr, 10);
    if (rate) of_a_million = static_cast<std::uint32_t>(std::strtoul(rate, nullptr, 10));
}

bool fails() {
    if (of_a_million == 0) return false;
    // splitmix64
    auto z = state.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % 1'000'000 < of_a_million;
}

template <typename Function>
Function* next(Function*, const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void* take(std::size_t size) {
    static const auto real = next(&std::malloc, "malloc");
    return real(size);
}

void* take(std::size_t size, std::size_t alignment) {
    static const auto real = next(&std::aligned_alloc, "aligned_alloc");
    return real(alignment, size);
}

void* none() {
    errno = ENOMEM;
    return nullptr;
}

void* or_throw(void* taken) {
    if (!taken) throw std::bad_alloc();
    return taken;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
    return fails() ? none() : take(size);
}

void* calloc(std::size_t count, std::size_t size) {
    static const auto real = next(&std::calloc, "calloc");
    return fails() ? none() : real(count, size);
}

void* realloc(void* old, std::size_t size) {
    static const auto real = next(&std::realloc, "realloc");
    return fails() ? none() : real(old, size);
}
}

void* operator new(std::size_t size) {
    return or_throw(fails() ? nullptr : take(size));
}
void* operator new[](std::size_t size) {
    return or_throw(fails() ? nullptr : take(size));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return fails() ? nullptr : take(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return fails() ? nullptr : take(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return or_throw(fails() ? nullptr : take(size, static_cast<std::size_t>(alignment)));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return or_throw(fails() ? nullptr : take(size, static_cast<std::size_t>(alignment)));
}
