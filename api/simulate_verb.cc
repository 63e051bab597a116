#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/command_line.h"
#include "api/config_table.h"
#include "api/json.h"
#include "api/reach.h"
#include "api/simulation_request.h"
#include "cdp/interrupted.h"

namespace api {
namespace {

using nlohmann::json;

// A terminal is told often and on one line, a log file seldom.
class ProgressLine {
public:
    void tell(std::uint64_t identifiers, std::uint64_t changed) {
        const auto now = std::chrono::steady_clock::now();
        if (now - told_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(5)))
            return;
        told_ = now;
        std::fprintf(stderr,
                     terminal_ ? "\r\033[K%llu identifiers folded, %llu changed"
                               : "cdp: %llu identifiers folded, %llu changed\n",
                     static_cast<unsigned long long>(identifiers),
                     static_cast<unsigned long long>(changed));
        shown_ = true;
    }
    ~ProgressLine() {
        if (terminal_ && shown_) std::fputs("\r\033[K", stderr);
    }
    ProgressLine() = default;
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

private:
    const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
    bool shown_ = false;
};

cdp::Result<toml::table> read_toml(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in || !text) return error_of({0, "", "The file cannot be read."}, file);
    try {
        return toml::parse(text.str(), std::string_view(file));
    } catch (const toml::parse_error& error) {
        return error_of({error.source().begin.line, "", std::string(error.description()) + "."},
                        file);
    }
}

// The request: of the file only what the rules are.
std::string request_of(const toml::table& document, const SimulateCommand& command) {
    std::ostringstream body;
    body << "{\"examples\":" << command.examples;
    if (command.part < 1) body << ",\"sample\":{\"part\":" << command.part << '}';
    body << ",\"rules\":{";
    if (const auto* types = document.get("identifier_types")) {
        body << "\"identifier_types\":";
        types->visit([&](const auto& node) { body << toml::json_formatter(node); });
    }
    body << "}}";
    return body.str();
}

// The place in the file of what the request was refused for.
cdp::Error placed(const cdp::Error& error, const toml::table& document, const std::string& file) {
    constexpr std::string_view kRules = "/rules/";
    if (!std::string_view(error.pointer).starts_with(kRules)) return error;
    ConfigFault fault{0, "", error.message};
    const toml::node* node = &document;
    std::istringstream steps(error.pointer.substr(kRules.size()));
    for (std::string step; node && std::getline(steps, step, '/');) {
        if (const auto* list = node->as_array()) {
            fault.path += "[" + step + "]";
            node = list->get(std::stoul(step));
        } else {
            for (const auto& [from, to] : {std::pair("~1", "/"), std::pair("~0", "~")})
                for (auto at = step.find(from); at != step.npos; at = step.find(from, at + 1))
                    step.replace(at, 2, to);
            fault.path += (fault.path.empty() ? "" : ".") + toml_key(step);
            node = node->is_table() ? node->as_table()->get(step) : nullptr;
        }
        if (node) fault.line = node->source().begin.line;
    }
    return error_of(fault, file);
}

cdp::Result<json> simulate_on(Reached& reached, const std::string& body) {
    ProgressLine progress;
    if (auto* server = std::get_if<AdminClient>(&reached)) {
        return server->ask_with_progress(
            {.method = "POST", .target = "/v1/identity/simulate?progress=true", .body = body},
            [&](const json& told) {
                progress.tell(told.value("identifiers", std::uint64_t{0}),
                              told.value("changed", std::uint64_t{0}));
            });
    }
    auto& folder = std::get<OpenFolder>(reached);
    const cdp::SystemClock clock;
    cdp::Platform platform(*folder.store, *folder.vault, clock, cdp::Config{},
                           CDP_TRY(folder.journal()));
    CDP_CHECK(cdp::finish_interrupted(platform));
    const auto request = CDP_TRY(read_simulation(body, platform.config().types));
    const cdp::Reader reader{.uid = static_cast<std::int64_t>(::getuid()),
                             .route = "cdp identity simulate"};
    const auto document =
        CDP_TRY(platform.simulate(reader, request, [&](const identity::Progress& so_far) {
            progress.tell(so_far.identifiers, so_far.changed);
            return true;
        }));
    return parse_json(document);
}

// Values come from outside: what a terminal would obey is not sent to it.
std::string harmless(std::string text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool c1 =
            byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (c1) text.replace(i, 2, "?");
        if (byte < 0x20 || byte == 0x7f) text[i] = '?';
    }
    return text;
}

std::string more(const json& of) {
    return of.contains("more") ? " and " + std::to_string(of["more"].get<std::uint64_t>()) + " more"
                               : std::string();
}

std::string line_of(const json& person) {
    std::string out = person.value("person", "");
    for (const auto& identifier : person["identifiers"])
        out += " " + identifier.value("type", "") + ":" + harmless(identifier.value("value", ""));
    return out + more(person);
}

void print_result(const json& result) {
    const auto number = [](const json& value) { return value.get<unsigned long long>(); };
    std::printf("%-24s %12s %12s\n", "", "NOW", "THEN");
    for (const auto* row : {"persons", "shared"})
        std::printf("%-24s %12llu %12llu\n", row, number(result[row]["before"]),
                    number(result[row]["after"]));
    std::printf("\n%-24s %12llu\n", "identifiers folded", number(result["identifiers"]));
    for (const auto* kind : {"merged", "split", "moved", "redirected"})
        std::printf("%-24s %12llu\n", kind, number(result["changes"][kind]));
    for (const auto& note : result["notes"])
        std::printf("\n%s.%s: %s\n", note.value("type", "").c_str(),
                    note.value("setting", "").c_str(), note.value("message", "").c_str());
    for (const auto& example : result["examples"]) {
        std::printf("\n%-10s  %s\n", example.value("kind", "").c_str(),
                    line_of(example["from"]).c_str());
        for (const auto& person : example["to"])
            std::printf("%10s  %s\n", "to", line_of(person).c_str());
        if (example.contains("more")) std::printf("%10s %s\n", "", more(example).c_str());
    }
}

}  // namespace

int simulate_rules(const SimulateCommand& command) {
    const auto document = read_toml(command.rules);
    if (!document) return fail(document.error());
    auto reached = reach(command.data);
    if (!reached) return fail(reached.error());
    const auto result = simulate_on(*reached, request_of(*document, command));
    if (!result) return fail(placed(result.error(), *document, command.rules));
    if (command.json)
        std::printf("%s\n", result->dump().c_str());
    else
        print_result(*result);
    return finish_output();
}

}  // namespace api
