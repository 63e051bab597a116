#include <charconv>
#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "tests/simulator/cdp_row.h"
#include "tests/simulator/params.h"
#include "tests/simulator/report.h"
#include "tests/simulator/vendors.h"

namespace {

using namespace simulator;

constexpr auto kUsage =
    "cdp_simulator [--people N] [--seeds 1,2,3] [--json] [--errors] [--fast] [--dump FILE]\n"
    "  Compares resolvers on simulated streams. Leaves with 1 when cdp misses its goals.\n"
    "  --errors  which events cdp loses, of the first seed\n"
    "  --fast    without the runs on shuffled and late events\n"
    "  --dump    the first seed's events with the truth, as NDJSON, and nothing else\n";

struct Options {
    std::uint32_t people = params::kPeople;
    std::vector<std::uint64_t> seeds{std::begin(params::kSeeds), std::end(params::kSeeds)};
    bool json = false;
    bool errors = false;
    bool fast = false;
    std::string dump;
};

template <typename Number>
Number number_of(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number == 0)
        throw std::invalid_argument("not a number above 0: " + std::string(text));
    return number;
}

std::vector<std::uint64_t> seeds_of(std::string_view text) {
    std::vector<std::uint64_t> seeds;
    for (;;) {
        const auto comma = text.find(',');
        seeds.push_back(number_of<std::uint64_t>(text.substr(0, comma)));
        if (comma == text.npos) return seeds;
        text.remove_prefix(comma + 1);
    }
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view flag = argv[i];
        const auto value = [&]() -> std::string_view {
            if (++i == argc) throw std::invalid_argument(std::string(flag) + " needs a value");
            return argv[i];
        };
        if (flag == "--people")
            options.people = number_of<std::uint32_t>(value());
        else if (flag == "--seeds")
            options.seeds = seeds_of(value());
        else if (flag == "--json")
            options.json = true;
        else if (flag == "--errors")
            options.errors = true;
        else if (flag == "--fast")
            options.fast = true;
        else if (flag == "--dump")
            options.dump = value();
        else
            throw std::invalid_argument("unknown option " + std::string(flag));
    }
    return options;
}

void dump(std::span<const SimEvent> events, const std::string& path) {
    std::ofstream out(path);
    for (const auto& event : events)
        out << "{\"actor\":" << event.true_actor << ",\"session\":" << event.session
            << ",\"time\":" << event.time << ",\"arrival\":" << event.arrival << ",\"source\":\""
            << to_string(event.channel) << "\",\"event\":" << body_of(event) << "}\n";
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

using Resolve = std::function<Labels(std::span<const SimEvent>, std::span<const std::uint32_t>)>;

struct Contender {
    const char* name;
    Resolve resolve;
};

// One seed's row of a resolver; `labels` gets what it made of the stream as delivered.
Row measure(const Resolve& resolve, std::span<const SimEvent> events, std::uint64_t seed,
            const Options& options, Labels& labels) {
    const auto truth = truth_of(events);
    const auto order = delivery(events, seed);
    const auto start = std::chrono::steady_clock::now();
    labels = resolve(events, order);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    Row row{.b_cubed = b_cubed(truth, labels),
            .pairwise = pairwise(truth, labels),
            .biggest = biggest_share(labels),
            .late = 1,
            .shuffled = 1,
            .two_accounts = with_two_accounts(events, labels),
            .seconds = took.count()};
    if (options.fast) return row;
    row.late = agreement(labels, resolve(events, with_late(events, order, seed)));
    row.shuffled = agreement(labels, resolve(events, shuffled(order, seed)));
    return row;
}

int compare(const Options& options) {
    const std::vector<Contender> contenders{
        {"connected components", connected_components},
        {"Segment-like", segment_like},
        {"Snowplow-like", snowplow_like},
        {"Adobe-like", adobe_like},
        {"ceiling", ceiling},
        {"ceiling, no guesses", ceiling_without_guesses},
        {"cdp", [](auto events, auto order) { return run_cdp(events, order); }}};
    std::vector<Resolver> table_rows;
    for (const auto& contender : contenders) table_rows.push_back({contender.name, {}});
    std::string losses;
    std::size_t number = 0;
    for (const auto seed : options.seeds) {
        const auto events = generate(seed, options.people);
        number += events.size();
        Labels labels;
        for (std::size_t i = 0; i < contenders.size(); ++i)
            table_rows[i].rows.push_back(
                measure(contenders[i].resolve, events, seed, options, labels));
        if (options.errors && losses.empty()) losses = errors(events, truth_of(events), labels);
    }
    if (options.json)
        std::cout << table_json(table_rows);
    else
        std::cout << options.people << " people, " << options.seeds.size() << " seeds, "
                  << number / options.seeds.size() << " events a seed\n"
                  << table(table_rows) << (losses.empty() ? "" : "\n" + losses);
    const auto missed = missed_goals(table_rows.back());
    for (const auto& goal : missed) std::cerr << "missed by cdp: " << goal << "\n";
    return missed.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const auto options = parse(argc, argv);
        if (options.dump.empty()) return compare(options);
        dump(generate(options.seeds.front(), options.people), options.dump);
        return 0;
    } catch (const std::invalid_argument& error) {
        std::cerr << error.what() << "\n" << kUsage;
        return 2;
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
