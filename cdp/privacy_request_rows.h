#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/privacy_request.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// Requests as they are stored: the rows of Space::privacy_request. docs/STORAGE.md lists them.
namespace cdp {

// Who takes the steps that nobody asks for.
inline constexpr const char* kOurselves = "cdp";

// Counted in its results: answers that are from before an erasure, and therefore none.
inline constexpr const char* kSuppressedCount = "suppressed";

// What is kept of a request under its own id, sealed under a key of the server: it names nobody.
struct PrivacyRow {
    // Without what names the person, and without its steps. Its external id and context are here
    // only from when the person is erased until the protocol was told of it.
    PrivacyRequest request = {};
    Token content = {};  // a keyed hash of what was asked, for who asks again
    // Whom it takes, from its beginning to its end: what is erased is found by nothing else.
    std::vector<Token> plan = {};
    // Who was, with those it names, one person when somebody answered for the whole of it, or when
    // it was blocked until somebody does (cdp/membership.h); until its end.
    std::vector<Token> whole = {};
    Timestamp begun{};
    std::uint32_t owed = 0;                  // callbacks that are to be delivered
    std::uint32_t attempts = 0;              // that failed, one after the other
    std::optional<Timestamp> ready_at = {};  // when it wants to be looked at; none: never

    const PrivacyRequestId& id() const { return request.id; }
};

// For so long whoever asked can prove who they are: until the answer is due, and for as long as it
// takes by law from when it was taken down.
Timestamp verify_by(const PrivacyRequest& request);

struct NamedToken {
    Token token = {};
    RequestedIdentifier identifier = {};  // normal form
};

// What is said in somebody's words, and goes with the person.
struct PrivacyWords {
    std::string reason = {};
    std::map<std::string, std::string> traits = {};
    std::string external_id = {};
    std::string context = {};
    std::map<std::uint32_t, PrivacyRemark> remarks = {};

    bool empty() const;
};

// What one identifier's row holds of a request, sealed under its key.
struct PrivacySubject {
    RequestedIdentifier identifier = {};
    PrivacyWords words = {};  // in the row of one of them alone
};

std::string privacy_requests_prefix();
std::string privacy_request_key(const PrivacyRequestId& id);
std::string privacy_external_key(const storage::Vault& vault, PrivacyProtocol protocol,
                                 std::string_view sender, std::string_view external_id);
// Open ones by the day they are due; those that want to be looked at, by when.
std::string privacy_due_prefix();
std::string privacy_ready_prefix();
struct TimedRequest {
    Timestamp time{};
    PrivacyRequestId id{};
};
std::string privacy_due_key(const TimedRequest& one);
std::string privacy_ready_key(const TimedRequest& one);
// Of a row's key of either kind; nullopt: it is none.
std::optional<TimedRequest> timed_in(std::string_view key);

Result<std::optional<PrivacyRow>> find_privacy_row(storage::Transaction& transaction,
                                                   const storage::Vault& vault,
                                                   const PrivacyRequestId& id);
void put_privacy_row(storage::Transaction& transaction, const storage::Vault& vault,
                     const PrivacyRow& row);
Result<PrivacyRow> open_privacy_row(const storage::Vault& vault, std::string_view key,
                                    std::string_view sealed);

// Files a request under those it names, who must have keys in the transaction. `home`: the one in
// whose row the words are.
Result<void> put_subjects(storage::Transaction& transaction, const storage::Vault& vault,
                          const PrivacyRequestId& id, std::span<const NamedToken> named,
                          const Token& home, const PrivacyWords& words);
// Keeps a remark with the person. person_erased (conflict): nobody is left whom it is about.
Result<void> put_remark(storage::Transaction& transaction, const storage::Snapshot& snapshot,
                        const storage::Vault& vault, const PrivacyRequestId& id, std::uint32_t step,
                        const PrivacyRemark& remark);
// Takes what was put there for one of them.
void erase_subject(storage::Transaction& transaction, const PrivacyRequestId& id,
                   const Token& token);
// It is so now, and stays so until the transaction is committed.
Result<bool> is_named(storage::Transaction& transaction, const PrivacyRequestId& id,
                      const Token& token);
struct PrivacySubjects {
    std::vector<NamedToken> named = {};
    PrivacyWords words = {};
};
// Of those that were not erased.
Result<PrivacySubjects> subjects_of(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                    const PrivacyRequestId& id);
Result<std::vector<Token>> tokens_of(const storage::Snapshot& snapshot, const PrivacyRequestId& id);
// Which requests name an identifier, newest first; false stops.
Result<void> each_request_of(const storage::Snapshot& snapshot, const Token& token,
                             const std::function<bool(const PrivacyRequestId&)>& visit);
// Takes what the requests of an identifier hold of whom they name, who is one person; of an erasure
// that goes on, and takes the others itself, what is held under this one alone. They are looked at
// again at `now`.
Result<void> erase_from_requests(const storage::Snapshot& snapshot,
                                 storage::Transaction& transaction, const storage::Vault& vault,
                                 const Token& token, Timestamp now);

// Gives a request its words back.
void put_words(PrivacyRequest& request, PrivacyWords words);

Result<std::vector<PrivacyStep>> steps_of(const storage::Snapshot& snapshot,
                                          const storage::Vault& vault, const PrivacyRequestId& id);
// Every step of every request; an Error for a row that cannot be read. False stops.
Result<void> each_privacy_step(
    const storage::Snapshot& snapshot, const storage::Vault& vault,
    const std::function<bool(const PrivacyRequestId&, const Result<PrivacyStep>&)>& visit);

}  // namespace cdp
