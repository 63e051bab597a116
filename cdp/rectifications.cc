#include "cdp/rectifications.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "cdp/answers_counted.h"
#include "cdp/field.h"
#include "cdp/json_text.h"
#include "cdp/named.h"
#include "cdp/rectification_facts.h"
#include "cdp/refuse.h"
#include "cdp/texts.h"
#include "cdp/trait_rows.h"
#include "consent/entry.h"
#include "identity/assertion_id.h"
#include "storage/contended.h"
#include "storage/random.h"

namespace cdp {
namespace {

constexpr int kRacesMax = 100;

Result<void> check_traits(const RectificationRequest& request) {
    if (request.traits.empty())
        return refuse("traits_missing", "Say which traits are wrong, and what is right.",
                      "/traits");
    if (request.traits.size() > kRectifiedTraitsMax)
        return refuse("too_many_traits", "At most 50 traits are put right at once.", "/traits");
    for (const auto& [name, json] : request.traits) {
        if (name.empty() || name.size() > kRectifiedNameMax)
            return refuse("malformed_trait", "A trait's name has 1 to 256 bytes.", "/traits");
        if (json.size() > kRectifiedBytesMax)
            return refuse("value_too_large", "A value has at most 16 KB.", "/traits/" + name);
    }
    return Result<void>::ok();
}

}  // namespace

// What one identifier holds of a trait.
struct Rectifications::Held {
    Token token;
    storage::SubjectKey key;
    CorrectedTrait corrected;
    std::optional<StoredTrait> trait = {};
};

Result<std::vector<Rectifications::Held>> Rectifications::holders(People::Reading reading,
                                                                  const std::vector<Token>& tokens,
                                                                  const std::string& name) const {
    std::vector<Held> out;
    const auto hash = needs_.vault.hash<TraitName>("trait", name);
    for (const Token& token : tokens) {
        const auto key = CDP_TRY(needs_.vault.find(reading.snapshot, token));
        if (!key) continue;
        const auto row = trait_key(token, hash);
        Corrections::watch(reading.transaction, token);
        Held one{.token = token, .key = *key, .corrected = {}};
        one.corrected = CDP_TRY(needs_.corrections.find(reading.transaction, *key, token, name));
        if (const auto sealed = CDP_TRY(reading.transaction.get(row)))
            one.trait = CDP_TRY(open_trait(*key, row, *sealed));
        out.push_back(std::move(one));
    }
    return out;
}

// Each identifier of the person refuses what any of them holds. What is right is told under those
// that hold something, later than all of it; under the one whose value was in use a moment later
// still, so that the trait goes on being that one's.
Result<void> Rectifications::correct(People::Reading reading, const std::vector<Token>& tokens,
                                     const Token& asked,
                                     const std::pair<std::string, std::string>& right,
                                     Rectification& rectification) const {
    const auto& [name, json] = right;
    const auto right_hash = value_hash(needs_.vault, name, json);
    auto held = CDP_TRY(holders(reading, tokens, name));
    auto time = rectification.time;
    // Later than what was said before, whatever the clock did since.
    auto spoken = rectification.time;
    for (const auto& one : held)
        for (const auto& [value, word] : one.corrected.words)
            spoken = std::max(spoken, word.time + std::chrono::milliseconds(1));
    const Held* in_use = nullptr;
    std::set<ValueHash> refused;
    for (const auto& one : held) {
        if (!one.trait) continue;
        time = std::max(time, one.trait->time + std::chrono::milliseconds(1));
        if (!in_use || supersedes(*one.trait, *in_use->trait)) in_use = &one;
        if (const auto hash = value_hash(needs_.vault, name, one.trait->json); hash != right_hash)
            refused.insert(hash);
        if (classify(needs_.config, needs_.vault,
                     {.name = name,
                      .labels = needs_.config.policy.labels_of_trait(name),
                      .json = one.trait->json,
                      .source = one.trait->source})
                .contact)
            rectification.identifiers_stay.push_back(name);
    }
    const Token first = in_use ? in_use->token : asked;
    for (auto& one : held) {
        const bool told = one.trait || one.token == asked;
        if (!told && refused.empty()) continue;
        auto& corrected = one.corrected;
        corrected.requests.push_back(rectification.id);
        for (const auto& value : refused) add_word(corrected.words, value, {spoken, true});
        add_word(corrected.words, right_hash, {spoken, false});
        if (told) {
            corrected.right =
                StoredTrait{.name = name,
                            .json = json,
                            .time = time + std::chrono::milliseconds(one.token == first ? 1 : 0),
                            .trust = one.trait ? one.trait->trust : Trust::server,
                            .source = std::string(kCorrectionSource)};
            const auto row = trait_key(one.token, needs_.vault.hash<TraitName>("trait", name));
            reading.transaction.put(row,
                                    storage::Vault::seal(one.key, row, encode(*corrected.right)));
            ++rectification.identifiers;
        }
        if (!corrected.fits())
            return Error{.code = ErrorCode::conflict,
                         .reason = "corrected_too_often",
                         .message = "The trait was put right too often to be put right once more.",
                         .pointer = "/traits/" + name};
        CDP_CHECK(needs_.corrections.put(reading.transaction, one.key, one.token, corrected));
    }
    return Result<void>::ok();
}

// Who was given one of the traits by any of the identifiers.
Result<void> Rectifications::add_recipients(const std::vector<Token>& tokens,
                                            Rectification& rectification) const {
    const auto was_given = [&](const consent::MaskField& field) {
        return !field.withheld && field.section == consent::Section::fields &&
               std::ranges::find(rectification.traits, field.name) != rectification.traits.end();
    };
    AnswersCounted answers;
    rectification.recipients.clear();
    return needs_.disclosures.each_of(
        tokens, std::nullopt,
        [&](const DisclosedPlace&, std::optional<Disclosed> row) -> Result<bool> {
            if (!row || row->batch.kind != consent::BatchKind::release) return true;
            if (std::ranges::none_of(row->mask, was_given)) return true;
            auto& one = rectification.recipients[row->batch.channel];
            one.recipient = row->batch.recipient;
            one.times += answers.times(*row);
            one.last = std::max(one.last, row->row.last);
            return true;
        });
}

Result<std::string> Rectifications::rectify(const Reader& reader, const std::string& author,
                                            const RectificationRequest& request) const {
    const auto reason = CDP_TRY(required_reason(request.reason));
    CDP_CHECK(check_traits(request));
    bool noted = false;
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const People::Reading reading{*snapshot, transaction};
        if (request.id) {
            const auto key = rectification_key(*request.id);
            if (const auto done = CDP_TRY(transaction.get(key)))
                return json(*snapshot, CDP_TRY(open_rectification(needs_.vault, key, *done)));
        }
        const auto asked = CDP_TRY(needs_.people.resolve(reading, request.type, request.value));
        const auto node = CDP_TRY(needs_.people.find(reading, asked));
        if (node.shared) return identifier_shared("/identifier");
        const auto tokens = CDP_TRY(needs_.graph.members(transaction, node.anchor));
        if (request.check) CDP_TRY(request.check(reading, tokens));
        if (!std::exchange(noted, true))
            CDP_CHECK(needs_.disclosures.note_access(
                reader, {.identifiers = {asked}, .persons = {node.person()}}));
        const auto now = needs_.clock.now();
        Rectification done{.id = request.id.value_or(PrivacyRequestId::from(
                               identity::new_assertion_id(now, storage::random_bytes(8)).view())),
                           .time = now,
                           .author = author,
                           .reason = reason,
                           .salt = consent::random_salt()};
        for (const auto& [name, json] : request.traits) done.traits.push_back(name);
        CDP_CHECK(add_recipients(tokens, done));
        for (const auto& right : request.traits)
            CDP_CHECK(correct(reading, tokens, asked, right, done));
        std::ranges::sort(done.identifiers_stay);
        done.identifiers_stay.erase(std::ranges::unique(done.identifiers_stay).begin(),
                                    done.identifiers_stay.end());
        write(transaction, done);
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return json(*needs_.store.snapshot(), done);
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("nothing was put right. Send it again in a moment.");
}

void Rectifications::write(storage::Transaction& transaction,
                           const Rectification& rectification) const {
    const auto key = rectification_key(rectification.id);
    transaction.put(key, seal_rectification(needs_.vault, key, rectification));
    consent::append_entry(transaction, needs_.vault,
                          {.type = consent::EntryType::request_status,
                           .time = rectification.time,
                           .salt = rectification.salt,
                           .bytes = encode_rectification(rectification)});
}

}  // namespace cdp
