#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "api/connection.h"
#include "api/credentials.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "cdp/base/log.h"

namespace api {
namespace {

// A body up to this size is copied behind its head: cheaper than a second buffer.
constexpr std::size_t kCopiedMax = 64 * 1024;
constexpr std::size_t kStreamPiece = 64 * 1024;

constexpr std::string_view kPreflight =
    "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
    // By name: a star does not cover Authorization.
    "Access-Control-Allow-Headers: Authorization, Content-Type, X-Retry-Count, X-Write-Key, "
    "X-Enable-Debug, X-IP-Policy, AnonymousId, SentAt, Rsa-Retry-Attempt, Rsa-Retry-Reason, "
    "Rsa-Since-Last-Attempt, Rsa-Since-First-Attempt, Rsa-Recovered\r\n"
    "Access-Control-Max-Age: 7200\r\n";

Response internal_error() {
    auto response = problem(500, "internal", "Something went wrong here.");
    response.close = true;
    return response;
}

Response crowded() {
    return problem(503, "storage_stalled", "Too many answers wait for the disk.");
}

Response nothing() {
    return {};
}

void append_number(std::string& out, std::size_t n, int base = 10) {
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, n, base);
    out.append(digits, end);
}

void append_hex(std::string& out, std::uint64_t n) {
    constexpr char digits[] = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4) out.push_back(digits[(n >> shift) & 0xf]);
}

// Resumes the coroutine that waits.
struct Suspend {
    Pending* pending;

    template <typename Handler>
    void operator()(Handler&& handler) const {
        auto kept = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
        pending->on_settled([kept] { std::move (*kept)(); });
    }
};

asio::awaitable<void> settled(Pending* pending) {
    const Suspend suspend{pending};
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(suspend,
                                                                          asio::use_awaitable);
}

}  // namespace

// Whoever asks more often than is granted, before anything else is done for them.
std::optional<Response> Connection::refuse_crowd() {
    if (uid_ >= 0) return std::nullopt;
    auto& admission = loop_.admission;
    // For whom it is nobody can tell, and the proxy is not to blame.
    if (by_proxy_ && refusal_) return std::nullopt;
    client_ = by_proxy_ ? client_behind(in_.view().substr(0, head_size_), admission.config(), peer_)
                        : peer_;
    const auto wait = admission.wait_for_request(client_, started_);
    if (wait == 0) return std::nullopt;
    loop_.metrics.refuse(Refused::address_rate);
    return too_many("address_rate_exceeded", "Too many requests come from this address.", wait);
}

// A key that is right is served however many were wrong; those who guess learn nothing sooner.
void Connection::slow_guesses(Response& response) {
    const auto wait = loop_.admission.wait_after_wrong_key(client_, started_);
    if (wait == 0) return;
    loop_.metrics.refuse(Refused::wrong_keys);
    response = too_many("wrong_keys_exceeded", "Too many wrong keys come from this address.", wait);
}

// What can be said from the head alone: nullopt if the body is needed.
std::optional<Response> Connection::answer_without_body() {
    if (!refusal_) found_ = loop_.routes.find(head_.method, head_.path);
    if (auto refused = refuse_crowd()) {
        unread_ = refusal_ || head_.has_body();
        return refused;
    }
    if (refusal_) {
        unread_ = true;
        return problem(*refusal_);
    }
    if (found_.route) {
        if (!head_.has_body() || head_.content_length.value_or(0) <= found_.route->body_max)
            return refuse_stranger();
        unread_ = true;
        return problem(found_.route->too_large_status, "body_too_large",
                       "The body is larger than allowed here.");
    }
    unread_ = head_.has_body();
    if (head_.method == Method::options) {
        Response response;
        response.status = 204;
        response.headers = "Allow: " +
                           (found_.same_path.empty() ? std::string("GET, HEAD, POST, OPTIONS")
                                                     : allowed_methods(found_.same_path)) +
                           "\r\n";
        if (!found_.same_path.empty() && found_.same_path.front()->cors != Cors::none)
            response.headers += kPreflight;
        return response;
    }
    if (found_.same_path.empty()) return problem(404, "no_such_route", "There is nothing here.");
    auto response = problem(405, "method_not_allowed", "This path has other methods.");
    response.headers += "Allow: " + allowed_methods(found_.same_path) + "\r\n";
    return response;
}

// Whoever uses a key more often than is granted.
std::optional<Response> Connection::refuse_greedy(const Request& request) {
    if (uid_ >= 0 || request.route->door == Door::open) return std::nullopt;
    const auto wait = loop_.admission.wait_for_key(request.caller, client_, started_);
    if (wait == 0) return std::nullopt;
    loop_.metrics.refuse(Refused::key_rate);
    return too_many("key_rate_exceeded", "Too many requests come with this key.", wait);
}

Request Connection::request_with(std::string_view body) {
    return {.head = &head_,
            .route = found_.route,
            .body = body,
            .parameter = found_.parameter,
            .caller = caller_,
            .uid = uid_,
            .job = &job_};
}

// Who may not, or not so often.
std::optional<Response> Connection::admit(Request& request) {
    const auto entry = authorise(loop_.services, request);
    guessed_ = entry != Entry::no_key;
    if (entry != Entry::granted) return refusal_of(entry);
    return refuse_greedy(request);
}

// Whose body is not worth waiting for: nothing of it is kept or inflated. The keys of SDKs may be
// in it, and some doors are open; what such bodies take is bounded on its own.
std::optional<Response> Connection::refuse_stranger() {
    caller_ = {};
    auto request = request_with({});
    const bool known = is_known_by_head(request);
    nameless_ = uid_ < 0 && (!known || found_.route->door == Door::open);
    if (!known) return std::nullopt;
    auto refused = admit(request);
    caller_ = std::move(request.caller);
    if (!refused) return std::nullopt;
    // A body that is here already is passed over, and the connection goes on behind it.
    const auto length = head_.content_length.value_or(0);
    unread_ = head_.chunked || in_.size() - head_size_ < length;
    if (!unread_) body_wire_ = static_cast<std::size_t>(length);
    return refused;
}

// Makes of a body what was meant by it.
std::optional<Response> Connection::inflate(std::string_view& body) {
    if (head_.content_encoding.data() == nullptr || !head_.has_body()) return std::nullopt;
    const auto coding = coding_of(head_.content_encoding);
    if (coding == Coding::unknown) {
        auto response = problem(415, "content_coding_unknown", "Send gzip or nothing.");
        response.headers += "Accept-Encoding: gzip\r\n";
        return response;
    }
    if (coding == Coding::identity) return std::nullopt;
    const auto wait =
        nameless_ ? loop_.admission.wait_for_keyless_gzip(client_, started_) : std::uint32_t{0};
    if (wait > 0) {
        loop_.metrics.refuse(Refused::keyless_gzip);
        return too_many("keyless_gzip_exceeded",
                        "Too many gzip bodies come from this address without a key in the head.",
                        wait);
    }
    const auto& route = *found_.route;
    auto plain = gunzip(body, route.body_max);
    if (!plain)
        return problem(plain.error().reason == "body_too_large" ? route.too_large_status : 400,
                       plain.error().reason, plain.error().message);
    body_ = std::move(*plain);
    body = body_;
    return std::nullopt;
}

std::optional<Response> Connection::answer_at_once() {
    const auto& route = *found_.route;
    if (!body_decoded_) body_.clear();
    std::string_view body =
        body_decoded_ ? std::string_view(body_) : in_.view().substr(head_size_, body_wire_);
    if (auto refused = inflate(body)) return refused;
    auto request = request_with(body);
    try {
        if (nameless_ && route.door != Door::open)
            if (auto refused = admit(request)) return refused;
        if (const auto known = check_parameters(route, head_.query); !known)
            return problem(known.error());
        return call_handler(request);
    } catch (const std::exception& e) {
        cdp::log::write(
            cdp::log::Level::error, "handler_failed",
            {{"route", cdp::log::safe(route.path)}, {"detail", cdp::log::safe(e.what())}});
        return internal_error();
    }
}

std::optional<Response> Connection::call_handler(Request& request) {
    const auto& handler = request.route->handler;
    job_ = {};
    if (const auto now = handler.now()) {
        cdp::Listing::Scope scope;
        auto response = now(loop_.services, request);
        listing_ = scope.take();
        if (!listing_) return response;
        if (!loop_.may_list()) {
            listing_.reset();
            return crowded();
        }
        pending_ = std::make_shared<Pending>(loop_);
        const auto held = response.bytes().size();
        loop_.list(listing_, pending_, std::move(response), held);
        return std::nullopt;
    }
    pending_ = std::make_shared<Pending>(loop_);
    auto debt = std::make_shared<Debt>(pending_, internal_error);
    auto answer = [debt = std::move(debt)](Response response) { debt->pay(std::move(response)); };
    handler.later()(loop_.services, request, std::move(answer));
    if (job_.refused()) {
        loop_.metrics.refuse(Refused::jobs_full);
        return problem(503, "jobs_full", "Too much of this kind waits to be done.");
    }
    if (pending_->settled()) return pending_->take();
    return std::nullopt;
}

asio::awaitable<Response> Connection::await_answer() {
    enter(Phase::answer, loop_.limits.answer);
    if (!pending_->settled()) co_await settled(pending_.get());
    listing_.reset();
    co_return pending_->take();
}

// nullopt: it is written. Else why what it tells must not leave.
asio::awaitable<std::optional<Response>> Connection::await_listing(
    std::shared_ptr<cdp::Listing> listing, std::size_t held) {
    if (!loop_.may_list()) co_return crowded();
    listing_ = listing;
    pending_ = std::make_shared<Pending>(loop_);
    loop_.list(std::move(listing), pending_, {}, held);
    auto response = co_await await_answer();
    if (response.status == 200) co_return std::nullopt;
    co_return response;
}

asio::awaitable<bool> Connection::await_wake(std::shared_ptr<Pending> pending) {
    pending_ = pending;
    enter(Phase::answer, loop_.limits.answer);
    if (!pending->settled()) co_await settled(pending.get());
    co_return !gone_ && !late_;
}

void Connection::compose_cors() {
    const bool known = found_.route || !found_.same_path.empty();
    const auto cors = !known         ? Cors::any_origin
                      : found_.route ? found_.route->cors
                                     : found_.same_path.front()->cors;
    // A request that no route took is answered so that a page can read why.
    if (cors == Cors::none) return;
    out_ += "Access-Control-Allow-Origin: ";
    out_ += head_.origin.empty() ? std::string_view("*") : head_.origin;
    if (cors == Cors::with_credentials && !head_.origin.empty())
        out_ += "\r\nAccess-Control-Allow-Credentials: true";
    out_ += "\r\nAccess-Control-Expose-Headers: Retry-After, X-RateLimit-Reset\r\nVary: Origin\r\n";
}

// nullopt: the length is not known.
void Connection::compose_head(const Response& response, std::optional<std::size_t> length) {
    out_ += "HTTP/1.1 ";
    append_number(out_, static_cast<std::size_t>(response.status));
    out_ += ' ';
    out_ += reason_phrase(response.status);
    if (response.status != 204) {
        out_ += "\r\nContent-Type: ";
        out_ += response.content_type;
        if (length) {
            out_ += "\r\nContent-Length: ";
            append_number(out_, *length);
        } else if (!head_.http10) {
            out_ += "\r\nTransfer-Encoding: chunked";
        }
    }
    out_ += "\r\nRequest-Id: ";
    append_hex(out_, loop_.random.next());
    out_ += "\r\n";
    out_ += loop_.date();
    out_ += response.headers;
    compose_cors();
    if (closing_)
        out_ += "Connection: close\r\n";
    else if (head_.http10)
        out_ += "Connection: keep-alive\r\n";
    out_ += "\r\n";
}

void Connection::compose(Response& response) {
    const auto bytes = response.bytes();
    compose_head(response, bytes.size());
    if (head_.method == Method::head || response.status == 204) return;
    if (bytes.size() <= kCopiedMax) {
        out_ += bytes;
        return;
    }
    tail_ = response.shared ? std::move(response.shared)
                            : std::make_shared<const std::string>(std::move(response.body));
}

// True when everything is out; else write_rest goes on.
bool Connection::write_now() {
    const auto tail = tail_ ? tail_->size() : 0;
    while (written_ < out_.size() + tail) {
        const auto behind = written_ - std::min(written_, out_.size());
        boost::system::error_code error;
        const auto n =
            wire_.write_some(asio::buffer(out_) + written_,
                             tail_ ? asio::buffer(*tail_) + behind : asio::const_buffer{}, error);
        if (error == asio::error::would_block) return false;
        if (error) {
            gone_ = true;
            return false;
        }
        written_ += n;
        moved_ += n;
    }
    out_.clear();
    tail_.reset();
    written_ = 0;
    return true;
}

// Counts what is kept for a reader beyond what every connection may keep.
void Connection::hold_answer() {
    const auto left = out_.size() + (tail_ ? tail_->size() : 0) - written_;
    held_ = left - std::min(left, kCopiedMax);
    loop_.unread += held_;
    while (loop_.unread > loop_.limits.unread_max && !gone_) loop_.end_slowest_reader();
}

void Connection::release_answer() {
    loop_.unread -= std::exchange(held_, 0);
}

asio::awaitable<bool> Connection::write_rest() {
    enter(Phase::write, loop_.limits.write);
    start_moving(0);
    unacknowledged_ = wire_.unacknowledged();
    taken_ = 0;
    hold_answer();
    // g++ 12: no co_await inside && or ||; the frame it makes is broken.
    bool sent = false;
    while (!gone_ && !sent) {
        const auto [error] = co_await wire_.writable();
        if (error || late_)
            gone_ = true;
        else
            sent = write_now();
    }
    release_answer();
    enter(Phase::answer, loop_.limits.answer);
    co_return sent;
}

// Of an answer of which nothing has left yet.
asio::awaitable<bool> Connection::send_instead(Response& response) {
    if (response.close) closing_ = true;
    out_.clear();
    compose(response);
    bool sent = write_now();
    if (!sent) sent = co_await write_rest();
    co_return sent;
}

asio::awaitable<bool> Connection::send_stream(Response& response) {
    if (head_.http10) closing_ = true;
    compose_head(response, std::nullopt);
    std::string piece;
    auto state = BodyStream::State::more;
    bool begun = false;
    while (state == BodyStream::State::more || state == BodyStream::State::wait) {
        auto pending = std::make_shared<Pending>(loop_);
        std::shared_ptr<cdp::Listing> listing;
        {
            cdp::Listing::Scope scope;
            auto debt = std::make_shared<Debt>(pending, nothing);
            const std::function<void()> wake = [debt] { debt->pay({}); };
            do state = response.stream->pull(piece, wake);
            while (state == BodyStream::State::more && piece.size() < kStreamPiece);
            listing = scope.take();
        }
        if (state == BodyStream::State::failed) break;
        if (listing) {
            auto refused = co_await await_listing(listing, piece.size());
            if (refused && begun) {
                state = BodyStream::State::failed;
                break;
            }
            if (refused) {
                const bool told = co_await send_instead(*refused);
                response.status = refused->status;
                co_return told;
            }
        }
        begun = true;
        if (!piece.empty() && !head_.http10) {
            append_number(out_, piece.size(), 16);
            out_ += "\r\n";
            out_ += piece;
            out_ += "\r\n";
        } else {
            out_ += piece;
        }
        piece.clear();
        if (state == BodyStream::State::end && !head_.http10) out_ += "0\r\n\r\n";
        bool sent = write_now();
        if (!sent) sent = co_await write_rest();
        if (!sent) co_return false;
        if (state == BodyStream::State::wait) {
            const bool woken = co_await await_wake(pending);
            if (!woken) break;
        }
        // Others on this thread have a turn.
        if (state == BodyStream::State::more) co_await asio::post(asio::use_awaitable);
    }
    if (state != BodyStream::State::end) gone_ = true;
    co_return !gone_;
}

}  // namespace api
