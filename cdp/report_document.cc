#include "cdp/report_form.h"
#include "consent/json_string.h"

namespace cdp {
namespace {

class ReportDocument final : public ReportForm {
public:
    explicit ReportDocument(ReportSink sink) : ReportForm(std::move(sink)) {}

    void object(std::string_view part) override { begin(part, /*list=*/false); }
    void list(std::string_view part) override {
        begin(part, /*list=*/true);
        put("[");
    }
    void entry(std::string_view json) override {
        if (list_ && !first_entry_) put(",");
        if (list_) put("\n");
        first_entry_ = false;
        put(json);
    }
    void finish() override {
        end();
        put("}\n");
    }

private:
    void begin(std::string_view part, bool list) {
        end();
        put((first_part_ ? "{" : ",\n") + consent::json_string(part) + ":");
        first_part_ = false;
        first_entry_ = true;
        list_ = list;
    }
    void end() {
        if (list_) put("]");
        list_ = false;
    }

    bool list_ = false;
    bool first_part_ = true;
    bool first_entry_ = true;
};

}  // namespace

std::unique_ptr<ReportForm> make_report_document(ReportSink sink) {
    return std::make_unique<ReportDocument>(std::move(sink));
}

}  // namespace cdp
