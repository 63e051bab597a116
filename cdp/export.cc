#include "cdp/export.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>

#include "cdp/attribution.h"
#include "cdp/base/bytes.h"
#include "cdp/consent_json.h"
#include "cdp/event_remnant.h"
#include "cdp/facts.h"
#include "cdp/json_scan.h"
#include "cdp/received_event.h"
#include "consent/json_string.h"
#include "identity/links.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;

// Opens identifiers by token. Exports meet the same ones again and again, in runs.
class Names {
public:
    Names(const storage::Vault& vault, const storage::Snapshot& snapshot)
        : vault_(vault), snapshot_(snapshot) {}

    struct Named {
        identity::Node node;
        storage::SubjectKey key;
        std::string json;  // {"type":…,"value":…}
    };

    Result<const Named*> find(const Token& token) {
        if (const auto known = named_.find(token); known != named_.end()) return &known->second;
        if (named_.size() >= kKeptMax) named_.clear();
        const auto row = CDP_TRY(snapshot_.get(identity::node_key(token)));
        auto node = row ? identity::decode_node(*row) : std::nullopt;
        const auto key = CDP_TRY(vault_.find(snapshot_, token));
        if (!node || !key) return damaged("a fact without its identifier");
        const auto value = CDP_TRY(identity::Graph::open(*key, token, *node));
        auto json =
            "{\"type\":" + json_string(node->type) + ",\"value\":" + json_string(value.value) + "}";
        const auto at = named_.emplace(token, Named{std::move(*node), *key, std::move(json)}).first;
        return &at->second;
    }

private:
    static constexpr std::size_t kKeptMax = 50'000;

    const storage::Vault& vault_;
    const storage::Snapshot& snapshot_;
    std::unordered_map<Token, Named> named_;
};

// Scans a space; the visit answers whether to go on, or why it cannot.
Result<void> each_row(
    const storage::Snapshot& snapshot, storage::Space space,
    const std::function<Result<bool>(std::string_view, std::string_view)>& visit) {
    std::optional<Error> error;
    CDP_CHECK(snapshot.scan(storage::space_prefix(space), "",
                            [&](std::string_view key, std::string_view value) {
                                const auto go_on = visit(key, value);
                                if (!go_on) error = go_on.error();
                                return go_on && *go_on;
                            }));
    if (error) return *error;
    return Result<void>::ok();
}

// The event as received, with what a reader of the stream needs and the event itself may lack.
std::string event_line(const StoredEvent& event, const PersonId& person) {
    auto line = received_members(event, {"person", "receivedAt"});
    line += ",\"person\":" + json_string(to_hex(person.view()));
    line += ",\"receivedAt\":" + json_string(format_time(event.received));
    // One line: white space between tokens may hold line breaks, which mean nothing there.
    return json::minify("{" + line + "}") + "\n";
}

Result<std::string> consent_line(const consent::Record& record, const NameOf& name_of) {
    return "{" + CDP_TRY(record_members(record, name_of)) +
           moment("validUntil", record.valid_until) + moment("receivedAt", record.received) + "}\n";
}

std::string cell_line(const consent::Cell& cell, const std::string& identifier) {
    const consent::Stamp& stamp = cell.first;
    return "{\"id\":" + json_string(to_hex(cell.id.view())) + ",\"identifiers\":[" + identifier +
           "],\"purpose\":" + json_string(stamp.purpose) +
           ",\"state\":" + json_string(consent::to_string(stamp.state)) +
           ",\"scope\":" + json_string(consent::to_string(stamp.scope)) +
           ",\"time\":" + json_string(format_time(stamp.time)) +
           ",\"origin\":" + json_string(consent::to_string(stamp.origin)) +
           ",\"source\":" + json_string(stamp.source) + "}\n";
}

std::string link_line(const std::string& a, const std::string& b,
                      const identity::Evidence& evidence) {
    std::string line = "{\"a\":" + a + ",\"b\":" + b +
                       ",\"class\":" + json_string(identity::to_string(evidence.link_class));
    // That one is the hash of the other was seen on no day.
    if (evidence.sources == std::vector{identity::kHashEquality})
        return line + ",\"hashOf\":true}\n";
    return line + ",\"firstSeen\":" + json_string(format_day(evidence.first_day)) +
           ",\"lastSeen\":" + json_string(format_day(evidence.last_day)) +
           ",\"days\":" + std::to_string(std::popcount(evidence.days)) + "}\n";
}

}  // namespace

Result<void> Exporter::run(ExportKind kind, const Sink& sink) const {
    const auto snapshot = needs_.store.snapshot();
    switch (kind) {
        case ExportKind::events: return events(*snapshot, sink);
        case ExportKind::persons: return persons(*snapshot, sink);
        case ExportKind::consents: return consents(*snapshot, sink);
        case ExportKind::links: return links(*snapshot, sink);
        case ExportKind::groups: return groups(*snapshot, sink);
    }
    return Error{};
}

Result<void> Exporter::events(const storage::Snapshot& snapshot, const Sink& sink) const {
    Names names(needs_.vault, snapshot);
    std::optional<Token> written;  // a shared home, whole
    return each_row(
        snapshot, storage::Space::event,
        [&](std::string_view key, std::string_view sealed) -> Result<bool> {
            const auto subject = storage::subject_in(key);
            if (written == subject) return true;
            const auto* home = CDP_TRY(names.find(subject));
            if (home->node.shared || !home->node.active) {
                written = subject;
                return shared_events(snapshot, subject, home->node.person(), sink);
            }
            auto event = decode_event(CDP_TRY(storage::Vault::open(home->key, key, sealed)));
            if (!event) return damaged("an event that cannot be read");
            const auto time = storage::KeyReader(key).newest_first();
            const auto left = unexpired(std::move(*event), time, needs_.clock.now(), needs_.config);
            return !left || sink(event_line(*left, home->node.person()));
        });
}

// The events filed under a shared home, each with whose it is; those of nobody stay with the home.
// What waits for a decision is where it is, not what it says.
Result<bool> Exporter::shared_events(const storage::Snapshot& snapshot, const Token& home,
                                     const PersonId& nobody, const Sink& sink) const {
    storage::Transaction reads(snapshot, storage::kPartition);
    Attribution attribution({needs_.vault, needs_.graph, needs_.config}, {snapshot, reads});
    Sessions sessions(needs_.config.session);
    std::vector<Touch> decided;
    const auto write = [&]() -> Result<bool> {
        for (const Touch& touch : std::exchange(decided, {})) {
            if (!touch.filed) continue;
            auto event = CDP_TRY(attribution.open({touch.place, home, home, {}}));
            if (!event) return damaged("an event that is not where it was");
            const auto left =
                unexpired(std::move(*event), touch.place.time, needs_.clock.now(), needs_.config);
            if (!left) continue;
            if (!sink(event_line(*left, touch.owner ? touch.owner->person : nobody))) return false;
        }
        return true;
    };
    auto rows = attribution.rows_of(std::array{home}, {Timestamp::max(), EventId{}});
    while (const auto row = CDP_TRY(rows.next())) {
        if (const auto touch = CDP_TRY(attribution.touch_of(*row))) sessions.add(*touch, decided);
        if (!CDP_TRY(write())) return false;
    }
    sessions.finish(decided);
    return write();
}

// Members stand together, by anchor.
Result<void> Exporter::persons(const storage::Snapshot& snapshot, const Sink& sink) const {
    Names names(needs_.vault, snapshot);
    std::optional<Token> anchor;
    std::string line;
    const auto finish = [&] { return !anchor || sink(line + "]}\n"); };
    bool stopped = false;
    const auto scanned =
        each_row(snapshot, storage::Space::member,
                 [&](std::string_view key, std::string_view) -> Result<bool> {
                     const bool same = anchor == storage::subject_in(key);
                     if (!same) {
                         stopped = !finish();
                         if (stopped) return false;
                         anchor = storage::subject_in(key);
                     }
                     storage::KeyReader reader(key);
                     const auto* named = CDP_TRY(names.find(reader.id<Token>()));
                     if (!same)
                         line = "{\"person\":" + json_string(to_hex(named->node.person().view())) +
                                ",\"identifiers\":[" + named->json;
                     else
                         line += ',' + named->json;
                     return true;
                 });
    if (!scanned) return scanned.error();
    if (!stopped) finish();
    return Result<void>::ok();
}

// One line for each two, whatever sources, classes and days it was seen in.
Result<void> Exporter::links(const storage::Snapshot& snapshot, const Sink& sink) const {
    Names names(needs_.vault, snapshot);
    std::optional<Token> from;
    std::map<Token, identity::Evidence> links;
    const auto finish = [&]() -> Result<bool> {
        for (const auto& [to, evidence] : links) {
            const std::string a = CDP_TRY(names.find(*from))->json;
            const std::string b = CDP_TRY(names.find(to))->json;
            if (!sink(link_line(a, b, evidence))) return false;
        }
        links.clear();
        return true;
    };
    bool stopped = false;
    const auto scanned =
        each_row(snapshot, storage::Space::link,
                 [&](std::string_view key, std::string_view value) -> Result<bool> {
                     const auto link = identity::decode_link(key, value);
                     if (!link) return damaged("a link that cannot be read");
                     if (from != link->from) {
                         stopped = !CDP_TRY(finish());
                         from = link->from;
                     }
                     if (stopped || link->to < link->from) return !stopped;
                     const auto seen = identity::evidence_of(link->row);
                     const auto [at, fresh] = links.try_emplace(link->to, seen);
                     if (!fresh) identity::join(at->second, seen);
                     return true;
                 });
    if (!scanned) return scanned.error();
    if (!stopped) CDP_TRY(finish());
    return Result<void>::ok();
}

Result<void> Exporter::consents(const storage::Snapshot& snapshot, const Sink& sink) const {
    Names names(needs_.vault, snapshot);
    std::optional<Error> error;
    const auto line_of = [&](const Token& token, const consent::Row& row) -> Result<std::string> {
        if (const auto* cell = std::get_if<consent::Cell>(&row))
            return cell_line(*cell, CDP_TRY(names.find(token))->json);
        const auto& record = std::get<consent::Record>(row);
        // Another identifier may be erased; a guardian need not have been met.
        const StoredNames stored(needs_.vault, snapshot);
        return consent_line(record, [&](const Token& of) -> Result<std::string> {
            if (of != token) return stored.name_of(of);
            const auto& json = CDP_TRY(names.find(of))->json;
            return json.substr(1, json.size() - 2);
        });
    };
    CDP_CHECK(needs_.consents.each(snapshot, [&](const Token& token, const consent::Row& row) {
        // A record stands under each identifier it asserts, and is one line.
        const auto* record = std::get_if<consent::Record>(&row);
        const auto first =
            record ? consent::stands_first(snapshot, *record, token) : Result<bool>(true);
        if (first && !*first) return true;
        const auto line = first ? line_of(token, row) : Result<std::string>(first.error());
        if (!line) {
            error = line.error();
            return false;
        }
        return sink(*line);
    }));
    if (error) return *error;
    return Result<void>::ok();
}

Result<void> Exporter::groups(const storage::Snapshot& snapshot, const Sink& sink) const {
    return each_row(snapshot, storage::Space::group,
                    [&](std::string_view row, std::string_view sealed) -> Result<bool> {
                        return sink(CDP_TRY(needs_.groups.export_line(snapshot, row, sealed)));
                    });
}

}  // namespace cdp
