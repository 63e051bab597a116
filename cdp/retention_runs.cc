#include "cdp/retention_runs.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "consent/entry.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;
// The same, and at the end what was left.
constexpr std::uint8_t kFormatWithLeft = 2;

storage::KeyWriter prefix() {
    return storage::KeyWriter(storage::Space::retention,
                              Id<struct RetentionRunsTag>::from("retention runs.."));
}

std::string key_of(Timestamp begun) {
    return prefix().newest_first(begun).str();
}

void write(ByteWriter& out, const RetentionRule& rule) {
    out.u8(static_cast<std::uint8_t>(rule.what)).bytes(rule.name).bytes(rule.purpose);
    out.u32(static_cast<std::uint32_t>(rule.keep.months));
    out.u32(static_cast<std::uint32_t>(rule.keep.days));
}

RetentionRule read_rule(ByteReader& in) {
    RetentionRule rule;
    rule.what = static_cast<RetentionRule::What>(in.u8());
    rule.name = in.bytes();
    rule.purpose = in.bytes();
    rule.keep.months = static_cast<std::int32_t>(in.u32());
    rule.keep.days = static_cast<std::int32_t>(in.u32());
    return rule;
}

std::string encode(const RetentionRun& run) {
    return ByteWriter()
        .raw(consent::view(run.salt))
        .raw(run.through.value_or(Token{}).view())
        .raw(run.outcome())
        .take();
}

Result<RetentionRun> decode(std::string_view bytes) {
    ByteReader in(bytes);
    RetentionRun run;
    std::ranges::copy(in.raw(run.salt.size()), run.salt.begin());
    if (const auto through = in.id<Token>(); through != Token{}) run.through = through;
    const auto format = in.u8();
    const auto state = in.u8();
    run.begun = timestamp_of(in.i64());
    run.finished = timestamp_of(in.i64());
    const auto rules = in.u32();
    for (std::uint32_t i = 0; i < rules && in.ok(); ++i) {
        run.rules.push_back(read_rule(in));
        auto& pruned = run.pruned.emplace_back();
        pruned.events = in.u64();
        pruned.properties = in.u64();
        pruned.traits = in.u64();
    }
    if (format == kFormatWithLeft) {
        run.unreadable = in.u64();
        run.contended = in.u64();
    }
    if (!in.done() || format < kFormat || format > kFormatWithLeft || state < 1 || state > 3)
        return damaged("a run of retention that cannot be read");
    run.state = static_cast<RetentionRun::State>(state);
    return run;
}

std::uint64_t pruned_in(const RetentionRun& run) {
    std::uint64_t all = 0;
    for (const auto& one : run.pruned) all += one.all();
    return all;
}

}  // namespace

std::string_view to_string(RetentionRun::State value) {
    switch (value) {
        case RetentionRun::State::running: return "running";
        case RetentionRun::State::completed: return "completed";
        case RetentionRun::State::interrupted: return "interrupted";
    }
    return "running";
}

std::string RetentionRun::outcome() const {
    ByteWriter out;
    const bool left = unreadable > 0 || contended > 0;
    out.u8(left ? kFormatWithLeft : kFormat).u8(static_cast<std::uint8_t>(state));
    out.i64(milliseconds_of(begun)).i64(milliseconds_of(finished));
    out.u32(static_cast<std::uint32_t>(rules.size()));
    for (std::size_t i = 0; i < rules.size(); ++i) {
        write(out, rules[i]);
        out.u64(pruned[i].events).u64(pruned[i].properties).u64(pruned[i].traits);
    }
    if (left) out.u64(unreadable).u64(contended);
    return out.take();
}

consent::Sha256 RetentionRun::commitment() const {
    return consent::commitment(consent::EntryType::pruning, salt, outcome());
}

void put_run(storage::Transaction& transaction, const RetentionRun& run) {
    transaction.put(key_of(run.begun), encode(run));
}

void put_ended_run(storage::Transaction& transaction, const storage::Vault& vault,
                   const RetentionRun& run) {
    put_run(transaction, run);
    const auto bytes = run.outcome();
    using consent::PublicTag;
    consent::append_entry(transaction, vault,
                          {.type = consent::EntryType::pruning,
                           .time = run.finished,
                           .salt = run.salt,
                           .bytes = bytes,
                           .fields = {consent::public_number(PublicTag::count, pruned_in(run)),
                                      consent::public_time(PublicTag::from, run.begun),
                                      consent::public_time(PublicTag::until, run.finished)}});
}

Result<void> each_run(const storage::Snapshot& snapshot, std::optional<Timestamp> before,
                      const std::function<bool(const Result<RetentionRun>&)>& visit) {
    return snapshot.scan(
        prefix().str(), before ? key_of(*before) + '\0' : std::string{},
        [&](std::string_view, std::string_view row) { return visit(decode(row)); });
}

Result<std::optional<RetentionRun>> latest_run(const storage::Snapshot& snapshot) {
    std::optional<Result<RetentionRun>> latest;
    CDP_CHECK(each_run(snapshot, {}, [&](const Result<RetentionRun>& run) {
        latest = run;
        return false;
    }));
    if (!latest) return std::optional<RetentionRun>{};
    if (!*latest) return latest->error();
    return std::optional(**latest);
}

}  // namespace cdp
