#include "cdp/consent_json.h"

#include "cdp/facts.h"
#include "consent/json_string.h"
#include "identity/graph.h"
#include "identity/node.h"

namespace cdp {
namespace {

using consent::json_string;

// ,"NAME":"TEXT"; nothing for an empty text.
std::string text(const char* name, std::string_view value) {
    if (value.empty()) return {};
    return std::string(",\"") + name + "\":" + json_string(value);
}

std::string texts(const char* name, const std::vector<std::string>& values) {
    if (values.empty()) return {};
    std::string out = std::string(",\"") + name + "\":[";
    for (const auto& value : values) {
        if (out.back() != '[') out += ',';
        out += json_string(value);
    }
    return out + "]";
}

template <typename Id>
std::string id(const char* name, const std::optional<Id>& value) {
    return value ? text(name, to_hex(value->view())) : std::string();
}

std::string hash(const char* name, const consent::Sha256& value) {
    return value == consent::Sha256{} ? std::string() : text(name, to_hex(consent::view(value)));
}

// An object of members that each begin with a comma.
std::string object(const char* name, const std::string& members) {
    if (members.empty()) return {};
    return std::string(",\"") + name + "\":{" + members.substr(1) + "}";
}

Result<std::string> identifiers(const consent::Record& record, const NameOf& name_of) {
    std::string out;
    for (const auto& one : record.asserted) {
        out += (out.empty() ? "{" : ",{") + CDP_TRY(name_of(one.token));
        if (one.strength != consent::Strength::strong)
            out += text("strength", to_string(one.strength));
        out += '}';
    }
    return ",\"identifiers\":[" + out + "]";
}

std::string notice(const consent::Notice& notice) {
    return object("notice", text("id", notice.id) + text("version", notice.version) +
                                text("hash", notice.hash) + text("language", notice.language) +
                                text("url", notice.url) + text("code_hash", notice.code_hash));
}

std::string signal(const consent::Signal& signal) {
    return object("signal", text("type", to_string(signal.type)) + text("raw", signal.raw) +
                                hash("sha256", signal.digest) +
                                text("parser_version", signal.parser_version));
}

std::string evidence(const std::vector<consent::Evidence>& all) {
    if (all.empty()) return {};
    std::string out;
    for (const auto& one : all)
        out += (out.empty() ? "{\"kind\":" : ",{\"kind\":") + json_string(one.kind) +
               hash("sha256", one.sha256) + ",\"size\":" + std::to_string(one.size) +
               text("location", one.location) + "}";
    return ",\"evidence\":[" + out + "]";
}

std::string double_opt_in(const consent::DoubleOptIn& doi) {
    return object("double_opt_in", id("request", doi.request) + hash("token_hash", doi.token_hash) +
                                       moment("expires", doi.expires) +
                                       id("confirmed_by", doi.confirmed_by));
}

Result<std::string> minor(const consent::Minor& minor, const NameOf& name_of) {
    std::string out = text("age_band", to_string(minor.age_band));
    if (minor.guardian) out += ",\"guardian\":{" + CDP_TRY(name_of(*minor.guardian)) + "}";
    return object("minor", out + text("verification", minor.verification) +
                               id("guardian_record", minor.guardian_record));
}

std::string overrides(const std::vector<RecordId>& all) {
    std::vector<std::string> ids;
    for (const auto& one : all) ids.push_back(to_hex(one.view()));
    return texts("overrides", ids);
}

// What was said, of what, by whom.
std::string answer(const consent::Record& record) {
    std::string out = text("purpose", record.purpose) + texts("channels", record.channels) +
                      texts("labels", record.labels);
    if (record.basis != consent::Basis::consent) out += text("basis", to_string(record.basis));
    out += text("state", to_string(record.state)) + text("scope", to_string(record.scope));
    out += moment("time", record.time) + moment("effective_from", record.effective_from) +
           moment("reconfirm_due", record.reconfirm_due) +
           moment("no_reask_until", record.no_reask_until);
    out += text("jurisdiction", record.jurisdiction) + text("regime", record.regime);
    out += text("origin", to_string(record.origin)) + text("source", record.source);
    if (record.method != consent::Method::unstated)
        out += text("method", consent::method_text(record));
    return out;
}

}  // namespace

std::string moment(const char* name, const std::optional<Timestamp>& time) {
    return time ? text(name, format_time(*time)) : std::string();
}

Result<std::string> record_members(const consent::Record& record, const NameOf& name_of) {
    std::string out = "\"id\":\"" + to_hex(record.id.view()) + "\"";
    out += CDP_TRY(identifiers(record, name_of)) + answer(record) + notice(record.notice);
    if (record.signal) out += signal(*record.signal);
    out += evidence(record.evidence);
    if (record.double_opt_in) out += double_opt_in(*record.double_opt_in);
    if (record.minor) out += CDP_TRY(minor(*record.minor, name_of));
    out +=
        object("actor", text("kind", to_string(record.actor.kind)) + text("id", record.actor.id));
    out += overrides(record.overrides);
    if (record.graph_version > 0)
        out += ",\"graph_version\":" + std::to_string(record.graph_version);
    return out + text("receipt_id", record.receipt_id);
}

Result<std::string> stamp_members(const consent::Cell& cell, const Token& under,
                                  const NameOf& name_of) {
    const consent::Stamp& stamp = cell.first;
    return "\"id\":\"" + to_hex(cell.id.view()) + "\",\"identifiers\":[{" +
           CDP_TRY(name_of(under)) + "}]" + text("purpose", stamp.purpose) +
           text("state", to_string(stamp.state)) + text("scope", to_string(stamp.scope)) +
           moment("time", stamp.time) + text("origin", to_string(stamp.origin)) +
           text("source", stamp.source);
}

Result<std::string> record_shown(const consent::Record& record, const NameOf& name_of) {
    return "\"kind\":\"record\"," + CDP_TRY(record_members(record, name_of)) +
           moment("valid_until", record.valid_until) + moment("received", record.received);
}

Result<std::string> stamp_shown(const consent::Cell& cell, const Token& under,
                                const NameOf& name_of) {
    return "\"kind\":\"stamp\"," + CDP_TRY(stamp_members(cell, under, name_of));
}

Result<std::string> StoredNames::name_of(const Token& token) const {
    const auto row = CDP_TRY(snapshot_.get(identity::node_key(token)));
    if (!row) return std::string(R"("type":null,"value":null)");
    const auto node = identity::decode_node(*row);
    if (!node) return damaged("a node that cannot be read");
    const auto type = "\"type\":" + json_string(node->type);
    const auto key = CDP_TRY(vault_.find(snapshot_, token));
    if (!key) return type + ",\"value\":null";
    const auto value = CDP_TRY(identity::Graph::open(*key, token, *node));
    return type + ",\"value\":" + json_string(value.value);
}

}  // namespace cdp
