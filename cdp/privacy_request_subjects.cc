#include <algorithm>
#include <utility>

#include "cdp/facts.h"
#include "cdp/privacy_found.h"
#include "cdp/privacy_request_bytes.h"
#include "cdp/privacy_request_rows.h"
#include "storage/key.h"

// Whom requests name, and what is said of them in words: what goes when they are erased.
namespace cdp {
namespace {

using storage::KeyReader;
using storage::KeyWriter;

constexpr auto kSpace = storage::Space::privacy_request;
// Under a request's own id.
constexpr char kToken = 't';

std::string token_key(const PrivacyRequestId& id, const Token& token) {
    return KeyWriter(kSpace, id).byte(kToken).id(token).str();
}
std::string subject_key(const Token& token, const PrivacyRequestId& id) {
    return KeyWriter(kSpace, token).id(id).str();
}

// It is or will be done by itself.
bool erases(const PrivacyRequest& request) {
    return request.kind == PrivacyKind::erasure &&
           (request.state == PrivacyState::verified || request.state == PrivacyState::in_progress);
}

Result<PrivacySubject> open_subject(const storage::SubjectKey& key, std::string_view row,
                                    std::string_view sealed) {
    auto subject = decode_privacy_subject(CDP_TRY(storage::Vault::open(key, row, sealed)));
    if (!subject) return damaged("a request's subject that cannot be read");
    return *std::move(subject);
}

}  // namespace

bool PrivacyWords::empty() const {
    return reason.empty() && traits.empty() && external_id.empty() && context.empty() &&
           remarks.empty();
}

void put_words(PrivacyRequest& request, PrivacyWords words) {
    request.reason = std::move(words.reason);
    request.traits = std::move(words.traits);
    request.remarks = std::move(words.remarks);
    if (!words.external_id.empty()) request.external_id = std::move(words.external_id);
    if (!words.context.empty()) request.context = std::move(words.context);
}

Result<void> put_subjects(storage::Transaction& transaction, const storage::Vault& vault,
                          const PrivacyRequestId& id, std::span<const NamedToken> named,
                          const Token& home, const PrivacyWords& words) {
    for (const auto& [token, identifier] : named) {
        PrivacySubject subject{.identifier = identifier};
        if (token == home) subject.words = words;
        const auto key = CDP_TRY(vault.find_or_make(transaction, token));
        const auto row = subject_key(token, id);
        transaction.put(row, storage::Vault::seal(key, row, encode(subject)));
        transaction.put(token_key(id, token), "");
    }
    return Result<void>::ok();
}

Result<void> put_remark(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                        const storage::Vault& vault, const PrivacyRequestId& id, std::uint32_t step,
                        const PrivacyRemark& remark) {
    struct Home {
        std::string row;
        storage::SubjectKey key;
        PrivacySubject subject;
    };
    std::optional<Home> home;
    // Its row is read by the transaction: an erasure in between is a conflict.
    for (const Token& token : CDP_TRY(tokens_of(snapshot, id))) {
        const auto row = subject_key(token, id);
        const auto sealed = CDP_TRY(transaction.get(row));
        const auto key = CDP_TRY(vault.find(snapshot, token));
        if (!sealed || !key) continue;
        auto subject = CDP_TRY(open_subject(*key, row, *sealed));
        const bool has_words = !subject.words.empty();
        if (!home || has_words) home = Home{row, *key, std::move(subject)};
        if (has_words) break;
    }
    if (!home)
        return Error{.code = ErrorCode::conflict,
                     .reason = "person_erased",
                     .message =
                         "Whoever this was about was erased: there is nobody left to keep "
                         "it with.",
                     .pointer = "/detail"};
    home->subject.words.remarks[step] = remark;
    transaction.put(home->row, storage::Vault::seal(home->key, home->row, encode(home->subject)));
    return Result<void>::ok();
}

void erase_subject(storage::Transaction& transaction, const PrivacyRequestId& id,
                   const Token& token) {
    transaction.erase(subject_key(token, id));
    transaction.erase(token_key(id, token));
    erase_found(transaction, id, token);
}

Result<std::vector<Token>> tokens_of(const storage::Snapshot& snapshot,
                                     const PrivacyRequestId& id) {
    std::vector<Token> out;
    CDP_CHECK(snapshot.scan(KeyWriter(kSpace, id).byte(kToken).str(), "",
                            [&](std::string_view key, std::string_view) {
                                KeyReader in(key);
                                in.byte();
                                out.push_back(in.id<Token>());
                                return in.ok();
                            }));
    return out;
}

Result<PrivacySubjects> subjects_of(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                    const PrivacyRequestId& id) {
    PrivacySubjects out;
    for (const Token& token : CDP_TRY(tokens_of(snapshot, id))) {
        const auto row = subject_key(token, id);
        const auto sealed = CDP_TRY(snapshot.get(row));
        const auto key = CDP_TRY(vault.find(snapshot, token));
        if (!sealed || !key) continue;  // its epoch ended, or an erasure came between
        auto subject = CDP_TRY(open_subject(*key, row, *sealed));
        out.named.push_back({token, std::move(subject.identifier)});
        if (!subject.words.empty()) out.words = std::move(subject.words);
    }
    return out;
}

Result<bool> is_named(storage::Transaction& transaction, const PrivacyRequestId& id,
                      const Token& token) {
    return CDP_TRY(transaction.get(token_key(id, token))).has_value();
}

Result<void> each_request_of(const storage::Snapshot& snapshot, const Token& token,
                             const std::function<bool(const PrivacyRequestId&)>& visit) {
    return snapshot.scan(KeyWriter(kSpace, token).str(), "",
                         [&](std::string_view key, std::string_view) {
                             KeyReader in(key);
                             const auto id = in.id<PrivacyRequestId>();
                             return in.ok() && visit(id);
                         });
}

// What the protocol is still to be told with stays for so long under a key of the server.
static Result<void> keep_to_tell(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                 PrivacyRow& row) {
    auto& request = row.request;
    if (!request.callbacks || (is_final(request.state) && row.owed == 0)) return Result<void>::ok();
    const auto words = CDP_TRY(subjects_of(snapshot, vault, row.id())).words;
    if (!words.external_id.empty()) request.external_id = words.external_id;
    if (!words.context.empty()) request.context = words.context;
    return Result<void>::ok();
}

Result<void> erase_from_requests(const storage::Snapshot& snapshot,
                                 storage::Transaction& transaction, const storage::Vault& vault,
                                 const Token& token, Timestamp now) {
    std::vector<PrivacyRequestId> all;
    CDP_CHECK(each_request_of(snapshot, token, [&](const PrivacyRequestId& id) {
        all.push_back(id);
        return true;
    }));
    for (const auto& id : all) {
        auto row = CDP_TRY(find_privacy_row(transaction, vault, id));
        if (row) {
            const auto before = row->request.context.size() + row->request.external_id.size();
            CDP_CHECK(keep_to_tell(snapshot, vault, *row));
            if (before != row->request.context.size() + row->request.external_id.size())
                put_privacy_row(transaction, vault, *row);
        }
        std::vector<Token> taken{token};
        if (!row || !erases(row->request)) taken = CDP_TRY(tokens_of(snapshot, id));
        for (const Token& one : taken) erase_subject(transaction, id, one);
        transaction.put(privacy_ready_key({now, id}), "");
    }
    return Result<void>::ok();
}

}  // namespace cdp
