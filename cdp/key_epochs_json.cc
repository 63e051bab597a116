#include <string>

#include "cdp/base/bytes.h"
#include "cdp/key_epochs.h"
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

void write_places(JsonWriter& out, const char* name, storage::KeyPlace::Kind kind,
                  const std::vector<storage::KeyPlace>& places) {
    out.open_list(name);
    for (const auto& place : places) {
        if (place.kind != kind) continue;
        out.open();
        write(out, place);
        out.close();
    }
    out.close_list();
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
    write_places(out, "escrows", storage::KeyPlace::Kind::escrow, places);
    write_places(out, "backups", storage::KeyPlace::Kind::backup, places);
    return out.close().take();
}

}  // namespace cdp
