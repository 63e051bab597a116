#pragma once

#include "api/opendsr_signature.h"
#include "storage/file.h"
#include "tests/api/certificates.h"
#include "tests/api/opendsr_verify.h"
#include "tests/api/world.h"
#include "tests/storage/folder.h"

namespace tests {

inline World world_with(const api::OpenDsrConfig& config) {
    api::ServerOptions options;
    options.opendsr = config;
    return World(fast_limits(), options);
}

// A certificate that is there already: making one takes a while.
class OpenDsrKeys {
public:
    explicit OpenDsrKeys(const api::Credentials& credentials = local_credentials()) {
        REQUIRE(storage::write_new_file(path("key"), credentials.key));
        REQUIRE(storage::write_new_file(path("certificate"), credentials.certificate));
    }
    api::OpenDsrConfig config(std::chrono::seconds cancel_window = {}) const {
        api::OpenDsrConfig out;
        out.domain = "localhost";
        out.key = path("key");
        out.certificate = path("certificate");
        out.cancel_window = cancel_window;
        return out;
    }
    std::string path(const std::string& name) const { return folder_ / name; }

private:
    Folder folder_;
};

// What the protocol asks of whoever reads an answer: `signed`, or what is wrong with it.
inline std::string signed_as(const Reply& reply, const std::string& prefix = "x-opendsr-") {
    const auto certificate = api::read_certificate(local_credentials().certificate).value();
    const auto domain = reply.header(prefix + "processor-domain");
    const auto signature = reply.header(prefix + "signature");
    const auto verified = verify_opendsr_signature(
        {.domain = domain, .signature = signature}, reply.body,
        {.domain = "localhost", .certificate = certificate}, cdp::SystemClock{}.now());
    return verified ? "signed" : verified.error().reason;
}

}  // namespace tests
