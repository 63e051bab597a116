#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "cdp/base/bytes.h"
#include "consent/audit_proof.h"
#include "consent/base64.h"

namespace tests {

inline std::string bytes_shown(const nlohmann::json& text) {
    const auto bytes = consent::from_base64(text.get<std::string>());
    REQUIRE(bytes);
    return *bytes;
}

inline consent::Sha256 hash_shown(const nlohmann::json& hex) {
    consent::Sha256 out{};
    const auto bytes = cdp::from_hex(hex.get<std::string>());
    REQUIRE((bytes && bytes->size() == out.size()));
    std::ranges::copy(*bytes, out.begin());
    return out;
}

// The proof that stands beside a row of an audit's answer.
inline consent::AuditProof proof_shown(const nlohmann::json& answer) {
    const auto& proof = answer.at("proof");
    consent::AuditProof out{.bytes = bytes_shown(proof.at("bytes")),
                            .salt = hash_shown(proof.at("salt")),
                            .entry = bytes_shown(proof.at("entry")),
                            .tlog_proof = proof.at("tlog_proof")};
    if (!proof.contains("row")) return out;
    const auto& row = proof["row"];
    out.row = {.bytes = bytes_shown(row.at("bytes")), .index = row.at("index"), .path = {}};
    for (const auto& hash : row.at("path")) out.row->path.push_back(hash_shown(hash));
    return out;
}

}  // namespace tests
