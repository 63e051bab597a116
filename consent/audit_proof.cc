#include "consent/audit_proof.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "consent/base64.h"
#include "consent/disclosure_proof.h"
#include "consent/json_writer.h"
#include "consent/rows.h"

namespace consent {
namespace {

cdp::Error fault(std::string reason, std::string message, std::string pointer) {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = std::move(reason),
            .message = std::move(message),
            .pointer = std::move(pointer)};
}

cdp::Error unreadable() {
    return fault("malformed_bytes", "What the entry commits to cannot be read.", "/bytes");
}

bool is_batch(EntryType type) {
    return type == EntryType::disclosures || type == EntryType::access_log ||
           type == EntryType::gap;
}

// What the batch says beside its commitment is said of the same batch.
bool says_root(const Entry& entry, const Batch& batch) {
    const auto found = std::ranges::find(entry.fields, PublicTag::root, &PublicField::tag);
    return found != entry.fields.end() && found->bytes == view(batch.root);
}

cdp::Result<DisclosureRow> verified_row(const RowProofBytes& proof, const Batch& batch) {
    const auto row = decode_leaf_entry(proof.bytes);
    if (!row) return fault("malformed_bytes", "The row cannot be read.", "/row/bytes");
    TreeHasher hasher;
    if (proof.index >= batch.rows || !verify_row(hasher, *row, proof.index, batch, proof.path))
        return fault("row_differs", "The row is not where its path leads to in the batch.", "/row");
    return *row;
}

cdp::Result<void> read_bytes(const AuditProof& proof, Proven& out) {
    const auto type = out.entry.type;
    if (type == EntryType::record) {
        auto record = decode(proof.bytes);
        if (!record) return unreadable();
        out.record = *std::move(record);
    } else if (type == EntryType::cell) {
        out.cell = read_cell_identity(proof.bytes);
        if (!out.cell) return unreadable();
    } else if (is_batch(type)) {
        auto batch = decode_batch(proof.bytes);
        if (!batch) return unreadable();
        if (!says_root(out.entry, *batch))
            return fault("root_differs", "The entry names another root than its batch.", "/entry");
        out.batch = *std::move(batch);
    }
    if (!proof.row) return cdp::Result<void>::ok();
    if (!out.batch) return fault("row_differs", "Only a batch has rows.", "/row");
    out.row = CDP_TRY(verified_row(*proof.row, *out.batch));
    out.row_index = proof.row->index;
    return cdp::Result<void>::ok();
}

}  // namespace

std::string render(const AuditProof& proof) {
    JsonWriter out;
    out.open().text("bytes", to_base64(proof.bytes)).text("salt", cdp::to_hex(view(proof.salt)));
    out.text("entry", to_base64(proof.entry)).text("tlog_proof", proof.tlog_proof);
    if (const auto& row = proof.row) {
        out.open("row").text("bytes", to_base64(row->bytes)).number("index", row->index);
        out.open_list("path");
        for (const auto& hash : row->path) out.text({}, cdp::to_hex(view(hash)));
        out.close_list().close();
    }
    return out.close().take();
}

cdp::Result<Proven> verify(const AuditProof& proof, std::span<const VerifierKey> known) {
    const auto at = [](cdp::Error error, const char* pointer) {
        error.pointer = pointer;
        return error;
    };
    const auto parsed = parse_tlog_proof(proof.tlog_proof);
    if (!parsed) return at(parsed.error(), "/tlog_proof");
    // Nobody has signed that.
    if (parsed->extra)
        return fault("malformed_tlog_proof", "The proof says too much.", "/tlog_proof");
    const auto tree = verify(*parsed, proof.entry, known);
    if (!tree) return at(tree.error(), "/tlog_proof");
    auto entry = decode_entry(proof.entry);
    if (!entry) return fault("malformed_entry", "The entry cannot be read.", "/entry");
    if (commitment(entry->type, proof.salt, proof.bytes) != entry->commitment)
        return fault("commitment_differs", "The entry does not commit to the bytes and the salt.",
                     "/bytes");
    Proven out{.entry = *std::move(entry),
               .index = parsed->index,
               .checkpoint = tree->checkpoint,
               .bytes = proof.bytes};
    CDP_CHECK(read_bytes(proof, out));
    return out;
}

}  // namespace consent
