#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/command_line.h"
#include "api/ledger_verbs.h"
#include "consent/witness.h"
#include "storage/file.h"

namespace api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::chrono::seconds kPatience{30};
// A bundle of 256 entries of 65,535 bytes.
constexpr std::uint64_t kAnswerBytesMax = 256 * (2 + 65'535);
constexpr std::string_view kScheme = "http://";

cdp::Error unreachable(std::string message) {
    return {cdp::ErrorCode::unavailable, "ledger_unreachable", std::move(message), {}, {}};
}

struct Place {
    std::string host;
    std::string port;
    std::string prefix;  // starts with a slash, ends without
};

// http://HOST[:PORT][/PREFIX]; without a prefix the ledger is where cdp serves it.
std::optional<Place> parse_url(std::string_view url) {
    if (!url.starts_with(kScheme)) return std::nullopt;
    url.remove_prefix(kScheme.size());
    while (url.ends_with('/')) url.remove_suffix(1);
    const auto slash = url.find('/');
    const auto authority = url.substr(0, slash);
    const auto colon = authority.rfind(':');
    const bool has_port = colon != authority.npos && authority.find(']', colon) == authority.npos;
    Place out{.host = std::string(has_port ? authority.substr(0, colon) : authority),
              .port = std::string(has_port ? authority.substr(colon + 1) : "80"),
              .prefix = slash == url.npos ? "/ledger" : std::string(url.substr(slash))};
    if (out.host.starts_with('[') && out.host.ends_with(']'))
        out.host = out.host.substr(1, out.host.size() - 2);
    if (out.host.empty() || out.port.empty()) return std::nullopt;
    return out;
}

// One connection, kept for the next request.
class Source {
public:
    explicit Source(Place place) : place_(std::move(place)) {}

    cdp::Result<std::string> fetch(const std::string& path) {
        beast::error_code error;
        if (!stream_) {
            stream_.emplace(context_);
            asio::ip::tcp::resolver resolver(context_);
            const auto found = resolver.resolve(place_.host, place_.port, error);
            if (error) return unreachable(place_.host + ": " + error.message() + ".");
            run([&](auto done) { stream_->async_connect(found, std::move(done)); }, error);
            if (error) return unreachable(place_.host + ": " + error.message() + ".");
        }
        http::request<http::empty_body> request(http::verb::get, place_.prefix + "/" + path, 11);
        request.set(http::field::host, place_.host);
        run([&](auto done) { http::async_write(*stream_, request, std::move(done)); }, error);
        http::response_parser<http::string_body> parser;
        parser.body_limit(kAnswerBytesMax);
        if (!error)
            run([&](auto done) { http::async_read(*stream_, buffer_, parser, std::move(done)); },
                error);
        if (error) return unreachable(path + ": " + error.message() + ".");
        if (!parser.get().keep_alive()) stream_.reset();
        if (parser.get().result() != http::status::ok)
            return unreachable(path + ": the answer is " +
                               std::to_string(parser.get().result_int()) + ".");
        return std::move(parser.get().body());
    }

private:
    // Waits for one operation, at most so long.
    template <typename Start>
    void run(const Start& start, beast::error_code& error) {
        stream_->expires_after(kPatience);
        start([&error](const beast::error_code& outcome, const auto&...) { error = outcome; });
        context_.restart();
        context_.run();
    }

    const Place place_;
    asio::io_context context_;
    std::optional<beast::tcp_stream> stream_;
    beast::flat_buffer buffer_;
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

cdp::Result<consent::Witnessed> look(const WitnessCommand& command, const Place& place,
                                     std::span<const consent::VerifierKey> keys) {
    const auto last = CDP_TRY(read_state(command.state, keys));
    Source source(place);
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
    const auto place = parse_url(command.url);
    if (!place) {
        std::fprintf(stderr, "cdp: --url takes http://HOST[:PORT][/PREFIX]\n");
        return kUsedWrongly;
    }
    const auto seen = look(command, *place, *keys);
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
