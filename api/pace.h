#pragma once

#include <chrono>

namespace api {

// Once a second is enough for who watches.
class Pace {
public:
    bool due() {
        const auto now = std::chrono::steady_clock::now();
        if (now - last_ < std::chrono::seconds{1}) return false;
        last_ = now;
        return true;
    }

private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace api
