#include "cdp/assertion_json.h"

#include "cdp/base/bytes.h"
#include "cdp/changes.h"
#include "cdp/facts.h"
#include "consent/json_string.h"
#include "identity/graph.h"
#include "identity/node.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;

constexpr std::uint64_t kChangesListed = 100;

Result<std::string> identifier_json(const storage::Vault& vault, const storage::Snapshot& snapshot,
                                    const Token& token) {
    const auto row = CDP_TRY(snapshot.get(identity::node_key(token)));
    const auto key = CDP_TRY(vault.find(snapshot, token));
    if (!row || !key) return std::string("null");
    const auto node = identity::decode_node(*row);
    if (!node) return damaged("an asserted node that cannot be read");
    const auto value = CDP_TRY(identity::Graph::open(*key, token, *node));
    return "{\"type\":" + json_string(node->type) + ",\"value\":" + json_string(value.value) + "}";
}

std::string said_json(const identity::Said& said) {
    return "\"author\":" + json_string(said.author) + ",\"reason\":" + json_string(said.reason) +
           ",\"time\":\"" + format_time(said.time) + "\"";
}

std::string range_json(const identity::Assertion& assertion) {
    std::string out;
    if (!assertion.source_name.empty()) out += ",\"source\":" + json_string(assertion.source_name);
    if (assertion.from) out += ",\"from\":\"" + format_time(*assertion.from) + "\"";
    if (assertion.to) out += ",\"to\":\"" + format_time(*assertion.to) + "\"";
    if (assertion.taken > 0) out += ",\"taken_events\":" + std::to_string(assertion.taken);
    if (assertion.events.empty()) return out;
    out += ",\"events\":[";
    for (const auto& event : assertion.events) {
        if (out.back() != '[') out += ',';
        out += "{\"source\":" + json_string(event.source) +
               ",\"message_id\":" + json_string(event.message_id) + "}";
    }
    return out + "]";
}

}  // namespace

Result<std::string> assertion_json(const storage::Vault& vault, const storage::Snapshot& snapshot,
                                   const identity::Assertion& assertion) {
    std::string out = "{\"id\":\"" + to_hex(assertion.id.view()) + "\",\"kind\":\"";
    out += to_string(assertion.kind);
    out += assertion.revoked ? "\",\"status\":\"revoked\"," : "\",\"status\":\"standing\",";
    out += said_json(assertion.said);
    if (!assertion.identifiers.empty()) {
        out += ",\"identifiers\":[";
        for (const Token& token : assertion.identifiers) {
            if (out.back() != '[') out += ',';
            out += CDP_TRY(identifier_json(vault, snapshot, token));
        }
        out += ']';
    }
    out += range_json(assertion);
    if (assertion.revoked) out += ",\"revoked\":{" + said_json(*assertion.revoked) + "}";
    return out + "}";
}

Result<std::string> changes_json(const storage::Snapshot& snapshot, std::uint64_t from,
                                 const identity::AssertionId& cause) {
    std::string out = "\"changes\":[";
    std::uint64_t changed = 0;
    bool readable = true;
    const auto log = identity::change_log();
    CDP_CHECK(snapshot.scan(log, ByteWriter().raw(log).u64(from).take(),
                            [&](std::string_view key, std::string_view value) {
                                const auto change = identity::decode_change(value);
                                readable = change.has_value();
                                if (!readable) return false;
                                if (change->cause.what != identity::Cause::What::assertion ||
                                    change->cause.assertion != cause)
                                    return true;
                                if (++changed > kChangesListed) return true;
                                if (out.back() != '[') out += ',';
                                // Versions count from one: see Platform::changes.
                                out += change_json(ByteReader(key.substr(log.size())).u64() + 1,
                                                   *change, /*cause=*/false);
                                return true;
                            }));
    if (!readable) return damaged("a change of persons that cannot be read");
    return out + "],\"changed\":" + std::to_string(changed);
}

}  // namespace cdp
