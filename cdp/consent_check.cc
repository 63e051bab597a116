#include "cdp/consent_check.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "cdp/named.h"
#include "cdp/privacy_sender.h"
#include "cdp/refuse.h"
#include "cdp/signal_intake.h"
#include "consent/gpp.h"
#include "consent/tcf.h"
#include "consent/usp.h"

namespace cdp {
namespace {

using consent::ActorKind;
using consent::Origin;
using consent::State;

using Checked = Result<void>;

Result<Origin> origin_of(const Principal& caller) {
    if (caller.role == Role::officer || caller.role == Role::admin) return Origin::officer;
    if (caller.role == Role::source && caller.trust == Trust::server) return Origin::server;
    return Error{.code = ErrorCode::forbidden,
                 .reason = "server_source_required",
                 .message = "Consent answers are taken from server sources and officers only."};
}

// One of an enum's words; an empty text leaves `out` as it is.
template <typename Value, typename Parse>
Checked read_word(const std::string& text, Parse parse, const char* reason, const char* message,
                  std::string pointer, Value& out) {
    if (text.empty()) return Checked::ok();
    const auto value = parse(text);
    if (!value) return refuse(reason, message, std::move(pointer));
    out = *value;
    return Checked::ok();
}

Result<RecordId> read_id(const std::string& text, std::string pointer) {
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != sizeof(RecordId))
        return refuse("malformed_record_id", "A record's id is 32 hexadecimal digits.",
                      std::move(pointer));
    return RecordId::from(*bytes);
}

Result<consent::Sha256> read_hash(const std::string& text, std::string pointer) {
    const auto bytes = from_hex(text);
    consent::Sha256 hash{};
    if (!bytes || bytes->size() != hash.size())
        return refuse("malformed_hash", "A SHA-256 is 64 hexadecimal digits.", std::move(pointer));
    std::ranges::copy(*bytes, hash.begin());
    return hash;
}

// What a key of a role may say about who spoke. An agent's authority is an officer's to check.
bool may_claim(Origin origin, ActorKind kind) {
    switch (kind) {
        case ActorKind::import: return true;
        case ActorKind::officer:
        case ActorKind::agent: return origin == Origin::officer;
        case ActorKind::self:
        case ActorKind::api: return origin == Origin::server;
    }
    return false;
}

Checked read_actor(const Principal& caller, const ConsentRequest& request, CheckedConsent& out) {
    auto& record = out.record;
    record.actor.kind = record.origin == Origin::officer ? ActorKind::officer : ActorKind::api;
    record.actor.id = speaker_of(caller);
    const auto pointer = out.pointer + "/actor";
    CDP_CHECK(read_word(request.actor, consent::parse_actor_kind, "invalid_actor",
                        "The actor is one of self, officer, agent, import, api.", pointer,
                        record.actor.kind));
    if (!may_claim(record.origin, record.actor.kind))
        return Error{.code = ErrorCode::forbidden,
                     .reason = "actor_not_allowed",
                     .message = "A key of this role does not speak as that actor.",
                     .pointer = pointer};
    return Checked::ok();
}

Checked read_words(const ConsentRequest& request, CheckedConsent& out) {
    auto& record = out.record;
    const auto& at = out.pointer;
    record.scope = consent::kDefaultScope;
    if (request.state.empty())
        return refuse("state_required", "A state is expected here.", at + "/state");
    CDP_CHECK(read_word(request.state, consent::parse_state, "invalid_state",
                        "The state is one of granted, denied, withdrawn, objected, restricted, "
                        "pending_doi, expired, invalidated, reconfirmed, not_applicable, noticed.",
                        at + "/state", record.state));
    CDP_CHECK(read_word(request.scope, consent::parse_scope, "invalid_scope",
                        "The scope is one of identifier, device, person.", at + "/scope",
                        record.scope));
    return read_word(request.basis, consent::parse_basis, "invalid_basis",
                     "There is no such legal basis.", at + "/basis", record.basis);
}

// A signal that nobody can read grants nothing; it may well refuse.
Checked check_readable(const consent::Signal& signal, const std::string& pointer) {
    using consent::SignalType;
    std::optional<Error> error;
    consent::Usp usp;
    if (signal.type == SignalType::tcf) {
        if (const auto read = consent::decode_tcf(signal.raw); !read) error = read.error();
    } else if (signal.type == SignalType::gpp) {
        if (const auto read = consent::decode_gpp(signal.raw); !read) error = read.error();
    } else if (signal.type == SignalType::usp) {
        const auto fault = consent::read_usp(signal.raw, usp);
        if (fault != consent::SignalFault::none) error = consent::signal_error(fault);
    }
    if (!error) return Checked::ok();
    error->pointer = pointer;
    return *error;
}

Checked read_sent_signal(const ConsentRequest& request, CheckedConsent& out) {
    if (!request.signal) return Checked::ok();
    const auto at = out.pointer + "/signal";
    auto& signal = out.record.signal.emplace();
    if (request.signal->type.empty())
        return refuse("invalid_signal", "A signal has a type.", at + "/type");
    CDP_CHECK(read_word(request.signal->type, consent::parse_signal_type, "invalid_signal",
                        "There is no such type of signal.", at + "/type", signal.type));
    signal.raw = request.signal->raw;
    signal.digest = consent::sha256(signal.raw);
    signal.parser_version = kSignalParser;
    if (out.record.state != State::granted) return Checked::ok();
    return check_readable(signal, at + "/raw");
}

Checked read_evidence(const ConsentRequest& request, CheckedConsent& out) {
    for (std::size_t i = 0; i < request.evidence.size(); ++i) {
        const auto& one = request.evidence[i];
        const auto at = out.pointer + "/evidence/" + std::to_string(i);
        const auto sha256 = CDP_TRY(read_hash(one.sha256, at + "/sha256"));
        out.record.evidence.push_back(
            {.kind = one.kind, .sha256 = sha256, .size = one.size, .location = one.location});
    }
    for (std::size_t i = 0; i < request.overrides.size(); ++i)
        out.record.overrides.push_back(CDP_TRY(
            read_id(request.overrides[i], out.pointer + "/overrides/" + std::to_string(i))));
    return Checked::ok();
}

Checked read_double_opt_in(const ConsentRequest& request, CheckedConsent& out) {
    if (!request.double_opt_in) return Checked::ok();
    const auto& sent = *request.double_opt_in;
    const auto at = out.pointer + "/double_opt_in";
    auto& doi = out.record.double_opt_in.emplace();
    doi.expires = sent.expires;
    if (!sent.token_hash.empty())
        doi.token_hash = CDP_TRY(read_hash(sent.token_hash, at + "/token_hash"));
    if (!sent.confirmed_by.empty())
        doi.confirmed_by = CDP_TRY(read_id(sent.confirmed_by, at + "/confirmed_by"));
    if (!sent.request.empty()) doi.request = CDP_TRY(read_id(sent.request, at + "/request"));
    if (out.record.state == State::pending_doi) {
        if (!sent.token.empty())
            return refuse("double_opt_in_contradicts", "What waits is not confirmed yet.",
                          at + "/token");
        return Checked::ok();
    }
    // What is brought from elsewhere was confirmed there, and its token may be gone.
    const bool imported = out.record.actor.kind == ActorKind::import;
    if (doi.request && sent.token.empty() && !imported)
        return refuse("confirmation_token_missing", "A confirmation brings the token.",
                      at + "/token");
    out.token = sent.token;
    if (!sent.token.empty()) doi.token_hash = consent::sha256(sent.token);
    return Checked::ok();
}

void copy_texts(const ConsentRequest& request, consent::Record& record) {
    record.valid_until = request.valid_until;
    record.effective_from = request.effective_from;
    record.reconfirm_due = request.reconfirm_due;
    record.no_reask_until = request.no_reask_until;
    record.jurisdiction = request.jurisdiction;
    record.regime = request.regime;
    record.receipt_id = request.receipt_id;
    record.notice = {.id = request.notice_id,
                     .version = request.notice_version,
                     .hash = request.notice_hash,
                     .language = request.notice_language,
                     .url = request.notice_url,
                     .code_hash = request.notice_code_hash};
    consent::set_method(record, request.method);
}

// consent::check speaks of a member as the record has it; here it is spelled as it was sent.
std::string spelled(std::string_view pointer) {
    std::string out;
    for (const char c : pointer) {
        if (c >= 'A' && c <= 'Z') {
            out += '_';
            out += static_cast<char>(c + ('a' - 'A'));
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

Result<CheckedConsent> ConsentCheck::run(const Principal& caller, const ConsentRequest& request,
                                         std::string pointer, Timestamp now) const {
    CheckedConsent out{.pointer = std::move(pointer)};
    auto& record = out.record;
    record.origin = CDP_TRY(origin_of(caller));
    record.source = caller.name;
    CDP_CHECK(read_actor(caller, request, out));
    CDP_CHECK(read_identifiers(caller, request, out));
    CDP_CHECK(read_reach(request, out));
    CDP_CHECK(read_words(request, out));
    record.received = now;
    record.time = std::min(request.time.value_or(now), now);
    copy_texts(request, record);
    CDP_CHECK(read_sent_signal(request, out));
    CDP_CHECK(read_evidence(request, out));
    CDP_CHECK(read_double_opt_in(request, out));
    CDP_CHECK(read_minor(caller, request, out));
    record.id = id_of(request, record);
    make_token(out);
    if (const auto checked = consent::check(record); !checked) {
        auto error = checked.error();
        error.pointer = out.pointer + spelled(error.pointer);
        return error;
    }
    out.answer.id = to_hex(record.id.view());
    return out;
}

RecordId ConsentCheck::id_of(const ConsentRequest& request, const consent::Record& record) const {
    if (request.idempotency_key.empty()) return consent::content_id(record);
    return needs_.vault.hash<RecordId>("consent", record.actor.id + '\0' + request.idempotency_key);
}

// From the id, so that the same request once more is answered with the same token.
void ConsentCheck::make_token(CheckedConsent& out) const {
    auto& record = out.record;
    const auto& doi = record.double_opt_in;
    if (record.state != State::pending_doi || !doi || doi->token_hash != consent::Sha256{}) return;
    const auto token = to_hex(needs_.vault.hash<Token>("double opt-in", record.id.view()).view());
    record.double_opt_in->token_hash = consent::sha256(token);
    out.answer.confirmation = {.token = token, .expires = doi->expires.value_or(Timestamp{})};
}

Checked ConsentCheck::read_reach(const ConsentRequest& request, CheckedConsent& out) const {
    const auto& policy = needs_.config.policy;
    if (!consent::may_be_named(policy, request.purpose))
        return refuse("purpose_unknown", "No such purpose is configured.",
                      out.pointer + "/purpose");
    for (std::size_t i = 0; i < request.channels.size(); ++i)
        if (!policy.find_channel(request.channels[i]))
            return refuse("channel_unknown", "No such channel is configured.",
                          out.pointer + "/channels/" + std::to_string(i));
    for (std::size_t i = 0; i < request.labels.size(); ++i)
        if (!policy.find_label(request.labels[i]))
            return refuse("label_unknown", "No such label is configured.",
                          out.pointer + "/labels/" + std::to_string(i));
    out.record.purpose = request.purpose;
    out.record.channels = request.channels;
    out.record.labels = request.labels;
    return Checked::ok();
}

Result<identity::Sighting> ConsentCheck::read_subject(const Principal& caller,
                                                      const ConsentRequest::Subject& subject,
                                                      const std::string& pointer) const {
    // As the events of this source are read, or the two would speak of different people.
    const auto normal =
        CDP_TRY(read_said(needs_.config, {subject.type, subject.value},
                          needs_.config.region_of(source_name(caller)), NamedAt::members(pointer)));
    const auto link_class = needs_.config.types.known(subject.type).link_class;
    const auto token = needs_.graph.token(subject.type, normal);
    return identity::Sighting{{subject.type, normal, subject.value, link_class}, token};
}

Checked ConsentCheck::read_identifiers(const Principal& caller, const ConsentRequest& request,
                                       CheckedConsent& out) const {
    for (std::size_t i = 0; i < request.identifiers.size(); ++i) {
        const auto& subject = request.identifiers[i];
        const auto at = out.pointer + "/identifiers/" + std::to_string(i);
        auto sighting = CDP_TRY(read_subject(caller, subject, at));
        consent::Asserted asserted{.token = sighting.token};
        CDP_CHECK(read_word(subject.strength, consent::parse_strength, "invalid_strength",
                            "The strength is one of strong, weak, shared.", at + "/strength",
                            asserted.strength));
        const auto known =
            std::ranges::find(out.record.asserted, asserted.token, &consent::Asserted::token);
        if (known == out.record.asserted.end()) {
            out.record.asserted.push_back(asserted);
            out.sightings.push_back(std::move(sighting));
        } else if (known->strength != asserted.strength) {
            return refuse("identifier_repeated", "An identifier has one strength.", at);
        }
    }
    if (out.sightings.empty())
        return refuse("no_identifier", "A consent names at least one identifier.",
                      out.pointer + "/identifiers");
    return Checked::ok();
}

Checked ConsentCheck::read_minor(const Principal& caller, const ConsentRequest& request,
                                 CheckedConsent& out) const {
    if (!request.minor) return Checked::ok();
    const auto at = out.pointer + "/minor";
    auto& minor = out.record.minor.emplace();
    if (request.minor->age_band.empty())
        return refuse("invalid_age_band", "A minor has an age band.", at + "/age_band");
    CDP_CHECK(read_word(request.minor->age_band, consent::parse_age_band, "invalid_age_band",
                        "There is no such age band.", at + "/age_band", minor.age_band));
    minor.verification = request.minor->verification;
    if (const auto& guardian = request.minor->guardian) {
        out.guardian.push_back(CDP_TRY(read_subject(caller, *guardian, at + "/guardian")));
        minor.guardian = out.guardian.front().token;
    }
    if (!request.minor->guardian_record.empty())
        minor.guardian_record =
            CDP_TRY(read_id(request.minor->guardian_record, at + "/guardian_record"));
    return Checked::ok();
}

}  // namespace cdp
