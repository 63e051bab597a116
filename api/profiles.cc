#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "cdp/named.h"

namespace api {
namespace {

constexpr std::size_t kLookupsMax = 1000;

cdp::Error purpose_required() {
    return invalid("purpose_required", "Say for which purpose the data is wanted.", "/purpose");
}

Response body_of(cdp::Result<cdp::ChannelAnswer> answer) {
    if (!answer) return problem(answer.error());
    Response response;
    response.headers = kPrivate;
    response.shared = answer->body();
    return response;
}

// One line per identifier, in the order asked, read while the lines before are on their way.
class Lookups : public BodyStream {
public:
    Lookups(const Services& services, cdp::Principal channel, std::string purpose,
            std::vector<Subject> subjects)
        : platform_(services.platform),
          channel_(std::move(channel)),
          purpose_(std::move(purpose)),
          subjects_(std::move(subjects)) {}

    State pull(std::string& out, const std::function<void()>&) override {
        if (next_ == subjects_.size()) return State::end;
        const auto& subject = subjects_[next_];
        out += R"({"index":)" + std::to_string(next_);
        auto answer = platform_.profile(channel_, subject.type, subject.value, purpose_);
        std::string_view bytes;
        Response refusal;
        if (answer) {
            out += R"(,"profile":)";
            bytes = *answer->body();
        } else {
            out += R"(,"error":)";
            refusal = problem(cdp::at("/identifiers/" + std::to_string(next_), answer.error()));
            bytes = refusal.body;
        }
        while (bytes.ends_with('\n')) bytes.remove_suffix(1);
        out.append(bytes);
        out += "}\n";
        ++next_;
        return State::more;
    }

private:
    cdp::Platform& platform_;
    cdp::Principal channel_;
    std::string purpose_;
    std::vector<Subject> subjects_;
    std::size_t next_ = 0;
};

struct LookupRequest {
    std::string purpose;
    std::vector<Subject> subjects;
};

cdp::Result<LookupRequest> read_lookup(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    if (!document.is_object()) return invalid("wrong_type", "An object is expected.");
    LookupRequest out;
    out.purpose = CDP_TRY(string_member(document, "purpose", ""));
    if (out.purpose.empty()) return purpose_required();
    const auto list = document.find("identifiers");
    if (list == document.end() || !list->is_array() || list->empty() || list->size() > kLookupsMax)
        return invalid("identifiers_missing", "1 to 1000 identifiers are expected here.",
                       "/identifiers");
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto here = "/identifiers/" + std::to_string(i);
        const auto& one = (*list)[i];
        if (!one.is_object()) return invalid("wrong_type", "An object is expected here.", here);
        auto& subject = out.subjects.emplace_back();
        subject.type = CDP_TRY(string_member(one, "type", here));
        subject.value = CDP_TRY(string_member(one, "value", here));
    }
    return out;
}

}  // namespace

Response read_profile(const Services& services, const Request& request) {
    const auto subject = subject_of(request.parameter);
    if (!subject) return problem(subject.error());
    const auto purpose = query_value(request.head->query, "purpose");
    if (!purpose || purpose->empty()) return problem(purpose_required());
    return body_of(
        services.platform.profile(request.caller, subject->type, subject->value, *purpose));
}

Response read_timeline(const Services& services, const Request& request) {
    const auto subject = subject_of(request.parameter);
    if (!subject) return problem(subject.error());
    cdp::TimelineQuery query;
    query.purpose = query_value(request.head->query, "purpose").value_or("");
    if (query.purpose.empty()) return problem(purpose_required());
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    query.limit = page->limit;
    query.cursor = page->cursor;
    return body_of(
        services.platform.timeline(request.caller, subject->type, subject->value, query));
}

Response read_google_consent(const Services& services, const Request& request) {
    const auto subject = subject_of(request.parameter);
    if (!subject) return problem(subject.error());
    return body_of(services.platform.google_consent(request.caller, subject->type, subject->value));
}

Response look_up_profiles(const Services& services, const Request& request) {
    auto wanted = read_lookup(request.body);
    if (!wanted) return problem(wanted.error());
    Response response;
    response.headers = kPrivate;
    response.content_type = "application/x-ndjson";
    response.stream = std::make_unique<Lookups>(
        services, request.caller, std::move(wanted->purpose), std::move(wanted->subjects));
    return response;
}

}  // namespace api
