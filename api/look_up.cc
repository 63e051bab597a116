#include "api/look_up.h"

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>

namespace api {

// Whoever comes last lets it go: the one who waited, or the thread that was left behind.
struct LookUp::Shared {
    std::mutex mutex;
    std::condition_variable changed;
    // Under mutex.
    bool cancelled = false;
    std::uint64_t asked = 0;  // which answer is waited for
    std::optional<Addresses> answer;

    void look_up(const std::string& host, const std::string& port, std::uint64_t number) {
        boost::asio::io_context context;
        Addresses out;
        boost::asio::ip::tcp::resolver resolver(context);
        out.found = resolver.resolve(host, port, out.error);
        {
            const std::lock_guard lock(mutex);
            if (number == asked) answer = std::move(out);
        }
        changed.notify_all();
    }
};

LookUp::LookUp() : shared_(std::make_shared<Shared>()) {}

std::optional<Addresses> LookUp::find(const std::string& host, const std::string& port,
                                      std::chrono::milliseconds patience) {
    std::unique_lock lock(shared_->mutex);
    if (shared_->cancelled) return std::nullopt;
    shared_->answer.reset();
    const auto number = ++shared_->asked;
    try {
        std::thread([shared = shared_, host, port, number] {
            shared->look_up(host, port, number);
        }).detach();
    } catch (const std::system_error&) {
        return std::nullopt;
    }
    shared_->changed.wait_for(lock, patience,
                              [this] { return shared_->cancelled || shared_->answer; });
    ++shared_->asked;
    return shared_->cancelled ? std::nullopt : std::exchange(shared_->answer, std::nullopt);
}

void LookUp::cancel() {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->cancelled = true;
    }
    shared_->changed.notify_all();
}

}  // namespace api
