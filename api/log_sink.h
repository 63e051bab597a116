#pragma once

namespace api {

// Sends cdp::log to stderr, one `time level event key=value …` line each. Call once, before
// threads.
void log_to_stderr();

}  // namespace api
