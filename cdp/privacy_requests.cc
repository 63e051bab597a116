#include "cdp/privacy_requests.h"

#include "cdp/privacy_change.h"

#include <algorithm>
#include <utility>

#include "cdp/facts.h"
#include "cdp/named.h"
#include "cdp/privacy_check.h"
#include "cdp/privacy_found.h"
#include "cdp/refuse.h"
#include "storage/contended.h"

// Requests as they come in, and as they are read.
namespace cdp {
namespace {

constexpr int kRacesMax = 100;
Error request_unknown() {
    return {.code = ErrorCode::not_found,
            .reason = "request_unknown",
            .message = "There is no such request."};
}

}  // namespace

// The one that has this external id already; request_id_reused.
Result<std::optional<PrivacyRequestId>> PrivacyRequests::known(storage::Transaction& transaction,
                                                               const PrivacyRow& row,
                                                               std::string_view external) const {
    using Found = std::optional<PrivacyRequestId>;
    const auto& one = row.request;
    if (external.empty()) return Found{};
    const auto at = privacy_external_key(needs_.vault, one.protocol, one.sender, external);
    const auto found = CDP_TRY(transaction.get(at));
    if (!found) return Found{};
    if (found->size() != sizeof(PrivacyRequestId::bytes))
        return damaged("a request's external id that cannot be read");
    const auto id = PrivacyRequestId::from(*found);
    const auto earlier = CDP_TRY(find_privacy_row(transaction, needs_.vault, id));
    if (!earlier) return damaged("a request that is gone");
    if (earlier->content == row.content) return Found(id);
    return Error{.code = ErrorCode::conflict,
                 .reason = "request_id_reused",
                 .message = "Another request of this sender has the same id.",
                 .pointer = "/external_id"};
}

Result<void> PrivacyRequests::add(People::Reading reading, PrivacyRow row,
                                  const std::vector<NamedToken>& named,
                                  const NewPrivacyRequest& request) const {
    auto& transaction = reading.transaction;
    std::vector<Token> tokens;
    auto home = named.front().token;
    bool found = false;
    for (const auto& [token, identifier] : named) {
        tokens.push_back(token);
        CDP_CHECK(check_type_known(needs_.config, needs_.graph, transaction, identifier.type, token,
                                   "/identifiers"));
        const auto node = CDP_TRY(needs_.graph.find(transaction, token));
        if (!found && node && !node->shared) home = token;
        found = found || (node && !node->shared);
    }
    // Whoever is being erased is none to file anything under; asked of no moment that was erased.
    CDP_TRY(needs_.tombstones.suppress(transaction, tokens, Timestamp::max()));
    const auto id = row.id();
    CDP_CHECK(put_subjects(transaction, needs_.vault, id, named, home,
                           {.reason = request.reason,
                            .traits = request.traits,
                            .external_id = request.external_id,
                            .context = request.context}));
    const auto& one = row.request;
    if (!request.external_id.empty())
        transaction.put(
            privacy_external_key(needs_.vault, one.protocol, one.sender, request.external_id),
            std::string(id.view()));
    if (one.whole_person)
        row.whole =
            CDP_TRY(whole_named({needs_.vault, needs_.graph, needs_.config}, reading, named));
    PrivacyChange change(transaction, needs_.vault, std::move(row), needs_.clock.now());
    const auto& sender = change.request().sender;
    CDP_CHECK(change.take(PrivacyAct::receive, sender, "", request.signed_by));
    if (!request.note.empty()) CDP_CHECK(change.take(PrivacyAct::note, kOurselves, request.note));
    if (!needs_verification(request.kind))
        CDP_CHECK(change.take(PrivacyAct::verify, kOurselves, "not_required"));
    else if (!request.verified_by.empty())
        CDP_CHECK(change.take(PrivacyAct::verify, sender, request.verified_by));
    else
        CDP_CHECK(change.take(PrivacyAct::ask, kOurselves));
    change.schedule();
    change.write();
    return Result<void>::ok();
}

Result<PrivacyRequest> PrivacyRequests::submit(const std::string& sender,
                                               const NewPrivacyRequest& request) {
    if (!serves(request.kind))
        return refuse("kind_not_served", "Requests of this kind are not served here.", "/kind");
    const auto [row, named] =
        CDP_TRY(check_privacy_request({needs_.vault, needs_.graph, needs_.config, default_regime_},
                                      sender, request, needs_.clock.now()));
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        if (const auto earlier = CDP_TRY(known(transaction, row, request.external_id)))
            return read(*earlier);
        CDP_CHECK(add({*snapshot, transaction}, row, named, request));
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
        if (outcome.state == storage::CommitState::conflict) continue;
        tell();
        return read(row.id());
    }
    return storage::contended("nothing was taken down. Send it again in a moment.");
}

Result<PrivacyRequest> PrivacyRequests::find(PrivacyProtocol protocol, std::string_view sender,
                                             std::string_view external_id) const {
    const auto at = CDP_TRY(needs_.store.snapshot()->get(
        privacy_external_key(needs_.vault, protocol, sender, external_id)));
    if (!at || at->size() != sizeof(PrivacyRequestId::bytes)) return request_unknown();
    auto found = CDP_TRY(read(PrivacyRequestId::from(*at)));
    // Whoever asks by it knows it, also when we do not any more.
    found.external_id = external_id;
    return found;
}

Result<PrivacyRequest> PrivacyRequests::read(std::string_view id) const {
    const auto bytes = from_hex(id);
    if (!bytes || bytes->size() != sizeof(PrivacyRequestId::bytes)) return request_unknown();
    return read(PrivacyRequestId::from(*bytes));
}

Result<PrivacyRequest> PrivacyRequests::read(const PrivacyRequestId& id) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto row = CDP_TRY(find_privacy_row(transaction, needs_.vault, id));
    if (!row) return request_unknown();
    return whole(*snapshot, *row);
}

Result<std::vector<FoundPerson>> PrivacyRequests::found_in(const PrivacyRequestId& id) const {
    return found_of(*needs_.store.snapshot(), needs_.vault, id);
}

Result<PrivacyRow> PrivacyRequests::find_row(const PrivacyRequestId& id) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    auto row = CDP_TRY(find_privacy_row(transaction, needs_.vault, id));
    if (!row) return request_unknown();
    return *std::move(row);
}

Result<PrivacyRequest> PrivacyRequests::whole(const storage::Snapshot& snapshot,
                                              const PrivacyRow& row) const {
    auto out = row.request;
    auto subjects = CDP_TRY(subjects_of(snapshot, needs_.vault, row.id()));
    for (auto& one : subjects.named) out.identifiers.push_back(std::move(one.identifier));
    put_words(out, std::move(subjects.words));
    out.steps = CDP_TRY(steps_of(snapshot, needs_.vault, row.id()));
    return out;
}

void PrivacyRequests::subscribe(std::function<void()> changed) {
    const std::lock_guard lock(mutex_);
    subscribers_.push_back(std::move(changed));
}

void PrivacyRequests::tell() const {
    std::vector<std::function<void()>> subscribers;
    {
        const std::lock_guard lock(mutex_);
        subscribers = subscribers_;
    }
    for (const auto& one : subscribers) one();
}

Result<PrivacyRow> PrivacyRequests::change(const PrivacyRequestId& id, const Decide& decide) const {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        auto row = CDP_TRY(find_privacy_row(transaction, needs_.vault, id));
        if (!row) return request_unknown();
        PrivacyChange change(transaction, needs_.vault, *std::move(row), needs_.clock.now());
        if (!CDP_TRY(decide(change, *snapshot))) return change.row();
        change.schedule();
        change.write();
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
        if (outcome.state == storage::CommitState::conflict) continue;
        tell();
        return change.row();
    }
    return storage::contended("nothing was changed. Send it again in a moment.");
}

}  // namespace cdp
