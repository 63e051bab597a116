#include "storage/scan_ahead.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Rows of its own, and a place where the disk fails.
class Rows final : public storage::Snapshot {
public:
    explicit Rows(Pairs rows, std::size_t fails_at = SIZE_MAX)
        : rows_(std::move(rows)), fails_at_(fails_at) {}

    storage::Version version() const override { return 0; }
    cdp::Result<std::optional<std::string>> get(std::string_view) const override {
        return std::optional<std::string>{};
    }
    cdp::Result<std::vector<std::optional<std::string>>> multi_get(
        std::span<const std::string> keys) const override {
        return std::vector<std::optional<std::string>>(keys.size());
    }
    cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                           const storage::Visit& visit) const override {
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            if (i == fails_at_)
                return cdp::Error{.code = cdp::ErrorCode::corruption, .reason = "store_damaged"};
            const auto& [key, value] = rows_[i];
            if (key.starts_with(prefix) && key >= from && !visit(key, value)) break;
        }
        return cdp::Result<void>::ok();
    }

private:
    Pairs rows_;
    std::size_t fails_at_;
};

// Some megabytes: many times what is read ahead.
Pairs many() {
    Pairs rows;
    for (int i = 0; i < 50'000; ++i) {
        const auto number = std::to_string(100'000 + i);
        rows.emplace_back((i % 5 == 0 ? "a" : "b") + number,
                          std::string(static_cast<std::size_t>(i % 200), 'v') + number);
    }
    rows.emplace_back("b", "");
    return rows;
}

Pairs seen(const storage::Snapshot& snapshot, std::string_view prefix, std::string_view from) {
    Pairs out;
    REQUIRE(storage::scan_ahead(snapshot, prefix, from, [&](auto key, auto value) {
        out.emplace_back(key, value);
        return true;
    }));
    return out;
}

}  // namespace

TEST_CASE("reading ahead visits what a scan visits, in its order") {
    const Rows rows(many());
    for (const auto& [prefix, from] : {std::pair{"", ""}, {"a", ""}, {"b", "b120000"}, {"c", ""}}) {
        Pairs expected;
        REQUIRE(rows.scan(prefix, from, [&](auto key, auto value) {
            expected.emplace_back(key, value);
            return true;
        }));
        CHECK(seen(rows, prefix, from) == expected);
    }
    CHECK(seen(Rows({}), "", "").empty());
}

TEST_CASE("reading ahead ends when a visit says so, however far it has read") {
    const Rows rows(many());
    for (const std::size_t wanted : {1U, 2U, 5'000U, 49'999U}) {
        std::size_t visited = 0;
        REQUIRE(storage::scan_ahead(rows, "", "", [&](auto, auto) { return ++visited < wanted; }));
        CHECK(visited == wanted);
    }
}

TEST_CASE("a store that fails while it is read ahead is an error, never an early end") {
    for (const std::size_t at : {0U, 1U, 20'000U, 50'000U}) {
        const Rows rows(many(), at);
        std::size_t visited = 0;
        const auto outcome = storage::scan_ahead(rows, "", "", [&](auto, auto) {
            ++visited;
            return true;
        });
        REQUIRE(!outcome);
        CHECK(outcome.error().reason == "store_damaged");
        CHECK(visited <= at);
    }
}

TEST_CASE("an exception in a visit comes out and leaves no thread behind") {
    const Rows rows(many());
    CHECK_THROWS_AS(storage::scan_ahead(rows, "", "",
                                        [](auto, auto) -> bool { throw std::runtime_error("no"); }),
                    std::runtime_error);
}
