#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Reading the head of one request: everything up to and including the empty line. Stricter than the
// library that frames bodies, because two readers of one request that disagree are how requests are
// smuggled. Pure: bytes in, facts or a refusal out.
namespace api {

inline constexpr std::size_t kHeadBytesMax = 16 * 1024;
inline constexpr std::size_t kTargetBytesMax = 8 * 1024;
inline constexpr std::size_t kFieldBytesMax = 8 * 1024;  // one header line
inline constexpr std::size_t kFieldsMax = 100;

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

// "GET"; `other` is "".
std::string_view to_string(Method method);

// Why a request is not served at all. After one of these the connection closes: where the next
// request would start is unknown.
struct Refusal {
    int status = 400;
    const char* code = "bad_request";
    const char* message = "";
};

// What we use of a head. All views point into the bytes it was read from.
struct Head {
    Method method = Method::other;
    bool http10 = false;
    bool keep_alive = true;
    bool chunked = false;
    bool expects_continue = false;
    std::optional<std::uint64_t> content_length;

    std::string_view target;
    std::string_view path;   // of the target, still percent-encoded; "*" for OPTIONS *
    std::string_view query;  // behind the question mark

    std::string_view host;
    std::string_view origin;
    std::string_view authorization;
    std::string_view write_key;         // X-Write-Key
    std::string_view content_encoding;  // "," when the field came more than once
    std::string_view idempotency_key;
    std::string_view content_type;
    std::string_view accept_language;
    std::string_view sec_gpc;  // Global Privacy Control

    bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// Reads a whole head. `bytes` ends with CRLF CRLF.
std::optional<Refusal> read_head(std::string_view bytes, Head& head);

// What can already be said of a head whose end has not arrived: a bare LF or CR, a control byte, or
// a size over the limits. nullopt: keep reading.
std::optional<Refusal> check_unfinished_head(std::string_view bytes);

// Whether ASCII letters of either case make it this word, which is in lower case.
bool same_word(std::string_view text, std::string_view lower_case);

// The octets that %XX stands for; a plus sign stays one. For parts of a target that read_head let
// through.
std::string percent_decode(std::string_view text);
// Of any bytes: only ASCII letters and digits stay as they are.
std::string percent_encode(std::string_view text);

// The names in a query, decoded, in their order; one that comes twice is there twice. `&` alone
// names nothing.
std::vector<std::string> query_names(std::string_view query);

// The value of the first `name=` in a query, decoded, a plus sign being a space; nullopt: not
// there.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace api
