#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/principals.h"
#include "api/problem.h"

namespace api {
namespace {

constexpr std::size_t kBufferedExportMax = 1024 * 1024;

cdp::Error invalid(std::string reason, std::string message, std::string pointer) {
    return {cdp::ErrorCode::invalid_argument,
            std::move(reason),
            std::move(message),
            std::move(pointer),
            {}};
}

cdp::Result<cdp::Principal> read_principal(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    if (!document.is_object()) return invalid("wrong_type", "An object is expected.", "");
    cdp::Principal out;
    const auto role = cdp::parse_role(CDP_TRY(string_member(document, "role", "")));
    if (!role) return invalid("role_unknown", "There is no such role.", "/role");
    out.role = *role;
    out.name = CDP_TRY(string_member(document, "name", ""));
    out.channel = CDP_TRY(string_member(document, "channel", ""));
    const auto trust = CDP_TRY(string_member(document, "trust", ""));
    if (!trust.empty() && trust != "client" && trust != "server")
        return invalid("trust_unknown", "Trust is client or server.", "/trust");
    if (trust == "server") out.trust = cdp::Trust::server;
    return out;
}

// A pipe between the thread that reads the store and the connection that sends what it read.
class Pipe {
public:
    // Waits while the reader is behind. False: the reader is gone.
    bool write(std::string_view line) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return buffer_.size() < kBufferedExportMax || reader_gone_; });
        if (reader_gone_) return false;
        buffer_.append(line);
        wake_reader(lock);
        return true;
    }
    void finish(bool whole) {
        std::unique_lock lock(mutex_);
        state_ = whole ? BodyStream::State::end : BodyStream::State::failed;
        wake_reader(lock);
    }
    BodyStream::State read(std::string& out, const std::function<void()>& wake) {
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
    void abandon() {
        const std::lock_guard lock(mutex_);
        reader_gone_ = true;
        wake_ = nullptr;
        room_.notify_one();
    }

private:
    void wake_reader(std::unique_lock<std::mutex>& lock) {
        auto wake = std::exchange(wake_, nullptr);
        lock.unlock();
        if (wake) wake();
    }

    std::mutex mutex_;  // guards everything below
    std::condition_variable room_;
    std::string buffer_;
    std::function<void()> wake_;
    BodyStream::State state_ = BodyStream::State::wait;  // what an empty buffer means
    bool reader_gone_ = false;
};

class Export : public BodyStream {
public:
    explicit Export(std::shared_ptr<Pipe> pipe) : pipe_(std::move(pipe)) {}
    ~Export() override { pipe_->abandon(); }
    Export(const Export&) = delete;
    Export& operator=(const Export&) = delete;

    State pull(std::string& out, const std::function<void()>& wake) override {
        return pipe_->read(out, wake);
    }

private:
    std::shared_ptr<Pipe> pipe_;
};

}  // namespace

void add_key(const Services& services, const Request& request, Answer answer) {
    auto principal = read_principal(request.body);
    if (!principal) return answer(problem(principal.error()));
    if (principal->role == cdp::Role::channel &&
        !services.platform.config().policy.find_channel(principal->channel))
        return answer(
            problem(400, "channel_unknown", "The configuration has no such channel.", "/channel"));

    services.aside([&access = services.access, &clock = services.clock,
                    principal = std::move(*principal), answer = std::move(answer)] {
        const auto key = access.add(principal, clock.now());
        if (!key) return answer(problem(key.error()));
        Response response;
        response.status = 201;
        response.headers = "Cache-Control: no-store\r\n";
        response.body = R"({"key":)";
        append_json_string(response.body, *key);
        response.body += "}\n";
        answer(std::move(response));
    });
}

Response list_keys(const Services& services, const Request&) {
    Response response;
    response.body = render_principals(services.access.principals());
    return response;
}

Response export_lines(const Services& services, const Request& request) {
    const auto kind = cdp::parse_export_kind(percent_decode(request.parameter));
    if (!kind) return problem(404, "export_unknown", "There is no such export.");
    cdp::ExportRequest wanted;
    wanted.kind = *kind;
    wanted.reason = query_value(request.head->query, "reason").value_or("");
    wanted.uid = request.uid;
    if (request.uid < 0) wanted.key_name = request.caller.name;

    auto pipe = std::make_shared<Pipe>();
    services.aside([&platform = services.platform, pipe, wanted] {
        const auto done = platform.export_lines(
            wanted, [&pipe](std::string_view line) { return pipe->write(line); });
        pipe->finish(static_cast<bool>(done));
    });
    Response response;
    response.headers = "Cache-Control: no-store\r\n";
    response.content_type = "application/x-ndjson";
    response.stream = std::make_unique<Export>(std::move(pipe));
    return response;
}

}  // namespace api
