#include "cdp/consent_intake.h"

#include <algorithm>

#include "cdp/refuse.h"
#include "storage/contended.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr int kRacesMax = 200;

Error key_reused(std::string pointer) {
    return {.code = ErrorCode::conflict,
            .reason = "idempotency_key_reused",
            .message = "Another answer of this request has the same id; give each its own.",
            .pointer = std::move(pointer)};
}

Result<consent::Origin> origin_of(const Principal& caller) {
    if (caller.role == Role::officer || caller.role == Role::admin) return consent::Origin::officer;
    if (caller.role == Role::source && caller.trust == Trust::server)
        return consent::Origin::server;
    return Error{.code = ErrorCode::forbidden,
                 .reason = "server_source_required",
                 .message = "Consent answers are taken from server sources and officers only."};
}

}  // namespace

void ConsentIntake::run(const Principal& caller, std::vector<ConsentRequest> requests,
                        Recorded done) {
    if (requests.empty() || requests.size() > kConsentsMax) {
        done(refuse("invalid_consents", "Send 1 to 500 consents.", "/consents"));
        return;
    }
    auto pending = std::make_shared<Request>();
    for (std::size_t i = 0; i < requests.size(); ++i) {
        auto item = check(caller, requests[i], "/consents/" + std::to_string(i));
        if (!item) {
            done(item.error());
            return;
        }
        for (const auto& earlier : pending->items)
            if (earlier.record.id == item->record.id &&
                !consent::repeats(earlier.record, item->record)) {
                done(key_reused("/consents/" + std::to_string(i)));
                return;
            }
        pending->items.push_back(std::move(*item));
    }
    pending->done = std::move(done);
    step(pending);
}

Result<ConsentIntake::Item> ConsentIntake::check(const Principal& caller,
                                                 const ConsentRequest& request,
                                                 const std::string& pointer) const {
    Item item;
    auto& record = item.record;
    record.origin = CDP_TRY(origin_of(caller));
    item.sightings = CDP_TRY(check_identifiers(caller, request, pointer));
    for (const auto& sighting : item.sightings) record.asserted.push_back({sighting.token});
    if (!consent::may_be_named(needs_.config.policy, request.purpose))
        return refuse("purpose_unknown", "No such purpose is configured.", pointer + "/purpose");
    record.purpose = request.purpose;
    for (std::size_t i = 0; i < request.channels.size(); ++i)
        if (!needs_.config.policy.find_channel(request.channels[i]))
            return refuse("channel_unknown", "No such channel is configured.",
                          pointer + "/channels/" + std::to_string(i));
    record.channels = request.channels;
    const auto state = consent::parse_state(request.state);
    if (!state)
        return refuse("invalid_state", "The state is one of granted, denied, withdrawn, objected.",
                      pointer + "/state");
    record.state = *state;
    if (*state == consent::State::granted && !needs_.ledger.accepts_grants())
        return Error{.code = ErrorCode::unavailable,
                     .reason = "ledger_halted",
                     .message = "The ledger is not sound: no grants are taken, only denials.",
                     .pointer = pointer + "/state"};
    const auto scope = request.scope.empty() ? std::optional(consent::kDefaultScope)
                                             : consent::parse_scope(request.scope);
    if (!scope)
        return refuse("invalid_scope", "The scope is one of identifier, device, person.",
                      pointer + "/scope");
    record.scope = *scope;
    record.received = needs_.clock.now();
    record.time = std::min(request.time.value_or(record.received), record.received);
    record.valid_until = request.valid_until;
    record.source = caller.name;
    consent::set_method(record, request.method);
    record.notice = {request.notice_id, request.notice_version, request.notice_hash};
    const bool officer = record.origin == consent::Origin::officer;
    record.actor = {officer ? consent::ActorKind::officer : consent::ActorKind::api,
                    std::string(to_string(caller.role)) + ':' + caller.name};
    record.id =
        request.idempotency_key.empty()
            ? consent::content_id(record)
            : needs_.vault.hash<RecordId>("consent",
                                          record.actor.id + '\0' + request.idempotency_key);
    if (const auto checked = consent::check(record); !checked) {
        auto error = checked.error();
        error.pointer.insert(0, pointer);
        return error;
    }
    return item;
}

Result<std::vector<identity::Sighting>> ConsentIntake::check_identifiers(
    const Principal& caller, const ConsentRequest& request, const std::string& pointer) const {
    // As the events of this source are read, or the two would speak of different people.
    const auto& region = needs_.config.region_of(source_name(caller));
    std::vector<identity::Sighting> sightings;
    for (std::size_t i = 0; i < request.identifiers.size(); ++i) {
        const auto& [type_name, value] = request.identifiers[i];
        const auto at = pointer + "/identifiers/" + std::to_string(i);
        if (!identity::is_type_name(type_name))
            return refuse("malformed_identifier_type", "That cannot name a type of identifier.",
                          at + "/type");
        if (type_name == kPersonType)
            return refuse("person_not_identifier",
                          "A person's id changes when people are joined or split; name an "
                          "identifier of the person.",
                          at + "/type");
        const auto type = needs_.config.types.find(type_name);
        const auto form = identity::normal_form(type, value, region);
        const auto* normal = std::get_if<std::string>(&form);
        if (!normal)
            return refuse("malformed_identifier",
                          "The value identifies nobody or does not have the form of its type.",
                          at + "/value");
        const auto token = needs_.graph.token(type_name, *normal);
        if (std::ranges::none_of(sightings, [&](const auto& s) { return s.token == token; }))
            sightings.push_back({{type_name, *normal, value, type.link_class}, token});
    }
    if (sightings.empty())
        return refuse("no_identifier", "A consent names at least one identifier.",
                      pointer + "/identifiers");
    return sightings;
}

void ConsentIntake::step(const Pending& request) {
    const auto snapshot = needs_.store.snapshot();
    std::vector<storage::Transaction> transactions;
    std::vector<std::size_t> asked;
    const auto work = [&](Item& item, storage::Transaction& transaction) -> Result<bool> {
        for (const auto& sighting : item.sightings) {
            identity::Observation met;
            met.sightings = {sighting};
            met.time = item.record.time;
            met.received = item.record.received;
            const auto observed = CDP_TRY(needs_.graph.observe(*snapshot, transaction, met));
            CDP_CHECK(needs_.graph.settle(transaction, observed.unsettled, met.received));
        }
        return needs_.consents.record(transaction, item.record);
    };
    for (std::size_t i = 0; i < request->items.size(); ++i) {
        Item& item = request->items[i];
        if (item.stored) continue;
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto fresh = work(item, transaction);
        if (!fresh) {
            request->done(fresh.error());
            return;
        }
        item.stored = !*fresh;
        if (item.stored) continue;
        transactions.push_back(std::move(transaction));
        asked.push_back(i);
    }
    needs_.store.commit(std::move(transactions), [this, request, asked](const auto& outcomes) {
        settle(request, asked, outcomes);
    });
}

// On the committer's thread. Records of one request that name the same identifier are stored one
// after the other.
void ConsentIntake::settle(const Pending& request, const std::vector<std::size_t>& asked,
                           const std::vector<storage::CommitOutcome>& outcomes) {
    bool again = false;
    bool stored = false;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        switch (outcomes[i].state) {
            case storage::CommitState::ok:
                request->items[asked[i]].stored = stored = true;
                needs_.counters.consent_records.fetch_add(1, std::memory_order_relaxed);
                break;
            case storage::CommitState::conflict: again = true; break;
            case storage::CommitState::unknown: request->done(outcomes[i].error); return;
        }
    }
    if (again) {
        request->races = stored ? 0 : request->races + 1;
        if (request->races > kRacesMax) {
            request->done(storage::contended("send again in a moment."));
            return;
        }
        needs_.again.post([this, request] { step(request); });
        return;
    }
    std::vector<std::string> ids;
    for (const Item& item : request->items) ids.push_back(to_hex(item.record.id.view()));
    request->done(std::move(ids));
}

}  // namespace cdp
