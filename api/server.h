#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "api/config.h"
#include "api/services.h"
#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/ledger_watch.h"
#include "cdp/platform.h"

namespace api {

struct Limits;

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;                // 0: any free one
    unsigned threads = 0;                  // 0: one per core
    std::string public_url = {};           // see Services
    std::string admin_socket_folder = {};  // where admin.sock is made; empty: none
    std::size_t connections_max = 10'000;
    EdgeConfig edge = {};
    std::chrono::milliseconds certificate_every{10'000};  // its files are looked at
    PurposeTitles purpose_titles = {};
    std::string config_day = {};  // see Config::day
    OpenDsrConfig opendsr = {};
    IabConfig iab = {};
    OutgoingConfig outgoing = {};
    // The keys that protocols sign with are made before anything is served, not when first asked
    // for, and callbacks are sent.
    bool acts_by_itself = false;
    cdp::KeyEpochs* key_epochs = nullptr;  // outlives the server; see Services
    cdp::Backups* backups = nullptr;       // alike
    const storage::DatabaseFiles* files = nullptr;
    const cdp::LedgerWatch* ledger_watch = nullptr;
};

// The network in front of a platform. The platform, access and clock must outlive it.
//
// Each thread owns its connections; nothing is locked while a request is read, routed or answered.
class Server {
public:
    // Listens and serves when it returns. Errors: address_unusable, admin_socket_unusable, those of
    // read_tls_pair.
    static cdp::Result<std::unique_ptr<Server>> start(cdp::Platform& platform, cdp::Access& access,
                                                      const cdp::Clock& clock,
                                                      const ServerOptions& options);
    // The same with other deadlines, for tests.
    static cdp::Result<std::unique_ptr<Server>> start(cdp::Platform& platform, cdp::Access& access,
                                                      const cdp::Clock& clock,
                                                      const ServerOptions& options,
                                                      const Limits& limits);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const;

    // Soon reads the TLS certificate and its key again; see TlsWatch. Nothing without TLS.
    void reload_certificate();

    // Stops accepting, lets what runs finish for Limits::drain, then ends the threads. Every answer
    // that was promised has been given when it returns.
    void stop();

private:
    Server();

    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace api
