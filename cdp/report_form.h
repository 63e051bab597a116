#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

// What a report about a person is written as. Every form is made of the same entries, each a JSON
// object, part by part.
namespace cdp {

// Returns false to stop.
using ReportSink = std::function<bool(std::string_view bytes)>;

// What purposes are called in plain words, by name; one that is not here is called by its name.
using PurposeWords = std::map<std::string, std::string, std::less<>>;

class ReportForm {
public:
    virtual ~ReportForm() = default;

    // What follows is of this part: one object, or a list of them.
    virtual void object(std::string_view part) = 0;
    virtual void list(std::string_view part) = 0;
    virtual void entry(std::string_view json) = 0;
    virtual void finish() = 0;

    // Nobody reads any more.
    bool stopped() const { return stopped_; }

protected:
    explicit ReportForm(ReportSink sink) : sink_(std::move(sink)) {}
    void put(std::string_view bytes) { stopped_ = stopped_ || !sink_(bytes); }

private:
    ReportSink sink_;
    bool stopped_ = false;
};

// {"PART":{…},"PART":[…],…}
std::unique_ptr<ReportForm> make_report_document(ReportSink sink);
// One page of HTML for whom it is about: no script, nothing from elsewhere.
std::unique_ptr<ReportForm> make_report_page(ReportSink sink, PurposeWords purposes);

}  // namespace cdp
