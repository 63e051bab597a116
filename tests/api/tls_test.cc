#include "api/tls.h"

#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "api/admin_client.h"
#include "api/certificate.h"
#include "api/command_line.h"
#include "api/listener.h"
#include "tests/api/certificates.h"
#include "tests/api/tls_client.h"
#include "tests/api/world.h"
#include "tests/storage/folder.h"

using tests::TlsClient;
using tests::TlsOffer;
using tests::World;

namespace {

const std::string kHealth = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kLast = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

const api::Credentials& other_credentials() {
    static const auto made = api::make_self_signed("localhost", cdp::SystemClock{}.now());
    REQUIRE(made);
    return *made;
}

void write_file(const std::string& path, const std::string& text, mode_t mode) {
    // Beside it first: whoever looks meanwhile sees one or the other.
    const auto fresh = path + ".new";
    std::ofstream(fresh) << text;
    ::chmod(fresh.c_str(), mode);
    std::filesystem::rename(fresh, path);
}

// The files of a pair in a folder of their own.
struct Pair {
    explicit Pair(const api::Credentials& credentials = tests::local_credentials()) {
        write(credentials);
    }
    void write(const api::Credentials& credentials) const {
        write_file(files().certificate, credentials.certificate, 0644);
        write_file(files().key, credentials.key, 0600);
    }
    api::TlsFiles files() const { return {folder / "certificate.pem", folder / "key.pem"}; }

    tests::Folder folder;
};

api::ServerOptions options_of(const Pair& pair) {
    api::ServerOptions out;
    out.edge.tls = pair.files();
    out.certificate_every = std::chrono::hours(1);
    return out;
}

class MovedClock final : public cdp::Clock {
public:
    cdp::Timestamp now() const override { return cdp::SystemClock{}.now() + ahead_.load(); }
    void move(std::chrono::hours by) { ahead_ = by; }

private:
    std::atomic<std::chrono::hours> ahead_{std::chrono::hours(0)};
};

std::string refusal_of(const Pair& pair) {
    const auto read = api::read_tls_pair(pair.files(), cdp::SystemClock{}.now());
    return read ? "" : read.error().reason;
}

std::string metric(const World& world, const std::string& name) {
    TlsClient client(world.server->port());
    client.send("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto text = client.read_to_end();
    const auto at = text.find("\n" + name + " ");
    if (at == text.npos) return "";
    return text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
}

template <typename Holds>
bool soon(const Holds& holds) {
    for (int i = 0; i < 500; ++i) {
        if (holds()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

}  // namespace

TEST_CASE("a pair that cannot be served is refused with the reason") {
    const Pair pair;
    const auto files = pair.files();
    CHECK(refusal_of(pair) == "");

    SECTION("the key is another's") {
        write_file(files.key, other_credentials().key, 0600);
        CHECK(refusal_of(pair) == "tls_pair_mismatch");
    }
    SECTION("the key may be read by others") {
        for (const mode_t mode : {0604, 0620, 0660, 0644}) {
            ::chmod(files.key.c_str(), mode);
            CHECK(refusal_of(pair) == "tls_key_exposed");
        }
        ::chmod(files.key.c_str(), 0400);
        CHECK(refusal_of(pair) == "");
        // Root's may be read by its group, as PostgreSQL has it.
        ::chmod(files.key.c_str(), 0640);
        CHECK(refusal_of(pair) == (::geteuid() == 0 ? "" : "tls_key_exposed"));
    }
    SECTION("a link leads where the files are") {
        std::filesystem::rename(files.key, files.key + ".1");
        std::filesystem::create_symlink(files.key + ".1", files.key);
        CHECK(refusal_of(pair) == "");
    }
    SECTION("files are missing") {
        std::filesystem::remove(files.key);
        CHECK(refusal_of(pair) == "tls_key_unreadable");
        std::filesystem::remove(files.certificate);
        CHECK(refusal_of(pair) == "tls_certificate_unreadable");
        std::filesystem::create_directory(files.certificate);
        CHECK(refusal_of(pair) == "tls_certificate_unreadable");
    }
    SECTION("files hold something else") {
        write_file(files.key, "key", 0600);
        CHECK(refusal_of(pair) == "tls_key_malformed");
        write_file(files.certificate, "certificate", 0600);
        CHECK(refusal_of(pair) == "tls_certificate_malformed");
    }
    SECTION("the second certificate is cut") {
        const auto& good = tests::local_credentials().certificate;
        write_file(files.certificate, good + good, 0600);
        CHECK(refusal_of(pair) == "");
        write_file(files.certificate, good + good.substr(0, good.size() / 2), 0600);
        CHECK(refusal_of(pair) == "tls_certificate_malformed");
    }
    SECTION("the certificate is for another time") {
        const auto now = cdp::SystemClock{}.now();
        const auto at = [&](cdp::Timestamp time) {
            const auto read = api::read_tls_pair(files, time);
            return read ? "" : read.error().reason;
        };
        CHECK(at(now - std::chrono::days(2)) == "tls_certificate_not_valid");
        CHECK(at(now + std::chrono::days(3651)) == "tls_certificate_not_valid");
        const auto read = api::read_tls_pair(files, now);
        REQUIRE(read);
        CHECK(read->expires > now + std::chrono::days(3640));
        CHECK(read->expires < now + std::chrono::days(3651));
    }
}

TEST_CASE("a configuration is checked with the files that it names") {
    const Pair pair;
    const auto files = pair.files();
    const auto config = pair.folder / "cdp.toml";
    std::ofstream(config) << "[tls]\ncertificate = \"" << files.certificate << "\"\nkey = \""
                          << files.key << "\"\n";
    CHECK(api::check_config(config) == api::kDone);
    ::chmod(files.key.c_str(), 0644);
    CHECK(api::check_config(config) == api::kFailed);
}

TEST_CASE("over TLS everything is as without") {
    const Pair pair;
    World world(tests::fast_limits(), options_of(pair));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        TlsClient client(world.server->port(), {.lowest = version, .highest = version});
        REQUIRE(client.shaken());
        std::string pipelined;
        for (int i = 0; i < 50; ++i) pipelined += kHealth;
        client.send(pipelined);
        for (int i = 0; i < 50; ++i) CHECK(client.read_until("}\n").starts_with("HTTP/1.1 200"));

        // Several records each way.
        std::string batch = R"({"batch":[)";
        for (int i = 0; i < 2000; ++i)
            batch += std::string(i == 0 ? "" : ",") +
                     R"({"type":"track","event":"x","userId":"u1","messageId":"m)" +
                     std::to_string(version * 10'000 + i) + "\"}";
        batch += "]}";
        client.send("POST /v1/batch HTTP/1.1\r\nHost: a\r\n" + World::bearer(world.till) +
                    "Content-Length: " + std::to_string(batch.size()) + "\r\n\r\n" + batch);
        const auto answer = client.read_until("]}\n");
        CHECK(answer.starts_with("HTTP/1.1 200"));
        CHECK(answer.size() > 100'000);

        CHECK(client.send(kLast).read_to_end().starts_with("HTTP/1.1 200"));
        CHECK(client.ended_well());
    }
    CHECK(world.accepted() == 4000);
}

TEST_CASE("only strong suites and versions are spoken, and HTTP/1.1 alone") {
    const Pair pair;
    World world(tests::fast_limits(), options_of(pair));
    const auto refusal = [&](const TlsOffer& offer) {
        TlsClient client(world.server->port(), offer);
        return client.shaken() ? "" : client.refusal();
    };
    CHECK(refusal({.lowest = TLS1_VERSION, .highest = TLS1_1_VERSION, .weak = true}) != "");
    for (const auto* weak : {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA",
                             "DHE-RSA-AES128-GCM-SHA256", "AES256-SHA", "NULL", "aNULL"}) {
        CAPTURE(weak);
        CHECK(refusal({.highest = TLS1_2_VERSION, .suites = weak, .weak = true}) != "");
    }
    for (const auto* strong : {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
                               "ECDHE-RSA-CHACHA20-POLY1305"})
        CHECK(refusal({.highest = TLS1_2_VERSION, .suites = strong}) == "");

    CHECK(refusal({.protocols = "\x08http/1.1"}) == "");
    CHECK(refusal({.protocols = "\x02h2\x08http/1.1"}) == "");
    CHECK(refusal({.protocols = "\x02h2"}) == "tlsv1 alert no application protocol");
    CHECK(refusal({.protocols = "\x03"
                                "ftp"}) == "tlsv1 alert no application protocol");
}

TEST_CASE("sessions are neither renegotiated nor resumed") {
    const Pair pair;
    World world(tests::fast_limits(), options_of(pair));
    TlsClient old(world.server->port(), {.highest = TLS1_2_VERSION});
    REQUIRE(old.shaken());
    CHECK(SSL_SESSION_has_ticket(SSL_get_session(old.tls())) == 0);
    SSL_renegotiate(old.tls());
    CHECK(SSL_do_handshake(old.tls()) != 1);

    TlsClient first(world.server->port());
    CHECK(first.send(kHealth).read_until("}\n").starts_with("HTTP/1.1 200"));
    auto* session = SSL_get_session(first.tls());
    CHECK(SSL_SESSION_has_ticket(session) == 0);
    CHECK(SSL_SESSION_is_resumable(session) == 0);
}

TEST_CASE("whoever speaks no TLS to a port of TLS is let go cleanly") {
    const Pair pair;
    auto limits = tests::fast_limits();
    limits.head = 100;
    World world(limits, options_of(pair));
    for (const auto& bytes : {kHealth, std::string(100'000, 'x'), std::string("\x16\x03\x01")}) {
        auto wire = world.connect();
        wire.send(bytes);
        // An alert at most, then the end: no answer, no reset.
        CHECK(wire.read().status == 0);
    }
    // One that says nothing is let go in the time of a head.
    auto silent = world.connect();
    CHECK(silent.closed());
    CHECK(
        soon([&] { return metric(world, "cdp_http_refused_total{reason=\"handshake\"}") == "4"; }));
}

TEST_CASE("shaking hands counts as a request") {
    const Pair pair;
    auto options = options_of(pair);
    options.edge.bounds_loopback = true;
    options.edge.address_requests = {.per_second = 1, .burst = 5};
    const tests::Folder folder;
    options.admin_socket_folder = folder.path();
    World world(tests::fast_limits(), options);
    int shaken = 0;
    for (int i = 0; i < 10; ++i)
        if (TlsClient(world.server->port()).shaken()) ++shaken;
    CHECK(shaken >= 5);
    CHECK(shaken < 10);
    // Too often, not too many at once. Asked where nobody is counted.
    api::AdminClient client(api::connect_admin(folder.path()));
    const auto metrics = client.ask_whole({.target = "/metrics"});
    REQUIRE(metrics);
    const auto has = [&](const std::string& reason, int count) {
        return metrics->find("refused_total{reason=\"" + reason + "\"} " + std::to_string(count) +
                             "\n") != std::string::npos;
    };
    CHECK(has("address_rate", 10 - shaken));
    CHECK(has("address_connections", 0));
}

TEST_CASE("late heads, slow bodies and cut streams are known under TLS") {
    const Pair pair;
    auto limits = tests::fast_limits();
    limits.head = limits.body_idle = limits.keep_alive = 100;
    World world(limits, options_of(pair));
    TlsClient head(world.server->port());
    CHECK(head.send("GET /healthz HTT").read_to_end().starts_with("HTTP/1.1 408"));
    CHECK(head.ended_well());

    // Whoever is left alone too long is told so.
    TlsClient idle(world.server->port());
    CHECK(idle.read_to_end() == "");
    CHECK(idle.ended_well());

    TlsClient body(world.server->port());
    body.send("POST /v1/track HTTP/1.1\r\nHost: a\r\n" + World::bearer(world.till) +
              "Content-Length: 100\r\n\r\n{");
    CHECK(body.read_to_end().starts_with("HTTP/1.1 408"));
}

TEST_CASE("a new pair is served when its files change, a bad one is not") {
    const Pair pair;
    auto options = options_of(pair);
    options.certificate_every = std::chrono::milliseconds(10);
    World world(tests::fast_limits(), options);
    const auto serial = [&] { return TlsClient(world.server->port()).serial(); };
    const auto first = serial();
    CHECK(std::stod(metric(world, "cdp_tls_certificate_seconds_left")) > 3600 * 24 * 3640.0);
    CHECK(metric(world, "cdp_tls_certificates_refused_total") == "0");

    TlsClient before(world.server->port());
    write_file(pair.files().certificate, other_credentials().certificate, 0644);
    CHECK(soon([&] { return metric(world, "cdp_tls_certificates_refused_total") == "1"; }));
    CHECK(serial() == first);

    write_file(pair.files().key, other_credentials().key, 0600);
    CHECK(soon([&] { return serial() != first; }));
    // Whoever is connected stays so.
    CHECK(before.send(kLast).read_to_end().starts_with("HTTP/1.1 200"));
    CHECK(metric(world, "cdp_tls_certificates_refused_total") == "1");
}

TEST_CASE("a pair that was refused is served once it may be") {
    const Pair pair;
    MovedClock clock;
    const auto started = api::TlsWatch::start(pair.files(), clock, std::chrono::milliseconds(5));
    REQUIRE(started);
    auto& watch = **started;
    const auto first = watch.context();

    // Its time has not come: the same files are tried again until it has.
    const auto later = api::make_self_signed("localhost", clock.now() + std::chrono::hours(25));
    REQUIRE(later);
    ::chmod(pair.files().key.c_str(), 0644);
    CHECK(soon([&] { return watch.status().refused == 1; }));
    pair.write(*later);
    CHECK(refusal_of(pair) == "tls_certificate_not_valid");
    ::poll(nullptr, 0, 100);  // many looks
    CHECK(watch.context() == first);
    clock.move(std::chrono::hours(2));
    CHECK(soon([&] { return watch.context() != first; }));
    // Refused once for each state of the files, not at each look: the key exposed, half of the
    // pair, the whole.
    CHECK(watch.status().refused <= 3);
}

TEST_CASE("a key that may be read again is, though its bytes are the same") {
    const Pair pair;
    cdp::SystemClock clock;
    const auto started = api::TlsWatch::start(pair.files(), clock, std::chrono::milliseconds(5));
    REQUIRE(started);
    auto& watch = **started;
    const auto first = watch.context();
    write_file(pair.files().key, other_credentials().key, 0644);
    write_file(pair.files().certificate, other_credentials().certificate, 0644);
    CHECK(soon([&] { return watch.status().refused > 0; }));
    CHECK(watch.context() == first);
    ::chmod(pair.files().key.c_str(), 0600);
    CHECK(soon([&] { return watch.context() != first; }));
}

TEST_CASE("a pair is read again when that is asked for") {
    const Pair pair;
    World world(tests::fast_limits(), options_of(pair));
    const auto serial = [&] { return TlsClient(world.server->port()).serial(); };
    const auto first = serial();
    pair.write(other_credentials());
    CHECK(serial() == first);
    world.server->reload_certificate();
    CHECK(soon([&] { return serial() != first; }));
}

TEST_CASE("a server does not start with a pair that it cannot serve") {
    const Pair pair;
    std::filesystem::remove(pair.files().key);
    World plain;
    const auto refused =
        api::Server::start(*plain.platform, *plain.access, plain.clock, options_of(pair));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "tls_key_unreadable");
}

TEST_CASE("what a page is told of its address says https") {
    const Pair pair;
    World world(tests::fast_limits(), options_of(pair));
    TlsClient client(world.server->port());
    client.send("GET /v1/projects/" + world.keys[cdp::Role::source] +
                "/settings HTTP/1.1\r\nHost: cdp.example\r\nConnection: close\r\n\r\n");
    CHECK(client.read_to_end().find(R"("protocol":"https")") != std::string::npos);
}
