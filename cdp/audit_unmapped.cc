#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "cdp/audit_answers.h"
#include "cdp/audit_batches.h"
#include "cdp/audit_names.h"
#include "cdp/audit_scan.h"
#include "cdp/json_text.h"
#include "cdp/paging.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;

// In this order; on the wire within a cursor.
enum class Part : std::uint8_t { traits = 1, types = 2, properties = 3 };

std::string_view to_string(Part part) {
    switch (part) {
        case Part::traits: return "trait";
        case Part::types: return "identifier_type";
        case Part::properties: return "property";
    }
    return "trait";
}

struct Place {
    Part part = Part::traits;
    std::string at = {};  // a key, or the number of a batch; empty: the beginning
};

std::string encode(const Place& place) {
    return ByteWriter().u8(static_cast<std::uint8_t>(place.part)).raw(place.at).take();
}

Result<Place> decode_place(const std::string& bytes) {
    if (bytes.empty()) return Place{};
    ByteReader in(bytes);
    const auto part = in.u8();
    if (part < 1 || part > 3) return malformed_cursor();
    return Place{static_cast<Part>(part), std::string(in.rest())};
}

std::string number_of(std::uint64_t number) {
    return ByteWriter().u64(number).take();
}

// A name that the policy does not know.
using Name = std::tuple<Part, std::string, std::string>;  // within an event, its own

struct Met {
    std::set<Token> identifiers;
    Timestamp oldest = Timestamp::max();
};

class Unmapped {
public:
    Unmapped(const AuditSources& sources, const storage::Snapshot& snapshot, AuditPage page)
        : sources_(sources),
          snapshot_(snapshot),
          in_force_(sources.policies.now()),
          limit_(0),
          page_(std::move(page)) {}

    Result<Shown> answer(std::size_t limit) && {
        limit_ = limit;
        const auto start = CDP_TRY(decode_place(page_.after()));
        for (const auto part : {Part::traits, Part::types, Part::properties}) {
            if (part < start.part) continue;
            if (!CDP_TRY(read(part, part == start.part ? start.at : ""))) break;
        }
        std::string members =
            "\"policy_version\":" + hex_json(consent::view(in_force_.version)) + ",";
        if (page_.after().empty()) members += unused() + ",";
        for (const auto& [name, met] : met_) page_.tell(json(name, met));
        return std::move(page_).shown("unmapped", members);
    }

private:
    const consent::Policy& policy() const { return *in_force_.policy; }

    // False: the page is full.
    Result<bool> read(Part part, const std::string& from) {
        switch (part) {
            case Part::traits:
                return scan(part, storage::Space::trait, from,
                            [&](std::string_view key, std::string_view value) {
                                return trait_of(key, value);
                            });
            case Part::types:
                return scan(part, storage::Space::node, from,
                            [&](std::string_view key, std::string_view value) {
                                return type_of(key, value);
                            });
            case Part::properties: return read_batches(from);
        }
        return true;
    }

    struct One {
        Name name;
        Token identifier;
        Timestamp time{};
    };
    using Read = std::function<Result<std::optional<One>>(std::string_view, std::string_view)>;

    Result<bool> scan(Part part, storage::Space space, const std::string& from, const Read& read) {
        const auto visit = [&](std::string_view key, std::string_view value) -> Result<bool> {
            const auto one = CDP_TRY(read(key, value));
            if (one && !takes(one->name)) return false;
            if (one) note(*one);
            return true;
        };
        const auto end = CDP_TRY(scan_rows(snapshot_, space, from, page_, visit));
        if (end) page_.end_at(encode({part, *end}));
        return !end;
    }

    bool takes(const Name& name) const { return met_.contains(name) || met_.size() < limit_; }

    void note(const One& one) {
        auto& met = met_[one.name];
        met.identifiers.insert(one.identifier);
        met.oldest = std::min(met.oldest, one.time);
    }

    Result<std::optional<One>> trait_of(std::string_view key, std::string_view sealed) const {
        const auto met = CDP_TRY(trait_met(sources_, snapshot_, key, sealed));
        if (!met || !policy().labels_of_trait(met->name).empty()) return std::optional<One>();
        return std::optional(One{{Part::traits, "", met->name}, met->identifier, met->time});
    }

    Result<std::optional<One>> type_of(std::string_view key, std::string_view value) const {
        const auto met = CDP_TRY(type_met(key, value));
        if (!met || policy().identifier_types.contains(met->name)) return std::optional<One>();
        return std::optional(One{{Part::types, "", met->name}, met->identifier, met->time});
    }

    // What stayed because nobody had said what it is.
    Result<bool> read_batches(const std::string& from) {
        auto number = from.empty() ? CDP_TRY(newest_batch(snapshot_)) : ByteReader(from).u64();
        Masks masks(sources_.disclosures);
        for (; number > 0; --number) {
            const auto stop = [&] {
                page_.end_at(encode({Part::properties, number_of(number)}));
                return false;
            };
            if (page_.full()) return stop();
            page_.looked_at(1);
            const auto head = CDP_TRY(batch_head(snapshot_, number));
            if (!head || head->batch.kind != consent::BatchKind::release ||
                !head->batch.withheld.contains("unmapped"))
                continue;
            const auto found = CDP_TRY(properties_of(number, masks));
            if (!met_.empty() && !takes_all(found)) return stop();
            for (const auto& one : found) note(one);
        }
        return true;
    }

    bool takes_all(const std::vector<One>& found) const {
        std::set<Name> fresh;
        for (const auto& one : found)
            if (!met_.contains(one.name)) fresh.insert(one.name);
        return met_.size() + fresh.size() <= limit_;
    }

    Result<std::vector<One>> properties_of(std::uint64_t number, Masks& masks) {
        std::vector<One> out;
        const auto whole = CDP_TRY(sources_.disclosures.batch(number));
        if (!whole) return out;
        page_.looked_at(whole->rows.size());
        for (const auto& row : whole->rows)
            for (const auto& field : *CDP_TRY(masks.find(row.mask)))
                if (field.withheld && field.form == "unmapped" &&
                    field.section == consent::Section::properties &&
                    policy().labels_of_property(field.name).empty())
                    out.push_back(
                        {{Part::properties, field.within, field.name}, row.subject, row.first});
        return out;
    }

    std::string json(const Name& name, const Met& met) const {
        const auto& [part, within, own] = name;
        const auto open = std::chrono::floor<std::chrono::days>(sources_.clock.now() - met.oldest);
        std::string out = "{\"kind\":\"" + std::string(to_string(part)) + "\"";
        if (part == Part::properties) out += ",\"within\":" + json_string(within);
        out += ",\"name\":" + json_string(own) +
               ",\"identifiers\":" + std::to_string(met.identifiers.size()) +
               ",\"oldest\":" + time_json(met.oldest) +
               ",\"days_open\":" + std::to_string(std::max<std::int64_t>(open.count(), 0));
        if (part != Part::types) return out + "}";
        JsonList labels;
        for (const auto& label : policy().identifier_default) labels.add(json_string(label));
        return out + ",\"treated_as\":" + labels.str() + "}";
    }

    // Of the configuration: what nothing leads to.
    std::string unused() const {
        const auto& all = policy();
        std::set<std::string> of_data(all.identifier_default.begin(), all.identifier_default.end());
        of_data.insert(all.event_default.begin(), all.event_default.end());
        for (const auto* map : {&all.traits, &all.properties, &all.identifier_types})
            for (const auto& [name, labels] : *map) of_data.insert(labels.begin(), labels.end());
        for (const auto& rule : all.events) of_data.insert(rule.labels.begin(), rule.labels.end());
        std::set<std::string> of_channels;
        JsonList no_purpose;
        for (const auto& channel : all.channels) {
            for (const auto& one : channel.labels) of_channels.insert(one.label);
            if (channel.purposes.empty()) no_purpose.add(json_string(channel.id));
        }
        JsonList no_data;
        JsonList no_channel;
        for (const auto& label : all.labels) {
            if (!of_data.contains(label.name)) no_data.add(json_string(label.name));
            if (!of_channels.contains(label.name)) no_channel.add(json_string(label.name));
        }
        JsonList unserved;
        for (const auto& purpose : all.purposes)
            if (std::ranges::none_of(all.channels, [&](const consent::Channel& channel) {
                    return std::ranges::any_of(channel.purposes, [&](const std::string& name) {
                        return consent::covers(name, purpose.name);
                    });
                }))
                unserved.add(json_string(purpose.name));
        return "\"unused\":{\"labels_of_no_data\":" + no_data.str() +
               ",\"labels_of_no_channel\":" + no_channel.str() +
               ",\"channels_without_purpose\":" + no_purpose.str() +
               ",\"purposes_without_channel\":" + unserved.str() + "}";
    }

    const AuditSources& sources_;
    const storage::Snapshot& snapshot_;
    const PolicyVersions::InForce in_force_;
    std::size_t limit_;  // names
    AuditPage page_;
    std::map<Name, Met> met_;
};

}  // namespace

Result<Shown> audit_unmapped(const AuditSources& sources, const AuditQuery& query) {
    auto page = CDP_TRY(AuditPage::begin("unmapped", query.page));
    CDP_CHECK(sources.disclosures.drain());
    const auto snapshot = sources.store.snapshot();
    return Unmapped(sources, *snapshot, std::move(page)).answer(query.page.limit);
}

}  // namespace cdp
