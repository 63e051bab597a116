#include "api/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/problem.h"

namespace api {
namespace {

// Most heads fit; a connection that waits holds no more.
constexpr std::size_t kFirstRoom = 4 * 1024;
// Read of what a client goes on sending after it was refused.
constexpr std::size_t kLingerBytesMax = 16 * 1024 * 1024;
// Kept between requests without being counted against Limits::buffered_max.
constexpr std::size_t kKeptRoom = 64 * 1024;
// Requests already in the buffer that are served before others on this thread have a turn.
constexpr std::uint32_t kServedInARowMax = 32;

constexpr Refusal kHeadLate{408, "request_timeout", "The request did not come in time."};
constexpr Refusal kNoRoom{503, "buffers_full", "Too many large requests are being read."};

Response too_late(bool begun) {
    auto response =
        begun ? problem(503, "storage_stalled", "The disk did not answer in time.")
              : problem(503, "job_not_begun",
                        "Its turn did not come in time: it was not begun, and will not be.");
    response.close = true;
    return response;
}

}  // namespace

Connection::Connection(Loop& loop, Wire wire, std::int64_t uid, const Address& peer)
    : loop_(loop),
      wire_(std::move(wire)),
      uid_(uid),
      peer_(peer),
      by_proxy_(loop.admission.is_proxy(peer)),
      client_(peer) {
    enter(Phase::idle, loop_.limits.keep_alive);
    loop_.enter(*this);
}

Connection::~Connection() {
    give_room_back();
    release_answer();
    loop_.leave(*this, peer_);
}

asio::awaitable<void> Connection::serve() {
    bool agreed = true;
    if (wire_.is_secured()) {
        enter(Phase::handshake, loop_.limits.head);
        agreed = co_await wire_.shake_hands();
    }
    if (agreed) {
        co_await serve_requests();
    } else {
        loop_.metrics.refuse(Refused::handshake);
        unread_ = true;
    }
    if (gone_) co_return;
    wire_.say_goodbye();
    if (unread_) co_await linger();
}

asio::awaitable<void> Connection::serve_requests() {
    while (!closing_ && !gone_ && !loop_.draining()) {
        const bool came = co_await read_head_bytes();
        if (!came) break;
        started_ = std::chrono::steady_clock::now();

        std::optional<Response> response = answer_without_body();
        if (!response && head_.has_body()) {
            co_await read_body();
            if (gone_) break;
            if (refusal_) {
                response = problem(*refusal_);
                unread_ = true;
            }
        }
        if (!response) {
            response = answer_at_once();
            // Whoever answers later has copied what it needs. What was inflated counts nowhere.
            body_ = {};
        }
        if (!response) response = co_await await_answer();
        if (response->status == 401 && guessed_) slow_guesses(*response);
        if (const auto dress = loop_.routes.dress_of(found_, head_.path))
            dress(loop_.services, head_, *response);

        if (response->close || unread_ || loop_.draining()) closing_ = true;
        if (!head_.keep_alive) closing_ = true;
        bool sent = false;
        if (response->stream && head_.method != Method::head) {
            sent = co_await send_stream(*response);
        } else {
            compose(*response);
            sent = write_now();
            if (!sent) sent = co_await write_rest();
        }
        if (!sent) break;
        loop_.metrics.served(loop_.routes.index_of(found_.route), response->status,
                             std::chrono::steady_clock::now() - started_);
        finish_request();
        if (in_.size() > 0 && ++served_in_a_row_ >= kServedInARowMax) {
            served_in_a_row_ = 0;
            co_await asio::post(asio::use_awaitable);
        }
    }
}

void Connection::enter(Phase phase, std::uint32_t ticks) {
    phase_ = phase;
    late_ = false;
    deadline_ = loop_.now() + ticks + 1;
}

void Connection::start_moving(std::size_t moved) {
    since_ = loop_.now();
    moved_ = moved;
}

// What the other side's system has acknowledged is taken, what ours has buffered is not.
void Connection::note_taken(std::uint32_t now) {
    const auto sent = unacknowledged_ + moved_;
    const auto taken = sent - std::min(sent, wire_.unacknowledged());
    if (taken <= taken_) return;
    taken_ = taken;
    deadline_ = now + loop_.limits.write + 1;
}

bool Connection::is_too_slow(std::uint32_t now) const {
    if (phase_ != Phase::body && phase_ != Phase::write) return false;
    const auto& limits = loop_.limits;
    if (now - since_ <= limits.slow) return false;
    const auto moved = phase_ == Phase::body ? moved_ : taken_;
    return moved < std::uint64_t{now - since_ - limits.slow} * limits.bytes_min;
}

// A job has its time from when it began, however long it waited.
bool Connection::has_begun_late(std::uint32_t now) {
    const auto begun = job_.begun();
    if (!begun) return false;
    const auto ticks = (std::chrono::steady_clock::now() - *begun) / loop_.limits.tick;
    if (ticks >= loop_.limits.answer) return false;
    deadline_ = now + loop_.limits.answer - static_cast<std::uint32_t>(ticks);
    return true;
}

// Whoever only waits, when places are few. Within the tick in which it came nobody does.
bool Connection::gives_way(std::uint32_t now) const {
    if (phase_ != Phase::idle || !loop_.admission.crowded()) return false;
    const auto since = deadline_ - loop_.limits.keep_alive - 1;
    return now - since > loop_.limits.crowded;
}

void Connection::check_deadline(std::uint32_t now) {
    if (phase_ == Phase::write) note_taken(now);
    const bool makes_room = now < deadline_ && gives_way(now);
    if (now < deadline_ && !is_too_slow(now) && !makes_room) return;
    // First, or it could begin in between.
    const auto withdrawn = phase_ == Phase::answer ? job_.withdraw() : nullptr;
    if (phase_ == Phase::answer && !withdrawn && has_begun_late(now)) return;
    late_ = true;
    if (makes_room) loop_.metrics.refuse(Refused::idle_when_crowded);
    if (phase_ == Phase::write) loop_.metrics.refuse(Refused::slow_reader);
    if (phase_ == Phase::head || phase_ == Phase::body) loop_.metrics.refuse(Refused::slow_request);
    if (phase_ != Phase::answer) {
        wire_.cancel();
    } else if (pending_) {
        // Posted: going on may destroy this connection, in the middle of the sweep over all of
        // them.
        if (withdrawn) loop_.metrics.refuse(Refused::job_not_begun);
        auto give_up = [pending = pending_, listing = listing_, begun = !withdrawn] {
            if (!listing || listing->withdraw()) pending->settle(too_late(begun));
        };
        asio::post(loop_.context, std::move(give_up));
        // What was withdrawn dies behind that, and has nothing more to say.
    }
}

void Connection::wind_down() {
    // What is being answered may be the last answer already.
    if (phase_ == Phase::idle || phase_ == Phase::handshake) abort();
}

void Connection::abort() {
    gone_ = true;
    release_answer();
    wire_.cut();
}

// Finds the end of the next head in what has come, or a reason to look no further.
bool Connection::find_head() {
    const auto bytes = in_.view();
    const auto end = bytes.find("\r\n\r\n", searched_ < 3 ? 0 : searched_ - 3);
    searched_ = bytes.size();
    if (end != bytes.npos) {
        head_size_ = end + 4;
        refusal_ = read_head(bytes.substr(0, head_size_), head_);
        return true;
    }
    refusal_ = check_unfinished_head(bytes);
    if (!refusal_) return false;
    note_unread_head();
    return true;
}

// What is refused is said to whom it was meant for, as far as that has come.
void Connection::note_unread_head() {
    const auto unread = read_head(in_.view(), head_);
    if (!unread) head_ = Head{};
}

asio::awaitable<bool> Connection::read_head_bytes() {
    enter(Phase::idle, loop_.limits.keep_alive);
    searched_ = 0;
    while (in_.size() == 0 || !find_head()) {
        if (phase_ == Phase::idle && in_.size() > 0) enter(Phase::head, loop_.limits.head);
        if (in_.room() == 0) in_.reserve(std::max(kFirstRoom, 2 * in_.size()));
        const auto space = asio::buffer(in_.space(), in_.room());
        served_in_a_row_ = 0;
        const auto [error, n] = co_await wire_.read_some(space);
        if (gone_) co_return false;
        if (error && late_ && in_.size() > 0) {
            note_unread_head();
            refusal_ = kHeadLate;
            co_return true;
        }
        if (error) {
            gone_ = !late_;
            co_return false;
        }
        in_.commit(n);
    }
    co_return true;
}

bool Connection::make_room(std::size_t wanted) {
    if (in_.room() >= wanted) return true;
    const auto before = std::max(in_.capacity(), kKeptRoom);
    const auto after = std::max(in_.size() + wanted, kKeptRoom);
    const auto more = after - std::min(before, after);
    const auto& limits = loop_.limits;
    if (more > 0 && (loop_.buffered + more > limits.buffered_max ||
                     (nameless_ && loop_.keyless + more > limits.keyless_max))) {
        refusal_ = kNoRoom;
        return false;
    }
    in_.reserve(in_.size() + wanted);
    const auto taken = std::max(in_.capacity(), kKeptRoom) - before;
    loop_.buffered += taken;
    if (!nameless_) return true;
    loop_.keyless += taken;
    keyless_ += taken;
    return true;
}

// As far as it was counted.
void Connection::give_room_back() {
    if (in_.capacity() > kKeptRoom) loop_.buffered -= in_.capacity() - kKeptRoom;
    loop_.keyless -= std::exchange(keyless_, 0);
}

// At least one byte, at most `wanted`.
asio::awaitable<bool> Connection::read_more(std::size_t wanted) {
    if (!make_room(wanted)) co_return false;
    const auto now = loop_.now();
    const auto whole = body_deadline_ > now ? body_deadline_ - now : 0;
    enter(Phase::body, std::min(loop_.limits.body_idle, whole));
    const auto space = asio::buffer(in_.space(), std::min(wanted, in_.room()));
    const auto [error, n] = co_await wire_.read_some(space);
    if (gone_) co_return false;
    if (error) {
        if (late_)
            refusal_ = kHeadLate;
        else
            gone_ = true;
        co_return false;
    }
    in_.commit(n);
    moved_ += n;
    co_return true;
}

asio::awaitable<void> Connection::read_body() {
    // HTTP/1.0 has no such answer (RFC 9110 10.1.1).
    if (head_.expects_continue && !head_.http10 && in_.size() == head_size_) {
        out_ += "HTTP/1.1 100 Continue\r\n\r\n";
        bool sent = write_now();
        if (!sent) sent = co_await write_rest();
        if (!sent) co_return;
    }
    body_deadline_ = loop_.now() + loop_.limits.body_whole;
    start_moving(in_.size() - head_size_);
    if (head_.chunked) {
        co_await read_chunked_body();
    } else {
        co_await read_sized_body();
    }
    enter(Phase::answer, loop_.limits.answer);
    if (gone_) co_return;
    // Growing moved the bytes that the head points at, which a refusal is dressed by.
    const auto reread = read_head(in_.view().substr(0, head_size_), head_);
    if (!refusal_) refusal_ = reread;
    found_ = loop_.routes.find(head_.method, head_.path);
}

asio::awaitable<void> Connection::read_sized_body() {
    body_wire_ = static_cast<std::size_t>(*head_.content_length);
    const auto end = head_size_ + body_wire_;
    while (in_.size() < end) {
        // Room follows what has come, not what was announced.
        const auto wanted = std::min(end - in_.size(), std::max(kKeptRoom, in_.size()));
        const bool came = co_await read_more(wanted);
        if (!came) co_return;
    }
}

// The decoded bytes are kept apart. What they were taken from stays in the buffer, behind the head,
// until the request is done; so they are as many as are counted there, at most.
asio::awaitable<void> Connection::read_chunked_body() {
    ChunkedBody chunks(found_.route->body_max);
    for (;;) {
        const auto fed = chunks.feed(in_.view().substr(head_size_ + body_wire_));
        if (const auto* refusal = std::get_if<Refusal>(&fed)) {
            refusal_ = *refusal;
            if (refusal->status == 413) refusal_->status = found_.route->too_large_status;
            co_return;
        }
        body_wire_ += std::get<std::size_t>(fed);
        if (chunks.done()) break;
        const bool came = co_await read_more(kKeptRoom);
        if (!came) co_return;
    }
    body_ = chunks.take();
    body_decoded_ = true;
}

void Connection::finish_request() {
    in_.consume(std::min(in_.size(), head_size_ + body_wire_));
    if (in_.capacity() > kKeptRoom && in_.size() <= kFirstRoom) {
        give_room_back();
        Buffer small;
        small.reserve(kFirstRoom);
        std::memcpy(small.space(), in_.view().data(), in_.size());
        small.commit(in_.size());
        in_ = std::move(small);
    }
    if (body_.capacity() > kKeptRoom) body_ = {};
    if (out_.capacity() > kKeptRoom) out_ = {};
    body_decoded_ = false;
    searched_ = head_size_ = body_wire_ = 0;
    found_ = {};
    guessed_ = false;
    nameless_ = false;
    pending_.reset();
    listing_.reset();
    tail_.reset();
}

asio::awaitable<void> Connection::linger() {
    wire_.stop_sending();
    enter(Phase::linger, loop_.limits.linger);
    in_.consume(in_.size());
    if (in_.room() == 0) in_.reserve(kFirstRoom);
    const auto space = asio::buffer(in_.space(), in_.room());
    // Closing with unread bytes would reset the connection and take the answer with it.
    // While bytes are there nothing can be cancelled: reading ends by itself.
    for (std::size_t taken = 0; taken < kLingerBytesMax;) {
        const auto [error, n] = co_await wire_.read_raw(space);
        if (error || late_ || gone_) break;
        taken += n;
    }
}

}  // namespace api
