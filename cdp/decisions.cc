#include "cdp/decisions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cdp/answer.h"
#include "cdp/consent_json.h"
#include "cdp/decision_answer.h"
#include "cdp/field.h"
#include "cdp/known_then.h"
#include "cdp/refuse.h"
#include "consent/policy.h"
#include "identity/change.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::size_t kIdentifiersMax = 64;
constexpr std::size_t kFieldsMax = 200;
constexpr std::size_t kPlacesMax = 32;

Error forbidden(std::string reason, std::string message, std::string pointer) {
    return {.code = ErrorCode::forbidden,
            .reason = std::move(reason),
            .message = std::move(message),
            .pointer = std::move(pointer)};
}

Result<void> check_sizes(const DecisionQuestion& question, const std::string& at) {
    if (question.identifiers.empty())
        return refuse("no_identifier", "A question names 1 to 64 identifiers.",
                      at + "/identifiers");
    if (question.identifiers.size() > kIdentifiersMax)
        return refuse("too_many", "A question names at most 64 identifiers.", at + "/identifiers");
    if (question.fields.size() > kFieldsMax)
        return refuse("too_many", "A question names at most 200 fields.", at + "/fields");
    if (question.labels.size() > kFieldsMax)
        return refuse("too_many", "A question names at most 200 labels.", at + "/labels");
    if (question.jurisdictions.size() > kPlacesMax)
        return refuse("too_many", "A question names at most 32 jurisdictions.",
                      at + "/jurisdictions");
    return Result<void>::ok();
}

// Of several identifiers the strictest decision answers the question.
bool is_stricter(const consent::Decision& a, const consent::Decision& b) {
    const auto rank = [](const consent::Decision& decision) {
        switch (decision.outcome()) {
            case consent::Outcome::deny: return 0;
            case consent::Outcome::defer_until: return 1;
            case consent::Outcome::allow: return 2;
        }
        return 0;
    };
    return rank(a) < rank(b);
}

}  // namespace

struct Decisions::Asked {
    const DecisionQuestion& question;
    std::string pointer;
    consent::Question put;  // to the judge
    Timestamp captured{};
    std::shared_ptr<const consent::Policy> policy;
    consent::Sha256 version{};
};

Result<Decisions::Asked> Decisions::check(const Principal& caller, const DecisionQuestion& question,
                                          const std::string& pointer) const {
    CDP_CHECK(check_sizes(question, pointer));
    const bool of_channel = caller.role == Role::channel;
    const auto now = needs_.clock.now();
    auto in_force = policies_.now();
    if (of_channel && !question.channel.empty() && question.channel != caller.channel)
        return forbidden("channel_not_own", "A channel asks for itself.", pointer + "/channel");
    if (of_channel && (question.as_of || !question.policy_version.empty()))
        return forbidden("only_now", "A channel asks about now.",
                         pointer + (question.as_of ? "/as_of" : "/policy_version"));
    if (!question.policy_version.empty()) {
        const auto bytes = from_hex(question.policy_version);
        if (!bytes || bytes->size() != in_force.version.size())
            return refuse("malformed_hash", "A policy's version is 64 hexadecimal digits.",
                          pointer + "/policy_version");
        std::ranges::copy(*bytes, in_force.version.begin());
        auto found = policies_.find(*needs_.store.snapshot(), in_force.version);
        if (!found) {
            auto error = found.error();
            error.pointer = pointer + "/policy_version";
            return error;
        }
        in_force.policy = *std::move(found);
    }
    Asked asked{.question = question,
                .pointer = pointer,
                .put = {.purpose = question.purpose,
                        .channel = question.channel.empty() ? caller.channel : question.channel,
                        .now = question.as_of.value_or(now),
                        .jurisdictions = question.jurisdictions},
                .policy = std::move(in_force.policy),
                .version = in_force.version};
    if (asked.put.now > now)
        return refuse("in_the_future", "That time has not come.", pointer + "/as_of");
    asked.captured = std::min(question.captured.value_or(asked.put.now), asked.put.now);
    if (!asked.policy->find_purpose(question.purpose))
        return refuse("purpose_unknown", "No such purpose is configured.", pointer + "/purpose");
    if (!asked.policy->find_channel(asked.put.channel))
        return refuse("channel_unknown", "No such channel is configured.", pointer + "/channel");
    for (std::size_t i = 0; i < question.labels.size(); ++i)
        if (!asked.policy->find_label(question.labels[i]))
            return refuse("label_unknown", "No such label is configured.",
                          pointer + "/labels/" + std::to_string(i));
    if (question.message_class.empty()) return asked;
    asked.put.message_class = consent::parse_message_class(question.message_class);
    if (!asked.put.message_class)
        return refuse("message_class_unknown", "The class is marketing or service.",
                      pointer + "/message_class");
    return asked;
}

Result<DecisionTold> Decisions::decide(const Asked& asked) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    DecisionTold told;
    told.asked_at = asked.put.now;
    told.policy_version = asked.version;
    told.ledger_size = CDP_TRY(needs_.consents.ledger_size(*snapshot));
    told.graph_version = CDP_TRY(storage::log_size(*snapshot, identity::change_log()));
    std::vector<Token> identifiers;
    const auto& subjects = asked.question.identifiers;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const auto decided = decide_about(asked, {*snapshot, transaction}, subjects[i], told);
        if (!decided) {
            auto error = decided.error();
            error.pointer = asked.pointer + "/identifiers/" + std::to_string(i);
            return error;
        }
        identifiers.push_back(told.subjects[i].token);
        if (is_stricter(told.subjects[i].decision, told.subjects[told.strictest].decision))
            told.strictest = i;
    }
    told.decision = decision_id(needs_.vault, DecidedAbout{.channel = asked.put.channel,
                                                           .purpose = asked.put.purpose,
                                                           .ledger_size = told.ledger_size,
                                                           .asked_at = asked.put.now,
                                                           .identifiers = identifiers});
    return told;
}

namespace {

// Each field and label by itself: what it is refused for beside what refuses the person.
std::vector<consent::Decision> decide_fields(const Config& config, const storage::Vault& vault,
                                             const consent::Policy& policy,
                                             const DecisionQuestion& question,
                                             const consent::Gate& gate,
                                             const consent::Datum& datum) {
    std::vector<consent::Decision> out;
    const auto pass = [&](const std::string& name, std::span<const std::string> labels,
                          std::span<const std::string> collected_for) {
        const auto what = classify(config, vault, {.name = name, .labels = labels, .json = "null"});
        // Whether a value can be hashed is told when there is one.
        const auto passed = gate.pass({.name = name,
                                       .labels = what.labels,
                                       .collected_for = collected_for,
                                       .is_contact = what.is_contact,
                                       .datum = datum,
                                       .json = "\"\"",
                                       .normal = "-"});
        const auto* kept = std::get_if<consent::Withheld>(&passed);
        auto decision = kept ? kept->decision() : std::get<consent::Released>(passed).decision();
        if (decision.reason == consent::Reason::not_hashable) decision = gate.judge().decide(datum);
        out.push_back(decision);
    };
    for (const auto& name : question.fields)
        pass(name, policy.labels_of_trait(name), policy.purposes_of_trait(name));
    for (const auto& label : question.labels) pass(label, std::span(&label, 1), {});
    return out;
}

}  // namespace

Result<void> Decisions::decide_about(const Asked& asked, People::Reading reading,
                                     const DecisionQuestion::Subject& subject,
                                     DecisionTold& told) const {
    auto& one = told.subjects.emplace_back();
    const auto token = needs_.people.resolve(reading, subject.type, subject.value);
    if (!token && token.error().code != ErrorCode::not_found) return token.error();
    auto person = token ? needs_.people.load(reading, *token) : Result<Person>(token.error());
    if (!person && person.error().code != ErrorCode::not_found) return person.error();
    if (!person) {
        one.decision.reason = consent::Reason::identifier_unknown;
        one.fields.assign(asked.question.fields.size() + asked.question.labels.size(),
                          one.decision);
        return Result<void>::ok();
    }
    one.token = *token;
    one.person = person->id;
    // What holds now is not asked of the clock, which may have been set back.
    if (asked.question.as_of)
        for (auto& member : person->consents) keep_said_by(member, asked.put.now);
    const auto own = std::ranges::find(person->consents, *token, &consent::Member::token);
    const bool contact = own != person->consents.end() && own->contact;
    const consent::Gate gate(*asked.policy, person->consents, asked.put);
    const consent::Datum datum{.home = *token,
                               .value = contact ? std::optional(*token) : std::nullopt,
                               .captured = asked.captured};
    one.decision = gate.judge().decide(datum);
    one.causes = gate.judge().explain(datum);
    one.fields =
        decide_fields(needs_.config, needs_.vault, *asked.policy, asked.question, gate, datum);
    one.no_reask_until = gate.judge().no_reask_until();
    const auto changes_at = gate.judge().changes_at();
    if (changes_at && (!told.changes_at || *changes_at < *told.changes_at))
        told.changes_at = changes_at;
    return Result<void>::ok();
}

Result<std::vector<DecisionTold>> Decisions::decide_all(
    const Principal& caller, const std::vector<DecisionQuestion>& questions) const {
    if (caller.role == Role::source && caller.trust != Trust::server)
        return forbidden("server_source_required",
                         "Decisions are told to channels, server sources and officers only.", "");
    if (questions.empty() || questions.size() > kQuestionsMax)
        return refuse("invalid_questions", "Send 1 to 500 questions.", "/questions");
    std::vector<Asked> asked;
    for (std::size_t i = 0; i < questions.size(); ++i)
        asked.push_back(CDP_TRY(check(caller, questions[i], "/questions/" + std::to_string(i))));
    std::vector<DecisionTold> told;
    for (const auto& one : asked) told.push_back(CDP_TRY(decide(one)));
    return told;
}

Result<std::vector<std::shared_ptr<const Unlisted>>> Decisions::release(
    const Principal& channel, const std::vector<DecisionQuestion>& questions) const {
    std::vector<std::shared_ptr<const Unlisted>> answers;
    for (const auto& told : CDP_TRY(decide_all(channel, questions)))
        answers.push_back(std::make_shared<const Unlisted>(compose_released(told)));
    return answers;
}

Result<Shown> Decisions::explain(const Principal& caller,
                                 const std::vector<DecisionQuestion>& questions) const {
    const auto told = CDP_TRY(decide_all(caller, questions));
    const auto snapshot = needs_.store.snapshot();
    const StoredNames names(needs_.vault, *snapshot);
    Looked whom;
    for (const auto& one : told)
        for (const auto& subject : one.subjects)
            if (subject.person) whom.identifiers.push_back(subject.token);
    return Shown(CDP_TRY(compose_explained(told, questions, names.reader())), std::move(whom));
}

}  // namespace cdp
