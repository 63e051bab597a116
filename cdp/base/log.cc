#include "cdp/base/log.h"

#include <utility>

namespace cdp::log {
namespace {

Sink& sink() {
    static Sink instance;
    return instance;
}

}  // namespace

void set_sink(Sink next) {
    sink() = std::move(next);
}

void write(Level level, const char* event, std::initializer_list<Field> fields) {
    if (sink()) sink()(level, event, fields);
}

}  // namespace cdp::log
