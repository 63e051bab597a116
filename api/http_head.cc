#include "api/http_head.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace api {
namespace {

constexpr Refusal kMalformed{400, "malformed_request",
                             "The request line or a header is malformed."};
constexpr Refusal kBadTarget{400, "malformed_target", "The request target is malformed."};
constexpr Refusal kBadHost{400, "malformed_host", "Exactly one well-formed Host is required."};
constexpr Refusal kBadFraming{400, "ambiguous_framing",
                              "Content-Length or Transfer-Encoding is malformed or ambiguous."};
constexpr Refusal kUnknownCoding{501, "transfer_coding_unknown",
                                 "The only transfer coding served is chunked."};
constexpr Refusal kUnexpectedBody{400, "unexpected_body", "This method takes no body."};
constexpr Refusal kTargetTooLong{414, "target_too_long", "The request target is over 8 KiB."};
constexpr Refusal kHeadTooLarge{431, "headers_too_large", "The headers are too large or too many."};
constexpr Refusal kBadVersion{505, "http_version_unsupported", "HTTP/1.1 and HTTP/1.0 are served."};
constexpr Refusal kUnknownMethod{501, "method_unknown", "The method is not known here."};
constexpr Refusal kUnknownExpectation{417, "expectation_unknown",
                                      "The only expectation served is 100-continue."};

enum Class : std::uint8_t { token = 1, path = 2, query = 4, value = 8, host = 16 };

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> out{};
    const auto add = [&](std::string_view bytes, std::uint8_t kind) {
        for (const char c : bytes) out[static_cast<std::uint8_t>(c)] |= kind;
    };
    for (int c = 0; c < 256; ++c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool digit = c >= '0' && c <= '9';
        auto& kind = out[static_cast<std::size_t>(c)];
        if (letter || digit) kind |= token | path | host;
        if (c > 0x20 && c < 0x7f) kind |= query;
        if (c >= 0x20 && c != 0x7f) kind |= value;
    }
    add("!#$%&'*+-.^_`|~", token);
    add("-._~!$&'()*+,;=:@/%", path);
    add("-._~!$&'()*+,;=:[]%", host);
    add("\t", value);
    for (const char c : std::string_view("\"<>#"))
        out[static_cast<std::uint8_t>(c)] &= ~query & 0xff;
    return out;
}

constexpr auto kClasses = make_classes();

bool all_of(std::string_view text, Class kind) {
    return std::ranges::all_of(
        text, [kind](char c) { return (kClasses[static_cast<std::uint8_t>(c)] & kind) != 0; });
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The octet of the %XX that starts at `i`, or -1.
int escaped_octet(std::string_view text, std::size_t i) {
    if (i + 2 >= text.size()) return -1;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool escapes_are_sound(std::string_view text) {
    for (auto i = text.find('%'); i != text.npos; i = text.find('%', i + 1)) {
        const int octet = escaped_octet(text, i);
        if (octet < 0x20 || octet == 0x7f) return false;
    }
    return true;
}

bool is_dot_segment(std::string_view segment) {
    if (segment.empty() || segment.size() > 6) return false;
    const std::string plain = percent_decode(segment);
    return plain == "." || plain == "..";
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto end = std::min(path.find('/'), path.size());
        if (is_dot_segment(path.substr(0, end))) return true;
        path.remove_prefix(end);
    }
    return false;
}

std::optional<Refusal> read_target(std::string_view target, Head& head) {
    if (target.size() > kTargetBytesMax) return kTargetTooLong;
    head.target = target;
    if (target == "*" && head.method == Method::options) {
        head.path = target;
        return std::nullopt;
    }
    if (target.empty() || target.front() != '/') return kBadTarget;
    const auto mark = std::min(target.find('?'), target.size());
    head.path = target.substr(0, mark);
    head.query = target.substr(std::min(mark + 1, target.size()));
    if (!all_of(head.path, path) || !all_of(head.query, query)) return kBadTarget;
    if (target.find('%') != target.npos &&
        (!escapes_are_sound(head.path) || !escapes_are_sound(head.query)))
        return kBadTarget;
    return has_dot_segment(head.path) ? std::optional(kBadTarget) : std::nullopt;
}

Method method_of(std::string_view name) {
    for (const auto method : {Method::get, Method::post, Method::options, Method::head, Method::put,
                              Method::patch, Method::del})
        if (to_string(method) == name) return method;
    return Method::other;
}

std::optional<Refusal> read_version(std::string_view version, Head& head) {
    if (version == "HTTP/1.1") return std::nullopt;
    if (version == "HTTP/1.0") {
        head.http10 = true;
        head.keep_alive = false;
        return std::nullopt;
    }
    const bool formed = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                        hex_digit(version[5]) >= 0 && hex_digit(version[7]) >= 0;
    return formed ? kBadVersion : kMalformed;
}

std::optional<Refusal> read_request_line(std::string_view line, Head& head) {
    const auto first = line.find(' ');
    if (first == line.npos || first == 0) return kMalformed;
    const auto name = line.substr(0, first);
    if (!std::ranges::all_of(name, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; }))
        return kMalformed;
    line.remove_prefix(first + 1);
    const auto second = line.find(' ');
    if (second == line.npos) return kMalformed;
    if (auto refusal = read_version(line.substr(second + 1), head)) return refusal;
    head.method = method_of(name);
    if (head.method == Method::other) return kUnknownMethod;
    return read_target(line.substr(0, second), head);
}

bool is_well_formed_host(std::string_view text) {
    if (text.empty() || text.size() > 255 || !all_of(text, host)) return false;
    const auto behind = text.front() == '[' ? text.find(']') : 0;
    if (behind == text.npos) return false;
    const auto colon = text.find(':', behind);
    if (colon == text.npos) return true;
    const auto port = text.substr(colon + 1);
    return port.size() <= 5 &&
           std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint64_t> length_of(std::string_view text) {
    if (text.empty() || text.size() > 18) return std::nullopt;
    std::uint64_t n = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        n = n * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return n;
}

// What has been seen of the fields that decide where the body ends, or that may come once only.
struct Seen {
    bool host = false;
    bool coding = false;
    bool unknown_coding = false;
    bool close = false;
    bool stay = false;
};

void read_connection(std::string_view list, Seen& seen) {
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        auto option = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        while (!option.empty() && (option.front() == ' ' || option.front() == '\t'))
            option.remove_prefix(1);
        while (!option.empty() && (option.back() == ' ' || option.back() == '\t'))
            option.remove_suffix(1);
        if (same_word(option, "close")) seen.close = true;
        if (same_word(option, "keep-alive")) seen.stay = true;
    }
}

std::optional<Refusal> set_once(std::string_view& field, std::string_view value) {
    if (field.data() != nullptr) return kMalformed;
    field = value;
    return std::nullopt;
}

// Fields are told apart by their length first: most requests bring a dozen that mean nothing here.
std::optional<Refusal> note_field(std::string_view name, std::string_view value, Head& head,
                                  Seen& seen) {
    switch (name.size()) {
        case 4:
            if (!same_word(name, "host")) return std::nullopt;
            if (seen.host || !is_well_formed_host(value)) return kBadHost;
            seen.host = true;
            head.host = value;
            return std::nullopt;
        case 6:
            if (same_word(name, "origin")) return set_once(head.origin, value);
            if (!same_word(name, "expect")) return std::nullopt;
            if (!same_word(value, "100-continue")) return kUnknownExpectation;
            head.expects_continue = true;
            return std::nullopt;
        case 7:
            // Said twice, it is said: nobody may take a refusal back by repeating it otherwise.
            if (same_word(name, "sec-gpc") && head.sec_gpc != "1") head.sec_gpc = value;
            return std::nullopt;
        case 10:
            if (same_word(name, "connection")) read_connection(value, seen);
            return std::nullopt;
        case 11:
            return same_word(name, "x-write-key") ? set_once(head.write_key, value) : std::nullopt;
        case 12:
            if (same_word(name, "content-type")) head.content_type = value;
            return std::nullopt;
        case 13:
            return same_word(name, "authorization") ? set_once(head.authorization, value)
                                                    : std::nullopt;
        case 14:
            if (!same_word(name, "content-length")) return std::nullopt;
            if (head.content_length) return kBadFraming;
            head.content_length = length_of(value);
            return head.content_length ? std::nullopt : std::optional(kBadFraming);
        case 15:
            if (same_word(name, "accept-language")) head.accept_language = value;
            return same_word(name, "idempotency-key") ? set_once(head.idempotency_key, value)
                                                      : std::nullopt;
        case 16:
            if (same_word(name, "content-encoding"))
                head.content_encoding = head.content_encoding.data() == nullptr ? value : ",";
            return std::nullopt;
        case 17:
            if (!same_word(name, "transfer-encoding")) return std::nullopt;
            if (seen.coding) return kBadFraming;
            seen.coding = true;
            head.chunked = same_word(value, "chunked");
            seen.unknown_coding = !head.chunked;
            return std::nullopt;
        default: return std::nullopt;
    }
}

std::optional<Refusal> read_field(std::string_view line, Head& head, Seen& seen) {
    if (line.size() > kFieldBytesMax) return kHeadTooLarge;
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) return kMalformed;
    const auto name = line.substr(0, colon);
    auto text = line.substr(colon + 1);
    // Folded lines and a space before the colon fail here too: neither is a token.
    if (!all_of(name, token) || !all_of(text, value)) return kMalformed;
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return note_field(name, text, head, seen);
}

std::optional<Refusal> conclude(Head& head, const Seen& seen) {
    if (!seen.host && !head.http10) return kBadHost;
    if (seen.coding && (head.http10 || head.content_length)) return kBadFraming;
    if (seen.unknown_coding) return kUnknownCoding;
    if (head.has_body() && head.method != Method::post && head.method != Method::put &&
        head.method != Method::patch && head.method != Method::del)
        return kUnexpectedBody;
    head.keep_alive = !seen.close && (!head.http10 || seen.stay);
    return std::nullopt;
}

std::optional<Refusal> read_whole(std::string_view bytes, Head& head) {
    if (bytes.size() > kHeadBytesMax) return kHeadTooLarge;
    auto end = bytes.find("\r\n");
    if (end == bytes.npos) return kMalformed;
    if (auto refusal = read_request_line(bytes.substr(0, end), head)) return refusal;

    Seen seen;
    std::size_t fields = 0;
    for (bytes.remove_prefix(end + 2); !bytes.starts_with("\r\n"); bytes.remove_prefix(end + 2)) {
        end = bytes.find("\r\n");
        if (end == bytes.npos) return kMalformed;
        if (++fields > kFieldsMax) return kHeadTooLarge;
        if (auto refusal = read_field(bytes.substr(0, end), head, seen)) return refusal;
    }
    return conclude(head, seen);
}

// Of what may be no request at all, as far as it has come.
std::string_view path_in(std::string_view bytes) {
    const auto line = bytes.substr(0, bytes.find("\r\n"));
    const auto space = line.find(" /");
    if (space == line.npos) return {};
    const auto target = line.substr(space + 1);
    return target.substr(0, target.find_first_of(" ?"));
}

}  // namespace

bool same_word(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(text, lower_case, {}, lower);
}

std::string_view to_string(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::head: return "HEAD";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::del: return "DELETE";
        case Method::options: return "OPTIONS";
        case Method::other: return "";
    }
    return "";
}

std::optional<Refusal> read_head(std::string_view bytes, Head& head) {
    head = Head{};
    auto refusal = read_whole(bytes, head);
    // What is refused is refused in the words of the protocol that it was meant for.
    if (refusal && head.path.empty()) head.path = path_in(bytes);
    return refusal;
}

std::optional<Refusal> check_unfinished_head(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        if (c == '\n' && (i == 0 || bytes[i - 1] != '\r')) return kMalformed;
        if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] != '\n') return kMalformed;
        if (static_cast<std::uint8_t>(c) < 0x20 && c != '\r' && c != '\n' && c != '\t')
            return kMalformed;
    }
    const auto line = bytes.substr(0, bytes.find('\r'));
    if (line.size() > kTargetBytesMax + 64) return kTargetTooLong;
    if (bytes.size() >= kHeadBytesMax) return kHeadTooLarge;
    return std::nullopt;
}

std::string percent_encode(std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int octet = text[i] == '%' ? escaped_octet(text, i) : -1;
        out.push_back(octet < 0 ? text[i] : static_cast<char>(octet));
        if (octet >= 0) i += 2;
    }
    return out;
}

namespace {

struct QueryPair {
    std::string name;
    std::string_view value;  // still percent-encoded
};

// Takes the first pair off a query that is not empty.
QueryPair take_pair(std::string_view& query) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    return {percent_decode(pair.substr(0, equals)), pair.substr(std::min(equals + 1, pair.size()))};
}

}  // namespace

std::vector<std::string> query_names(std::string_view query) {
    std::vector<std::string> names;
    while (!query.empty()) {
        const bool nothing = query.front() == '&';
        auto pair = take_pair(query);
        if (!nothing) names.push_back(std::move(pair.name));
    }
    return names;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const auto pair = take_pair(query);
        if (pair.name != name) continue;
        std::string raw(pair.value);
        std::ranges::replace(raw, '+', ' ');
        return percent_decode(raw);
    }
    return std::nullopt;
}

}  // namespace api
