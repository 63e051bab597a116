#include "api/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "api/connection.h"
#include "api/drp_callbacks.h"
#include "api/listener.h"
#include "api/loop.h"
#include "api/opendsr.h"
#include "api/opendsr_callbacks.h"
#include "api/tls.h"
#include "cdp/base/log.h"
#include "cdp/privacy.h"

namespace api {
namespace {

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
    "Content-Length: 125\r\nRetry-After: 1\r\nX-RateLimit-Reset: 1\r\n"
    "Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n"
    R"({"type":"about:blank","title":"Service Unavailable","status":503,"code":"connections_full","detail":"Too many connections."})"
    "\n";

constexpr std::string_view kAddressFull =
    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\n"
    "Content-Length: 149\r\nRetry-After: 1\r\nX-RateLimit-Reset: 1\r\n"
    "Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n"
    R"({"type":"about:blank","title":"Too Many Requests","status":429,"code":"address_connections_full","detail":"Too many connections from this address."})"
    "\n";

// A proxy on this machine brings in who is not on it.
bool serves_others(const EdgeConfig& edge) {
    return std::ranges::any_of(std::array{"127.0.0.1", "::1"}, [&](const char* here) {
        return edge.trusted_proxies.contains(*read_address(here));
    });
}

void warn_of_key(const cdp::Error& error) {
    cdp::log::write(cdp::log::Level::warning, "protocol_key_not_made",
                    {{"reason", cdp::log::safe(error.reason)}});
}

}  // namespace

// Each part may use those above it, and is destroyed before them.
struct Server::Parts {
    Parts(cdp::Platform& platform_in, cdp::Access& access_in, const cdp::Clock& clock_in,
          const ServerOptions& options_in, const Limits& limits_in, bool metrics_open)
        : options(options_in),
          limits(limits_in),
          routes(metrics_open),
          admission(options_in.edge),
          open_dsr(platform_in, clock_in, options_in.opendsr, options_in.public_url),
          services{.platform = platform_in,
                   .access = access_in,
                   .clock = clock_in,
                   .jobs = {},
                   .render_metrics = {},
                   .public_url = options_in.public_url,
                   .scheme = options_in.edge.tls.given() ? "https" : "http",
                   .purpose_titles = options_in.purpose_titles,
                   .config_day = options_in.config_day,
                   .draining = &draining,
                   .key_epochs = options_in.key_epochs,
                   .backups = options_in.backups,
                   .files = options_in.files,
                   .open_dsr = &open_dsr,
                   .iab = &options.iab} {}

    void start_loops();
    void accept(int descriptor, bool tcp, const Address& peer);
    void accept_admin(Loop& loop, int descriptor);
    void turn_away(int descriptor, std::string_view answer) const;
    cdp::Result<void> begin_protocols();
    std::size_t open_connections() const;
    std::string render() const;

    const ServerOptions options;
    const Limits limits;
    const Routes routes;
    Admission admission;
    std::unique_ptr<TlsWatch> certificate;  // none: plain
    std::atomic<bool> draining = false;
    OpenDsr open_dsr;
    Services services;
    std::vector<std::unique_ptr<Loop>> loops;
    std::uint16_t port = 0;
    std::size_t next_loop = 0;
    HttpMetrics turned_away{routes.all().size()};  // by the listener's thread
    Jobs jobs;
    std::vector<std::thread> threads;
    std::unique_ptr<Listener> listener;
    std::optional<Callbacks> callbacks;
};

void Server::Parts::start_loops() {
    services.jobs = &jobs;
    services.render_metrics = [this] { return render(); };
    const auto cores = std::max(1u, std::thread::hardware_concurrency());
    const auto count = options.threads == 0 ? cores : options.threads;
    std::random_device device;
    for (unsigned i = 0; i < count; ++i) {
        const auto seed = (std::uint64_t{device()} << 32) | device();
        loops.push_back(std::make_unique<Loop>(services, routes, limits, admission, seed));
    }
    for (auto& loop : loops) threads.emplace_back([&loop = *loop] { loop.run(); });
}

// Round robin: few clients with long connections would fall on few threads otherwise.
void Server::Parts::accept(int descriptor, bool tcp, const Address& peer) {
    auto& loop = *loops[next_loop++ % loops.size()];
    if (!tcp) return accept_admin(loop, descriptor);
    const auto open = open_connections();
    admission.set_crowded(open >= limits.connections_max - limits.connections_max / 8);
    if (open >= limits.connections_max) {
        turned_away.connections_refused.add(1);
        return turn_away(descriptor, kFull);
    }
    // Shaking hands costs more than most requests: it counts as one.
    if (certificate && !admission.is_proxy(peer) &&
        admission.wait_for_request(peer, std::chrono::steady_clock::now()) > 0) {
        turned_away.refuse(Refused::address_rate);
        ::close(descriptor);
        return;
    }
    if (!admission.enter(peer)) {
        turned_away.refuse(Refused::address_connections);
        return turn_away(descriptor, kAddressFull);
    }
    loop.adopt({.descriptor = descriptor,
                .tcp = true,
                .uid = -1,
                .peer = peer,
                .tls = certificate ? certificate->context() : nullptr});
}

void Server::Parts::accept_admin(Loop& loop, int descriptor) {
    const auto uid = peer_uid(descriptor);
    if (uid == 0 || uid == static_cast<std::int64_t>(::geteuid()))
        return loop.adopt({.descriptor = descriptor, .tcp = false, .uid = uid});
    cdp::log::write(cdp::log::Level::warning, "admin_peer_refused", {{"uid", uid}});
    ::close(descriptor);
}

// Before hands are shaken there is nothing to be said in TLS.
void Server::Parts::turn_away(int descriptor, std::string_view answer) const {
    if (!certificate) ::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::close(descriptor);
}

// Given files must be good; what is made here can be made later, when there is room.
cdp::Result<void> Server::Parts::begin_protocols() {
    const bool given = !options.opendsr.key.empty();
    if (given || options.acts_by_itself) {
        const auto signer = open_dsr.signer();
        if (given && !signer) return signer.error();
        if (!signer) warn_of_key(signer.error());
        const auto iab = open_dsr.iab_signer();
        if (!iab) warn_of_key(iab.error());
    }
    auto rules = CDP_TRY(read_rules(options.outgoing));
    if (!options.acts_by_itself) return cdp::Result<void>::ok();
    const auto& privacy = services.platform.privacy();
    const DrpAnswers answers{.place = open_dsr,
                             .secrets = privacy.secrets,
                             .agents = privacy.agents,
                             .clock = services.clock};
    callbacks.emplace(Callbacks::Needs{privacy.requests, services.clock},
                      std::vector{opendsr_callbacks(open_dsr, privacy.secrets, services.clock),
                                  drp_callbacks(answers)},
                      std::move(rules));
    callbacks->start();
    return cdp::Result<void>::ok();
}

std::size_t Server::Parts::open_connections() const {
    std::size_t open = 0;
    for (const auto& loop : loops)
        open += loop->metrics.connections_opened.get() - loop->metrics.connections_closed.get();
    return open;
}

std::string Server::Parts::render() const {
    std::vector<const HttpMetrics*> rows{&turned_away};
    for (const auto& loop : loops) rows.push_back(&loop->metrics);
    return api::render_metrics(
        rows, routes.names(), services.platform,
        {.certificate = certificate.get(), .files = options.files, .ledger = options.ledger_watch});
}

Server::Server() = default;

Server::~Server() {
    stop();
}

cdp::Result<std::unique_ptr<Server>> Server::start(cdp::Platform& platform, cdp::Access& access,
                                                   const cdp::Clock& clock,
                                                   const ServerOptions& options) {
    Limits limits;
    limits.connections_max = options.connections_max;
    limits.slow = options.edge.slow_seconds;
    limits.bytes_min = options.edge.bytes_per_second_min;
    return start(platform, access, clock, options, limits);
}

cdp::Result<std::unique_ptr<Server>> Server::start(cdp::Platform& platform, cdp::Access& access,
                                                   const cdp::Clock& clock,
                                                   const ServerOptions& options,
                                                   const Limits& limits) {
    auto tcp = CDP_TRY(listen_tcp(options.host, options.port));
    ListeningSocket admin;
    if (!options.admin_socket_folder.empty())
        admin = CDP_TRY(listen_admin(options.admin_socket_folder));

    std::unique_ptr<Server> server(new Server);
    server->parts_ = std::make_unique<Parts>(platform, access, clock, options, limits,
                                             is_loopback(tcp) && !serves_others(options.edge));
    auto& parts = *server->parts_;
    if (options.edge.tls.given())
        parts.certificate =
            CDP_TRY(TlsWatch::start(options.edge.tls, clock, options.certificate_every));
    CDP_CHECK(parts.begin_protocols());
    parts.port = port_of(tcp);
    parts.start_loops();
    parts.listener =
        std::make_unique<Listener>(std::move(tcp), std::move(admin),
                                   [&parts](int descriptor, bool is_tcp, const Address& peer) {
                                       parts.accept(descriptor, is_tcp, peer);
                                   });
    return server;
}

std::uint16_t Server::port() const {
    return parts_->port;
}

void Server::reload_certificate() {
    if (parts_->certificate) parts_->certificate->look_now();
}

void Server::stop() {
    if (!parts_) return;  // it could not be made
    auto& parts = *parts_;
    parts.draining = true;
    if (parts.callbacks) parts.callbacks->stop();
    parts.listener.reset();
    for (auto& loop : parts.loops) loop->drain();
    for (auto& thread : parts.threads) thread.join();
    parts.threads.clear();
    // Exports whose readers are gone have noticed; keys being added answer to loops that still
    // stand.
    parts.jobs.finish();
    parts.callbacks.reset();
}

}  // namespace api
