#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cdp/audit_answers.h"
#include "cdp/audit_batches.h"
#include "cdp/audit_mask.h"
#include "cdp/audit_proofs.h"
#include "cdp/audit_scan.h"
#include "cdp/json_text.h"
#include "cdp/paging.h"
#include "cdp/refuse.h"
#include "consent/entry.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::covers;
using consent::json_string;
using consent::MaskField;
using consent::Section;
using Purposes = std::set<std::string>;

// One of the two is the other or its ancestor.
bool akin(std::string_view a, std::string_view b) {
    return covers(a, b) || covers(b, a);
}

// What a field was collected for, by a policy: its own purposes, and of each class that it is of.
// None: for everything.
class Collected {
public:
    Collected(const consent::Policy& policy, const MaskField& field) {
        if (field.section == Section::fields) add(policy.purposes_of_trait(field.name));
        if (field.section == Section::properties) add(policy.purposes_of_property(field.name));
        for (const auto& name : field.labels)
            if (const auto* label = policy.find_label(name)) add(label->collected_for);
    }

    bool names(std::string_view purpose) const {
        return std::ranges::any_of(sets_, [&](std::span<const std::string> set) {
            return std::ranges::any_of(set, [&](const std::string& one) {
                return one != consent::kAllPurposes && akin(one, purpose);
            });
        });
    }
    // All must allow it, as the gate asks.
    bool allows(std::string_view purpose) const {
        return std::ranges::all_of(sets_, [&](std::span<const std::string> set) {
            return std::ranges::any_of(
                set, [&](const std::string& one) { return covers(one, purpose); });
        });
    }
    std::string json() const {
        Purposes all;
        for (const auto& set : sets_) all.insert(set.begin(), set.end());
        JsonList out;
        for (const auto& one : all) out.add(json_string(one));
        return out.str();
    }

private:
    void add(std::span<const std::string> purposes) {
        if (!purposes.empty()) sets_.push_back(purposes);
    }

    std::vector<std::span<const std::string>> sets_;
};

// How often a field was told in a batch.
struct Told {
    std::uint64_t times = 0;
    std::set<Token> identifiers = {};
    Timestamp first = Timestamp::max();
    Timestamp last = Timestamp::min();
};

class Readings {
public:
    Readings(const AuditSources& sources, const AuditQuery& query,
             const storage::Snapshot& snapshot, PolicyTimes policies, AuditPage page)
        : sources_(sources),
          query_(query),
          snapshot_(snapshot),
          policies_(std::move(policies)),
          masks_(sources.disclosures),
          proofs_(sources),
          page_(std::move(page)) {}

    // From that batch on, and those before it.
    Result<Shown> answer(std::uint64_t number) && {
        for (; number > 0; --number) {
            if (page_.full()) {
                page_.end_at(ByteWriter().u64(number).take());
                break;
            }
            page_.looked_at(1);
            CDP_CHECK(read(number));
        }
        return std::move(page_).shown(
            "batches", "\"collected_for\":" + json_string(query_.collected_for) + ",");
    }

private:
    bool is_meant(const consent::Batch& batch) const {
        return batch.kind == consent::BatchKind::release && !batch.purpose.empty() &&
               !covers(query_.collected_for, batch.purpose) &&
               (query_.channel.empty() || query_.channel == batch.channel) &&
               (!query_.since || batch.last >= *query_.since) &&
               (!query_.until || batch.first < *query_.until);
    }

    Result<void> read(std::uint64_t number) {
        const auto head = CDP_TRY(batch_head(snapshot_, number));
        if (!head || !is_meant(head->batch)) return Result<void>::ok();
        const auto whole = CDP_TRY(sources_.disclosures.batch(number));
        if (!whole) return Result<void>::ok();
        page_.looked_at(whole->rows.size());
        const auto& in_force = *CDP_TRY(policies_.at(whole->batch.first));
        std::map<MaskField, Told> told;
        for (const auto& row : whole->rows)
            for (const auto& field : *CDP_TRY(masks_.find(row.mask)))
                if (!field.withheld &&
                    Collected(*in_force.policy, field).names(query_.collected_for))
                    note(told[field], row);
        if (!told.empty()) page_.tell(CDP_TRY(batch_json(*whole, in_force, told)));
        return Result<void>::ok();
    }

    static void note(Told& told, const BatchRow& row) {
        told.times += row.count;
        told.identifiers.insert(row.subject);
        told.first = std::min(told.first, row.first);
        told.last = std::max(told.last, row.last);
    }

    Result<std::string> batch_json(const DisclosedBatch& told,
                                   const PolicyVersions::InForce& in_force,
                                   const std::map<MaskField, Told>& fields) {
        JsonList list;
        for (const auto& [field, how] : fields) {
            const Collected collected(*in_force.policy, field);
            list.add("{" + mask_field_members(field) + ",\"form\":" + json_string(field.form) +
                     ",\"collected_for\":" + collected.json() +
                     ",\"allowed\":" + (collected.allows(told.batch.purpose) ? "true" : "false") +
                     ",\"times\":" + std::to_string(how.times) + ",\"identifiers\":" +
                     std::to_string(how.identifiers.size()) + ",\"first\":" + time_json(how.first) +
                     ",\"last\":" + time_json(how.last) + "}");
        }
        const auto& batch = told.batch;
        return "{\"batch\":" + std::to_string(batch.number) +
               ",\"channel\":" + json_string(batch.channel) +
               ",\"recipient\":" + json_string(batch.recipient) +
               ",\"country\":" + json_string(batch.country) +
               ",\"purpose\":" + json_string(batch.purpose) +
               ",\"first\":" + time_json(batch.first) + ",\"last\":" + time_json(batch.last) +
               ",\"policy_version\":" + hex_json(consent::view(in_force.version)) +
               (in_force.assumed ? ",\"policy_assumed\":true" : "") + ",\"fields\":" + list.str() +
               "," + CDP_TRY(ledger_json(told)) + "}";
    }

    // With what proves the batch to an outsider; null where no ledger is published.
    Result<std::string> ledger_json(const DisclosedBatch& told) {
        const auto bytes = consent::encode(told.batch);
        constexpr auto kType = consent::EntryType::disclosures;
        const auto commitment = consent::commitment(kType, told.salt, bytes);
        auto proof = proofs_.of(kType, told.salt, bytes);
        if (!proof && proof.error().reason != "not_published_yet") return proof.error();
        return "\"commitment\":" + hex_json(consent::view(commitment)) +
               ",\"proof\":" + (proof ? *proof : "null");
    }

    const AuditSources& sources_;
    const AuditQuery& query_;
    const storage::Snapshot& snapshot_;
    PolicyTimes policies_;
    Masks masks_;
    AuditProofs proofs_;
    AuditPage page_;
};

// The first batch of a page.
Result<std::uint64_t> first_of(const storage::Snapshot& snapshot, const AuditPage& page) {
    if (page.after().empty()) return newest_batch(snapshot);
    ByteReader in(page.after());
    const auto number = in.u64();
    if (!in.done()) return malformed_cursor();
    return number;
}

}  // namespace

Result<Shown> audit_purpose_limitation(const AuditSources& sources, const AuditQuery& query) {
    const auto in_force = sources.policies.now();
    if (query.collected_for.empty() || !is_declared(*in_force.policy, query.collected_for))
        return refuse("purpose_unknown", "No such purpose is configured.", "/collected_for");
    if (!query.channel.empty() && !in_force.policy->find_channel(query.channel))
        return refuse("channel_unknown", "No such channel is configured.", "/channel");
    auto page = CDP_TRY(AuditPage::begin("purpose-limitation", query.page));
    CDP_CHECK(sources.disclosures.drain());
    const auto snapshot = sources.store.snapshot();
    const auto first = CDP_TRY(first_of(*snapshot, page));
    return Readings(sources, query, *snapshot,
                    CDP_TRY(PolicyTimes::load(sources.policies, *snapshot)), std::move(page))
        .answer(first);
}

}  // namespace cdp
