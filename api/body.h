#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "api/http_head.h"
#include "cdp/base/result.h"

// From what is on the wire to the bytes that were meant.
namespace api {

inline constexpr std::size_t kChunksMax = 16 * 1024;
inline constexpr std::size_t kChunkExtensionBytesMax = 1024;  // of one chunk

// Takes a chunked body apart, as it arrives.
class ChunkedBody {
public:
    // Refuses bodies over `bytes_max`, many tiny chunks and long chunk extensions.
    explicit ChunkedBody(std::size_t bytes_max);
    ~ChunkedBody();

    // How many bytes of `wire` belong to this body and were taken. Call again with the rest and
    // what came since.
    std::variant<std::size_t, Refusal> feed(std::string_view wire);

    bool done() const;
    std::string take();

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

// What a Content-Encoding field names. Several codings on top of each other are unknown too.
enum class Coding { identity, gzip, unknown };
Coding coding_of(std::string_view content_encoding);

// Inflates one gzip member that fills `packed`. Errors: malformed_gzip for anything cut or behind
// it, body_too_large as soon as the result would exceed `bytes_max`.
cdp::Result<std::string> gunzip(std::string_view packed, std::size_t bytes_max);

}  // namespace api
