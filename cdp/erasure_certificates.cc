#include "cdp/erasure_certificates.h"

#include <algorithm>

#include "cdp/audit_proofs.h"
#include "cdp/base/bytes.h"
#include "cdp/ended_epochs.h"
#include "cdp/erasures.h"
#include "consent/json_writer.h"
#include "consent/ledger.h"
#include "consent/note.h"
#include "storage/key_places.h"

namespace cdp {
namespace {

using consent::JsonWriter;

Error under_way() {
    return {.code = ErrorCode::conflict,
            .reason = "erasure_under_way",
            .message = "The erasure is not completed: there is nothing to certify yet."};
}

// What is not sound vouches for nothing.
Error halted() {
    return {.code = ErrorCode::unavailable,
            .reason = "ledger_halted",
            .message = "The ledger is not sound: nothing is signed."};
}

void put_controller(JsonWriter& out, const consent::Controller& controller) {
    out.open("controller").text_if("name", controller.name);
    out.text_if("address", controller.address).text_if("country", controller.country);
    out.text_if("url", controller.url).text_if("service", controller.service).close();
}

Result<void> put_epoch(JsonWriter& out, const storage::Snapshot& snapshot,
                       const storage::Vault& vault, const Erasure& erasure) {
    const auto last = CDP_TRY(last_epoch_before(snapshot, erasure.completed));
    const auto places = CDP_TRY(storage::all_places(snapshot, vault));
    const auto escrows = std::ranges::count_if(places, [&](const storage::KeyPlace& place) {
        return place.kind == storage::KeyPlace::Kind::escrow && place.lowest <= last.number;
    });
    out.open("readable_copies").number("last_epoch", last.number).flag("ended", !!last.ended);
    if (last.ended) out.text("since", format_time(*last.ended));
    out.number("escrows", escrows).close();
    return Result<void>::ok();
}

}  // namespace

Result<std::string> ErasureCertificates::make(std::string_view id) const {
    const auto erasure = CDP_TRY(sources_.erasures.find_named(id));
    if (erasure.state != Erasure::State::completed) return under_way();
    AuditProofs proofs(sources_);
    const auto proof =
        CDP_TRY(proofs.of(consent::EntryType::erasure, erasure.salt, encode_outcome(erasure)));
    if (!sources_.ledger.accepts_grants()) return halted();
    const auto key = sources_.vault.ledger_key();
    if (!key) return halted();
    const auto snapshot = sources_.store.snapshot();
    JsonWriter out;
    out.open().text("certifies", "erasure").text("ledger", key->origin);
    out.text("issued", format_time(sources_.clock.now()));
    put_controller(out, sources_.config.controller);
    out.open("evidence");
    out.json("erasure",
             CDP_TRY(sources_.erasures.json(*snapshot, erasure, Erasures::Detail::facts)));
    out.json("proof", proof).close();
    CDP_CHECK(put_epoch(out, *snapshot, sources_.vault, erasure));
    const auto text = out.close().take();
    const consent::NoteSigner signer(key->origin, key->seed);
    JsonWriter whole;
    whole.open().json("certificate", text).text("signed", signer.sign(text + "\n"));
    return whole.close().take();
}

}  // namespace cdp
