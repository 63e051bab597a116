#include <string>

#include "cdp/base/bytes.h"
#include "cdp/key_epochs.h"
#include "cdp/told_erasures.h"
#include "consent/json_writer.h"
#include "consent/tiles.h"

namespace cdp {
namespace {

using consent::JsonWriter;

void write_time(JsonWriter& out, const char* name, Timestamp time) {
    if (time == Timestamp{})
        out.json(name, "null");
    else
        out.text(name, format_time(time));
}

void write(JsonWriter& out, const storage::KeyPlace& place) {
    out.text("path", place.path);
    if (place.kind == storage::KeyPlace::Kind::escrow)
        out.text("recipient", storage::to_hex(place.recipient));
    out.open_list("epochs");
    if (place.lowest > 0)
        for (auto epoch = place.lowest; epoch <= place.highest; ++epoch) out.number({}, epoch);
    out.close_list();
    write_time(out, "written", place.written);
    if (place.failing.empty())
        out.json("failing", "null");
    else
        out.text("failing", place.failing);
}

void write(JsonWriter& out, const EndedEpoch& ended) {
    out.number("from", ended.from).number("to", ended.to);
    out.number("rewrapped", static_cast<std::int64_t>(ended.rewrapped));
    out.number("gone", static_cast<std::int64_t>(ended.gone));
    write_time(out, "began", ended.began);
    write_time(out, "ended", ended.ended);
}

// When what a place holds ended; nothing while it can be unwrapped.
Timestamp lost_since(const storage::KeyPlace& place, const std::vector<EndedEpoch>& ended) {
    for (const auto& one : ended)
        if (place.highest > 0 && one.from <= place.highest && place.highest < one.to)
            return one.ended;
    return {};
}

void write_escrows(JsonWriter& out, const std::vector<storage::KeyPlace>& places) {
    out.open_list("escrows");
    for (const auto& place : places)
        if (place.kind == storage::KeyPlace::Kind::escrow) out.json({}, render(place));
    out.close_list();
}

Result<void> write_backups(JsonWriter& out, const std::vector<storage::KeyPlace>& places,
                           const std::vector<EndedEpoch>& ended, const storage::Snapshot& snapshot,
                           const storage::Vault& vault) {
    out.open_list("backups");
    for (const auto& place : places) {
        if (place.kind != storage::KeyPlace::Kind::backup) continue;
        out.open();
        write(out, place);
        write_time(out, "unreadable_since", lost_since(place, ended));
        const auto owed = CDP_TRY(count_owed(snapshot, vault, place.path));
        out.number("erasures_owed", static_cast<std::int64_t>(owed)).close();
    }
    out.close_list();
    return Result<void>::ok();
}

void write_failing(JsonWriter& out, const std::vector<storage::KeyPlace>& places) {
    out.open_list("failing");
    for (const auto& place : places)
        if (!place.failing.empty()) out.json({}, render(place));
    out.close_list();
}

}  // namespace

std::string render(const storage::KeyPlace& place) {
    JsonWriter out;
    out.open();
    write(out, place);
    return out.close().take();
}

std::string render(const KeyEpochs::Changed& changed) {
    const auto took = changed.ended.ended - changed.ended.began;
    JsonWriter out;
    out.open();
    write(out, changed.ended);
    out.json("seconds", std::to_string(std::chrono::duration<double>(took).count()));
    out.number("entry", static_cast<std::int64_t>(changed.entry));
    write_failing(out, changed.failing);
    return out.close().take();
}

Result<std::string> KeyEpochs::rotate_ledger_key(
    const std::function<Result<consent::VerifierKey>(const Renew&)>& rotate) const {
    const auto key = CDP_TRY(rotate([this] {
        return needs_.keyring.change([](storage::Keyring& keyring) { keyring.renew_ledger_key(); });
    }));
    const auto escrows = CDP_TRY(escrows_.refresh());
    JsonWriter out;
    out.open().text("key", key.str());
    write_failing(out, escrows);
    return out.close().take();
}

Result<std::string> KeyEpochs::state() const {
    const auto snapshot = needs_.store.snapshot();
    const auto epochs = CDP_TRY(storage::read_epochs(*snapshot));
    auto keys = CDP_TRY(storage::count_by_epoch(*snapshot));
    const auto ended = CDP_TRY(ended_epochs(*snapshot));
    const auto places = CDP_TRY(storage::all_places(*snapshot, needs_.vault));
    std::map<std::uint32_t, Timestamp> since;
    for (const auto& one : ended) since[one.to] = one.began;
    since[epochs.current] = epochs.since;
    for (const auto& [epoch, key] : needs_.keyring.keyring().epochs) keys[epoch] += 0;

    JsonWriter out;
    out.open().open_list("epochs");
    for (const auto& [epoch, count] : keys) {
        out.open().number("epoch", epoch);
        write_time(out, "since", since[epoch]);
        out.number("keys", static_cast<std::int64_t>(count));
        out.text("state", epoch == epochs.current ? "current" : "ending").close();
    }
    out.close_list().flag("changing", running_).open_list("ended");
    for (const auto& one : ended) {
        out.open();
        write(out, one);
        const auto row = CDP_TRY(snapshot->get(consent::entry_index_key(one.commitment())));
        // Published within a second.
        out.json("entry", row ? std::to_string(ByteReader(*row).u64()) : "null").close();
    }
    out.close_list();
    write_escrows(out, places);
    CDP_CHECK(write_backups(out, places, ended, *snapshot, needs_.vault));
    return out.close().take();
}

}  // namespace cdp
