#include "storage/beat.h"

namespace storage {

Beat::~Beat() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

bool Beat::pause(std::chrono::milliseconds length) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, length, [this] { return stopping_; });
}

void Beat::run() {
    while (pause(work_(*this))) {
    }
}

}  // namespace storage
