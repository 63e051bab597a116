#include "api/log_sink.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <type_traits>

#include "cdp/base/log.h"

namespace api {
namespace {

spdlog::level::level_enum level_of(cdp::log::Level level) {
    switch (level) {
        case cdp::log::Level::debug: return spdlog::level::debug;
        case cdp::log::Level::info: return spdlog::level::info;
        case cdp::log::Level::warning: return spdlog::level::warn;
        case cdp::log::Level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

// Text in quotes, so that a value with a space or a line break stays one value on one line.
void append_quoted(std::string& line, std::string_view text) {
    line += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') line += '\\';
        line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    line += '"';
}

void append_field(std::string& line, const cdp::log::Field& field) {
    line += ' ';
    line += field.key;
    line += '=';
    std::visit(
        [&line](const auto& value) {
            using Value = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<Value, cdp::log::Safe>)
                append_quoted(line, value.text);
            else if constexpr (std::is_same_v<Value, const char*>)
                append_quoted(line, value);
            else
                line += fmt::format("{}", value);
        },
        field.value);
}

}  // namespace

void log_to_stderr() {
    auto logger = spdlog::stderr_logger_mt("cdp");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::debug);
    cdp::log::set_sink([logger](cdp::log::Level level, const char* event,
                                std::initializer_list<cdp::log::Field> fields) {
        std::string line = event;
        for (const auto& field : fields) append_field(line, field);
        logger->log(level_of(level), spdlog::string_view_t(line));
    });
}

}  // namespace api
