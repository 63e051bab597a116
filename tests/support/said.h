#pragma once

#include <mutex>
#include <string>

#include "cdp/base/log.h"

namespace tests {

// What the log says while it lives: a line for each event, with those of its fields that are words.
class Said {
public:
    Said() {
        cdp::log::set_sink([this](auto, const char* event, auto fields) {
            const std::lock_guard lock(mutex_);
            all_ += event;
            for (const auto& field : fields)
                if (const auto* text = std::get_if<cdp::log::Safe>(&field.value))
                    all_ += ' ' + text->text;
            all_ += '\n';
        });
    }
    ~Said() { cdp::log::set_sink({}); }
    Said(const Said&) = delete;
    Said& operator=(const Said&) = delete;

    std::string text() const {
        const std::lock_guard lock(mutex_);
        return all_;
    }

private:
    mutable std::mutex mutex_;
    std::string all_;
};

}  // namespace tests
