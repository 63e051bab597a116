#include "api/body.h"

#include <zlib.h>

#include <algorithm>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <optional>

namespace api {
namespace {

namespace http = boost::beast::http;

constexpr Refusal kBadChunk{400, "malformed_chunk", "The chunked body is malformed."};
constexpr Refusal kChunksTooMany{400, "chunks_too_many", "The body has too many or odd chunks."};
constexpr Refusal kBodyTooLarge{413, "body_too_large", "The body is larger than allowed here."};

// A chunk's size line, or a line behind the last chunk, may be this long before its end is seen.
constexpr std::size_t kUnreadBytesMax = 16 * 1024;

// The real head has been read and judged by read_head; the parser gets one that leads to the body.
constexpr std::string_view kNeutralHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

// Extensions mean nothing here, but where one ends must be beyond doubt.
bool quotes_are_closed(std::string_view extensions) {
    bool open = false;
    for (std::size_t i = 0; i < extensions.size(); ++i) {
        if (extensions[i] == '"')
            open = !open;
        else if (extensions[i] == '\\' && open)
            ++i;
    }
    return !open;
}

// What can be said of a chunk's size line, or of trailers, that the parser wants more of. It waits
// for ever behind a bare LF or an open quote.
std::optional<Refusal> check_unread(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) return kBadChunk;
        if (bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] != '\n') return kBadChunk;
    }
    // The line that ends the chunk before may still be there.
    if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
    const auto end = bytes.find("\r\n");
    if (end != bytes.npos && !quotes_are_closed(bytes.substr(0, end))) return kBadChunk;
    if (bytes.size() > kUnreadBytesMax) return kChunksTooMany;
    return std::nullopt;
}

boost::asio::const_buffer buffer_of(std::string_view bytes) {
    return {bytes.data(), bytes.size()};
}

}  // namespace

struct ChunkedBody::Parser {
    explicit Parser(std::size_t bytes_max) : bytes_left(bytes_max) {
        parser.body_limit(boost::none);
        parser.on_chunk_header(on_header);
        parser.on_chunk_body(on_body);
        boost::beast::error_code error;
        parser.put(buffer_of(kNeutralHead), error);
        parser.eager(true);
    }

    http::request_parser<http::empty_body> parser;
    std::string body;
    std::size_t bytes_left;
    std::size_t chunks = 0;
    const Refusal* refusal = nullptr;

    std::function<void(std::uint64_t, boost::beast::string_view, boost::beast::error_code&)>
        on_header = [this](std::uint64_t size, boost::beast::string_view extensions,
                           boost::beast::error_code& error) {
            if (++chunks > kChunksMax || extensions.size() > kChunkExtensionBytesMax)
                refusal = &kChunksTooMany;
            else if (size > bytes_left)
                refusal = &kBodyTooLarge;
            else if (!quotes_are_closed({extensions.data(), extensions.size()}))
                refusal = &kBadChunk;
            if (refusal) error = http::error::bad_chunk;
        };
    std::function<std::size_t(std::uint64_t, boost::beast::string_view, boost::beast::error_code&)>
        on_body = [this](std::uint64_t, boost::beast::string_view bytes,
                         boost::beast::error_code& error) -> std::size_t {
        if (bytes.size() > bytes_left) {
            refusal = &kBodyTooLarge;
            error = http::error::body_limit;
            return 0;
        }
        bytes_left -= bytes.size();
        body.append(bytes.data(), bytes.size());
        return bytes.size();
    };
};

ChunkedBody::ChunkedBody(std::size_t bytes_max) : parser_(std::make_unique<Parser>(bytes_max)) {}
ChunkedBody::~ChunkedBody() = default;

std::variant<std::size_t, Refusal> ChunkedBody::feed(std::string_view wire) {
    std::size_t taken = 0;
    while (!done() && taken < wire.size()) {
        boost::beast::error_code error;
        const auto n = parser_->parser.put(buffer_of(wire.substr(taken)), error);
        taken += n;
        if (parser_->refusal) return *parser_->refusal;
        if (error == http::error::need_more || (!error && n == 0)) {
            if (const auto refusal = check_unread(wire.substr(taken))) return *refusal;
            break;
        }
        if (error) return kBadChunk;
    }
    return taken;
}

bool ChunkedBody::done() const {
    return parser_->parser.is_done();
}

std::string ChunkedBody::take() {
    return std::move(parser_->body);
}

Coding coding_of(std::string_view content_encoding) {
    std::string name(content_encoding);
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    if (name.empty() || name == "identity") return Coding::identity;
    return name == "gzip" || name == "x-gzip" ? Coding::gzip : Coding::unknown;
}

cdp::Result<std::string> gunzip(std::string_view packed, std::size_t bytes_max) {
    const cdp::Error malformed{cdp::ErrorCode::invalid_argument,
                               "malformed_gzip",
                               "The body is not one whole gzip member.",
                               {},
                               {}};
    z_stream stream{};
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) return cdp::Error{};
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);

    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string out;
    int state = Z_OK;
    while (state == Z_OK) {
        const auto before = out.size();
        // One byte over the limit proves that it is over.
        const auto room =
            std::min(std::max<std::size_t>(before, 16 * 1024), bytes_max + 1 - before);
        if (room == 0) break;
        out.resize(before + room);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream.avail_out = static_cast<uInt>(room);
        state = inflate(&stream, Z_NO_FLUSH);
        out.resize(before + room - stream.avail_out);
        if (state == Z_BUF_ERROR || (state == Z_OK && stream.avail_in == 0 && stream.avail_out > 0))
            return malformed;
    }
    if (out.size() > bytes_max)
        return cdp::Error{cdp::ErrorCode::invalid_argument,
                          "body_too_large",
                          "The inflated body is larger than allowed here.",
                          {},
                          {}};
    if (state != Z_STREAM_END || stream.avail_in > 0) return malformed;
    return out;
}

}  // namespace api
