#include "cdp/privacy_check.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/named.h"
#include "cdp/privacy_regimes.h"
#include "cdp/refuse.h"
#include "cdp/texts.h"
#include "consent/suppression.h"
#include "consent/utf8.h"
#include "identity/assertion_id.h"
#include "storage/random.h"

namespace cdp {
namespace {

// Those that the hashes of a protocol's request stand for included.
constexpr std::size_t kIdentifiersMax = 256;
constexpr std::size_t kPurposesMax = 64;
constexpr std::size_t kNameMax = 256;
constexpr std::size_t kTraitsMax = 100;
constexpr std::size_t kTraitsBytesMax = 32 * 1024;
constexpr std::size_t kContextMax = 16 * 1024;

bool takes_purposes(PrivacyKind kind) {
    return kind == PrivacyKind::objection || kind == PrivacyKind::restriction ||
           kind == PrivacyKind::opt_out || kind == PrivacyKind::opt_in;
}

// It is sold or shared under this purpose, as far as the policy says: it is open until somebody
// objects, or closed by the signals against sale and sharing.
bool is_sale(const consent::Purpose& purpose) {
    return purpose.regime == consent::Regime::person_opt_out ||
           std::ranges::any_of(purpose.signals, [](const std::string& signal) {
               return signal == "gpc" || signal == "gpp/sale" || signal == "gpp/sharing";
           });
}

std::string content_of(const PrivacyRequest& row, const NewPrivacyRequest& request,
                       const std::vector<NamedToken>& named) {
    ByteWriter out;
    out.u8(static_cast<std::uint8_t>(row.kind)).bytes(row.regime).bytes(request.reason);
    for (const auto& one : named) out.raw(one.token.view());
    for (const auto& [name, value] : request.traits) out.bytes(name).bytes(value);
    for (const auto& purpose : request.purposes) out.bytes(purpose);
    return out.bytes(request.suppression).bytes(request.context).take();
}

Result<std::vector<NamedToken>> read_identifiers(const Config& config, const identity::Graph& graph,
                                                 const NewPrivacyRequest& request) {
    if (request.identifiers.empty())
        return refuse("identifiers_missing", "A request names 1 to 256 identifiers.",
                      "/identifiers");
    if (request.identifiers.size() > kIdentifiersMax)
        return refuse("too_many_identifiers", "A request names at most 256 identifiers.",
                      "/identifiers");
    std::vector<NamedToken> out;
    for (std::size_t i = 0; i < request.identifiers.size(); ++i) {
        const auto& [type, value] = request.identifiers[i];
        auto normal = CDP_TRY(read_said(config, {type, value}, config.default_region,
                                        NamedAt::members("/identifiers/" + std::to_string(i))));
        const auto token = graph.token(type, normal);
        if (std::ranges::find(out, token, &NamedToken::token) == out.end())
            out.push_back({token, {type, std::move(normal)}});
    }
    return out;
}

Result<void> check_content(const NewPrivacyRequest& request) {
    CDP_CHECK(check_reason(request.reason));
    if (request.external_id.size() > kNameMax || !consent::is_line(request.external_id))
        return refuse("malformed_external_id", "An id is one line of at most 256 bytes.",
                      "/external_id");
    const bool rectifies = request.kind == PrivacyKind::rectification;
    if (rectifies && request.traits.empty())
        return refuse("traits_missing", "A rectification says what is right.", "/traits");
    if (!rectifies && !request.traits.empty())
        return refuse("traits_unexpected", "Only a rectification says what is right.", "/traits");
    std::size_t bytes = 0;
    for (const auto& [name, value] : request.traits) {
        if (name.empty() || name.size() > kNameMax || !consent::is_line(name))
            return refuse("malformed_trait", "A trait's name has 1 to 256 bytes.", "/traits");
        bytes += name.size() + value.size();
    }
    if (request.traits.size() > kTraitsMax || bytes > kTraitsBytesMax)
        return refuse("too_many_traits", "A request has at most 100 traits and 32 kB of them.",
                      "/traits");
    if (!request.verified_by.empty()) CDP_CHECK(check_code(request.verified_by, "/verified_by"));
    if (request.whole_person && request.verified_by.empty())
        return refuse("vouched_for_unexpected", "Only who says how it was verified vouches.",
                      "/vouched_for");
    if (!request.note.empty()) CDP_CHECK(check_code(request.note, "/note"));
    if (!request.suppression.empty() && !consent::parse_suppression_reason(request.suppression))
        return refuse("malformed_suppression", "No such reason is known.", "/suppression");
    if (request.context.size() > kContextMax)
        return refuse("context_too_long", "A protocol keeps at most 16 kB with a request.",
                      "/context");
    return Result<void>::ok();
}

Result<std::vector<std::string>> purposes_of(const consent::Policy& policy,
                                             const NewPrivacyRequest& request) {
    if (!takes_purposes(request.kind) && !request.purposes.empty())
        return refuse("purposes_unexpected", "This kind of request is about no purpose.",
                      "/purposes");
    if (request.purposes.size() > kPurposesMax)
        return refuse("too_many_purposes", "A request names at most 64 purposes.", "/purposes");
    for (std::size_t i = 0; i < request.purposes.size(); ++i) {
        const auto& one = request.purposes[i];
        const auto pointer = "/purposes/" + std::to_string(i);
        if (!consent::may_be_named(policy, one))
            return refuse("purpose_unknown", "No such purpose is configured.", pointer);
        if (one == consent::kAllPurposes && request.kind == PrivacyKind::opt_in)
            return refuse("purpose_not_specific",
                          "Consent is given to a purpose, not to all of them.", pointer);
    }
    if (!request.purposes.empty() || !takes_purposes(request.kind)) return request.purposes;
    std::vector<std::string> out;
    if (request.kind == PrivacyKind::objection || request.kind == PrivacyKind::restriction)
        out.emplace_back(consent::kAllPurposes);
    else
        for (const auto& purpose : policy.purposes)
            if (is_sale(purpose)) out.push_back(purpose.name);
    if (out.empty())
        return refuse("purposes_required",
                      "The policy has no purpose that is sale or sharing; name those that are "
                      "meant.",
                      "/purposes");
    return out;
}

}  // namespace

Result<CheckedPrivacyRequest> check_privacy_request(const PrivacyCheckNeeds& with,
                                                    const std::string& sender,
                                                    const NewPrivacyRequest& request,
                                                    Timestamp now) {
    const auto* regime =
        find_privacy_regime(request.regime.empty() ? with.default_regime : request.regime);
    if (!regime) return refuse("regime_unknown", "No such law is known here.", "/regime");
    CDP_CHECK(check_content(request));
    CheckedPrivacyRequest out{.named = CDP_TRY(read_identifiers(with.config, with.graph, request))};
    const auto id = identity::new_assertion_id(now, storage::random_bytes(8));
    auto& one = out.row.request;
    one.id = PrivacyRequestId::from(id.view());
    one.kind = request.kind;
    one.protocol = request.protocol;
    one.regime = regime->name;
    one.sender = sender;
    one.purposes = CDP_TRY(purposes_of(with.config.policy, request));
    one.suppression = request.suppression;
    one.verified_by = request.verified_by;
    one.whole_person = request.whole_person;
    one.asked = static_cast<std::uint32_t>(out.named.size());
    if (one.protocol == PrivacyProtocol::direct && request.received > now)
        return refuse("received_in_future", "A request that is yet to come is not taken down.",
                      "/received");
    one.received = std::min(request.received.value_or(now), now);
    const auto deadlines = deadlines_of(*regime, opts_out(one.kind), one.received);
    one.acknowledge_by = deadlines.acknowledge_by;
    one.answer_by = deadlines.answer_by;
    one.not_before = request.not_before;
    if (one.not_before && *one.not_before > one.answer_by)
        return refuse("not_before_too_late", "It would be done after its answer is due.",
                      "/not_before");
    one.callbacks = request.callbacks;
    out.row.content = with.vault.hash<Token>(
        "privacy request content",
        request.content.empty() ? content_of(one, request, out.named) : request.content);
    return out;
}

}  // namespace cdp
