#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "cdp/audit_answers.h"
#include "cdp/audit_person.h"
#include "cdp/audit_scan.h"
#include "cdp/base/bytes.h"
#include "cdp/committed.h"
#include "cdp/consent_json.h"
#include "cdp/disclosures.h"
#include "cdp/paging.h"
#include "cdp/refuse.h"
#include "cdp/signal_intake.h"
#include "cdp/signal_json.h"
#include "consent/json_string.h"
#include "consent/signal_rows.h"

// Question 19: which signals were in force when something of a person was disclosed.
namespace cdp {
namespace {

using consent::json_string;
using consent::Sha256;
using consent::SignalType;

// Where a page ended in each of the two lists; nullopt: at its end.
struct SignalPlace {
    Timestamp last{};
    Token token{};
    SignalType type{};
    Sha256 digest{};

    // Newest first.
    friend bool operator<(const SignalPlace& a, const SignalPlace& b) {
        return std::tuple(b.last, a.token, a.type, a.digest) <
               std::tuple(a.last, b.token, b.type, b.digest);
    }
};

struct RowPlace {
    Timestamp last{};
    std::uint64_t batch = 0;
    std::uint32_t row = 0;

    friend bool operator<(const RowPlace& a, const RowPlace& b) {
        return std::tuple(b.last, a.batch, a.row) < std::tuple(a.last, b.batch, b.row);
    }
};

template <typename Place>
struct Rest {
    bool ended = false;
    std::optional<Place> after = {};  // nullopt: from the start
};

constexpr std::string_view kQuestion = "signals";

struct Cursor {
    Rest<SignalPlace> signals = {};
    Rest<RowPlace> rows = {};

    std::string hex() const {
        ByteWriter out;
        out.u8(signals.ended ? 0 : signals.after ? 2 : 1);
        if (!signals.ended && signals.after)
            out.i64(milliseconds_of(signals.after->last))
                .raw(signals.after->token.view())
                .u8(static_cast<std::uint8_t>(signals.after->type))
                .raw(consent::view(signals.after->digest));
        out.u8(rows.ended ? 0 : rows.after ? 2 : 1);
        if (!rows.ended && rows.after)
            out.i64(milliseconds_of(rows.after->last)).u64(rows.after->batch).u32(rows.after->row);
        return cursor_to(kQuestion, out.str());
    }

    static Result<Cursor> read(const std::string& hex) {
        Cursor cursor;
        const auto bytes = CDP_TRY(place_in(kQuestion, hex));
        if (bytes.empty()) return cursor;
        ByteReader in(bytes);
        const auto signals = in.u8();
        cursor.signals.ended = signals == 0;
        if (signals == 2) {
            auto& place = cursor.signals.after.emplace();
            place.last = timestamp_of(in.i64());
            place.token = in.id<Token>();
            place.type = static_cast<SignalType>(in.u8());
            const auto digest = in.raw(place.digest.size());
            std::ranges::copy(digest, place.digest.begin());
        }
        const auto rows = in.u8();
        cursor.rows.ended = rows == 0;
        if (rows == 2) {
            auto& place = cursor.rows.after.emplace();
            place.last = timestamp_of(in.i64());
            place.batch = in.u64();
            place.row = in.u32();
        }
        if (!in.done() || signals > 2 || rows > 2) return malformed_cursor();
        return cursor;
    }
};

// One text of a signal under one identifier.
struct Heard {
    consent::StampSignal signal = {};
    Timestamp first{};
    Timestamp last{};
    Timestamp received{};  // the first time
    std::optional<std::string> raw = {};
    std::string parser_version = {};  // of a record
    std::set<std::string> sources = {};
    std::set<std::tuple<std::string, std::string, consent::State>> said = {};  // purpose, channel
    std::vector<RecordId> records = {};

    void add(Timestamp time, Timestamp came) {
        first = records.empty() ? time : std::min(first, time);
        last = records.empty() ? time : std::max(last, time);
        received = records.empty() ? came : std::min(received, came);
    }
};

using Key = std::tuple<Token, SignalType, Sha256>;

// That a signal was said at a moment.
struct Saying {
    Timestamp time{};
    Timestamp received{};
    Token token{};
    consent::StampSignal signal = {};
    RecordId record = {};
};

// Every signal said under a person's identifiers.
class Signals {
public:
    Signals(const AuditSources& sources, People::Reading reading, std::optional<SignalType> only)
        : sources_(sources), reading_(reading), only_(only) {}

    // history_too_long.
    Result<void> read(const Person& person) {
        for (const auto& member : person.members) {
            const auto rows = CDP_TRY(
                sources_.consents.rows(reading_.snapshot, reading_.transaction, member.token));
            rows_ += rows.size();
            if (rows_ > kAuditRowsMax) return history_too_long();
            for (const auto& row : rows) take(member.token, row);
        }
        // Of a day on which stamps contradict each other the facts know each moment.
        for (const auto& member : person.consents)
            for (const auto& fact : member.facts)
                if (const auto at = cells_.find(fact.id); at != cells_.end())
                    sayings_.push_back(
                        {fact.time, fact.received, member.token, at->second, fact.id});
        std::ranges::sort(sayings_, {}, [](const Saying& one) {
            return std::tuple(one.time, one.token, one.signal.type, one.signal.digest, one.record);
        });
        return Result<void>::ok();
    }

    // By place, so newest first.
    std::map<SignalPlace, const Heard*> places() const {
        std::map<SignalPlace, const Heard*> out;
        for (const auto& [key, heard] : heard_)
            out.emplace(SignalPlace{heard.last, std::get<Token>(key), heard.signal.type,
                                    heard.signal.digest},
                        &heard);
        return out;
    }

    // The newest of each type under each identifier that had come in by then, newest first.
    std::vector<const Saying*> in_force(Timestamp then) const {
        std::map<std::pair<SignalType, Token>, const Saying*> newest;
        for (const auto& saying : sayings_)
            if (saying.time <= then && saying.received <= then)
                newest[{saying.signal.type, saying.token}] = &saying;
        std::vector<const Saying*> out;
        for (const auto& [key, saying] : newest) out.push_back(saying);
        std::ranges::stable_sort(
            out, [](const Saying* a, const Saying* b) { return b->time < a->time; });
        return out;
    }

    // What a record or cell was read from, whatever type was asked for.
    const consent::StampSignal* of_record(const RecordId& id) const {
        const auto at = by_record_.find(id);
        return at == by_record_.end() ? nullptr : &at->second;
    }

private:
    void take(const Token& token, const consent::Row& row) {
        if (const auto* cell = std::get_if<consent::Cell>(&row)) {
            const auto& stamp = cell->first;
            if (!stamp.signal) return;
            if (auto* heard = hear(token, cell->id, *stamp.signal)) {
                cells_.emplace(cell->id, *stamp.signal);
                heard->add(stamp.time, stamp.time);
                heard->sources.insert(stamp.source);
                heard->said.emplace(stamp.purpose, stamp.channel, stamp.state);
                heard->records.push_back(cell->id);
            }
            return;
        }
        const auto& record = std::get<consent::Record>(row);
        if (!record.signal) return;
        const consent::StampSignal signal{record.signal->type, record.signal->digest};
        auto* heard = hear(token, record.id, signal);
        if (!heard) return;
        heard->add(record.time, record.received);
        heard->raw = record.signal->raw;
        heard->parser_version = record.signal->parser_version;
        heard->sources.insert(record.source);
        if (record.channels.empty()) heard->said.emplace(record.purpose, "", record.state);
        for (const auto& channel : record.channels)
            heard->said.emplace(record.purpose, channel, record.state);
        heard->records.push_back(record.id);
        sayings_.push_back({record.time, record.received, token, signal, record.id});
    }

    Heard* hear(const Token& token, const RecordId& id, const consent::StampSignal& signal) {
        by_record_.emplace(id, signal);
        if (only_ && signal.type != *only_) return nullptr;
        auto& heard = heard_[{token, signal.type, signal.digest}];
        heard.signal = signal;
        return &heard;
    }

    const AuditSources& sources_;
    People::Reading reading_;
    std::optional<SignalType> only_;
    std::size_t rows_ = 0;
    std::map<Key, Heard> heard_ = {};
    std::map<RecordId, consent::StampSignal> by_record_ = {};
    std::map<RecordId, consent::StampSignal> cells_ = {};  // of the type asked for
    std::vector<Saying> sayings_ = {};                     // by time
};

std::string signal_members(const consent::StampSignal& signal) {
    return "\"type\":\"" + std::string(consent::to_string(signal.type)) +
           "\",\"sha256\":" + hex_json(consent::view(signal.digest));
}

class Answer {
public:
    Answer(const AuditSources& sources, const AuditQuery& query, People::Reading reading,
           const Person& person, const Signals& signals)
        : sources_(sources), query_(query), reading_(reading), person_(person), signals_(signals) {}

    Result<std::string> write() {
        auto cursor = CDP_TRY(Cursor::read(query_.page.cursor));
        std::string out = "\"signals\":[" + CDP_TRY(signal_list(cursor.signals));
        out += "],\"disclosures\":[" + CDP_TRY(disclosure_list(cursor.rows)) + "],\"next\":";
        const bool more = !cursor.signals.ended || !cursor.rows.ended;
        return out + (more ? '"' + cursor.hex() + '"' : std::string("null"));
    }

private:
    bool is_wanted(Timestamp first, Timestamp last) const {
        return (!query_.since || last >= *query_.since) && (!query_.until || first < *query_.until);
    }

    Result<std::string> signal_list(Rest<SignalPlace>& rest) {
        std::string out;
        if (rest.ended) return out;
        std::size_t told = 0;
        for (const auto& [place, heard] : signals_.places()) {
            if (rest.after && !(*rest.after < place)) continue;
            if (!is_wanted(heard->first, heard->last)) continue;
            if (told++ == query_.page.limit) return out;
            out += (out.empty() ? "" : ",") + CDP_TRY(signal_text(place.token, *heard));
            rest.after = place;
        }
        rest.ended = true;
        return out;
    }

    Result<std::string> signal_text(const Token& token, const Heard& heard) {
        auto raw = heard.raw;
        if (!raw)
            raw = CDP_TRY(
                consent::find_signal(reading_.snapshot, sources_.vault, token, heard.signal));
        std::string out = "{\"identifier\":{" + CDP_TRY(name_of(token)) + "}," +
                          signal_members(heard.signal) + ",\"raw\":";
        out += raw ? json_string(*raw) : "null";
        if (!heard.parser_version.empty())
            out += ",\"parser_version\":" + json_string(heard.parser_version);
        out += moment("first", heard.first) + moment("last", heard.last) +
               moment("received", heard.received) + ",\"sources\":[";
        for (const auto& source : heard.sources)
            out += (out.back() == '[' ? "" : ",") + json_string(source);
        out += "],\"said\":[";
        for (const auto& [purpose, channel, state] : heard.said) {
            out += (out.back() == '[' ? "" : ",") + ("{\"purpose\":" + json_string(purpose));
            if (!channel.empty()) out += ",\"channel\":" + json_string(channel);
            out += ",\"state\":\"" + std::string(consent::to_string(state)) + "\"}";
        }
        out += "],\"records\":[";
        for (const auto& id : heard.records)
            out += (out.back() == '[' ? "" : ",") + hex_json(id.view());
        return out + "]" + (raw ? parse_members(heard, *raw) : "") + "}";
    }

    // What could not be read or acted on is judged as of when it was last said.
    std::string parse_members(const Heard& heard, const std::string& raw) {
        std::string out = ",\"parse\":" + signal_json(heard.signal.type, raw) + ",\"faults\":[";
        const auto reading =
            read_signal(sources_.config.policy, heard.signal.type, raw, heard.last);
        for (const auto fault : reading.faults)
            out +=
                (out.back() == '[' ? "\"" : ",\"") + std::string(consent::fault_name(fault)) + "\"";
        return out + "]";
    }

    // Of all the person's identifiers, merged.
    Result<std::string> disclosure_list(Rest<RowPlace>& rest) {
        std::string out;
        if (rest.ended) return out;
        std::map<RowPlace, Disclosed> rows;
        bool more = false;
        for (const auto& member : person_.members) {
            auto page = CDP_TRY(sources_.disclosures.of_subject(
                member.token, rows_query(member.token, rest.after)));
            more = more || !page.next.empty();
            for (auto& row : page.rows) {
                if (row.batch.kind != consent::BatchKind::release) continue;
                const RowPlace place{row.row.last, row.batch.number, row.index};
                rows.emplace(place, std::move(row));
            }
        }
        std::size_t told = 0;
        for (const auto& [place, row] : rows) {
            if (told++ == query_.page.limit) return out;
            out += (out.empty() ? "" : ",") + CDP_TRY(disclosure_text(row));
            rest.after = place;
        }
        rest.ended = !more;
        return out;
    }

    DisclosedQuery rows_query(const Token& token, const std::optional<RowPlace>& after) const {
        // What officers looked at stands there too, and is not asked for.
        const auto left = [](const consent::Mask& mask) {
            return std::ranges::none_of(mask, [](const consent::MaskField& field) {
                return field.section == consent::Section::routes;
            });
        };
        DisclosedQuery query{.mask = left, .limit = query_.page.limit};
        if (query_.since) query.since = *query_.since;
        if (query_.until) query.until = *query_.until;
        if (after) query.after = subject_row_key(token, after->last, after->batch, after->row);
        return query;
    }

    Result<std::string> disclosure_text(const Disclosed& row) {
        std::string out = "{\"channel\":" + json_string(row.batch.channel) +
                          ",\"recipient\":" + json_string(row.batch.recipient) +
                          ",\"purpose\":" + json_string(row.batch.purpose) + ",\"identifier\":{" +
                          CDP_TRY(name_of(row.row.subject)) + "}" + moment("first", row.row.first) +
                          moment("last", row.row.last) +
                          ",\"count\":" + std::to_string(row.row.count) +
                          ",\"batch\":" + std::to_string(row.batch.number) +
                          ",\"row\":" + std::to_string(row.index) +
                          ",\"decision\":" + hex_json(row.row.decision.view()) + ",\"in_force\":[";
        for (const auto* saying : signals_.in_force(row.row.last))
            out += (out.back() == '[' ? "{" : ",{") + signal_members(saying->signal) +
                   ",\"identifier\":{" + CDP_TRY(name_of(saying->token)) + "}" +
                   moment("time", saying->time) + ",\"record\":" + hex_json(saying->record.view()) +
                   "}";
        out += "],\"decided_by\":[";
        for (const auto& id : row.evidence) {
            const auto* signal = signals_.of_record(id);
            out += (out.back() == '[' ? "" : ",") + ("{\"record\":" + hex_json(id.view())) +
                   ",\"by_signal\":" + (signal ? "true," + signal_members(*signal) : "false") + "}";
        }
        return out + "]}";
    }

    Result<std::string> name_of(const Token& token) const {
        return StoredNames(sources_.vault, reading_.snapshot).name_of(token);
    }

    const AuditSources& sources_;
    const AuditQuery& query_;
    People::Reading reading_;
    const Person& person_;
    const Signals& signals_;
};

}  // namespace

Result<Shown> audit_signals(const AuditSources& sources, const AuditQuery& query) {
    CDP_CHECK(check_limit(query.page.limit));
    std::optional<SignalType> only;
    if (!query.signal.empty()) {
        only = consent::parse_signal_type(query.signal);
        if (!only) return refuse("invalid_signal", "There is no such type of signal.", "/signal");
    }
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto audited = CDP_TRY(audited_person(sources, reading, query.subject));
    const auto person = CDP_TRY(sources.people.load(reading, audited.asked));
    Signals signals(sources, reading, only);
    CDP_CHECK(signals.read(person));
    const auto lists = CDP_TRY(Answer(sources, query, reading, person, signals).write());
    return Shown("{" + CDP_TRY(person_members(sources, reading, audited)) + "," + lists + "}",
                 audited.looked());
}

}  // namespace cdp
