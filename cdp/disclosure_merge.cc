#include "cdp/disclosure_merge.h"

#include <tuple>
#include <utility>

#include "cdp/disclosure_rows.h"
#include "cdp/facts.h"
#include "storage/key.h"

namespace cdp {
namespace {

// Of each subject at a time: a person may have hundreds of them.
constexpr std::size_t kPiece = 16;

}  // namespace

bool operator<(const DisclosedPlace& a, const DisclosedPlace& b) {
    return std::tuple(b.last, a.batch, a.row) < std::tuple(a.last, b.batch, b.row);
}

DisclosedMerge::DisclosedMerge(const storage::Snapshot& snapshot,
                               const std::vector<Token>& subjects,
                               const std::optional<DisclosedPlace>& after)
    : snapshot_(snapshot) {
    for (const auto& subject : subjects)
        sources_.push_back(
            {.subject = subject,
             .behind = after ? subject_row_key(subject, after->last, after->batch, after->row)
                             : std::string()});
}

Result<void> DisclosedMerge::fill(Source& source) {
    if (source.ended || !source.items.empty()) return Result<void>::ok();
    const auto prefix = storage::KeyWriter(storage::Space::disclosed, source.subject).str();
    source.ended = true;
    bool sound = true;
    const auto behind = source.behind;
    CDP_CHECK(snapshot_.scan(prefix, behind, [&](std::string_view key, std::string_view value) {
        if (key == behind) return true;
        if (source.items.size() == kPiece) {
            source.ended = false;
            return false;
        }
        storage::KeyReader in(key);
        const auto last = in.newest_first();
        const auto batch = in.number();
        const auto row = in.number32();
        sound = sound && in.ok();
        source.items.push_back({.subject = source.subject,
                                .place = {last, batch, row},
                                .key = std::string(key),
                                .value = std::string(value)});
        source.behind = key;
        return true;
    }));
    if (!sound) return damaged("a disclosure under a malformed key");
    return Result<void>::ok();
}

Result<std::optional<DisclosedMerge::Item>> DisclosedMerge::next() {
    Source* newest = nullptr;
    for (auto& source : sources_) {
        CDP_CHECK(fill(source));
        if (source.items.empty()) continue;
        if (!newest || source.items.front().place < newest->items.front().place) newest = &source;
    }
    if (!newest) return std::optional<Item>();
    std::optional<Item> out(std::move(newest->items.front()));
    newest->items.pop_front();
    return out;
}

}  // namespace cdp
