#include "api/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "api/tls.h"
#include "cdp/backlog.h"
#include "storage/scrubber.h"
#include "storage/space_watch.h"
#include "storage/trusted_time.h"

namespace api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(const char* name, const char* help, MetricType type) {
    return {.name = name, .help = help, .type = type, .metric = {}};
}

ClientMetric counter(std::uint64_t value, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = static_cast<double>(value);
    return metric;
}

MetricFamily counter_family(const char* name, const char* help, std::uint64_t value) {
    auto out = family(name, help, MetricType::Counter);
    out.metric.push_back(counter(value));
    return out;
}

MetricFamily gauge_family(const char* name, const char* help, double value) {
    auto out = family(name, help, MetricType::Gauge);
    ClientMetric metric;
    metric.gauge.value = value;
    out.metric.push_back(metric);
    return out;
}

MetricFamily requests(std::span<const HttpMetrics* const> threads,
                      std::span<const std::string> names) {
    auto out = family("cdp_http_requests_total", "Requests answered.", MetricType::Counter);
    for (std::size_t route = 0; route < names.size(); ++route)
        for (std::size_t hundreds = 1; hundreds < 6; ++hundreds) {
            std::uint64_t n = 0;
            for (const auto* thread : threads) n += thread->rows()[route].by_class[hundreds].get();
            if (n > 0)
                out.metric.push_back(counter(
                    n, {{"route", names[route]}, {"status", std::to_string(hundreds) + "xx"}}));
        }
    return out;
}

ClientMetric latency(std::span<const HttpMetrics* const> threads, std::size_t route,
                     const std::string& name) {
    ClientMetric metric;
    metric.label = {{"route", name}};
    auto& histogram = metric.histogram;
    for (std::size_t i = 0; i <= kLatencyBuckets.size(); ++i) {
        for (const auto* thread : threads)
            histogram.sample_count += thread->rows()[route].by_latency[i].get();
        if (i < kLatencyBuckets.size())
            histogram.bucket.push_back({histogram.sample_count, kLatencyBuckets[i]});
    }
    for (const auto* thread : threads)
        histogram.sample_sum += static_cast<double>(thread->rows()[route].nanoseconds.get()) / 1e9;
    return metric;
}

MetricFamily latencies(std::span<const HttpMetrics* const> threads,
                       std::span<const std::string> names) {
    auto out = family("cdp_http_request_seconds", "From the whole request to the answer.",
                      MetricType::Histogram);
    for (std::size_t route = 0; route < names.size(); ++route) {
        auto metric = latency(threads, route, names[route]);
        if (metric.histogram.sample_count > 0) out.metric.push_back(std::move(metric));
    }
    return out;
}

MetricFamily verdicts(const cdp::Counters& counters) {
    auto out = family("cdp_events_total", "Events by verdict.", MetricType::Counter);
    out.metric = {counter(counters.accepted, {{"verdict", "accepted"}}),
                  counter(counters.duplicate, {{"verdict", "duplicate"}}),
                  counter(counters.suppressed, {{"verdict", "suppressed"}}),
                  counter(counters.rejected, {{"verdict", "rejected"}})};
    return out;
}

MetricFamily refusals(std::span<const HttpMetrics* const> threads) {
    auto out =
        family("cdp_http_refused_total",
               "Requests and connections that were too many, or too slow.", MetricType::Counter);
    for (std::size_t i = 0; i < kRefusedNames.size(); ++i) {
        std::uint64_t n = 0;
        for (const auto* thread : threads) n += thread->refused[i].get();
        out.metric.push_back(counter(n, {{"reason", kRefusedNames[i]}}));
    }
    return out;
}

void add_certificate(std::vector<MetricFamily>& out, const TlsWatch::Status& status) {
    out.push_back(gauge_family("cdp_tls_certificate_seconds_left",
                               "Until the certificate that is served expires.",
                               static_cast<double>(status.left.count())));
    out.push_back(counter_family("cdp_tls_certificates_refused_total",
                                 "Certificates that were found and could not be served.",
                                 status.refused));
}

void add_backlog(std::vector<MetricFamily>& out, const cdp::Backlog& backlog) {
    out.push_back(gauge_family("cdp_backlog_requests", "Taken in and not finished.",
                               static_cast<double>(backlog.requests())));
    out.push_back(gauge_family("cdp_backlog_bytes", "Memory they take, about.",
                               static_cast<double>(backlog.bytes())));
    auto refused =
        family("cdp_backlog_refused_total", "Requests there was no room for.", MetricType::Counter);
    using enum cdp::Backlog::Intake;
    refused.metric = {counter(backlog.refused(events), {{"intake", "events"}}),
                      counter(backlog.refused(consents), {{"intake", "consents"}})};
    out.push_back(std::move(refused));
}

void add_platform(std::vector<MetricFamily>& out, const cdp::Platform& platform) {
    const auto& c = platform.counters();
    out.push_back(verdicts(c));
    const auto commits = platform.commits();
    out.push_back(counter_family("cdp_commit_groups_total", "Groups written, each with one fsync.",
                                 commits.groups));
    out.push_back(counter_family("cdp_commit_transactions_total", "Transactions written.",
                                 commits.transactions));
    out.push_back(counter_family("cdp_commit_rows_total", "Rows written.", commits.rows));
    out.push_back(counter_family("cdp_transaction_conflicts_total",
                                 "Transactions that were read again.", c.conflicts));
    out.push_back(counter_family("cdp_folds_total", "Transactions that needed the fold.", c.folds));
    out.push_back(
        counter_family("cdp_consent_records_total", "Consent records stored.", c.consent_records));
    out.push_back(counter_family("cdp_profile_reads_total", "Profiles read.", c.profile_reads));
    out.push_back(counter_family("cdp_profile_cache_hits_total",
                                 "Profiles answered from the cache.", c.profile_cache_hits));
    add_backlog(out, platform.backlog());
    out.push_back(gauge_family("cdp_store_healthy", "1 when the store takes writes.",
                               platform.health() == storage::Health::ok ? 1 : 0));
}

void add_clock(std::vector<MetricFamily>& out, storage::TrustedTime& time) {
    const auto standing = time.standing();
    const auto ahead = std::chrono::duration_cast<std::chrono::seconds>(standing.ahead());
    out.push_back(gauge_family("cdp_clock_believed",
                               "0 when the clock is too far ahead to delete by.",
                               standing.believed ? 1 : 0));
    out.push_back(gauge_family("cdp_clock_ahead_seconds", "By how much it is.",
                               static_cast<double>(ahead.count())));
}

void add_space(std::vector<MetricFamily>& out, const storage::SpaceWatch& space) {
    const auto room = space.room();
    if (room.bytes_kept == 0) return;
    out.push_back(gauge_family("cdp_disk_free_bytes", "Left on the data folder's file system.",
                               static_cast<double>(room.bytes)));
    out.push_back(gauge_family("cdp_disk_reserve_bytes",
                               "Of which so many are kept for more than events.",
                               static_cast<double>(room.bytes_kept)));
    out.push_back(gauge_family("cdp_disk_low", "1 when events are refused to keep the reserve.",
                               room.low ? 1 : 0));
}

void add_scrub(std::vector<MetricFamily>& out, const storage::Scrubber& scrubber) {
    const auto seen = scrubber.seen();
    out.push_back(counter_family("cdp_scrub_tables_total", "Tables held against their checksums.",
                                 seen.tables));
    out.push_back(counter_family("cdp_scrub_bytes_total", "Bytes of them.", seen.bytes));
    out.push_back(gauge_family("cdp_scrub_damaged_tables",
                               "Tables that are not as they were written.",
                               static_cast<double>(seen.damaged)));
    const auto through =
        std::chrono::duration_cast<std::chrono::seconds>(seen.through.time_since_epoch());
    out.push_back(gauge_family("cdp_scrub_finished_seconds",
                               "When all had been read last, since 1970; 0: never.",
                               static_cast<double>(through.count())));
}

void add_ledger(std::vector<MetricFamily>& out, const cdp::LedgerWatch::Seen& seen) {
    out.push_back(counter_family("cdp_ledger_checks_total",
                                 "Checks of the whole ledger that came to an end.", seen.checks));
    out.push_back(gauge_family("cdp_ledger_damaged", "1 when the last of them found a fault.",
                               seen.damaged ? 1 : 0));
    const auto through =
        std::chrono::duration_cast<std::chrono::seconds>(seen.through.time_since_epoch());
    out.push_back(gauge_family("cdp_ledger_checked_seconds",
                               "When the last of them ended, since 1970; 0: none has.",
                               static_cast<double>(through.count())));
}

void add_compactions(std::vector<MetricFamily>& out, const storage::CompactionDebt& debt) {
    out.push_back(gauge_family("cdp_store_compaction_pending_bytes",
                               "Of tables that are still to be merged, about.",
                               static_cast<double>(debt.bytes)));
    out.push_back(gauge_family("cdp_store_writes_slowed",
                               "1 when commits are held back until more of them are.",
                               debt.writes_slowed ? 1 : 0));
}

void add_files(std::vector<MetricFamily>& out, const storage::DatabaseFiles& files) {
    add_compactions(out, files.compaction_debt());
    if (auto* time = files.time()) add_clock(out, *time);
    add_space(out, files.space());
    add_scrub(out, files.scrubber());
}

}  // namespace

void HttpMetrics::served(std::size_t route, int status, std::chrono::steady_clock::duration took) {
    auto& row = rows_[route];
    row.by_class[static_cast<std::size_t>(status) / 100 % 6].add(1);
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
    const double seconds = static_cast<double>(nanoseconds) / 1e9;
    std::size_t bucket = 0;
    while (bucket < kLatencyBuckets.size() && seconds > kLatencyBuckets[bucket]) ++bucket;
    row.by_latency[bucket].add(1);
    row.nanoseconds.add(static_cast<std::uint64_t>(nanoseconds));
}

std::string render_metrics(std::span<const HttpMetrics* const> threads,
                           std::span<const std::string> names, const cdp::Platform& platform,
                           const Measured& measured) {
    std::uint64_t opened = 0;
    std::uint64_t closed = 0;
    std::uint64_t refused = 0;
    for (const auto* thread : threads) {
        closed += thread->connections_closed.get();
        opened += thread->connections_opened.get();
        refused += thread->connections_refused.get();
    }
    std::vector<MetricFamily> out{requests(threads, names), latencies(threads, names)};
    out.push_back(gauge_family("cdp_http_connections", "Open connections.",
                               static_cast<double>(opened) - static_cast<double>(closed)));
    out.push_back(counter_family("cdp_http_connections_refused_total",
                                 "Connections over the limit.", refused));
    out.push_back(refusals(threads));
    if (measured.certificate) add_certificate(out, measured.certificate->status());
    add_platform(out, platform);
    if (measured.files) add_files(out, *measured.files);
    if (measured.ledger) add_ledger(out, measured.ledger->seen());
    return prometheus::TextSerializer().Serialize(out);
}

}  // namespace api
