#include <pthread.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>

#include "api/command_line.h"
#include "api/config.h"
#include "api/config_protocols.h"
#include "api/core_dumps.h"
#include "api/descriptors.h"
#include "api/log_sink.h"
#include "api/reach.h"
#include "api/rebuild.h"
#include "api/server.h"
#include "cdp/base/crash_point.h"
#include "cdp/base/log.h"
#include "cdp/disclosures.h"
#include "cdp/erasures.h"
#include "cdp/key_epochs.h"
#include "cdp/policy_versions.h"
#include "cdp/privacy.h"
#include "cdp/privacy_runner.h"
#include "cdp/retentions.h"
#include "cdp/stewardship.h"

namespace api {
namespace {

struct Address {
    std::string host;
    std::uint16_t port = 0;
};

// 127.0.0.1:8080, [::1]:8080, localhost:0
std::optional<Address> parse_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == text.npos || colon == 0) return std::nullopt;
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    if (host.front() == '[') {
        if (host.size() < 3 || host.back() != ']') return std::nullopt;
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != host.npos) {
        return std::nullopt;
    }
    Address out{.host = std::string(host), .port = 0};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return out;
}

sigset_t signals(std::initializer_list<int> all) {
    sigset_t set;
    sigemptyset(&set);
    for (const int one : all) sigaddset(&set, one);
    return set;
}

// Before any thread starts, so that all of them leave the signals to wait_for_stop.
void block_signals() {
    const auto set = signals({SIGTERM, SIGINT, SIGHUP});
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void end_now(int) {
    ::_exit(kFailed);
}

// Returns at the first signal to stop; a second one ends the process at once. SIGHUP has the
// certificate read again: a closed terminal is no reason to stop.
void wait_for_stop(Server& server) {
    const auto waited_for = signals({SIGTERM, SIGINT, SIGHUP});
    const auto set = signals({SIGTERM, SIGINT});
    int signal = 0;
    while (sigwait(&waited_for, &signal) == 0 && signal == SIGHUP) server.reload_certificate();
    cdp::log::write(cdp::log::Level::info, "stopping", {{"signal", std::int64_t{signal}}});
    std::signal(SIGTERM, end_now);
    std::signal(SIGINT, end_now);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

std::string shown(const std::string& host) {
    return host.find(':') == host.npos ? host : "[" + host + "]";
}

// Draws what an interrupted process left to be drawn, and folds everything anew when the rules
// changed. Says how far it is.
cdp::Result<void> catch_up(const cdp::Platform& platform) {
    constexpr std::uint64_t kEvery = 100'000;
    std::uint64_t told = 0;
    const auto tell = [&](const char* event, const identity::Progress& progress) {
        cdp::log::write(cdp::log::Level::info, event,
                        {{"identifiers", static_cast<std::int64_t>(progress.identifiers)},
                         {"changed", static_cast<std::int64_t>(progress.changed)}});
    };
    const auto caught_up = platform.stewardship().catch_up([&](const identity::Progress& progress) {
        if (progress.identifiers >= told + kEvery) {
            tell("folding_anew", progress);
            told = progress.identifiers;
        }
        return true;
    });
    if (!caught_up) return caught_up.error();
    if (caught_up->identifiers > 0) tell("folded_anew", *caught_up);
    return cdp::Result<void>::ok();
}

// How many connections there may be, as far as the system lets us.
std::size_t make_room_for(std::size_t wanted) {
    const auto descriptors = raise_descriptors(wanted);
    const auto connections = connections_within(descriptors, wanted);
    if (connections < wanted)
        cdp::log::write(cdp::log::Level::warning, "connections_limited",
                        {{"wanted", static_cast<std::int64_t>(wanted)},
                         {"connections", static_cast<std::int64_t>(connections)},
                         {"descriptors", static_cast<std::int64_t>(descriptors)}});
    return connections;
}

// A folder of an older format is brought up to date first.
cdp::Result<OpenFolder> open_up_to_date(const std::string& data, const Config& config) {
    auto folder = open_folder(data, config.disk.cache_bytes);
    if (folder || folder.error().reason != "format_older") return folder;
    cdp::log::write(cdp::log::Level::info, "bringing_up_to_date");
    const auto rebuilt = CDP_TRY(rebuild_folder(data, config.platform, /*check=*/false));
    cdp::log::write(cdp::log::Level::info, "brought_up_to_date",
                    {{"events", static_cast<std::int64_t>(rebuilt.events)}});
    return open_folder(data, config.disk.cache_bytes);
}

// What works beside the server, ended before what it uses: also when a thread cannot be started.
class Background {
public:
    Background(const cdp::Privacy& privacy, cdp::KeyEpochs& key_epochs)
        : privacy_(privacy), key_epochs_(key_epochs) {}
    ~Background() {
        stop();
        privacy_.runner.stop();
    }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    void start() const {
        key_epochs_.resume();
        privacy_.runner.start();
        privacy_.retentions.start();
    }
    // But for the runner, which carries out what the server still takes.
    void stop() const {
        privacy_.retentions.stop();
        key_epochs_.stop();
    }

private:
    const cdp::Privacy& privacy_;
    cdp::KeyEpochs& key_epochs_;
};

int serve_folder(const OpenFolder& folder, const Config& config, ServerOptions options) {
    const cdp::SystemClock clock;
    auto journal = folder.journal();
    if (!journal) return fail(journal.error());
    cdp::Platform platform(*folder.store, *folder.vault, clock, config.platform,
                           *std::move(journal));
    if (const auto done = catch_up(platform); !done) return fail(done.error());
    if (const auto done = platform.privacy().erasures.finish_interrupted(); !done)
        return fail(done.error());
    if (const auto adopted = platform.policies().adopt(); !adopted) return fail(adopted.error());
    platform.publish_ledger();
    if (const auto begun = platform.disclosures().begin(); !begun) return fail(begun.error());
    auto backups = backups_of(folder, &platform.disclosures());
    backups.tell_erasures();
    const auto& privacy = platform.privacy();
    privacy.requests.default_regime(config.privacy_regime);
    privacy.agents.let_in(config.agents);
    privacy.requests.after_erasure([&backups] { backups.tell_erasures(); });
    cdp::KeyEpochs key_epochs({*folder.store, *folder.vault, *folder.keyring, clock});
    key_epochs.reach(backups);
    options.key_epochs = &key_epochs;
    options.backups = &backups;
    const auto files = storage::files_of(*folder.store);
    if (!files) return fail(files.error());
    (*files)->space().keep(config.disk.reserve);
    options.files = *files;
    cdp::LedgerWatch ledger_watch(
        [&platform](const auto& progress) { return platform.check_ledger(progress); }, clock);
    options.ledger_watch = &ledger_watch;
    const Background background(privacy, key_epochs);
    auto server = Server::start(platform, *folder.access, clock, options);
    if (!server) return fail(server.error());

    background.start();
    (*files)->scrubber().begin(config.disk.scrub);
    ledger_watch.begin({.cycle = config.disk.scrub.cycle});

    if (cdp::kCrashPointsArmed) cdp::log::write(cdp::log::Level::warning, "crash_point_armed");
    cdp::crash_point("before_listening");
    const bool secured = options.edge.tls.given();
    const auto url = (secured ? "https://" : "http://") + shown(options.host) + ":" +
                     std::to_string((*server)->port());
    cdp::log::write(cdp::log::Level::info, "listening", {{"url", cdp::log::safe(url)}});
    std::printf("listening on %s\n", url.c_str());
    std::fflush(stdout);

    wait_for_stop(**server);
    background.stop();
    (*server)->stop();
    privacy.runner.stop();
    cdp::log::write(cdp::log::Level::info, "stopped");
    return kDone;
}

}  // namespace

int serve(const ServeCommand& command) {
    const auto address = parse_address(command.listen);
    if (!address) {
        std::fprintf(stderr, "cdp: --listen takes HOST:PORT\n");
        return kUsedWrongly;
    }
    const auto config = given_config(command.config);
    if (!config) return fail(config.error());
    const auto files = check_protocol_files(*config, command.config, cdp::SystemClock().now());
    if (!files) return fail(files.error());
    block_signals();
    forbid_core_dumps();
    log_to_stderr();
    const auto connections = make_room_for(config->connections_max);
    const auto folder = open_up_to_date(command.data, *config);
    if (!folder) return fail(folder.error());
    const ServerOptions options{.host = address->host,
                                .port = address->port,
                                .threads = command.threads > 0 ? command.threads : config->threads,
                                .public_url = config->public_url,
                                .admin_socket_folder = command.data,
                                .connections_max = connections,
                                .edge = config->edge,
                                .purpose_titles = config->purpose_titles,
                                .config_day = config->day,
                                .opendsr = config->opendsr,
                                .iab = config->iab,
                                .outgoing = config->outgoing,
                                .acts_by_itself = true};
    return serve_folder(*folder, *config, options);
}

}  // namespace api
