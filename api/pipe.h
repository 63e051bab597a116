#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "api/message.h"

namespace api {

// Between a thread that reads the store and the connection that sends what it read.
class Pipe {
public:
    // Waits while the reader is behind. False: the reader is gone.
    bool write(std::string_view bytes);
    // Nothing follows. When it is not whole the connection is cut. What is said first holds.
    void finish(bool whole);

    // For the reader: see BodyStream::pull.
    BodyStream::State read(std::string& out, const std::function<void()>& wake);
    void abandon();

private:
    void wake_reader(std::unique_lock<std::mutex>& lock);

    std::mutex mutex_;  // guards everything below
    std::condition_variable room_;
    std::string buffer_;
    std::function<void()> wake_;
    BodyStream::State state_ = BodyStream::State::wait;  // what an empty buffer means
    bool reader_gone_ = false;
};

// The reader's end.
class PipedBody : public BodyStream {
public:
    explicit PipedBody(std::shared_ptr<Pipe> pipe) : pipe_(std::move(pipe)) {}
    ~PipedBody() override { pipe_->abandon(); }
    PipedBody(const PipedBody&) = delete;
    PipedBody& operator=(const PipedBody&) = delete;

    State pull(std::string& out, const std::function<void()>& wake) override {
        return pipe_->read(out, wake);
    }

private:
    std::shared_ptr<Pipe> pipe_;
};

// The writer's end of a new pipe: what it leaves unfinished is not whole.
class PipeWriter {
public:
    PipeWriter() = default;
    ~PipeWriter() { pipe_->finish(/*whole=*/false); }
    PipeWriter(const PipeWriter&) = delete;
    PipeWriter& operator=(const PipeWriter&) = delete;

    const std::shared_ptr<Pipe>& pipe() const { return pipe_; }
    bool write(std::string_view bytes) { return pipe_->write(bytes); }
    void finish(bool whole) { pipe_->finish(whole); }

private:
    const std::shared_ptr<Pipe> pipe_ = std::make_shared<Pipe>();
};

// What is still being read from the store, for those with rights to it.
Response streamed(std::shared_ptr<Pipe> pipe, const char* content_type);
// The same, NDJSON.
Response lines_from(std::shared_ptr<Pipe> pipe);

}  // namespace api
