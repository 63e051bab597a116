#include "api/outgoing.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>

#include "api/certificate.h"
#include "api/look_up.h"
#include "api/public_address.h"
#include "api/url.h"
#include "storage/file.h"

namespace api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using Endpoints = asio::ip::tcp::resolver::results_type;

constexpr std::uint32_t kHeadBytesMax = 16 * 1024;
constexpr std::size_t kAuthoritiesBytesMax = 1024 * 1024;

cdp::Error failed(std::string reason, std::string message) {
    return {cdp::ErrorCode::unavailable, std::move(reason), std::move(message), {}, {}};
}

cdp::Error forbidden(std::string reason, std::string message) {
    return {cdp::ErrorCode::forbidden, std::move(reason), std::move(message), {}, {}};
}

cdp::Error of(const std::string& host, const beast::error_code& error) {
    const auto said = host + ": " + error.message() + ".";
    if (error == beast::error::timeout)
        return failed("answer_late", host + " took too long to answer.");
    if (error == http::error::body_limit || error == http::error::header_limit)
        return failed("answer_too_large", host + " answered more than is read.");
    if (error.category() == asio::error::get_ssl_category())
        return failed("certificate_refused", said);
    return failed("answer_cut", said);
}

std::string place_of(const Url& url) {
    return (url.tls ? "s " : "p ") + url.authority();
}

}  // namespace

struct Outgoing::Parts {
    explicit Parts(OutgoingRules given) : rules(std::move(given)) {}

    cdp::Result<OutgoingAnswer> send(const OutgoingRequest& request);
    cdp::Result<void> open(const Url& url);
    cdp::Result<Endpoints> look_up(const Url& url);
    cdp::Result<void> trust();
    cdp::Result<void> shake_hands(const Url& url);
    cdp::Result<OutgoingAnswer> ask(const Url& url, const OutgoingRequest& request);
    cdp::Result<OutgoingAnswer> ask_anew(const Url& url, const OutgoingRequest& request);
    bool is_inner(const std::string& host) const {
        return rules.anywhere ||
               std::ranges::find(rules.inner_hosts, host) != rules.inner_hosts.end();
    }
    void close() {
        plain.reset();
        tls.reset();
        place.clear();
        read.clear();
    }

    void start_clock() { tcp().expires_after(rules.patience); }
    beast::tcp_stream& tcp() { return tls ? beast::get_lowest_layer(*tls) : *plain; }

    void cancel() {
        cancelled = true;
        names.cancel();
        // On the thread that waits for the stream, if there is one.
        asio::post(context, [this] {
            if (tls || plain) tcp().close();
        });
    }

    // Waits for one operation; the stream's deadline ends it.
    template <typename Start>
    beast::error_code run(const Start& start) {
        if (cancelled) return asio::error::operation_aborted;
        beast::error_code error;
        start([&error](const beast::error_code& outcome, const auto&...) { error = outcome; });
        context.restart();
        context.run();
        return error;
    }

    const OutgoingRules rules;
    asio::io_context context;
    std::optional<ssl::context> trusted;
    std::optional<beast::tcp_stream> plain;
    std::optional<beast::ssl_stream<beast::tcp_stream>> tls;
    std::string place;  // scheme and authority of what is open
    beast::flat_buffer read;
    bool closed = false;  // it ended before a byte of the last answer
    LookUp names;
    std::atomic<bool> cancelled = false;
};

cdp::Result<Endpoints> Outgoing::Parts::look_up(const Url& url) {
    const auto known = names.find(url.host, url.port, rules.patience);
    if (!known) return failed("host_unknown", url.host + " took too long to be found.");
    const auto& found = known->found;
    if (known->error || found.empty())
        return failed("host_unknown", url.host + ": " + known->error.message() + ".");
    // One that is not public is enough: a name that leads inside as well is no name of a stranger.
    if (!is_inner(url.host))
        for (const auto& one : found)
            if (!is_public(one.endpoint().address()))
                return forbidden("address_not_public", "The host lies at an inner address.");
    return found;
}

cdp::Result<void> Outgoing::Parts::trust() {
    if (trusted) return cdp::Result<void>::ok();
    ssl::context made(ssl::context::tls_client);
    beast::error_code error;
    made.set_default_verify_paths(error);
    if (!rules.authorities.empty())
        made.add_certificate_authority(asio::buffer(rules.authorities), error);
    if (error) return failed("authorities_malformed", "The trusted certificates cannot be read.");
    made.set_verify_mode(ssl::verify_peer, error);
    SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
    trusted.emplace(std::move(made));
    return cdp::Result<void>::ok();
}

cdp::Result<void> Outgoing::Parts::shake_hands(const Url& url) {
    beast::error_code error;
    asio::ip::make_address(url.host, error);
    // RFC 6066 §3: an address is no server name.
    if (error && SSL_set_tlsext_host_name(tls->native_handle(), url.host.c_str()) != 1)
        return failed("certificate_refused", "The host's name cannot be asked for.");
    tls->set_verify_callback(ssl::host_name_verification(url.host), error);
    error =
        run([&](auto done) { tls->async_handshake(ssl::stream_base::client, std::move(done)); });
    if (!error) return cdp::Result<void>::ok();
    if (error == beast::error::timeout) return of(url.host, error);
    return failed("certificate_refused", url.host + ": " + error.message() + ".");
}

cdp::Result<void> Outgoing::Parts::open(const Url& url) {
    close();
    const auto endpoints = CDP_TRY(look_up(url));
    if (url.tls) {
        CDP_CHECK(trust());
        tls.emplace(context, *trusted);
    } else {
        plain.emplace(context);
    }
    start_clock();
    const auto error = run([&](auto done) { tcp().async_connect(endpoints, std::move(done)); });
    if (error == beast::error::timeout) return of(url.host, error);
    if (error) return failed("host_unreachable", url.host + ": " + error.message() + ".");
    if (url.tls) CDP_CHECK(shake_hands(url));
    place = place_of(url);
    return cdp::Result<void>::ok();
}

cdp::Result<OutgoingAnswer> Outgoing::Parts::ask(const Url& url, const OutgoingRequest& request) {
    http::request<http::string_body> out(request.post ? http::verb::post : http::verb::get,
                                         url.target, 11);
    out.set(http::field::host, url.authority());
    out.set(http::field::user_agent, "cdp");
    for (const auto& [name, value] : request.headers) out.set(name, value);
    out.body() = request.body;
    if (request.post) out.prepare_payload();
    http::response_parser<http::string_body> in;
    in.body_limit(rules.answer_bytes_max);
    in.header_limit(kHeadBytesMax);
    const auto exchange = [&](auto& stream) {
        auto error = run([&](auto done) { http::async_write(stream, out, std::move(done)); });
        if (!error)
            error = run([&](auto done) { http::async_read(stream, read, in, std::move(done)); });
        return error;
    };
    const auto error = tls ? exchange(*tls) : exchange(*plain);
    closed = error && error != beast::error::timeout && !in.got_some() && read.size() == 0;
    if (error) return of(url.host, error);
    OutgoingAnswer answer{.status = static_cast<int>(in.get().result_int()),
                          .body = std::move(in.get().body())};
    if (!in.get().keep_alive()) close();
    return answer;
}

cdp::Result<OutgoingAnswer> Outgoing::Parts::ask_anew(const Url& url,
                                                      const OutgoingRequest& request) {
    CDP_CHECK(open(url));
    return ask(url, request);
}

cdp::Result<OutgoingAnswer> Outgoing::Parts::send(const OutgoingRequest& request) {
    const auto url = parse_url(request.url);
    if (!url)
        return cdp::Error{cdp::ErrorCode::invalid_argument,
                          "url_malformed",
                          "A URL like https://dsr.example.com/callbacks is expected.",
                          {},
                          {}};
    if (!url->tls && !is_inner(url->host))
        return forbidden("url_not_https", "Others are spoken to by https alone.");
    if (place != place_of(*url)) return ask_anew(*url, request);
    start_clock();
    auto answer = ask(*url, request);
    return !answer && closed ? ask_anew(*url, request) : answer;
}

cdp::Result<OutgoingRules> read_rules(const OutgoingConfig& config) {
    OutgoingRules rules;
    rules.inner_hosts = config.inner_hosts;
    if (config.authorities.empty()) return rules;
    const storage::Descriptor opened(::open(config.authorities.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.ok())
        return failed("authorities_missing", "The file of trusted certificates cannot be read.");
    rules.authorities = CDP_TRY(storage::read_all(opened.number(), kAuthoritiesBytesMax));
    if (!read_certificate(rules.authorities))
        return failed("authorities_malformed", "The trusted certificates cannot be read.");
    return rules;
}

Outgoing::Outgoing(OutgoingRules rules) : parts_(std::make_unique<Parts>(std::move(rules))) {}

Outgoing::~Outgoing() = default;

cdp::Result<OutgoingAnswer> Outgoing::send(const OutgoingRequest& request) {
    auto& parts = *parts_;
    auto answer = parts.send(request);
    if (!answer) parts.close();
    if (!answer && parts.cancelled) return failed("cancelled", "Nothing is sent any more.");
    return answer;
}

void Outgoing::cancel() {
    parts_->cancel();
}

}  // namespace api
