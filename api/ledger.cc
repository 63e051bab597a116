#include "consent/ledger.h"

#include <charconv>
#include <optional>
#include <utility>

#include "api/handlers.h"
#include "api/ledger_json.h"
#include "api/parameters.h"
#include "api/pipe.h"
#include "api/problem.h"

// What anybody may read of the ledger, as C2SP tlog-tiles serves it, and what officers may ask.
namespace api {
namespace {

constexpr std::string_view kImmutable = "Cache-Control: public, max-age=31536000, immutable\r\n";

Response no_such_tile() {
    return problem(404, "no_such_tile", "The ledger has no such tile.");
}

// Digits, without a leading zero.
std::optional<std::uint64_t> decimal(std::string_view text) {
    return consent::parse_decimal(text);
}

// 067, x001/x234/067: three digits a segment, all but the last after an x.
std::optional<std::uint64_t> parse_tile_index(std::string_view text) {
    constexpr std::size_t kSegmentsMax = 6;  // 10^18 fits 64 bits
    std::uint64_t index = 0;
    for (std::size_t segments = 1;; ++segments) {
        const auto slash = text.find('/');
        auto segment = text.substr(0, slash);
        const bool last = slash == text.npos;
        if (segments > kSegmentsMax || segment.starts_with('x') == last) return std::nullopt;
        if (!last) segment.remove_prefix(1);
        unsigned digits = 0;
        const auto [end, error] =
            std::from_chars(segment.data(), segment.data() + segment.size(), digits);
        if (segment.size() != 3 || error != std::errc{} || end != segment.data() + 3)
            return std::nullopt;
        // Nothing is written with more segments than it needs.
        if (segments == 1 && !last && digits == 0) return std::nullopt;
        index = index * 1000 + digits;
        if (last) return index;
        text.remove_prefix(slash + 1);
    }
}

struct TilePath {
    bool entries = false;
    consent::TileAt at = {};
    std::uint64_t width = consent::kTileWidth;
};

// L/N, entries/N, either with .p/W behind.
std::optional<TilePath> parse_tile_path(std::string_view text) {
    TilePath path;
    const auto slash = text.find('/');
    if (slash == text.npos) return std::nullopt;
    const auto level = text.substr(0, slash);
    auto index = text.substr(slash + 1);
    if (const auto partial = index.rfind(".p/"); partial != index.npos) {
        const auto width = decimal(index.substr(partial + 3));
        if (!width || *width == 0 || *width >= consent::kTileWidth) return std::nullopt;
        path.width = *width;
        index = index.substr(0, partial);
    }
    path.entries = level == "entries";
    const auto number = path.entries ? std::optional<std::uint64_t>(0) : decimal(level);
    const auto at = parse_tile_index(index);
    if (!number || *number > 63 || !at) return std::nullopt;
    path.at = {.level = static_cast<unsigned>(*number), .index = *at};
    return path;
}

}  // namespace

cdp::Result<consent::TlogProof> prove_entry(const consent::Ledger& ledger, std::uint64_t index) {
    const auto checkpoint = ledger.checkpoint();
    if (!checkpoint || index >= checkpoint->checkpoint.size)
        return cdp::Error{cdp::ErrorCode::not_found,
                          "entry_unpublished",
                          "The ledger has not published so many entries.",
                          {},
                          {}};
    auto path = CDP_TRY(ledger.proof(index, checkpoint->checkpoint.size));
    return consent::TlogProof{
        .index = index, .path = std::move(path), .checkpoint = checkpoint->note};
}

Response ledger_checkpoint(const Services& services, const Request&) {
    const auto checkpoint = services.platform.ledger().checkpoint();
    if (!checkpoint)
        return problem(503, "not_published_yet", "The ledger has not been published yet.");
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.headers = "Cache-Control: public, max-age=1\r\n";
    response.body = checkpoint->note;
    return response;
}

Response ledger_tile(const Services& services, const Request& request) {
    const auto path = parse_tile_path(request.parameter);
    if (!path) return problem(400, "malformed_tile", "A tile is LEVEL/INDEX or entries/INDEX.");
    const auto& ledger = services.platform.ledger();
    const auto bytes = path->entries ? ledger.entries(path->at.index, path->width)
                                     : ledger.tile(path->at, path->width);
    if (!bytes) return problem(bytes.error());
    if (!*bytes) return no_such_tile();
    Response response;
    response.content_type = "application/octet-stream";
    response.headers = kImmutable;
    response.body = **bytes;
    return response;
}

Response ledger_keys(const Services& services, const Request&) {
    const auto keys = services.platform.ledger().public_keys();
    if (!keys) return problem(keys.error());
    Response response;
    response.headers = kPrivate;
    response.body = render_ledger_keys(*keys);
    return response;
}

Response read_ledger_proof(const Services& services, const Request& request) {
    const auto index = decimal(request.parameter);
    if (!index)
        return problem(400, "malformed_index", "An entry is named by its number.", "/index");
    const auto& ledger = services.platform.ledger();
    const auto proof = prove_entry(ledger, *index);
    if (!proof) return problem(proof.error());
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.headers = kPrivate;
    response.body = consent::render(*proof);
    return response;
}

// NDJSON: how far it is, now and then, and at last what was found.
void check_ledger(const Services& services, const Request& request, Answer answer) {
    services.aside(request, [&platform = services.platform, answer = std::move(answer)] {
        PipeWriter out;
        answer(lines_from(out.pipe()));
        const auto checked = platform.check_ledger([&out](std::string_view stage, auto done) {
            return out.write(render_ledger_progress(stage, done));
        });
        if (checked) out.write(render_ledger_checked(*checked));
        out.finish(static_cast<bool>(checked));
    });
}

}  // namespace api
