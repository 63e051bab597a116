// Not under AddressSanitizer, which has its own operators and checks that they are used in pairs.
#ifndef __SANITIZE_ADDRESS__

#include <cstdlib>
#include <new>

#include <catch2/catch.hpp>

#include "consent/signal_effect.h"

namespace {

// Counted while a test asks for it; the other tests of this program allocate as they like.
thread_local std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
    throw std::bad_alloc();
}

void operator delete(void* block) noexcept {
    std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}

namespace {

using namespace consent;

template <typename Run>
std::size_t allocations_of(Run run) {
    const auto before = allocations;
    run();
    return allocations - before;
}

TEST_CASE("a signal is decoded, checked and turned into effects without an allocation") {
    constexpr std::string_view kTcf =
        "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA";
    constexpr std::string_view kGpp =
        "DBACNYA~CPSG_8APSG_8ANwAAAENAwCAAAAAAAAAAAAAAAAAAAAA.QAAA.IAAA~1YNN";
    const SignalContext context{
        .now = cdp::timestamp_of(1'750'000'000'000), .rules = {}, .vendor = TcfVendor{.id = 4}};
    bool sound = false;
    CHECK(allocations_of([&] {
              const auto tcf = decode_tcf(kTcf);
              sound = tcf && tcf->has_vendor_consent(4) && !effects_of(*tcf, context).empty();
          }) == 0);
    CHECK(sound);
    CHECK(allocations_of([&] {
              const auto gpp = decode_gpp(kGpp);
              sound = gpp && gpp->usp && !effects_of(*gpp, context).empty();
          }) == 0);
    CHECK(sound);
    // A refusal is counted, not described, where nobody reads the description.
    CHECK(allocations_of([&] {
              Gpp gpp;
              sound = read_gpp("DBABLA~DAAQAAAAAABA", gpp) == SignalFault::none && gpp.us().empty();
          }) == 0);
    CHECK(sound);
    CHECK(allocations_of([] { (void)decode_tcf("CQ"); }) > 0);  // the counter counts
}

}  // namespace

#endif
