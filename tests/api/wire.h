#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/body.h"
#include "api/http_head.h"

namespace tests {

// Reads bytes as a connection does, without one: head, body, next request.
struct Reading {
    int requests = 0;                     // whole ones
    std::optional<api::Refusal> refusal;  // what ended it
    bool unfinished = false;              // the last request is not all there
    bool cut = false;                     // bytes behind a request that ends the connection
};

inline Reading read_wire(std::string_view bytes) {
    Reading out;
    while (!bytes.empty() && !out.refusal && !out.unfinished) {
        const auto end = bytes.find("\r\n\r\n");
        if (end == bytes.npos) {
            out.refusal = api::check_unfinished_head(bytes);
            out.unfinished = !out.refusal;
            break;
        }
        api::Head head;
        out.refusal = api::read_head(bytes.substr(0, end + 4), head);
        if (out.refusal) break;
        bytes.remove_prefix(end + 4);
        if (head.chunked) {
            api::ChunkedBody body(1 << 20);
            const auto fed = body.feed(bytes);
            if (const auto* refusal = std::get_if<api::Refusal>(&fed))
                out.refusal = *refusal;
            else
                bytes.remove_prefix(std::get<std::size_t>(fed));
            out.unfinished = !out.refusal && !body.done();
        } else {
            const auto length = head.content_length.value_or(0);
            out.unfinished = bytes.size() < length;
            if (!out.unfinished) bytes.remove_prefix(static_cast<std::size_t>(length));
        }
        if (!out.refusal && !out.unfinished) ++out.requests;
        out.cut = !head.keep_alive && !bytes.empty();
        if (out.cut) break;
    }
    return out;
}

}  // namespace tests
