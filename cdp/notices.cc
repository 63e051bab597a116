#include "cdp/notices.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/refuse.h"
#include "consent/entry.h"
#include "storage/contended.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kNameMax = 256;
constexpr std::size_t kUrlMax = 1024;
constexpr std::size_t kPurposesMax = 64;
constexpr int kRacesMax = 50;

// Of all versions; of one, when it is named.
std::string prefix_of(const storage::Vault& vault, std::string_view id,
                      std::string_view version = {}) {
    storage::KeyWriter key(storage::Space::notice, vault.hash<Token>("notice", id));
    if (!version.empty()) key.id(vault.hash<Token>("notice version", version));
    return key.str();
}

std::string key_of(const storage::Vault& vault, const NoticeVersion& notice) {
    return prefix_of(vault, notice.id, notice.version)
        .append(vault.hash<Token>("notice language", notice.language).view());
}

Result<NoticeVersion> decode(std::string_view bytes) {
    ByteReader in(bytes);
    NoticeVersion out;
    const auto hash = [&](consent::Sha256& into) {
        const auto raw = in.raw(into.size());
        std::ranges::copy(raw, into.begin());
    };
    hash(out.salt);
    const auto format = in.u8();
    out.id = in.bytes();
    out.version = in.bytes();
    out.language = in.bytes();
    for (auto n = in.u16(); n > 0 && in.ok(); --n) out.purposes.emplace_back(in.bytes());
    out.text = in.bytes();
    out.url = in.bytes();
    hash(out.hash);
    out.posted = timestamp_of(in.i64());
    out.author = in.bytes();
    if (!in.done() || format != kFormat) return damaged("a notice that cannot be read");
    return out;
}

// What makes it another text.
bool says_the_same(const NoticeVersion& a, const NoticeVersion& b) {
    return a.purposes == b.purposes && a.text == b.text && a.url == b.url && a.hash == b.hash;
}

Result<void> check_name(const std::string& text, const char* reason, const char* pointer) {
    if (text.empty() || text.size() > kNameMax)
        return refuse(reason, "1 to 256 bytes are expected here.", pointer);
    return Result<void>::ok();
}

}  // namespace

std::string NoticeVersion::encode() const {
    ByteWriter out;
    out.u8(kFormat).bytes(id).bytes(version).bytes(language);
    out.u16(static_cast<std::uint16_t>(purposes.size()));
    for (const auto& purpose : purposes) out.bytes(purpose);
    out.bytes(text).bytes(url).raw(consent::view(hash)).i64(milliseconds_of(posted)).bytes(author);
    return out.take();
}

consent::Sha256 NoticeVersion::commitment() const {
    return consent::commitment(consent::EntryType::version, salt, encode());
}

Result<void> each_notice(const storage::Snapshot& snapshot,
                         const std::function<bool(const Result<NoticeVersion>&)>& visit) {
    return snapshot.scan(
        storage::space_prefix(storage::Space::notice), "",
        [&](std::string_view, std::string_view value) { return visit(decode(value)); });
}

Result<NoticeVersion> Notices::read(const NoticeRequest& request, const std::string& author) const {
    CDP_CHECK(check_name(request.id, "notice_id_malformed", "/id"));
    CDP_CHECK(check_name(request.version, "notice_version_malformed", "/version"));
    CDP_CHECK(check_name(request.language, "notice_language_malformed", "/language"));
    if (request.purposes.empty() || request.purposes.size() > kPurposesMax)
        return refuse("purposes_missing", "A notice is about 1 to 64 purposes.", "/purposes");
    for (std::size_t i = 0; i < request.purposes.size(); ++i)
        if (!consent::may_be_named(needs_.config.policy, request.purposes[i]))
            return refuse("purpose_unknown", "No such purpose is configured.",
                          "/purposes/" + std::to_string(i));
    if (request.text.empty() == request.url.empty())
        return refuse("text_or_url", "A notice has a text, or is at a URL.", "/text");
    if (request.text.size() > kNoticeTextMax)
        return refuse("notice_too_long",
                      "A text has at most 48 kB; name a longer one by URL and hash.", "/text");
    if (request.url.size() > kUrlMax)
        return refuse("url_too_long", "A URL has at most 1024 bytes.", "/url");
    NoticeVersion out{.id = request.id,
                      .version = request.version,
                      .language = request.language,
                      .purposes = request.purposes,
                      .text = request.text,
                      .url = request.url,
                      .posted = needs_.clock.now(),
                      .author = author,
                      .salt = consent::random_salt()};
    const auto given = from_hex(request.sha256);
    if (!given || (given->size() != out.hash.size() && !given->empty()))
        return refuse("malformed_hash", "A SHA-256 is 64 hexadecimal digits.", "/sha256");
    if (!request.text.empty()) {
        out.hash = consent::sha256(request.text);
        if (!given->empty() && *given != consent::view(out.hash))
            return refuse("hash_differs", "That is not the SHA-256 of the text.", "/sha256");
    } else {
        if (given->empty())
            return refuse("hash_missing", "What is at a URL comes with its SHA-256.", "/sha256");
        std::ranges::copy(*given, out.hash.begin());
    }
    return out;
}

Result<Notices::Posted> Notices::post(const NoticeRequest& request,
                                      const std::string& author) const {
    const auto notice = CDP_TRY(read(request, author));
    const auto key = key_of(needs_.vault, notice);
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        if (const auto row = CDP_TRY(transaction.get(key))) {
            auto stored = CDP_TRY(decode(*row));
            if (says_the_same(stored, notice)) return Posted{std::move(stored), false};
            return Error{.code = ErrorCode::conflict,
                         .reason = "notice_differs",
                         .message =
                             "That version says something else already; give this text a "
                             "version of its own."};
        }
        if (CDP_TRY(versions(transaction, notice.id)).size() >= kNoticeVersionsMax)
            return refuse("too_many_versions", "A notice has at most 1000 versions.", "/version");
        const auto bytes = notice.encode();
        transaction.put(key, std::string(consent::view(notice.salt)) + bytes);
        consent::append_entry(
            transaction, needs_.vault,
            {.type = consent::EntryType::version,
             .time = notice.posted,
             .salt = notice.salt,
             .bytes = bytes,
             .fields = {{consent::PublicTag::name,
                         "notice/" + notice.id + "/" + notice.version + "/" + notice.language},
                        {consent::PublicTag::hash, std::string(consent::view(notice.hash))}}});
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return Posted{notice, true};
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("send again in a moment.");
}

Result<std::vector<NoticeVersion>> Notices::versions(storage::Transaction& transaction,
                                                     std::string_view id,
                                                     std::string_view version) const {
    std::vector<NoticeVersion> out;
    std::optional<Error> error;
    CDP_CHECK(transaction.scan(prefix_of(needs_.vault, id, version),
                               [&](std::string_view, std::string_view value) {
                                   auto notice = decode(value);
                                   if (notice)
                                       out.push_back(*std::move(notice));
                                   else
                                       error = notice.error();
                                   return !error;
                               }));
    if (error) return *error;
    std::ranges::stable_sort(out, std::greater{}, &NoticeVersion::posted);
    return out;
}

Result<std::vector<NoticeVersion>> Notices::versions(std::string_view id) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    return versions(transaction, id);
}

Result<std::optional<NoticeVersion>> Notices::shown(storage::Transaction& transaction,
                                                    const consent::Notice& notice) const {
    std::optional<NoticeVersion> found;
    if (notice.id.empty() || notice.version.empty()) return found;
    const auto posted = CDP_TRY(versions(transaction, notice.id, notice.version));
    for (const auto& one : posted) {
        if (!notice.hash.empty() && notice.hash != to_hex(consent::view(one.hash))) continue;
        if (!notice.language.empty() && notice.language != one.language) continue;
        // Which of several languages it was, nobody knows.
        if (notice.hash.empty() && notice.language.empty() && posted.size() > 1) continue;
        found = one;
        break;
    }
    return found;
}

}  // namespace cdp
