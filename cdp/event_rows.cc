#include "cdp/event_rows.h"

#include <algorithm>

#include "cdp/facts.h"

namespace cdp {
namespace {

constexpr std::size_t kAheadMax = 64;

}  // namespace

EventRows::EventRows(const storage::Snapshot& snapshot, std::span<const Token> tokens,
                     const Place& from)
    : snapshot_(snapshot) {
    for (const Token& token : tokens) {
        streams_.push_back({storage::Space::event, token, event_key(token, from.time, from.id)});
        streams_.push_back(
            {storage::Space::pointer, token, pointer_key(token, from.time, from.id)});
    }
}

Result<std::optional<EventRow>> EventRows::next() {
    if (!begun_) {
        begun_ = true;
        for (std::size_t i = 0; i < streams_.size(); ++i) {
            CDP_CHECK(read(streams_[i]));
            enter(i);
        }
    }
    if (heap_.empty()) return std::optional<EventRow>{};
    const auto at = heap_.front();
    const auto older = [this](std::size_t a, std::size_t b) {
        return streams_[b].rows.back().place.before(streams_[a].rows.back().place);
    };
    std::ranges::pop_heap(heap_, older);
    heap_.pop_back();
    Stream& stream = streams_[at];
    auto row = std::move(stream.rows.back());
    stream.rows.pop_back();
    if (stream.rows.empty()) CDP_CHECK(read(stream));
    enter(at);
    return std::optional(std::move(row));
}

void EventRows::enter(std::size_t stream) {
    if (streams_[stream].rows.empty()) return;
    heap_.push_back(stream);
    std::ranges::push_heap(heap_, [this](std::size_t a, std::size_t b) {
        return streams_[b].rows.back().place.before(streams_[a].rows.back().place);
    });
}

Result<void> EventRows::read(Stream& stream) const {
    if (stream.ended) return Result<void>::ok();
    bool damage = false;
    const auto prefix = storage::KeyWriter(stream.space, stream.token).str();
    stream.ended = true;
    CDP_CHECK(
        snapshot_.scan(prefix, stream.from, [&](std::string_view key, std::string_view value) {
            if (stream.rows.size() == stream.ahead) {
                stream.ended = false;
                stream.from = key;
                return false;
            }
            storage::KeyReader in(key);
            EventRow row{.place = {}, .token = stream.token, .home = stream.token, .sealed = {}};
            row.place.time = in.newest_first();
            row.place.id = in.id<EventId>();
            damage = !in.ok();
            if (stream.space == storage::Space::event) {
                row.sealed = value;
            } else if (value.size() == sizeof(Token::bytes)) {
                row.home = Token::from(value);
            } else {
                damage = true;
            }
            if (!damage) stream.rows.push_back(std::move(row));
            return !damage;
        }));
    if (damage) return damaged("an event's row that cannot be read");
    std::ranges::reverse(stream.rows);
    stream.ahead = std::min(stream.ahead * 2, kAheadMax);
    return Result<void>::ok();
}

}  // namespace cdp
