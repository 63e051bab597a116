#include "cdp/privacy_request_rows.h"

#include "cdp/membership.h"
#include "cdp/privacy_change.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/privacy_owed.h"
#include "cdp/privacy_request_bytes.h"
#include "consent/entry.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::KeyReader;
using storage::KeyWriter;
using storage::Space;

constexpr auto kSpace = Space::privacy_request;
const Token kAll = Token::from("all requests....");
const Token kDue = Token::from("requests by due.");
const Token kReady = Token::from("requests to do..");

// Under a request's own id.
constexpr char kStep = 's';

storage::SubjectKey key_of(const storage::Vault& vault) {
    return vault.own_key("privacy requests");
}

std::string step_key(const PrivacyRequestId& id, std::uint32_t number) {
    return KeyWriter(kSpace, id).byte(kStep).number32(number).str();
}
std::string timed_key(const Token& list, const TimedRequest& one) {
    const auto biased = static_cast<std::uint64_t>(milliseconds_of(one.time)) ^ (1ULL << 63);
    return KeyWriter(kSpace, list).number(biased).id(one.id).str();
}

Result<PrivacyStep> open_step(const storage::Vault& vault, std::string_view key,
                              std::string_view sealed) {
    const auto plain = CDP_TRY(storage::Vault::open(key_of(vault), key, sealed));
    auto step = decode_privacy_step(plain);
    if (!step) return damaged("a step of a request that cannot be read");
    return *std::move(step);
}

Error not_possible(PrivacyState from, PrivacyAct act) {
    return {.code = ErrorCode::conflict,
            .reason = "step_not_possible",
            .message = "A request that is " + std::string(to_string(from)) +
                       " does not take the step " + std::string(to_string(act)) + "."};
}

}  // namespace

Spelling spelling_of(const NamedToken& named) {
    return {.token = named.token, .type = named.identifier.type, .value = named.identifier.value};
}

Timestamp verify_by(const PrivacyRequest& request) {
    const auto key = privacy_request_key(request.id);
    const auto taken_down = KeyReader(key).newest_first();
    return std::max(request.due(), taken_down + (request.answer_by - request.received));
}

std::string PrivacyStep::said_of(const PrivacyRequestId& request) const {
    return std::string(request.view()) + encode_without_salt(*this);
}

consent::Sha256 PrivacyRemark::digest() const {
    return consent::sha256(std::string(consent::view(salt)) + text);
}

consent::Sha256 PrivacyStep::commitment(const PrivacyRequestId& request) const {
    return consent::commitment(consent::EntryType::request_status, salt, said_of(request));
}

std::string privacy_requests_prefix() {
    return KeyWriter(kSpace, kAll).str();
}
std::string privacy_request_key(const PrivacyRequestId& id) {
    return KeyWriter(kSpace, kAll).id(id).str();
}
std::string privacy_external_key(const storage::Vault& vault, PrivacyProtocol protocol,
                                 std::string_view sender, std::string_view external_id) {
    const auto said = ByteWriter()
                          .u8(static_cast<std::uint8_t>(protocol))
                          .bytes(sender)
                          .bytes(external_id)
                          .take();
    return KeyWriter(kSpace, vault.hash<Token>("privacy request", said)).str();
}
std::string privacy_due_prefix() {
    return KeyWriter(kSpace, kDue).str();
}
std::string privacy_ready_prefix() {
    return KeyWriter(kSpace, kReady).str();
}
std::string privacy_due_key(const TimedRequest& one) {
    return timed_key(kDue, one);
}
std::string privacy_ready_key(const TimedRequest& one) {
    return timed_key(kReady, one);
}

std::optional<TimedRequest> timed_in(std::string_view key) {
    KeyReader in(key);
    TimedRequest one;
    one.time = timestamp_of(static_cast<std::int64_t>(in.number() ^ (1ULL << 63)));
    one.id = in.id<PrivacyRequestId>();
    if (!in.ok() || !in.rest().empty()) return std::nullopt;
    return one;
}

Result<PrivacyRow> open_privacy_row(const storage::Vault& vault, std::string_view key,
                                    std::string_view sealed) {
    const auto plain = CDP_TRY(storage::Vault::open(key_of(vault), key, sealed));
    auto row = decode_privacy_row(plain);
    if (!row) return damaged("a request that cannot be read");
    row->request.id = KeyReader(key).id<PrivacyRequestId>();
    return *std::move(row);
}

void put_privacy_row(storage::Transaction& transaction, const storage::Vault& vault,
                     const PrivacyRow& row) {
    const auto key = privacy_request_key(row.id());
    transaction.put(key, storage::Vault::seal(key_of(vault), key, encode(row)));
}

Result<std::optional<PrivacyRow>> find_privacy_row(storage::Transaction& transaction,
                                                   const storage::Vault& vault,
                                                   const PrivacyRequestId& id) {
    const auto key = privacy_request_key(id);
    const auto sealed = CDP_TRY(transaction.get(key));
    if (!sealed) return std::optional<PrivacyRow>{};
    return std::optional(CDP_TRY(open_privacy_row(vault, key, *sealed)));
}

Result<std::vector<PrivacyStep>> steps_of(const storage::Snapshot& snapshot,
                                          const storage::Vault& vault, const PrivacyRequestId& id) {
    std::vector<PrivacyStep> out;
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot.scan(KeyWriter(kSpace, id).byte(kStep).str(), "",
                            [&](std::string_view key, std::string_view sealed) {
                                auto step = open_step(vault, key, sealed);
                                if (step)
                                    out.push_back(*std::move(step));
                                else
                                    outcome = step.error();
                                return static_cast<bool>(outcome);
                            }));
    CDP_CHECK(outcome);
    return out;
}

Result<void> each_privacy_step(
    const storage::Snapshot& snapshot, const storage::Vault& vault,
    const std::function<bool(const PrivacyRequestId&, const Result<PrivacyStep>&)>& visit) {
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot.scan(
        privacy_requests_prefix(), "", [&](std::string_view row_key, std::string_view sealed) {
            const auto row = open_privacy_row(vault, row_key, sealed);
            const auto id = KeyReader(row_key).id<PrivacyRequestId>();
            if (!row) return visit(id, row.error());
            for (std::uint32_t n = 0; n < row->request.steps_taken; ++n) {
                const auto key = step_key(id, n);
                const auto step = snapshot.get(key);
                if (!step) {
                    outcome = step.error();
                    return false;
                }
                const auto opened = *step ? open_step(vault, key, **step)
                                          : Result<PrivacyStep>(damaged("a step that is gone"));
                if (!visit(id, opened)) return false;
            }
            return true;
        }));
    return outcome;
}

Result<void> PrivacyChange::take(PrivacyAct act, const std::string& author, const std::string& code,
                                 const std::string& detail, const consent::Sha256& remark) {
    auto& request = row_.request;
    const bool first = act == PrivacyAct::receive && request.steps_taken == 0;
    const auto to = first ? std::optional(PrivacyState::received) : after(request.state, act);
    if (!to) return not_possible(request.state, act);
    PrivacyStep step{.number = request.steps_taken++,
                     .time = now_,
                     .author = author,
                     .act = act,
                     .to = *to,
                     .code = code,
                     .detail = detail,
                     .remark = remark,
                     .salt = consent::random_salt()};
    if (!first) step.from = request.state;
    request.state = *to;
    const auto key = step_key(request.id, step.number);
    transaction_.put(key, storage::Vault::seal(key_of(vault_), key, encode(step)));
    const auto said = step.said_of(request.id);
    consent::append_entry(transaction_, vault_,
                          {.type = consent::EntryType::request_status,
                           .time = now_,
                           .salt = step.salt,
                           .bytes = said});
    if (request.callbacks && !first && step.from != step.to) {
        const OwedCallback owed{.request = request.id, .step = step.number, .not_before = now_};
        put_owed(transaction_, request.protocol, owed);
        ++row_.owed;
    }
    return Result<void>::ok();
}

void PrivacyChange::schedule() {
    const auto& request = row_.request;
    switch (request.state) {
        case PrivacyState::waiting_for_verification: row_.ready_at = verify_by(request); break;
        case PrivacyState::verified:
            row_.ready_at = std::max(request.not_before.value_or(now_), now_);
            break;
        case PrivacyState::in_progress:
            if (!request.blocked.empty()) row_.ready_at.reset();
            break;
        default: row_.ready_at.reset();
    }
}

void PrivacyChange::write() {
    auto& request = row_.request;
    // Whoever was erased is told of no more.
    if (is_final(request.state) && row_.owed == 0) {
        request.external_id.clear();
        request.context.clear();
    }
    if (is_final(request.state)) row_.whole.clear();
    const bool new_one = was_.request.steps_taken == 0;
    const auto drop = [&](const std::optional<std::string>& before,
                          const std::optional<std::string>& now) {
        if (before && before != now) transaction_.erase(*before);
        if (now && before != now) transaction_.put(*now, "");
    };
    const auto due = [](const PrivacyRequest& one) {
        return is_final(one.state) ? std::nullopt
                                   : std::optional(privacy_due_key({one.due(), one.id}));
    };
    const auto ready = [](const PrivacyRow& one) {
        return one.ready_at ? std::optional(privacy_ready_key({*one.ready_at, one.id()}))
                            : std::nullopt;
    };
    drop(new_one ? std::nullopt : due(was_.request), due(request));
    drop(new_one ? std::nullopt : ready(was_), ready(row_));
    put_privacy_row(transaction_, vault_, row_);
}

Result<std::vector<Token>> whole_named(const Spellings::Needs& needs, People::Reading reading,
                                       std::span<const NamedToken> named) {
    std::vector<Spelling> spellings;
    for (const auto& one : named) spellings.push_back(spelling_of(one));
    return whole_of(needs, reading, spellings);
}

}  // namespace cdp
