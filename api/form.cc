#include "api/form.h"

#include "api/http_head.h"

namespace api {
namespace {

std::string_view media_type(std::string_view content_type) {
    auto type = content_type.substr(0, content_type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
    return type;
}

// The value of `name=` in a header's parameters, with or without quotes.
std::string_view header_parameter(std::string_view header, std::string_view name) {
    while (!header.empty()) {
        const auto semicolon = header.find(';');
        auto part = header.substr(0, semicolon);
        header.remove_prefix(semicolon == header.npos ? header.size() : semicolon + 1);
        while (!part.empty() && (part.front() == ' ' || part.front() == '\t'))
            part.remove_prefix(1);
        const auto equals = part.find('=');
        if (equals == part.npos || !same_word(part.substr(0, equals), name)) continue;
        auto value = part.substr(equals + 1);
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
            value = value.substr(1, value.size() - 2);
        return value;
    }
    return {};
}

// Whether the part's head says that it is the field `name`.
bool is_field(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        const auto line = head.substr(0, end);
        head.remove_prefix(end == head.npos ? head.size() : end + 2);
        const auto colon = line.find(':');
        if (colon == line.npos || !same_word(line.substr(0, colon), "content-disposition"))
            continue;
        return header_parameter(line.substr(colon + 1), "name") == name;
    }
    return false;
}

std::optional<std::string> multipart_value(std::string_view content_type, std::string_view body,
                                           std::string_view name) {
    const auto boundary = header_parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > 70) return std::nullopt;  // RFC 2046 §5.1.1
    const auto delimiter = "--" + std::string(boundary);
    const auto line = "\r\n" + delimiter;
    auto at = body.starts_with(delimiter) ? 0 : body.find(line);
    if (at == body.npos) return std::nullopt;
    for (at = body.find("\r\n", at + 2); at != body.npos;) {
        const auto head_end = body.find("\r\n\r\n", at);
        if (head_end == body.npos) return std::nullopt;
        const auto end = body.find(line, head_end + 2);
        if (end == body.npos) return std::nullopt;
        if (is_field(body.substr(at + 2, head_end - at - 2), name))
            return end < head_end + 4 ? std::string()
                                      : std::string(body.substr(head_end + 4, end - head_end - 4));
        if (body.substr(end + line.size()).starts_with("--")) return std::nullopt;
        at = body.find("\r\n", end + line.size());
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> form_value(std::string_view content_type, std::string_view body,
                                      std::string_view name) {
    const auto type = media_type(content_type);
    if (same_word(type, "application/x-www-form-urlencoded")) return query_value(body, name);
    if (same_word(type, "multipart/form-data")) return multipart_value(content_type, body, name);
    return std::nullopt;
}

}  // namespace api
