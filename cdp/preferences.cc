#include "cdp/preferences.h"

#include <algorithm>

#include "cdp/answer.h"
#include "cdp/base/bytes.h"
#include "cdp/named.h"
#include "cdp/refuse.h"
#include "consent/fold.h"
#include "storage/key.h"
#include "storage/random.h"

namespace cdp {
namespace {

constexpr std::string_view kLinkKey = "preference link";
constexpr std::string_view kFormKey = "preference form";
constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kNonceBytes = 16;
// Longer than any link we make: identifiers and purposes are bounded.
constexpr std::size_t kLinkTextMax = 8 * 1024;

Error no_link(std::string reason, std::string message) {
    return {
        .code = ErrorCode::not_found, .reason = std::move(reason), .message = std::move(message)};
}

Error link_unknown() {
    return no_link("link_unknown", "This is no link that was given out here.");
}

std::optional<std::string> opened(const storage::Vault& vault, std::string_view key,
                                  std::string_view context, std::string_view text) {
    if (text.size() > kLinkTextMax) return std::nullopt;
    const auto sealed = from_hex(text);
    if (!sealed) return std::nullopt;
    auto plain = storage::Vault::open(vault.own_key(key), context, *sealed);
    return plain ? std::optional(std::move(*plain)) : std::nullopt;
}

bool may_link(const Principal& caller) {
    return caller.role == Role::officer || caller.role == Role::admin ||
           caller.role == Role::channel ||
           (caller.role == Role::source && caller.trust == Trust::server);
}

Choice::Standing standing_of(consent::Reason word, consent::Regime regime) {
    const bool opt_out = regime == consent::Regime::person_opt_out;
    switch (word) {
        case consent::Reason::granted: return Choice::Standing::allowed;
        case consent::Reason::denied:
        case consent::Reason::withdrawn:
        case consent::Reason::objected:
        case consent::Reason::restricted: return Choice::Standing::refused;
        default: return opt_out ? Choice::Standing::allowed : Choice::Standing::not_asked;
    }
}

}  // namespace

Result<std::string> Preferences::link(const Principal& caller, std::string_view type,
                                      std::string_view value, std::string_view purpose) const {
    if (!may_link(caller))
        return Error{.code = ErrorCode::forbidden,
                     .reason = "server_source_required",
                     .message = "Links are made for server sources, channels and officers only."};
    const auto* found = needs_.config.policy.find_purpose(purpose);
    if (caller.role == Role::channel) found = CDP_TRY(purpose_for(needs_.config, caller, purpose));
    if (!found) return refuse("purpose_unknown", "No such purpose is configured.", "/purpose");
    if (caller.role == Role::channel) {
        const auto& registered = needs_.config.policy.find_channel(caller.channel)->purposes;
        if (std::ranges::none_of(
                registered, [&](const std::string& one) { return consent::covers(one, purpose); }))
            return Error{.code = ErrorCode::forbidden,
                         .reason = "purpose_not_registered",
                         .message = "The channel is not registered for this purpose.",
                         .pointer = "/purpose"};
    }
    const auto normal = CDP_TRY(read_said(needs_.config, {type, value},
                                          needs_.config.region_of(source_name(caller)),
                                          NamedAt::members("/identifier")));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    CDP_CHECK(check_type_known(needs_.config, needs_.graph, transaction, type,
                               needs_.graph.token(type, normal), "/identifier/type"));
    ByteWriter out;
    out.u8(kFormat).bytes(type).bytes(normal).bytes(purpose);
    out.i64(milliseconds_of(needs_.clock.now()));
    return to_hex(
        storage::Vault::seal(needs_.vault.own_key(kLinkKey), std::string_view{}, out.str()));
}

Result<Preferences::Held> Preferences::unseal(std::string_view link) const {
    const auto plain = opened(needs_.vault, kLinkKey, {}, link);
    if (!plain) return link_unknown();
    ByteReader in(*plain);
    if (in.u8() != kFormat) return link_unknown();
    Held held;
    held.type = in.bytes();
    held.value = in.bytes();
    held.purpose = in.bytes();
    held.made = timestamp_of(in.i64());
    if (!in.done()) return link_unknown();
    if (needs_.clock.now() - held.made > kLinkLife)
        return no_link("link_expired", "This link is too old; a newer message has a newer one.");
    if (!needs_.config.policy.find_purpose(held.purpose))
        return no_link("purpose_unknown", "What this link is about is not in use any more.");
    return held;
}

Result<Choice> Preferences::open(std::string_view link) const {
    const auto held = CDP_TRY(unseal(link));
    auto preference = CDP_TRY(read(held));
    ByteWriter out;
    out.u8(kFormat).raw(storage::random_bytes(kNonceBytes));
    out.i64(milliseconds_of(needs_.clock.now()));
    preference.form = to_hex(storage::Vault::seal(needs_.vault.own_key(kFormKey), link, out.str()));
    return preference;
}

// What was said under the identifier alone: nobody learns from a link what else is known of a
// person.
Result<Choice> Preferences::read(const Held& held) const {
    const auto& policy = needs_.config.policy;
    const auto* purpose = policy.find_purpose(held.purpose);
    Choice out{
        .type = held.type, .value = held.value, .purpose = held.purpose, .regime = purpose->regime};
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto token = needs_.graph.token(held.type, held.value);
    const auto member =
        CDP_TRY(needs_.people.said_under({*snapshot, transaction}, token, held.type));
    const consent::Topic topic{.purpose = held.purpose,
                               .now = needs_.clock.now(),
                               .target_types = purpose->target_types,
                               .self_consent_age = policy.self_consent_age,
                               .reconfirmations = policy.reconfirmations};
    const consent::Fold fold(std::span(&member, 1), topic, {});
    auto word = consent::Word{};
    if (const auto* standing = fold.find(token)) word = standing->word;
    if (fold.person_denial) word = *fold.person_denial;
    out.standing = standing_of(word.reason, out.regime);
    if (word.evidence)
        for (const auto& fact : member.facts)
            if (fact.id == *word.evidence) out.since = fact.time;
    return out;
}

Result<std::string> Preferences::nonce_of(std::string_view link, std::string_view form) const {
    const auto plain = opened(needs_.vault, kFormKey, link, form);
    const auto invalid = [] {
        return refuse("form_invalid", "The page was not the one of this link; open it again.",
                      "/form");
    };
    if (!plain) return invalid();
    ByteReader in(*plain);
    if (in.u8() != kFormat) return invalid();
    std::string nonce(in.raw(kNonceBytes));
    const auto shown = timestamp_of(in.i64());
    if (!in.done()) return invalid();
    if (needs_.clock.now() - shown > kFormLife)
        return refuse("form_expired", "The page was open for too long; open it again.", "/form");
    return nonce;
}

void Preferences::one_click(std::string_view link, Chosen done) const {
    const auto held = unseal(link);
    if (!held) return done(held.error());
    const auto now = read(*held);
    if (!now) return done(now.error());
    if (now->standing == Choice::Standing::refused) return done(Result<void>::ok());
    record(*held, false, "one_click", {}, std::move(done));
}

void Preferences::choose(std::string_view link, std::string_view form, bool allow,
                         Chosen done) const {
    const auto held = unseal(link);
    if (!held) return done(held.error());
    const auto nonce = nonce_of(link, form);
    if (!nonce) return done(nonce.error());
    record(*held, allow, "preference_link", "preference form " + to_hex(*nonce), std::move(done));
}

// A grant takes back a denial of the whole person that was made under this identifier, and opens
// nothing else. A refusal stays with the address where the purpose is about addresses; elsewhere it
// is the person who refuses.
void Preferences::record(const Held& held, bool allow, std::string_view method, std::string key,
                         Chosen done) const {
    const auto regime = needs_.config.policy.find_purpose(held.purpose)->regime;
    const bool of_address = regime == consent::Regime::identifier_opt_in;
    ConsentRequest request;
    request.identifiers.push_back({held.type, held.value});
    request.purpose = held.purpose;
    request.state = allow                                       ? "granted"
                    : regime == consent::Regime::person_opt_out ? "objected"
                                                                : "withdrawn";
    request.scope = !allow && of_address ? "identifier" : "person";
    request.method = method;
    request.idempotency_key = std::move(key);
    const Principal centre{
        .role = Role::source, .name = "preference-centre", .channel = "", .trust = Trust::server};
    needs_.intake.run(centre, {std::move(request)},
                      [done = std::move(done)](Result<std::vector<RecordedConsent>> recorded) {
                          if (!recorded) return done(recorded.error());
                          done(Result<void>::ok());
                      });
}

}  // namespace cdp
