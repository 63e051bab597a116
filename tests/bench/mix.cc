#include "tests/bench/mix.h"

#include <string_view>

#include "cdp/base/random.h"

namespace bench {
namespace {

constexpr std::size_t kEventBytes = 640;

std::string message_id(std::uint64_t run, std::uint64_t n) {
    return "bench-" + std::to_string(run) + "-" + std::to_string(n);
}

std::string cookie(std::uint64_t person) {
    return "0c00-cookie-" + std::to_string(person);
}

// One event: who, what, then padding to the mix's size, as a page's properties would.
std::string event(const std::string& id, std::uint64_t person, const std::string& anonymous_id,
                  bool identify) {
    std::string out = R"({"messageId":")" + id + R"(","anonymousId":")" + anonymous_id +
                      R"(","userId":"user-)" + std::to_string(person) +
                      R"(","timestamp":"2026-11-21T10:00:00.000Z",)";
    if (identify)
        out += R"("type":"identify","traits":{"email":"p)" + std::to_string(person) +
               R"(@shop.example","firstName":"Person )" + std::to_string(person) +
               R"(","plan":"gold"},)";
    else
        out += R"("type":"track","event":"Product Viewed","properties":{"product_id":"sku-)" +
               std::to_string(person % 997) + R"(","price":19.99,"currency":"EUR"},)";
    out += R"("context":{"consent":{"categoryPreferences":{"Advertising":true,"Analytics":true}},)"
           R"("library":{"name":"@segment/analytics-node","version":"3.1.0"},"page":{"url":")";
    constexpr std::string_view kTail = R"("}}})";
    out += "https://shop.example/";
    while (out.size() + kTail.size() < kEventBytes) out += 'x';
    return out.append(kTail);
}

std::string wrap(const std::string& events) {
    return R"({"batch":[)" + events + R"(],"sentAt":"2026-11-21T10:00:01.000Z"})";
}

}  // namespace

std::string introduction(std::uint64_t first) {
    std::string events;
    for (std::uint64_t person = first; person < first + kBatchEvents; ++person) {
        if (!events.empty()) events += ',';
        events += event(message_id(0, person), person, cookie(person), /*identify=*/true);
    }
    return wrap(events);
}

std::string acquaintance(std::uint64_t first) {
    std::string events;
    for (std::uint64_t person = first; person < first + kBatchEvents; ++person) {
        const auto n = std::to_string(person);
        if (!events.empty()) events += ',';
        events += R"({"type":"identify","messageId":")" + message_id(0, person) +
                  R"(","userId":"user-)" + n + R"(","anonymousId":")" + cookie(person) +
                  R"(","timestamp":"2026-11-20T10:00:00.000Z","traits":{"email":"p)" + n +
                  R"(@shop.example"},"context":{"device":{"id":"device-of-)" + n + R"("}}})";
    }
    return wrap(events);
}

std::string hub_body(std::uint64_t first) {
    std::string events;
    for (std::uint64_t n = first; n < first + kBatchEvents; ++n) {
        if (!events.empty()) events += ',';
        events += event("bench-hub-" + std::to_string(n), 0, "hub-cookie-" + std::to_string(n),
                        /*identify=*/false);
    }
    return wrap(events);
}

std::vector<std::string> mixed_bodies(std::uint64_t run, std::size_t batches, const Crowd& crowd) {
    cdp::Random random{run};
    std::vector<std::string> bodies;
    bodies.reserve(batches);
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < batches; ++i) {
        std::string events;
        for (std::size_t k = 0; k < kBatchEvents; ++k, ++n) {
            const auto person = random.below(crowd.active) * (crowd.people / crowd.active);
            auto anonymous_id = cookie(person);
            if (random.one_in(20))
                anonymous_id += "-" + std::to_string(run) + "-" + std::to_string(n);
            if (!events.empty()) events += ',';
            events += event(message_id(run, n), person, anonymous_id, random.one_in(10));
        }
        bodies.push_back(wrap(events));
    }
    return bodies;
}

}  // namespace bench
