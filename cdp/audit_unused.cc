#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "cdp/audit_answers.h"
#include "cdp/audit_batches.h"
#include "cdp/audit_names.h"
#include "cdp/audit_scan.h"
#include "cdp/json_text.h"
#include "cdp/last_reads.h"
#include "cdp/paging.h"
#include "cdp/refuse.h"
#include "consent/json_writer.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::Section;

constexpr std::int32_t kDays = 90;
constexpr std::int32_t kDaysMax = 3'650;
constexpr auto kEver = std::numeric_limits<std::int32_t>::min();

Result<std::int32_t> days_in(const std::string& text) {
    if (text.empty()) return kDays;
    std::int32_t days = 0;
    const auto end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, days);
    if (error != std::errc() || at != end || days < 1 || days > kDaysMax)
        return refuse("malformed_days", "Days are a number from 1 to 3650.", "/days");
    return days;
}

// Traits first, then types of identifiers: what is behind the place is still to be looked at.
struct Place {
    Section section = Section::fields;
    std::string key = {};
};

Result<Place> decode_place(const std::string& bytes) {
    if (bytes.empty()) return Place{};
    const auto section = static_cast<Section>(ByteReader(bytes).u8());
    if (section != Section::fields && section != Section::identifiers) return malformed_cursor();
    return Place{section, bytes.substr(1)};
}

std::string encode(const Place& place) {
    return ByteWriter().u8(static_cast<std::uint8_t>(place.section)).raw(place.key).take();
}

using Name = std::pair<Section, std::string>;

class Unused {
public:
    Unused(const AuditSources& sources, const storage::Snapshot& snapshot, std::int32_t days,
           AuditPage page)
        : sources_(sources),
          snapshot_(snapshot),
          today_(day_of(sources.clock.now())),
          before_(today_ - days),
          page_(std::move(page)) {}

    Result<Shown> answer(std::size_t limit) && {
        limit_ = limit;
        const auto start = CDP_TRY(decode_place(page_.after()));
        const auto since = CDP_TRY(known_since());
        CDP_CHECK(each_last_read(snapshot_, sources_.vault, [&](const LastRead& read) {
            auto& last = last_[{read.section, read.name}];
            last = std::max(last, std::pair(read.day, read.channel));
            return true;
        }));
        for (const auto section : {Section::fields, Section::identifiers}) {
            if (section < start.section) continue;
            if (!CDP_TRY(scan(section, section == start.section ? start.key : ""))) break;
        }
        consent::JsonWriter head;
        head.open().text("before", format_day(before_));
        // What is listed was not read since then, which may be less long ago than was asked.
        head.flag("known", since <= before_);
        if (since != kEver) head.text("known_since", format_day(since));
        auto members = head.close().take();
        members = members.substr(1, members.size() - 2) + ",";
        if (page_.after().empty()) members += labels();
        for (const auto& [name, identifiers] : met_) page_.tell(json(name, identifiers.size()));
        return std::move(page_).shown("unused", members);
    }

private:
    // Older folders have disclosures from before days were noted.
    Result<std::int32_t> known_since() const {
        if (const auto since = CDP_TRY(last_reads_since(snapshot_))) return *since;
        return CDP_TRY(newest_batch(snapshot_)) == 0 ? kEver : today_;
    }

    // False: the page is full.
    Result<bool> scan(Section section, const std::string& from) {
        const bool traits = section == Section::fields;
        const auto space = traits ? storage::Space::trait : storage::Space::node;
        const auto visit = [&](std::string_view key, std::string_view value) -> Result<bool> {
            const auto met =
                CDP_TRY(traits ? trait_met(sources_, snapshot_, key, value) : type_met(key, value));
            return !met || take({section, met->name}, met->identifier);
        };
        const auto end = CDP_TRY(scan_rows(snapshot_, space, from, page_, visit));
        if (end) page_.end_at(encode({section, *end}));
        return !end;
    }

    // False: there is no place for one more name.
    bool take(const Name& name, const Token& identifier) {
        const auto last = last_.find(name);
        if (last != last_.end() && last->second.first >= before_) return true;
        if (!met_.contains(name) && met_.size() >= limit_) return false;
        met_[name].insert(identifier);
        return true;
    }

    std::string json(const Name& name, std::size_t identifiers) const {
        consent::JsonWriter out;
        out.open().text("kind", name.first == Section::fields ? "trait" : "identifier_type");
        out.text("name", name.second).number("identifiers", static_cast<std::int64_t>(identifiers));
        const auto last = last_.find(name);
        out.flag("never", last == last_.end());
        if (last != last_.end())
            out.text("last_read", format_day(last->second.first))
                .text("last_channel", last->second.second);
        return out.close().take();
    }

    // No channel that serves a purpose is to be given them.
    std::string labels() const {
        const auto in_force = sources_.policies.now();
        std::set<std::string> needed;
        for (const auto& channel : in_force.policy->channels)
            if (!channel.purposes.empty())
                for (const auto& one : channel.labels) needed.insert(one.label);
        JsonList out;
        for (const auto& label : in_force.policy->labels)
            if (!needed.contains(label.name)) out.add(consent::json_string(label.name));
        return "\"labels_without_purpose\":" + out.str() + ",";
    }

    const AuditSources& sources_;
    const storage::Snapshot& snapshot_;
    const std::int32_t today_;
    const std::int32_t before_;  // read on this day or later: used
    std::size_t limit_ = 0;      // names
    AuditPage page_;
    std::map<Name, std::pair<std::int32_t, std::string>> last_ = {};
    std::map<Name, std::set<Token>> met_ = {};
};

}  // namespace

Result<Shown> audit_unused(const AuditSources& sources, const AuditQuery& query) {
    const auto days = CDP_TRY(days_in(query.days));
    auto page = CDP_TRY(AuditPage::begin("unused", query.page));
    CDP_CHECK(sources.disclosures.drain());
    const auto snapshot = sources.store.snapshot();
    return Unused(sources, *snapshot, days, std::move(page)).answer(query.page.limit);
}

}  // namespace cdp
