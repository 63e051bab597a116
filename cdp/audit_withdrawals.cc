#include <algorithm>
#include <set>
#include <utility>

#include "cdp/audit_answers.h"
#include "cdp/base/bytes.h"
#include "cdp/consent_json.h"
#include "cdp/erasure_facts.h"
#include "cdp/json_text.h"
#include "cdp/paging.h"
#include "cdp/refuse.h"
#include "cdp/withdrawal_walk.h"
#include "cdp/withdrawals.h"
#include "consent/json_writer.h"
#include "consent/tiles.h"

namespace cdp {
namespace {

constexpr std::string_view kQuestion = "withdrawals";
constexpr std::size_t kLookedAtMax = 20'000;

// Behind which row of the log, and behind whom of those that the next one concerns: how many it
// concerns may change from page to page.
struct Place {
    std::uint64_t after = 0;
    std::optional<std::pair<PersonId, std::string>> shown = {};
};

std::pair<PersonId, std::string> whom(const Concern& concern) {
    return {concern.person->id, concern.channel};
}

std::string cursor_of(const Place& place) {
    ByteWriter out;
    out.u64(place.after);
    if (place.shown) out.raw(place.shown->first.view()).bytes(place.shown->second);
    return cursor_to(kQuestion, out.str());
}

Result<Place> read_cursor(const std::string& cursor) {
    const auto bytes = CDP_TRY(place_in(kQuestion, cursor));
    if (bytes.empty()) return Place{};
    ByteReader in(bytes);
    Place place{.after = in.u64()};
    if (!in.done()) {
        const auto person = in.id<PersonId>();
        place.shown.emplace(person, in.bytes());
    }
    if (!in.done()) return malformed_cursor();
    return place;
}

class List {
public:
    List(const Config& config, const storage::Snapshot& snapshot, const StoredNames& names,
         Timestamp now)
        : config_(config), snapshot_(snapshot), names_(names), now_(now) {}

    Result<void> add(const Concern& concern) {
        const auto& denial = concern.denial;
        const auto* channel = config_.policy.find_channel(concern.channel);
        out_ += out_.empty() ? "{" : ",{";
        out_ += "\"position\":" + std::to_string(concern.position) +
                ",\"record\":" + hex_json(denial.id.view()) +
                ",\"person\":" + hex_json(concern.person->id.view()) + ",\"identifiers\":[";
        for (const auto& token : denial.tokens)
            out_ += (out_.back() == '[' ? "{" : ",{") + CDP_TRY(names_.name_of(token)) + "}";
        out_ += "]" + said(concern) + moment("time", denial.time) +
                moment("received", denial.received) +
                ",\"channel\":" + consent::json_string(concern.channel) +
                ",\"recipient\":" + (channel ? consent::json_string(channel->recipient) : "null");
        add_clock(concern);
        out_ += CDP_TRY(acknowledgement(concern)) + disclosed(concern) + "}";
        ++size_;
        whom_.insert(denial.tokens.begin(), denial.tokens.end());
        persons_.insert(concern.person->id);
        return Result<void>::ok();
    }

    std::size_t size() const { return size_; }
    Shown finish(const std::optional<Place>& next) && {
        return Shown("{\"withdrawals\":[" + out_ +
                         "],\"next\":" + (next ? '"' + cursor_of(*next) + '"' : "null") + "}",
                     {{whom_.begin(), whom_.end()}, {persons_.begin(), persons_.end()}});
    }

private:
    static std::string said(const Concern& concern) {
        if (concern.kept && concern.kept->erased)
            return ",\"kind\":\"erasure\",\"scope\":\"" +
                   std::string(to_string(*concern.kept->erased)) + "\"";
        return ",\"kind\":\"withdrawal\",\"purpose\":" +
               consent::json_string(concern.denial.purpose) + ",\"state\":\"" +
               std::string(consent::to_string(concern.denial.state)) + "\"";
    }

    void add_clock(const Concern& concern) {
        const auto by = due(config_.policy, concern);
        const auto age = std::chrono::floor<std::chrono::seconds>(now_ - concern.denial.received);
        const auto done = concern.acknowledged ? concern.acknowledged->time : now_;
        out_ += ",\"age_seconds\":" + std::to_string(age.count()) + ",\"due\":" + time_or_null(by) +
                ",\"overdue\":" + (by && done > *by ? "true" : "false") +
                ",\"told\":" + time_or_null(concern.heard());
    }

    Result<std::string> acknowledgement(const Concern& concern) const {
        if (!concern.acknowledged) return std::string(",\"acknowledged\":null");
        const auto commitment = concern.acknowledged->commitment(concern.denial.id);
        const auto index = CDP_TRY(snapshot_.get(consent::entry_index_key(commitment)));
        return ",\"acknowledged\":{\"time\":\"" + format_time(concern.acknowledged->time) +
               "\",\"by\":" + consent::json_string(concern.acknowledged->by) +
               ",\"ledger_index\":" + (index ? std::to_string(ByteReader(*index).u64()) : "null") +
               "}";
    }

    static std::string disclosed(const Concern& concern) {
        consent::JsonWriter json;
        json.open().text("last", format_time(concern.told_last));
        json.texts("purposes", concern.purposes).texts("fields", concern.fields);
        return ",\"disclosed\":" + json.close().take();
    }

    const Config& config_;
    const storage::Snapshot& snapshot_;
    const StoredNames& names_;
    const Timestamp now_;
    std::string out_;
    std::size_t size_ = 0;
    std::set<Token> whom_;
    std::set<PersonId> persons_;
};

}  // namespace

Result<Shown> Withdrawals::page(const PageQuery& query, std::string_view status,
                                const std::string& channel) const {
    CDP_CHECK(check_limit(query.limit));
    if (!status.empty() && status != "open" && status != "acknowledged")
        return refuse("status_unknown", "The status is open or acknowledged.", "/status");
    if (!channel.empty() && !CDP_TRY(is_channel(channel)))
        return refuse("channel_unknown", "No such channel is configured or was ever told anything.",
                      "/channel");
    auto place = CDP_TRY(read_cursor(query.cursor));
    WithdrawalWalk walk(needs_);
    const auto newest = CDP_TRY(walk.size());
    const StoredNames names(needs_.vault, walk.snapshot());
    List list(needs_.config, walk.snapshot(), names, needs_.clock.now());
    auto outcome = Result<void>::ok();
    bool full = false;
    CDP_CHECK(walk.run(place.after, channel, [&](auto position, auto, const auto& concerns) {
        for (const auto& one : concerns) {
            if (place.shown && whom(one) <= *place.shown) continue;
            if (!status.empty() && (status == "open") == one.acknowledged.has_value()) continue;
            full = list.size() == query.limit;
            if (full) return false;
            outcome = list.add(one);
            if (!outcome) return false;
            place.shown = whom(one);
        }
        place = {.after = position, .shown = {}};
        full = walk.looked_at() >= kLookedAtMax && position < newest;
        return !full;
    }));
    CDP_CHECK(outcome);
    return std::move(list).finish(full ? std::optional(place) : std::nullopt);
}

Result<Shown> audit_withdrawals(const AuditSources& sources, const AuditQuery& query) {
    return sources.withdrawals.page(query.page, query.status, query.channel);
}

}  // namespace cdp
