#include "consent/ed25519.h"

#include <catch2/catch.hpp>

#include "cdp/base/ids.h"

// Vectors: RFC 8032 section 7.1, tests 1 and 2; points of low order as RFC 7748 and libsodium have
// them.

namespace {

std::string bytes(std::string_view hexadecimal) {
    return cdp::from_hex(hexadecimal).value();
}

const std::string kKey = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

}  // namespace

TEST_CASE("a signature holds of the text and the key that it was made of alone") {
    const auto signature = bytes(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b4"
        "6bd25bf5f0595bbe24655141438e7a100b");
    CHECK(consent::ed25519_holds(kKey, "", signature));
    CHECK_FALSE(consent::ed25519_holds(kKey, "r", signature));
    CHECK_FALSE(consent::ed25519_holds(kKey, "", signature.substr(1)));
    CHECK_FALSE(consent::ed25519_holds(kKey.substr(1), "", signature));
    CHECK_FALSE(consent::ed25519_holds(
        bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"), "", signature));
}

TEST_CASE("what is no key of the main group is none") {
    CHECK(consent::is_ed25519_key(kKey));
    CHECK_FALSE(consent::is_ed25519_key(kKey.substr(1)));
    CHECK_FALSE(consent::is_ed25519_key(std::string(32, '\0')));
    for (const auto* low : {"0100000000000000000000000000000000000000000000000000000000000000",
                            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
        CAPTURE(low);
        CHECK_FALSE(consent::is_ed25519_key(bytes(low)));
    }
}
