#include "cdp/policy_versions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "consent/entry.h"
#include "storage/contended.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::Sha256;

// A value of the store holds no more than 64 kB.
constexpr std::size_t kPartBytes = 48 * 1024;

const Token kVersions = Token::from("policy versions.");

std::string versions_prefix() {
    return storage::KeyWriter(storage::Space::policy, kVersions).str();
}

std::string parts_prefix(const Sha256& version) {
    return storage::KeyWriter(storage::Space::policy, Token::from(consent::view(version))).str();
}

std::string part_key(const Sha256& version, std::uint32_t part) {
    return storage::KeyWriter(storage::Space::policy, Token::from(consent::view(version)))
        .number32(part)
        .str();
}

void write_policy(storage::Transaction& transaction, const Sha256& version,
                  std::string_view bytes) {
    std::uint32_t part = 0;
    for (std::size_t at = 0; at < bytes.size(); at += kPartBytes)
        transaction.put(part_key(version, part++), std::string(bytes.substr(at, kPartBytes)));
}

}  // namespace

Result<void> each_policy_commitment(
    const storage::Snapshot& snapshot,
    const std::function<bool(Timestamp from, const std::optional<Sha256>&)>& visit) {
    return snapshot.scan(versions_prefix(), "", [&](std::string_view key, std::string_view value) {
        const auto from = storage::KeyReader(key).newest_first();
        Sha256 salt;
        if (value.size() != 2 * salt.size()) return visit(from, std::nullopt);
        const auto version = value.substr(0, salt.size());
        std::ranges::copy(value.substr(salt.size()), salt.begin());
        return visit(from, consent::commitment(consent::EntryType::version, salt, version));
    });
}

PolicyVersions::PolicyVersions(Needs needs)
    : needs_(needs),
      policy_(std::make_shared<const consent::Policy>(needs.config.policy)),
      current_(version_of(needs.config.policy)) {}

// The row: its hash ‖ the salt of its entry.
Result<void> PolicyVersions::adopt() const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto versions = CDP_TRY(all(*snapshot));
    if (!versions.empty() && versions.front().version == current_) return Result<void>::ok();
    const auto now = needs_.clock.now();
    const auto salt = consent::random_salt();
    std::vector<consent::PublicField> fields{
        {consent::PublicTag::name, "policy"},
        {consent::PublicTag::hash, std::string(consent::view(current_))}};
    if (!versions.empty())
        fields.push_back(
            {consent::PublicTag::former, std::string(consent::view(versions.front().version))});
    const bool kept =
        std::ranges::find(versions, current_, &PolicyVersion::version) != versions.end();
    if (!kept) write_policy(transaction, current_, encode(*policy_));
    transaction.put(storage::KeyWriter(storage::Space::policy, kVersions).newest_first(now).str(),
                    std::string(consent::view(current_)).append(consent::view(salt)));
    consent::append_entry(transaction, needs_.vault,
                          {.type = consent::EntryType::version,
                           .time = now,
                           .salt = salt,
                           .bytes = consent::view(current_),
                           .fields = std::move(fields)});
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;
    return Result<void>::ok();
}

Result<std::vector<PolicyVersion>> PolicyVersions::all(const storage::Snapshot& snapshot) const {
    std::vector<PolicyVersion> out;
    bool readable = true;
    CDP_CHECK(
        snapshot.scan(versions_prefix(), "", [&](std::string_view key, std::string_view value) {
            PolicyVersion one{.from = storage::KeyReader(key).newest_first()};
            readable = value.size() == 2 * one.version.size();
            if (!readable) return false;
            std::ranges::copy(value.substr(0, one.version.size()), one.version.begin());
            out.push_back(one);
            return true;
        }));
    if (!readable) return damaged("a policy version that cannot be read");
    return out;
}

PolicyVersions::InForce PolicyVersions::now() const {
    return {.policy = policy_, .version = current_};
}

Result<PolicyVersions::InForce> PolicyVersions::at(const storage::Snapshot& snapshot,
                                                   Timestamp time) const {
    for (const auto& one : CDP_TRY(all(snapshot)))
        if (one.from <= time)
            return InForce{.policy = CDP_TRY(find(snapshot, one.version)), .version = one.version};
    auto assumed = now();
    assumed.assumed = true;
    return assumed;
}

Result<std::shared_ptr<const consent::Policy>> PolicyVersions::find(
    const storage::Snapshot& snapshot, const Sha256& version) const {
    if (version == current_) return policy_;
    std::string bytes;
    CDP_CHECK(
        snapshot.scan(parts_prefix(version), "", [&](std::string_view, std::string_view part) {
            bytes += part;
            return true;
        }));
    if (bytes.empty())
        return Error{.code = ErrorCode::not_found,
                     .reason = "policy_unknown",
                     .message = "No such version of the policy was ever served under here."};
    return std::make_shared<const consent::Policy>(CDP_TRY(decode_policy(bytes)));
}

}  // namespace cdp
