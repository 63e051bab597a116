#include "api/audit_check.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/audit_shown.h"
#include "api/command_line.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/proof_file.h"
#include "cdp/base/bytes.h"
#include "consent/audit_proof.h"
#include "consent/base64.h"
#include "consent/note.h"

namespace api {
namespace {

using cdp::Result;
using nlohmann::json;

cdp::Error malformed(const std::string& pointer) {
    return invalid("malformed_proof", "A part of a proof is missing or cannot be read.", pointer);
}

Result<std::string> text_of(const json& object, const char* name, const std::string& at) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return malformed(at + "/" + name);
    return found->get<std::string>();
}

Result<std::string> bytes_of(const json& object, const char* name, const std::string& at) {
    auto bytes = consent::from_base64(CDP_TRY(text_of(object, name, at)));
    if (!bytes) return malformed(at + "/" + name);
    return *std::move(bytes);
}

Result<consent::Sha256> hash_of(const std::string& hex, const std::string& at) {
    const auto bytes = cdp::from_hex(hex);
    consent::Sha256 hash{};
    if (!bytes || bytes->size() != hash.size()) return malformed(at);
    std::ranges::copy(*bytes, hash.begin());
    return hash;
}

Result<consent::RowProofBytes> row_of(const json& row, const std::string& at) {
    if (!row.is_object()) return malformed(at);
    const auto index = row.find("index");
    const auto path = row.find("path");
    if (index == row.end() || !index->is_number_unsigned() ||
        index->get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
        return malformed(at + "/index");
    if (path == row.end() || !path->is_array()) return malformed(at + "/path");
    consent::RowProofBytes out{.bytes = CDP_TRY(bytes_of(row, "bytes", at)),
                               .index = index->get<std::uint32_t>(),
                               .path = {}};
    for (const auto& one : *path) {
        if (!one.is_string()) return malformed(at + "/path");
        out.path.push_back(CDP_TRY(hash_of(one.get<std::string>(), at + "/path")));
    }
    return out;
}

Result<consent::AuditProof> proof_of(const json& proof) {
    if (!proof.is_object()) return malformed("");
    const auto salt = CDP_TRY(text_of(proof, "salt", ""));
    consent::AuditProof out;
    out.bytes = CDP_TRY(bytes_of(proof, "bytes", ""));
    out.salt = CDP_TRY(hash_of(salt, "/salt"));
    out.entry = CDP_TRY(bytes_of(proof, "entry", ""));
    out.tlog_proof = CDP_TRY(text_of(proof, "tlog_proof", ""));
    if (const auto row = proof.find("row"); row != proof.end())
        out.row = CDP_TRY(row_of(*row, "/row"));
    return out;
}

bool is_one_of(const std::string& name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

bool has_proof(const json& value) {
    return value.is_object() && value.contains("proof");
}

// Whether each member of a list must have a proof: by its name, or because another one has.
bool is_proved_list(const json& list, const json::json_pointer& at) {
    const bool outermost = !at.empty() && at.parent_pointer().empty();
    return std::ranges::any_of(list, has_proof) ||
           (outermost &&
            is_one_of(at.back(), {"disclosures", "accesses", "rows", "proofs", "batches"}));
}

// Objects that answers give a proof, beside lists of them.
bool is_proved(const json& value, const json::json_pointer& at) {
    return value.is_object() &&
           (value.contains("erasure")
                ? !value["erasure"].is_null()
                : !at.empty() && is_one_of(at.back(), {"newest", "record", "withdrawal"}));
}

// Anywhere in it.
bool holds_proof(const json& value) {
    return has_proof(value) || (value.is_structured() && std::ranges::any_of(value, holds_proof));
}

// Where it is in any answer of its kind.
std::string place_of(const json::json_pointer& at) {
    std::string out;
    for (auto left = at; !left.empty(); left.pop_back()) {
        const auto& name = left.back();
        const bool number = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
        out.insert(0, number ? "/*" : "/" + name);
    }
    return out;
}

class AuditCheck {
public:
    explicit AuditCheck(std::span<const consent::VerifierKey> trusted) : trusted_(trusted) {}

    // As deep as parse_json lets a document be.
    void walk(const json& value, const json::json_pointer& at, Shape shape = Shape::other) {
        if (has_proof(value))
            take(value, at, shape);
        else if (is_proved(value, at))
            miss(at);
        if (value.is_object() && value.contains("certificate")) take_certificate(value, at);
        if (value.is_object())
            for (const auto& [name, member] : value.items())
                if (name != "proof" && member.is_structured()) walk(member, at / name);
        if (value.is_array()) walk_list(value, at);
    }
    // Members of what has no proof, unless there is one below them.
    void name_uncovered(const json& value, const json::json_pointer& at) {
        if (has_proof(value)) return;
        const auto look = [&](const json& member, const json::json_pointer& below) {
            if (holds_proof(member))
                name_uncovered(member, below);
            else if (value.contains("certificate") && below.back() == "signed")
                return;  // it is a proof itself
            else
                out_.uncovered.insert(place_of(below));
        };
        if (value.is_object())
            for (const auto& [name, member] : value.items()) look(member, at / name);
        if (value.is_array())
            for (std::size_t i = 0; i < value.size(); ++i) look(value[i], at / i);
    }
    CheckedAudit take_outcome() { return std::move(out_); }

private:
    void walk_list(const json& list, const json::json_pointer& at) {
        const bool proved = is_proved_list(list, at);
        const auto shape = !at.empty() && at.back() == "batches" ? Shape::batch : Shape::other;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (proved && !has_proof(list[i])) miss(at / i);
            if (list[i].is_structured()) walk(list[i], at / i, shape);
        }
    }

    void take_certificate(const json& shown, const json::json_pointer& at) {
        const auto held = check_signed(shown);
        if (held) {
            ++out_.signatures;
        } else if (!out_.fault) {
            out_.fault = held.error();
            out_.fault->pointer = at.to_string() + out_.fault->pointer;
        }
    }

    // Numbers, names and words, in whatever way they are printed here.
    Result<void> check_signed(const json& shown) const {
        const auto note = CDP_TRY(text_of(shown, "signed", ""));
        const auto opened = consent::open_note(note, trusted_);
        if (!opened) {
            auto error = opened.error();
            error.pointer = "/signed";
            return error;
        }
        const auto certificate = parse_json(opened->text);
        if (!certificate) return malformed("/signed");
        if (*certificate != shown["certificate"])
            return invalid("field_differs", "The certificate shows something else than was signed.",
                           "/certificate");
        const auto ledger = CDP_TRY(text_of(*certificate, "ledger", "/certificate"));
        if (std::ranges::find(opened->signers, ledger, &consent::VerifierKey::name) ==
            opened->signers.end())
            return invalid("signature_foreign", "Another ledger's key has signed it.", "/signed");
        return Result<void>::ok();
    }

    void miss(const json::json_pointer& at) {
        ++out_.unproved;
        if (!out_.fault) out_.fault = malformed(at.to_string() + "/proof");
    }

    void take(const json& shown, const json::json_pointer& at, Shape shape) {
        ++out_.proofs;
        auto held = check(shown, shape);
        if (held) {
            ++out_.hold;
            for (const auto& member : *held) out_.uncovered.insert(place_of(at) + member);
        } else if (!out_.fault) {
            out_.fault = held.error();
            out_.fault->pointer = at.to_string() + out_.fault->pointer;
        }
    }

    Result<Uncovered> check(const json& shown, Shape shape) {
        const auto in_proof = [](cdp::Error error) {
            error.pointer = "/proof" + error.pointer;
            return error;
        };
        const auto proof = proof_of(shown["proof"]);
        if (!proof) return in_proof(proof.error());
        const auto proven = consent::verify(*proof, trusted_);
        if (!proven) return in_proof(proven.error());
        auto uncovered = CDP_TRY(check_shown(shown, *proven, shape));
        out_.origin = proven->checkpoint.origin;
        out_.size = std::max(out_.size, proven->checkpoint.size);
        return uncovered;
    }

    std::span<const consent::VerifierKey> trusted_;
    CheckedAudit out_;
};

json rendered(const CheckedAudit& checked) {
    json out{{"verified", checked.verified()},
             {"proofs", checked.proofs},
             {"hold", checked.hold},
             {"unproved", checked.unproved},
             {"signatures", checked.signatures},
             {"ledger", checked.origin},
             {"size", checked.size},
             {"uncovered", checked.uncovered}};
    if (checked.fault)
        out.update({{"code", checked.fault->reason},
                    {"pointer", checked.fault->pointer},
                    {"message", checked.fault->message}});
    return out;
}

void print(const CheckedAudit& checked) {
    if (checked.proofs == 0) {
        std::printf("not verified: there is no proof in the document\n");
        return;
    }
    if (checked.fault) {
        std::printf("not verified: %zu of %zu proofs hold; %s: %s\n", checked.hold, checked.proofs,
                    checked.fault->pointer.c_str(), checked.fault->message.c_str());
        return;
    }
    std::printf("verified: %zu proofs hold in %s, of %llu entries\n", checked.hold,
                checked.origin.c_str(), static_cast<unsigned long long>(checked.size));
    if (checked.signatures > 0)
        std::printf("signed: %zu certificate%s by its key\n", checked.signatures,
                    checked.signatures == 1 ? "" : "s");
    if (checked.uncovered.empty()) return;
    std::printf(checked.signatures > 0 ? "no proof but the signature covers:" : "no proof covers:");
    for (const auto& place : checked.uncovered) std::printf(" %s", place.c_str());
    std::printf("\n");
}

}  // namespace

Result<CheckedAudit> check_audit(std::string_view text,
                                 std::span<const consent::VerifierKey> trusted) {
    if (text.size() > kAuditBytesMax)
        return invalid("answer_too_large", "An answer has at most 64 MiB.");
    const auto document = CDP_TRY(parse_json(text, JsonFrom::file));
    AuditCheck check(trusted);
    check.walk(document, json::json_pointer());
    check.name_uncovered(document, json::json_pointer());
    return check.take_outcome();
}

int verify_audit(const AuditCheckCommand& command) {
    const auto keys = trusted_keys(command.keys);
    if (!keys) return fail(keys.error());
    const auto text = read_proof_file({command.file, kAuditBytesMax, "answer_unreadable"});
    if (!text) return fail(text.error());
    const auto checked = check_audit(*text, *keys);
    if (!checked) return fail(checked.error());
    if (command.json)
        std::printf("%s\n", rendered(*checked).dump().c_str());
    else
        print(*checked);
    const int printed = finish_output();
    return checked->verified() ? printed : int{kFailed};
}

}  // namespace api
