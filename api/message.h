#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/http_head.h"
#include "cdp/access.h"

namespace api {

struct JobPlace;

// One request as a handler sees it. Everything but `caller` and `uid` points into the connection's
// buffers: a handler that answers later copies what it needs before it returns.
struct Request {
    const Head* head = nullptr;
    const struct Route* route = nullptr;
    std::string_view body;       // decoded: no chunks, no gzip
    std::string_view parameter;  // what stood for {…} in the path, still percent-encoded
    cdp::Principal caller;       // of keyed routes
    std::int64_t uid = -1;       // of the peer at the admin socket
    JobPlace* job = nullptr;     // where Services::aside says what it gave
};

// Bytes of a long answer, made while they are sent.
class BodyStream {
public:
    enum class State { more, wait, end, failed };

    virtual ~BodyStream() = default;
    // Appends some bytes to `out`. `wait`: none yet; `wake` is called once, from any thread, when
    // it is worth asking again. `failed` cuts the connection, so that the client sees it is not
    // whole.
    virtual State pull(std::string& out, const std::function<void()>& wake) = 0;
};

struct Response {
    int status = 200;
    const char* content_type = "application/json";
    std::string body;
    std::shared_ptr<const std::string> shared;  // instead of `body`, without a copy of our own
    std::unique_ptr<BodyStream> stream;         // instead of both
    std::string headers;                        // further lines, each ending with CRLF
    bool close = false;                         // the connection ends after this

    std::string_view bytes() const { return shared ? std::string_view(*shared) : body; }
};

// Called once, from any thread.
using Answer = std::function<void(Response)>;

}  // namespace api
