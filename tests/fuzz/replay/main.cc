// Gives each fuzz target the inputs that are kept for it, built as the product is.
// usage: fuzz_replay SEEDS
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#define CDP_FUZZ_TARGET(name) extern "C" int fuzz_##name(const std::uint8_t*, std::size_t);
#include "targets.inc"
#undef CDP_FUZZ_TARGET

namespace {

struct Target {
    const char* name;
    int (*take)(const std::uint8_t*, std::size_t);
};

#define CDP_FUZZ_TARGET(name) {#name, fuzz_##name},
const Target kTargets[] = {
#include "targets.inc"
};
#undef CDP_FUZZ_TARGET

std::string taken;  // the input that a target has now

void tell(int number) {
    (void)!::write(STDERR_FILENO, taken.data(), taken.size());
    ::signal(number, SIG_DFL);
    ::raise(number);
}

std::vector<std::filesystem::path> inputs_of(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> inputs;
    if (!std::filesystem::is_directory(folder)) return inputs;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        inputs.push_back(entry.path());
    std::ranges::sort(inputs);
    return inputs;
}

bool replay(const Target& target, const std::filesystem::path& folder) {
    const auto inputs = inputs_of(folder);
    for (const auto& input : inputs) {
        taken = "on " + input.string() + "\n";
        std::ifstream file(input, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        target.take(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
    std::printf("%s: %zu inputs\n", target.name, inputs.size());
    return !inputs.empty();
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) return 2;
    for (const int number : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS, SIGILL}) ::signal(number, tell);
    bool all = true;
    for (const auto& target : kTargets)
        all = replay(target, std::filesystem::path(arguments[1]) / target.name) && all;
    if (!all) std::fprintf(stderr, "a target has no inputs\n");
    return all ? 0 : 1;
}
