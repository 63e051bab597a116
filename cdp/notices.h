#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "consent/record_parts.h"
#include "consent/sha256.h"
#include "storage/store.h"
#include "storage/vault.h"

// The texts that people were shown when they were asked.
namespace cdp {

inline constexpr std::size_t kNoticeTextMax = 48'000;
inline constexpr std::size_t kNoticeVersionsMax = 1'000;  // of one notice, in all languages

// One version of a notice in one language. Never changes.
struct NoticeVersion {
    std::string id = {};
    std::string version = {};
    std::string language = {};
    std::vector<std::string> purposes = {};  // what somebody who agrees to it agrees to
    std::string text = {};                   // empty: it is at `url`
    std::string url = {};
    consent::Sha256 hash = {};  // SHA-256 of what was rendered
    Timestamp posted{};
    std::string author = {};
    consent::Sha256 salt = {};  // of its entry in the ledger

    // What the ledger's entry commits to.
    std::string encode() const;
    consent::Sha256 commitment() const;
};

// All that were posted; false stops.
Result<void> each_notice(const storage::Snapshot& snapshot,
                         const std::function<bool(const Result<NoticeVersion>&)>& visit);

// As posted to /v1/notices.
struct NoticeRequest {
    std::string id = {};
    std::string version = {};
    std::string language = {};
    std::vector<std::string> purposes = {};
    std::string text = {};
    std::string url = {};
    std::string sha256 = {};  // empty: of the text
};

// Safe to use from many threads. Everything it refers to must outlive it.
class Notices {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const Config& config;
        const Clock& clock;
    };
    explicit Notices(Needs needs) : needs_(needs) {}

    struct Posted {
        NoticeVersion notice;
        bool made = true;  // false: the same was there already
    };
    // On disk, and in the ledger, when it returns; waits for the disk. Errors: invalid_argument;
    // conflict (notice_differs): that version has another text, or is for other purposes.
    Result<Posted> post(const NoticeRequest& request, const std::string& author) const;

    // All versions of a notice, or one in all its languages, newest first; empty: there is none.
    Result<std::vector<NoticeVersion>> versions(storage::Transaction& transaction,
                                                std::string_view id,
                                                std::string_view version = {}) const;
    Result<std::vector<NoticeVersion>> versions(std::string_view id) const;

    // What somebody was shown who answered with that: the text with the hash it names, else the one
    // in its language, else the only one. nullopt: nobody posted that.
    Result<std::optional<NoticeVersion>> shown(storage::Transaction& transaction,
                                               const consent::Notice& notice) const;

private:
    Result<NoticeVersion> read(const NoticeRequest& request, const std::string& author) const;

    Needs needs_;
};

}  // namespace cdp
