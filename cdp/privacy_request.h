#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "cdp/privacy_results.h"
#include "cdp/privacy_steps.h"
#include "cdp/tombstones.h"
#include "consent/sha256.h"

// What somebody asks of their data, and what became of it; docs/decisions/0029.
namespace cdp {

struct RequestedIdentifier {
    std::string type = {};
    std::string value = {};
};

// As it is asked, by an officer or through a protocol.
struct NewPrivacyRequest {
    PrivacyKind kind = PrivacyKind::access;
    PrivacyProtocol protocol = PrivacyProtocol::direct;
    // Of the protocol; the same one of the same sender is the same request. Empty: it has none.
    std::string external_id = {};
    std::string regime = {};                            // a name of privacy_regimes; empty: default
    std::vector<RequestedIdentifier> identifiers = {};  // whom it is about; 1 to 64, all of one
    std::string reason = {};                         // in the asker's words; goes with the person
    std::map<std::string, std::string> traits = {};  // rectification: name -> JSON; null removes
    std::vector<std::string> purposes = {};  // objection, restriction, opt_*; empty: see 0029
    std::string suppression = {};            // suppression: the reason's name; empty: requested
    // How whoever sends has verified who asks, a word of [a-z0-9_]; empty: it has not.
    std::string verified_by = {};
    bool whole_person = false;  // and that everything of the person is theirs: see PrivacyRequest
    // When it was asked; absent: now. Of a protocol, whose clock may run ahead, no later than now.
    std::optional<Timestamp> received = {};
    std::optional<Timestamp> not_before =
        {};  // until then nothing is done, and it can be cancelled
    // The protocol's own, handed back as it is. It goes with the person, or once the protocol was
    // told of the end.
    std::string context = {};
    // By what the same request is known when it comes again; empty: by all of it.
    std::string content = {};
    bool callbacks = false;      // each change of its state is owed to the protocol
    std::string note = {};       // a code: something else that happened, a step of the same commit
    std::string signed_by = {};  // which of the sender's keys has signed it; in its first step
};

// That something happened, who did it and when. Names nobody whose data it is about.
struct PrivacyStep {
    std::uint32_t number = 0;
    Timestamp time{};
    std::string author = {};  // as a request's sender is written, or `cdp`
    PrivacyAct act = PrivacyAct::receive;
    std::optional<PrivacyState> from = {};  // none: it began
    PrivacyState to = PrivacyState::received;
    std::string code = {};    // why or how, a word of [a-z0-9_]
    std::string detail = {};  // one line more of ours
    // Of what somebody said about it in their own words, which go with the person; zeros: nothing.
    consent::Sha256 remark = {};
    consent::Sha256 salt = {};  // of its entry in the ledger

    // What that commits to.
    std::string said_of(const PrivacyRequestId& request) const;
    consent::Sha256 commitment(const PrivacyRequestId& request) const;

    friend bool operator==(const PrivacyStep&, const PrivacyStep&) = default;
};

// In the words of whoever took a step.
struct PrivacyRemark {
    consent::Sha256 salt = {};
    std::string text = {};

    consent::Sha256 digest() const;
    friend bool operator==(const PrivacyRemark&, const PrivacyRemark&) = default;
};

// What said_of wrote, without its salt; nullopt: it did not.
struct SaidPrivacyStep {
    PrivacyRequestId request{};
    PrivacyStep step = {};
};
std::optional<SaidPrivacyStep> decode_said_step(std::string_view bytes);

struct PrivacyRequest {
    PrivacyRequestId id{};
    PrivacyKind kind = PrivacyKind::access;
    PrivacyProtocol protocol = PrivacyProtocol::direct;
    std::string regime = {};
    // Who brought it, as role:name, uid:N, agent:ID or iab:DOMAIN.
    std::string sender = {};
    std::string external_id = {};
    PrivacyState state = PrivacyState::received;
    std::vector<std::string> purposes = {};
    std::string suppression = {};
    std::string verified_by = {};
    // Whoever verified it answers for the whole person. Else for the identifiers alone: what they
    // lead to by the word of client sources waits for an officer (cdp/membership.h).
    bool whole_person = false;
    std::uint32_t asked = 0;  // how many identifiers it named
    Timestamp received{};
    std::optional<Timestamp> acknowledge_by = {};
    Timestamp answer_by{};
    std::optional<Timestamp> extended_until = {};
    std::string extended_for = {};  // why, a code
    std::optional<Timestamp> not_before = {};
    std::optional<PrivacyDenial> denial = {};
    std::string blocked = {};  // in_progress: the code of why it waits for an officer
    PrivacyResults results = {};
    std::string context = {};
    bool callbacks = false;
    std::uint32_t steps_taken = 0;

    // Read by `read` alone, and gone with the person.
    std::vector<RequestedIdentifier> identifiers = {};  // normal forms of those still held
    std::string reason = {};
    std::map<std::string, std::string> traits = {};
    std::map<std::uint32_t, PrivacyRemark> remarks = {};  // by the number of the step
    std::vector<PrivacyStep> steps = {};

    Timestamp due() const { return extended_until.value_or(answer_by); }
};

// The only acts that come from outside: verify, extend, deny, cancel, fulfil, retry, lift, note.
struct PrivacyStepRequest {
    PrivacyAct act = PrivacyAct::note;
    std::string code =
        {};  // verify: the method; extend, fulfil, lift, note: why; required for these
    std::string detail = {};                   // one line of their own; goes with the person
    std::optional<PrivacyDenial> denial = {};  // deny: required
    bool whole_person = false;  // verify: as of a request; of one that is blocked required
    bool informed = false;      // lift: the person was told before (Art. 18(3))
};

}  // namespace cdp
