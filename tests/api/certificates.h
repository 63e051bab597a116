#pragma once

#include <catch2/catch.hpp>

#include "api/certificate.h"
#include "cdp/base/clock.h"

namespace tests {

// Of localhost; made once, for it takes a while.
inline const api::Credentials& local_credentials() {
    static const auto made = api::make_self_signed("localhost", cdp::SystemClock{}.now());
    REQUIRE(made);
    return *made;
}

}  // namespace tests
