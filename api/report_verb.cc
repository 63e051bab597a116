#include "api/report_verb.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "api/command_line.h"
#include "api/config.h"
#include "api/http_head.h"
#include "api/parameters.h"
#include "api/reach.h"
#include "api/reports.h"
#include "cdp/interrupted.h"
#include "cdp/privacy.h"
#include "cdp/texts.h"

namespace api {
namespace {

constexpr std::string_view kRoute = "/v1/privacy/reports/";

struct Wanted {
    Subject subject;
    cdp::ReportFormat format = cdp::ReportFormat::json;
};

cdp::Result<Wanted> read(const ReportCommand& command) {
    CDP_CHECK(cdp::check_reason(command.reason));
    Wanted wanted;
    wanted.subject = CDP_TRY(read_subject("identifier", command.subject));
    wanted.format = CDP_TRY(read_report_format(command.format));
    return wanted;
}

cdp::Result<void> write(AdminClient& server, const ReportCommand& command, const Wanted&,
                        const cdp::ReportSink& sink) {
    return server.ask(
        {.target = std::string(kRoute) + percent_encode(command.subject) +
                   "?format=" + command.format + "&reason=" + percent_encode(command.reason)},
        sink);
}

cdp::Result<void> write(OpenFolder& folder, const ReportCommand& command, const Wanted& wanted,
                        const cdp::ReportSink& sink) {
    auto config = CDP_TRY(given_config(command.config));
    const cdp::SystemClock clock;
    const cdp::Platform platform(*folder.store, *folder.vault, clock, std::move(config.platform),
                                 CDP_TRY(folder.journal()));
    CDP_CHECK(cdp::finish_interrupted(platform));
    return platform.privacy().reports.write({.who = {},
                                             .uid = static_cast<std::int64_t>(::getuid()),
                                             .route = "GET " + std::string(kRoute) + "{identifier}",
                                             .reason = command.reason},
                                            {.type = wanted.subject.type,
                                             .value = wanted.subject.value,
                                             .format = wanted.format,
                                             .purposes = purpose_words(config.purpose_titles)},
                                            sink);
}

// Where the report goes: a file is made with its first piece, and never in the place of another.
class Output {
public:
    explicit Output(const std::string& path) : path_(path) {}
    ~Output() {
        if (file_) std::fclose(file_);
    }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    bool put(std::string_view bytes) {
        std::FILE* to = path_.empty() ? stdout : file();
        failed_ = failed_ || std::fwrite(bytes.data(), 1, bytes.size(), to) != bytes.size();
        return !failed_;
    }

    // Of what was written; nothing is left of what is not whole.
    int finish(const cdp::Result<void>& done) {
        if (path_.empty()) return done ? finish_output() : fail(done.error());
        const bool made = file_ != nullptr;
        if (made) failed_ = std::fclose(std::exchange(file_, nullptr)) != 0 || failed_;
        if (done && !failed_) return kDone;
        if (done && made) std::perror(("cdp: " + path_).c_str());
        if (made) ::unlink(path_.c_str());
        return done ? int{kFailed} : fail(done.error());
    }

private:
    std::FILE* file() {
        if (file_ || failed_) return file_;
        constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        const int descriptor = ::open(path_.c_str(), kFlags, 0600);
        file_ = descriptor < 0 ? nullptr : ::fdopen(descriptor, "w");
        failed_ = file_ == nullptr;
        if (failed_) std::perror(("cdp: " + path_).c_str());
        return file_;
    }

    std::string path_;
    std::FILE* file_ = nullptr;
    bool failed_ = false;
};

}  // namespace

int write_report(const ReportCommand& command) {
    const auto wanted = read(command);
    if (!wanted) return fail(wanted.error());
    auto reached = reach(command.data);
    if (!reached) return fail(reached.error());
    Output output(command.output);
    const auto done = std::visit(
        [&](auto& one) {
            return write(one, command, *wanted,
                         [&](std::string_view bytes) { return output.put(bytes); });
        },
        *reached);
    return output.finish(done);
}

}  // namespace api
