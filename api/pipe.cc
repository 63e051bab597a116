#include "api/pipe.h"

#include <utility>

#include "api/parameters.h"

namespace api {
namespace {

constexpr std::size_t kBufferedMax = 1024 * 1024;

}  // namespace

bool Pipe::write(std::string_view bytes) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return buffer_.size() < kBufferedMax || reader_gone_; });
    if (reader_gone_) return false;
    buffer_.append(bytes);
    wake_reader(lock);
    return true;
}

void Pipe::finish(bool whole) {
    std::unique_lock lock(mutex_);
    if (state_ != BodyStream::State::wait) return;
    state_ = whole ? BodyStream::State::end : BodyStream::State::failed;
    wake_reader(lock);
}

BodyStream::State Pipe::read(std::string& out, const std::function<void()>& wake) {
    const std::lock_guard lock(mutex_);
    if (buffer_.empty()) {
        if (state_ == BodyStream::State::wait) wake_ = wake;
        return state_;
    }
    out.append(buffer_);
    buffer_.clear();
    room_.notify_one();
    return BodyStream::State::more;
}

void Pipe::abandon() {
    const std::lock_guard lock(mutex_);
    reader_gone_ = true;
    wake_ = nullptr;
    room_.notify_one();
}

void Pipe::wake_reader(std::unique_lock<std::mutex>& lock) {
    auto wake = std::exchange(wake_, nullptr);
    lock.unlock();
    if (wake) wake();
}

Response streamed(std::shared_ptr<Pipe> pipe, const char* content_type) {
    Response response;
    response.headers = kPrivate;
    response.content_type = content_type;
    response.stream = std::make_unique<PipedBody>(std::move(pipe));
    return response;
}

Response lines_from(std::shared_ptr<Pipe> pipe) {
    return streamed(std::move(pipe), "application/x-ndjson");
}

}  // namespace api
