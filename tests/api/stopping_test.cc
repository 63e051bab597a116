#include <sys/resource.h>

#include <system_error>

#include <catch2/catch.hpp>

#include "api/listener.h"

TEST_CASE("who listens and could not be stopped does not begin") {
    auto tcp = api::listen_tcp("127.0.0.1", 0);
    REQUIRE(tcp);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{0, before.rlim_max};
    bool refused = false;
    ::setrlimit(RLIMIT_NOFILE, &none);
    try {
        const api::Listener listener(*std::move(tcp), {}, [](int, bool, const api::Address&) {});
    } catch (const std::system_error& error) {
        refused = error.code() == std::errc::too_many_files_open;
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(refused);
}
