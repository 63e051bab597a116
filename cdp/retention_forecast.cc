#include "cdp/retention_forecast.h"

#include <cmath>

#include "cdp/corrections.h"
#include "cdp/event_remnant.h"
#include "cdp/retention.h"
#include "cdp/sightings.h"
#include "cdp/trait_rows.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::Space;

Result<void> is_stopping() {
    return Error{
        .code = ErrorCode::unavailable, .reason = "stopping", .message = "The server is stopping."};
}

class Forecast {
public:
    Forecast(const HomeRetention::Needs& needs, const storage::Snapshot& snapshot, Timestamp now,
             std::chrono::days ahead, const ForecastBounds& bounds)
        : needs_(needs), snapshot_(snapshot), now_(now), then_(now + ahead), bounds_(bounds) {
        out_.now.resize(needs.config.retention.size());
        out_.soon.resize(needs.config.retention.size());
    }

    Result<void> visit(const Token& home) {
        const auto key = needs_.vault.find(snapshot_, home);
        if (!key) return count_damage(key.error());
        if (!*key) return Result<void>::ok();
        const auto from = event_key(home, latest_past_of(needs_.config, then_), EventId{});
        CDP_CHECK(
            each(Space::event, home, from, [&](std::string_view row, std::string_view sealed) {
                return event(**key, row, sealed);
            }));
        CDP_CHECK(each(Space::trait, home, "", [&](std::string_view row, std::string_view sealed) {
            return trait(**key, row, sealed);
        }));
        return each(Space::corrected, home, "", [&](std::string_view row, std::string_view sealed) {
            return correction(**key, row, sealed);
        });
    }

    bool stopped() const { return bounds_.stopping && *bounds_.stopping; }
    bool full() const { return out_.rows >= bounds_.rows_max; }

    RetentionForecast out_ = {};

private:
    template <typename VisitRow>
    Result<void> each(Space space, const Token& home, std::string_view from, VisitRow visit) {
        auto outcome = Result<void>::ok();
        ++out_.rows;
        CDP_CHECK(snapshot_.scan(storage::KeyWriter(space, home).str(), from,
                                 [&](std::string_view row, std::string_view sealed) {
                                     if (full()) {
                                         out_.estimated = true;
                                         return false;
                                     }
                                     ++out_.rows;
                                     if (stopped()) {
                                         outcome = is_stopping();
                                         return false;
                                     }
                                     outcome = visit(row, sealed);
                                     if (!outcome) outcome = count_damage(outcome.error());
                                     return static_cast<bool>(outcome);
                                 }));
        return outcome;
    }

    // A run leaves it as it is, too.
    Result<void> count_damage(const Error& error) {
        if (error.code != ErrorCode::corruption) return error;
        ++out_.unreadable;
        return Result<void>::ok();
    }

    Pruned* counts_of(const std::optional<Expiry>& expiry) {
        if (!is_past(expiry, then_)) return nullptr;
        return &(expiry->at <= now_ ? out_.now : out_.soon)[expiry->rule];
    }

    Result<void> event(const storage::SubjectKey& key, std::string_view row,
                       std::string_view sealed) {
        const auto time = storage::KeyReader(row).newest_first();
        const auto stored = decode_event(CDP_TRY(storage::Vault::open(key, row, sealed)));
        if (!stored) return damaged("an event that cannot be read");
        if (stored->remnant) return Result<void>::ok();
        if (auto* counts =
                counts_of(event_expiry(needs_.config, stored->type, stored->name, time))) {
            ++counts->events;
            return Result<void>::ok();
        }
        const auto read = read_again(*stored, needs_.config);
        if (!read) return Result<void>::ok();
        const auto property = [&](std::string_view name) {
            auto* counts = counts_of(property_expiry(needs_.config, name, time));
            if (counts) ++counts->properties;
            return counts != nullptr;
        };
        without(*stored, *read, {property, [](std::string_view) { return false; }}, needs_.config);
        return Result<void>::ok();
    }

    Result<void> trait(const storage::SubjectKey& key, std::string_view row,
                       std::string_view sealed) {
        const auto stored = CDP_TRY(open_trait(key, row, sealed));
        if (stored.source != kCorrectionSource) count(stored);
        return Result<void>::ok();
    }

    Result<void> correction(const storage::SubjectKey& key, std::string_view row,
                            std::string_view sealed) {
        const auto stored = CDP_TRY(open_corrected(key, row, sealed));
        if (stored.right) count(*stored.right);
        return Result<void>::ok();
    }

    void count(const StoredTrait& trait) {
        if (auto* counts = counts_of(trait_expiry(needs_.config, trait.name, trait.time)))
            ++counts->traits;
    }

    const HomeRetention::Needs& needs_;
    const storage::Snapshot& snapshot_;
    const Timestamp now_;
    const Timestamp then_;
    const ForecastBounds& bounds_;
};

// Which part of all homes has been seen with this one.
double part_up_to(const Token& home) {
    double part = 0;
    for (std::size_t i = 8; i-- > 0;) part = (part + home.bytes[i]) / 256;
    return part;
}

void scale(PrunedByRule& rules, double factor) {
    const auto by = [factor](std::uint64_t& count) {
        count = static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * factor));
    };
    for (auto& one : rules) {
        by(one.events);
        by(one.properties);
        by(one.traits);
    }
}

}  // namespace

Result<RetentionForecast> forecast(const HomeRetention::Needs& needs,
                                   const storage::Snapshot& snapshot, Timestamp now,
                                   std::chrono::days ahead, const ForecastBounds& bounds) {
    Forecast forecast(needs, snapshot, now, ahead, bounds);
    std::optional<Token> home;
    if (needs.config.retention.empty()) return std::move(forecast.out_);
    while (const auto next = CDP_TRY(home_after(snapshot, home))) {
        if (home && forecast.full()) {
            forecast.out_.estimated = true;
            const auto factor = 1 / part_up_to(*home);
            scale(forecast.out_.now, factor);
            scale(forecast.out_.soon, factor);
            break;
        }
        home = next;
        CDP_CHECK(forecast.visit(*home));
    }
    return std::move(forecast.out_);
}

Result<std::optional<Token>> home_after(const storage::Snapshot& snapshot,
                                        const std::optional<Token>& token) {
    std::optional<Token> next;
    for (const auto space : {Space::event, Space::corrected}) {
        const auto from = token ? storage::KeyWriter(space, *token).str() + std::string(32, '\xff')
                                : std::string{};
        CDP_CHECK(snapshot.scan(storage::space_prefix(space), from,
                                [&](std::string_view key, std::string_view) {
                                    const auto home = storage::subject_in(key);
                                    if (!next || home < *next) next = home;
                                    return false;
                                }));
    }
    return next;
}

}  // namespace cdp
