#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "api/address.h"
#include "api/body.h"
#include "api/buffer.h"
#include "api/http_head.h"
#include "api/jobs.h"
#include "api/loop.h"
#include "api/message.h"
#include "api/pending.h"
#include "api/wire.h"

namespace api {

// One connection: reads requests, has them answered, writes the answers in order. Owned by its
// coroutine, touched by its loop's thread alone.
//
// Whatever can be done without waiting is done without suspending: an ordinary request costs one
// asynchronous read and nothing else.
class Connection {
public:
    Connection(Loop& loop, Wire wire, std::int64_t uid, const Address& peer);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    asio::awaitable<void> serve();

    // Called once a tick: ends what is late.
    void check_deadline(std::uint32_t now);
    // Closes now if nothing is being served, else after the answer.
    void wind_down();
    // Closes, whatever it is doing.
    void abort();

    // Whether it holds much of an answer that its reader does not take, and since which tick.
    bool holds_answer() const { return held_ > 0; }
    std::uint32_t writing_since() const { return since_; }

    // The loop's list.
    Connection* next = nullptr;
    Connection* previous = nullptr;

private:
    enum class Phase : std::uint8_t { handshake, idle, head, body, answer, write, linger };

    void enter(Phase phase, std::uint32_t ticks);
    bool has_begun_late(std::uint32_t now);
    bool gives_way(std::uint32_t now) const;
    asio::awaitable<void> serve_requests();

    // Keeping pace, in the phases body and write.
    void start_moving(std::size_t moved);
    void note_taken(std::uint32_t now);
    bool is_too_slow(std::uint32_t now) const;
    void hold_answer();
    void release_answer();

    // Reading. False or nullopt-with-gone_: the peer left or was late.
    asio::awaitable<bool> read_head_bytes();
    bool find_head();
    void note_unread_head();
    asio::awaitable<void> read_body();
    asio::awaitable<void> read_sized_body();
    asio::awaitable<void> read_chunked_body();
    asio::awaitable<bool> read_more(std::size_t wanted);
    bool make_room(std::size_t wanted);
    void give_room_back();
    void finish_request();

    // Answering.
    std::optional<Response> refuse_crowd();
    std::optional<Response> refuse_greedy(const Request& request);
    std::optional<Response> refuse_stranger();
    std::optional<Response> admit(Request& request);
    std::optional<Response> inflate(std::string_view& body);
    Request request_with(std::string_view body);
    void slow_guesses(Response& response);
    std::optional<Response> answer_without_body();
    std::optional<Response> answer_at_once();
    std::optional<Response> call_handler(Request& request);
    asio::awaitable<Response> await_answer();

    // Writing.
    void compose(Response& response);
    void compose_head(const Response& response, std::optional<std::size_t> length);
    void compose_cors();
    bool write_now();
    asio::awaitable<bool> write_rest();
    asio::awaitable<bool> send(Response response);
    asio::awaitable<bool> send_instead(Response& response);
    asio::awaitable<bool> send_stream(Response& response);
    asio::awaitable<std::optional<Response>> await_listing(std::shared_ptr<cdp::Listing> listing,
                                                           std::size_t held);
    asio::awaitable<bool> await_wake(std::shared_ptr<Pending> pending);
    asio::awaitable<void> linger();

    Loop& loop_;
    Wire wire_;
    const std::int64_t uid_;
    const Address peer_;
    const bool by_proxy_;
    Address client_;  // of this request: peer_, or for whom a trusted proxy asks

    Buffer in_;
    std::size_t head_size_ = 0;
    std::size_t searched_ = 0;   // of in_, for the end of the head
    std::size_t body_wire_ = 0;  // bytes of in_ behind the head that are the body
    Head head_;
    Routes::Found found_;
    std::optional<Refusal> refusal_;
    cdp::Principal caller_;    // once known
    bool nameless_ = false;    // nobody knows who asks: no key is needed, or it is in the body
    std::size_t keyless_ = 0;  // counted in Loop::keyless
    std::string body_;         // decoded, when it is not simply in in_
    bool body_decoded_ = false;

    std::string out_;
    std::size_t written_ = 0;
    std::size_t moved_ = 0;           // bytes of this body or answer, since since_
    std::size_t unacknowledged_ = 0;  // before them
    std::size_t taken_ = 0;           // of both
    std::size_t held_ = 0;            // counted in Loop::unread
    std::uint32_t since_ = 0;
    std::shared_ptr<const std::string> tail_;  // a long body, sent behind out_

    std::shared_ptr<Pending> pending_;
    std::shared_ptr<cdp::Listing> listing_;  // what pending_ waits for, if it tells anything
    JobPlace job_;                           // that brings it
    std::chrono::steady_clock::time_point started_;
    std::uint32_t deadline_ = 0;
    std::uint32_t body_deadline_ = 0;
    std::uint32_t served_in_a_row_ = 0;
    Phase phase_ = Phase::idle;
    bool late_ = false;     // a deadline ended the last wait
    bool gone_ = false;     // nothing more can be read or written
    bool closing_ = false;  // after this answer
    bool unread_ = false;   // the client may still be sending
    bool guessed_ = false;  // the request had a key, or what stands for one
};

}  // namespace api
