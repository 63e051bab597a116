#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/command_line.h"
#include "api/ledger_verbs.h"
#include "api/outgoing.h"
#include "api/url.h"
#include "consent/witness.h"
#include "storage/file.h"

namespace api {
namespace {

constexpr std::chrono::seconds kPatience{30};
// A bundle of 256 entries of 65,535 bytes.
constexpr std::size_t kAnswerBytesMax = 256 * (2 + 65'535);

cdp::Error unreachable(std::string message) {
    return {cdp::ErrorCode::unavailable, "ledger_unreachable", std::move(message), {}, {}};
}

// The ledger's URL without a slash behind it; without a path it is where cdp serves it.
std::optional<std::string> base_of(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    const auto parsed = parse_url(url);
    if (!parsed || url.find('?') != url.npos) return std::nullopt;
    return parsed->has_path ? url : url + "/ledger";
}

// One connection, kept for the next request.
class Source {
public:
    explicit Source(std::string base)
        : base_(std::move(base)),
          outgoing_(
              {.anywhere = true, .patience = kPatience, .answer_bytes_max = kAnswerBytesMax}) {}

    cdp::Result<std::string> fetch(const std::string& path) {
        auto answer = outgoing_.send({.url = base_ + "/" + path});
        if (!answer) return unreachable(path + ": " + answer.error().message);
        if (answer->status != 200)
            return unreachable(path + ": the answer is " + std::to_string(answer->status) + ".");
        return std::move(answer->body);
    }

private:
    const std::string base_;
    Outgoing outgoing_;
};

cdp::Result<std::vector<consent::VerifierKey>> parse_keys(const std::vector<std::string>& texts) {
    std::vector<consent::VerifierKey> keys;
    for (const auto& text : texts) keys.push_back(CDP_TRY(consent::parse_vkey(text)));
    return keys;
}

// nullopt: nothing was ever seen.
cdp::Result<std::optional<consent::SignedCheckpoint>> read_state(
    const std::string& file, std::span<const consent::VerifierKey> keys) {
    const storage::Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.ok() && errno == ENOENT) return std::optional<consent::SignedCheckpoint>();
    if (!opened.ok()) return storage::system_error("open " + file, errno);
    const auto note = CDP_TRY(storage::read_all(opened.number(), consent::kNoteBytesMax));
    auto last = consent::open_checkpoint(note, keys);
    if (!last)
        return cdp::Error{cdp::ErrorCode::unavailable,
                          "state_unreadable",
                          "The state file holds no checkpoint of these keys.",
                          {},
                          file};
    return std::optional(*std::move(last));
}

cdp::Result<void> write_state(const std::string& file, const std::string& note) {
    const auto fresh = file + ".new";
    if (::unlink(fresh.c_str()) != 0 && errno != ENOENT)
        return storage::system_error("remove " + fresh, errno);
    CDP_CHECK(storage::write_new_file(fresh, note));
    if (std::rename(fresh.c_str(), file.c_str()) != 0)
        return storage::system_error("rename " + fresh, errno);
    return storage::sync_folder(storage::folder_of(file));
}

cdp::Result<consent::Witnessed> look(const WitnessCommand& command, const std::string& base,
                                     std::span<const consent::VerifierKey> keys) {
    const auto last = CDP_TRY(read_state(command.state, keys));
    Source source(base);
    auto seen = CDP_TRY(
        consent::witness([&](const std::string& path) { return source.fetch(path); }, keys, last));
    CDP_CHECK(write_state(command.state, seen.now.note));
    return seen;
}

// What the log did is no misuse of ours.
int fail_as_found(const cdp::Error& error) {
    fail(error);
    return kFailed;
}

}  // namespace

int witness_ledger(const WitnessCommand& command) {
    const auto keys = parse_keys(command.keys);
    if (!keys) return fail(keys.error());
    const auto base = base_of(command.url);
    if (!base) {
        std::fprintf(stderr, "cdp: --url takes http[s]://HOST[:PORT][/PREFIX]\n");
        return kUsedWrongly;
    }
    const auto seen = look(command, *base, *keys);
    if (!seen) return fail_as_found(seen.error());
    const auto& now = seen->now.checkpoint;
    if (command.json)
        std::printf(
            "%s\n",
            nlohmann::json{{"origin", now.origin}, {"size", now.size}, {"entries", seen->entries}}
                .dump()
                .c_str());
    else
        std::printf("%s has %llu entries, %llu of them new; it has only grown\n",
                    now.origin.c_str(), static_cast<unsigned long long>(now.size),
                    static_cast<unsigned long long>(seen->entries));
    return finish_output();
}

}  // namespace api
