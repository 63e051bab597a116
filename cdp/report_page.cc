#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "cdp/base/time.h"
#include "cdp/html_text.h"
#include "cdp/json_scan.h"
#include "cdp/report_form.h"
#include "cdp/report_words.h"

// A report as a page for whom it is about. What an entry holds and no column shows follows in a row
// of its own: the page says what the document says.
namespace cdp {
namespace {

constexpr std::string_view kStyle =
    "body{font:1rem/1.5 sans-serif;color:#111;background:#fff;margin:0}"
    "main{max-width:60rem;margin:0 auto;padding:1rem}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "th,td{border:1px solid #888;padding:.3rem .5rem;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}th{background:#eee}"
    "dl{margin:.2rem 0}dt{font-weight:bold}dd{margin:0 0 .3rem 1.2rem;overflow-wrap:anywhere}"
    "article{border-top:1px solid #888;padding:.5rem 0}ul{margin:0;padding-left:1.2rem}"
    "@media print{main{max-width:none;padding:0}nav{display:none}h2{break-after:avoid}"
    "tr,article{break-inside:avoid}thead{display:table-header-group}}";

constexpr std::string_view kTitle = "What is held about you";

std::string spaced(std::string_view name) {
    std::string out(name);
    std::ranges::replace(out, '_', ' ');
    return out;
}

// A moment as we write it, in words that people read.
std::optional<std::string> moment(std::string_view text) {
    const bool formed = text.size() == 24 && text[10] == 'T' && text.back() == 'Z';
    if (!formed || !parse_time(text)) return std::nullopt;
    return "<time datetime=\"" + std::string(text) + "\">" + std::string(text.substr(0, 10)) + " " +
           std::string(text.substr(11, 5)) + " UTC</time>";
}

bool is_string(std::string_view json) {
    return json.size() >= 2 && json.front() == '"';
}

std::string text_in(std::string_view json) {
    const auto inside = json.substr(1, json.size() - 2);
    return json::unescape(inside).value_or(std::string(inside));
}

std::vector<std::string_view> elements_of(std::string_view json) {
    std::vector<std::string_view> out;
    json::Scan scan(json);
    if (!scan.take('[') || scan.take(']')) return out;
    do {
        const auto element = scan.value();
        if (!element) break;
        out.push_back(*element);
    } while (scan.take(','));
    return out;
}

// Values as HTML, in plain words.
class Values {
public:
    explicit Values(PurposeWords purposes) : purposes_(std::move(purposes)) {}

    // Of a member by its name. `data`: it is in the words of who sent it.
    std::string shown(std::string_view member, std::string_view json, bool data) const {
        data = data || holds_data(member);
        if (is_string(json)) return words(member, text_in(json), data);
        if (json.starts_with('[')) return list(member, json, data);
        if (json.starts_with('{')) return data ? members(json, data) : object(json);
        if (data) return html_text(json);
        if (json == "null") return "not known";
        if (json == "true") return "yes";
        return json == "false" ? "no" : html_text(json);
    }

    // A list of members and what they hold.
    std::string members(std::string_view json, bool data) const {
        std::string out;
        for (const auto& [key, value] : json::members_of(json)) {
            const auto name = json::unescape(key).value_or(std::string(key));
            out += "<dt>" + (data ? html_text(name) : heading(name)) + "</dt><dd>" +
                   shown(name, value, data) + "</dd>";
        }
        return out.empty() ? "nothing" : "<dl>" + out + "</dl>";
    }

    static std::string heading(std::string_view member) {
        if (const auto words = words_of_member(member)) return std::string(*words);
        auto out = spaced(member);
        if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
            out.front() = static_cast<char>(out.front() - 'a' + 'A');
        return html_text(out);
    }

private:
    std::string words(std::string_view member, const std::string& text, bool data) const {
        if (data) return html_text(text);
        if (auto time = moment(text)) return *time;
        if (holds_purpose(member)) {
            const auto known = purposes_.find(text);
            return html_text(known == purposes_.end() ? spaced(text) : known->second);
        }
        if (!holds_code(member)) return html_text(text);
        const auto known = words_of_code(text);
        return known ? std::string(*known) : html_text(spaced(text));
    }

    std::string list(std::string_view member, std::string_view json, bool data) const {
        const auto elements = elements_of(json);
        if (elements.empty()) return "none";
        std::string out;
        for (const auto element : elements) out += "<li>" + shown(member, element, data) + "</li>";
        return "<ul>" + out + "</ul>";
    }

    // An identifier in one line; anything else member by member.
    std::string object(std::string_view json) const {
        const auto all = json::members_of(json);
        if (all.size() != 2 || all[0].key != "type" || all[1].key != "value")
            return members(json, /*data=*/false);
        if (all[0].value == "null") return "somebody else's";
        const auto kind = shown("type", all[0].value, /*data=*/false);
        if (all[1].value == "null") return kind + " of somebody else, or not readable";
        return kind + " " + html_text(text_in(all[1].value));
    }

    PurposeWords purposes_;
};

class ReportPage final : public ReportForm {
public:
    ReportPage(ReportSink sink, PurposeWords purposes)
        : ReportForm(std::move(sink)), values_(std::move(purposes)) {
        put("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"robots\" content=\"noindex\">\n<title>");
        put(kTitle);
        put("</title>\n<style>");
        put(kStyle);
        put("</style>\n</head>\n<body>\n<main>\n<h1>");
        put(kTitle);
        put("</h1>\n<nav aria-label=\"Contents\">\n<ol>\n");
        for (const auto& part : report_parts())
            put("<li><a href=\"#" + std::string(part.part) + "\">" + std::string(part.title) +
                "</a></li>\n");
        put("</ol>\n</nav>\n");
    }

    void object(std::string_view part) override { begin(part); }
    void list(std::string_view part) override { begin(part); }

    void entry(std::string_view json) override {
        const bool first = std::exchange(empty_, false);
        if (!words_ || words_->columns.empty()) {
            put("<article>" + values_.members(json, /*data=*/false) + "</article>\n");
            return;
        }
        if (first) put_head();
        put_row(json);
    }

    void finish() override {
        end();
        put("</main>\n</body>\n</html>\n");
    }

private:
    void begin(std::string_view part) {
        end();
        words_ = words_of_part(part);
        open_ = true;
        empty_ = true;
        put("<section id=\"" + html_text(part) + "\">\n<h2>");
        put(words_ ? std::string(words_->title) : Values::heading(part));
        put("</h2>\n");
        if (words_ && !words_->says.empty()) put("<p>" + std::string(words_->says) + "</p>\n");
    }

    void end() {
        if (!open_) return;
        if (empty_)
            put("<p>" + std::string(words_ ? words_->none : "None.") + "</p>\n");
        else if (words_ && !words_->columns.empty())
            put("</tbody>\n</table>\n");
        put("</section>\n");
        open_ = false;
    }

    void put_head() {
        std::string out = "<table>\n<thead><tr>";
        for (const auto column : words_->columns)
            out += "<th scope=\"col\">" + Values::heading(column) + "</th>";
        put(out + "</tr></thead>\n<tbody>\n");
    }

    void put_row(std::string_view json) {
        std::vector<std::string> cells(words_->columns.size());
        std::string rest;
        for (const auto& [key, value] : json::members_of(json)) {
            const auto column = std::ranges::find(words_->columns, key);
            const auto shown = values_.shown(key, value, /*data=*/false);
            if (column != words_->columns.end())
                cells[static_cast<std::size_t>(column - words_->columns.begin())] = shown;
            else
                rest += "<dt>" + Values::heading(key) + "</dt><dd>" + shown + "</dd>";
        }
        std::string out = "<tr>";
        for (const auto& cell : cells) out += "<td>" + cell + "</td>";
        out += "</tr>\n";
        if (!rest.empty())
            out += "<tr><td colspan=\"" + std::to_string(cells.size()) + "\"><dl>" + rest +
                   "</dl></td></tr>\n";
        put(out);
    }

    Values values_;
    const PartWords* words_ = nullptr;  // of the part at hand
    bool open_ = false;
    bool empty_ = true;
};

}  // namespace

std::unique_ptr<ReportForm> make_report_page(ReportSink sink, PurposeWords purposes) {
    return std::make_unique<ReportPage>(std::move(sink), std::move(purposes));
}

}  // namespace cdp
