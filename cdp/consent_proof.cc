#include "cdp/consent_proof.h"

#include <algorithm>
#include <utility>

#include "cdp/refuse.h"
#include "consent/policy.h"
#include "consent/rows.h"
#include "identity/change.h"

namespace cdp {
namespace {

using consent::Record;
using consent::State;

Result<void> check_against(const Record& pending, const CheckedConsent& item) {
    const auto& record = item.record;
    const auto at = item.pointer + "/double_opt_in";
    const bool same = pending.purpose == record.purpose && pending.channels == record.channels &&
                      pending.labels == record.labels;
    if (pending.state != State::pending_doi || !same)
        return refuse("confirmation_differs",
                      "What is confirmed is not what was asked: purpose, channels and labels are "
                      "those of the pending answer.",
                      at + "/request");
    // Of what is imported without a token, the other system has checked it.
    if (!item.token.empty() &&
        pending.double_opt_in->token_hash != record.double_opt_in->token_hash)
        return refuse("confirmation_token_wrong", "That is not the token of this request.",
                      at + "/token");
    if (!pending.double_opt_in->expires || record.time > *pending.double_opt_in->expires)
        return refuse("confirmation_expired", "The time to confirm is over; ask again.",
                      at + "/request");
    return Result<void>::ok();
}

}  // namespace

Result<void> ConsentProof::check(const storage::Snapshot& snapshot,
                                 storage::Transaction& transaction, CheckedConsent& item) const {
    auto& record = item.record;
    item.answer.warnings = item.warnings;
    record.graph_version = CDP_TRY(storage::log_size(snapshot, identity::change_log()));
    for (const auto& one : record.asserted)
        if (const auto stored = CDP_TRY(find(snapshot, transaction, one.token, record.id))) {
            record.graph_version = stored->graph_version;
            return Result<void>::ok();
        }
    CDP_CHECK(check_confirmation(snapshot, transaction, item));
    CDP_CHECK(check_guardian(snapshot, transaction, item));
    return check_notice(transaction, item);
}

// Its time is in the key, so it is looked for by its id.
Result<std::optional<Record>> ConsentProof::find(const storage::Snapshot& snapshot,
                                                 storage::Transaction& transaction,
                                                 const Token& token, const RecordId& id) const {
    std::optional<std::pair<std::string, std::string>> found;
    CDP_CHECK(transaction.scan(consent::records_prefix(token),
                               [&](std::string_view key, std::string_view sealed) {
                                   if (consent::id_in(key) == id) found.emplace(key, sealed);
                                   return !found;
                               }));
    if (!found) return std::optional<Record>();
    const auto key = CDP_TRY(needs_.vault.find(snapshot, token));
    if (!key) return std::optional<Record>();
    auto opened = CDP_TRY(consent::open_row(*key, token, found->first, found->second));
    return std::optional(std::get<Record>(std::move(opened.row)));
}

// Under each identifier that the grant names, for each is confirmed by itself.
Result<void> ConsentProof::check_confirmation(const storage::Snapshot& snapshot,
                                              storage::Transaction& transaction,
                                              const CheckedConsent& item) const {
    const auto& doi = item.record.double_opt_in;
    if (item.record.state != State::granted || !doi || !doi->request) return Result<void>::ok();
    for (const auto& one : item.record.asserted) {
        const auto pending = CDP_TRY(find(snapshot, transaction, one.token, *doi->request));
        if (!pending)
            return refuse("confirmation_unknown",
                          "Nothing with that id waits to be confirmed for these identifiers.",
                          item.pointer + "/double_opt_in/request");
        CDP_CHECK(check_against(*pending, item));
    }
    return Result<void>::ok();
}

Result<void> ConsentProof::check_guardian(const storage::Snapshot& snapshot,
                                          storage::Transaction& transaction,
                                          const CheckedConsent& item) const {
    const auto& minor = item.record.minor;
    if (item.record.state != State::granted || !minor || !minor->guardian_record)
        return Result<void>::ok();
    std::optional<Record> said;
    if (minor->guardian)
        said = CDP_TRY(find(snapshot, transaction, *minor->guardian, *minor->guardian_record));
    if (!said || said->state != State::granted ||
        !consent::covers(said->purpose, item.record.purpose))
        return refuse("guardian_record_unknown",
                      "The guardian has no such grant for this purpose; record it first.",
                      item.pointer + "/minor/guardian_record");
    return Result<void>::ok();
}

Result<void> ConsentProof::check_notice(storage::Transaction& transaction,
                                        CheckedConsent& item) const {
    const auto& notice = item.record.notice;
    if (notice.id.empty()) return Result<void>::ok();
    std::vector<NoticeVersion> posted;
    if (!notice.version.empty())
        posted = CDP_TRY(needs_.notices.versions(transaction, notice.id, notice.version));
    bool known = false;
    bool differs = !notice.hash.empty();
    for (const auto& one : posted) {
        if (!notice.language.empty() && one.language != notice.language) continue;
        known = true;
        if (to_hex(consent::view(one.hash)) == notice.hash) differs = false;
    }
    if (!known) {
        item.answer.warnings.push_back({"notice_unknown", item.pointer + "/notice"});
    } else if (differs) {
        const auto pointer = item.pointer + "/notice/hash";
        if (item.record.state == State::granted || item.record.state == State::pending_doi)
            return refuse("notice_hash_differs",
                          "That version of the notice was posted with another text.", pointer);
        item.answer.warnings.push_back({"notice_hash_differs", pointer});
    }
    return Result<void>::ok();
}

}  // namespace cdp
