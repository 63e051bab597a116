#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cdp/ledger_watch.h"
#include "cdp/platform.h"
#include "storage/database_files.h"

namespace api {

class TlsWatch;

// A number that one thread changes and others read: no locked instruction.
class Count {
public:
    void add(std::uint64_t n) { value_.store(get() + n, std::memory_order_relaxed); }
    std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// Upper bounds of the latency buckets, in seconds; one more is +Inf.
inline constexpr std::array<double, 8> kLatencyBuckets{0.0005, 0.001, 0.005, 0.02,
                                                       0.1,    0.5,   2.0,   10.0};

// Whom the edge refused, or let go.
enum class Refused : std::uint8_t {
    address_rate,
    key_rate,
    wrong_keys,
    address_connections,
    handshake,
    slow_request,
    slow_reader,
    keyless_gzip,
    jobs_full,
    job_not_begun,
    idle_when_crowded,
};
inline constexpr std::array<const char*, 11> kRefusedNames{
    "address_rate", "key_rate",      "wrong_keys",       "address_connections",
    "handshake",    "slow_request",  "slow_reader",      "keyless_gzip",
    "jobs_full",    "job_not_begun", "idle_when_crowded"};

// What one thread served, or refused: the listener has one of its own.
class HttpMetrics {
public:
    // One row per route, and one for requests that no route took.
    explicit HttpMetrics(std::size_t routes) : rows_(routes + 1) {}

    void served(std::size_t route, int status, std::chrono::steady_clock::duration took);

    struct Row {
        std::array<Count, 6> by_class;  // status / 100
        std::array<Count, kLatencyBuckets.size() + 1> by_latency;
        Count nanoseconds;
    };

    std::span<const Row> rows() const { return rows_; }

    Count connections_opened;
    Count connections_closed;
    Count connections_refused;

    void refuse(Refused why) { refused[static_cast<std::size_t>(why)].add(1); }
    std::array<Count, kRefusedNames.size()> refused;

private:
    std::vector<Row> rows_;
};

// What else there may be to measure.
struct Measured {
    const TlsWatch* certificate = nullptr;          // none: plain
    const storage::DatabaseFiles* files = nullptr;  // none: the store lies in memory
    const cdp::LedgerWatch* ledger = nullptr;
};

// The text format of Prometheus. `names` are the routes, in the order of the rows.
std::string render_metrics(std::span<const HttpMetrics* const> threads,
                           std::span<const std::string> names, const cdp::Platform& platform,
                           const Measured& measured);

}  // namespace api
