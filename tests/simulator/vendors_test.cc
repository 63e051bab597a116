#include "tests/simulator/vendors.h"

#include <catch2/catch.hpp>

namespace simulator {
namespace {

struct Ids {
    const char* user = "";
    const char* cookie = "";
    const char* email = "";
    const char* phone = "";
};

// Events a second apart, delivered in that order.
struct Stream {
    explicit Stream(const std::vector<Ids>& list) {
        for (const auto& ids : list) {
            SimEvent event;
            event.time = static_cast<std::int64_t>(events.size()) * 1'000;
            event.user_id = ids.user;
            event.anonymous_id = ids.cookie;
            event.email = ids.email;
            event.phone = ids.phone;
            order.push_back(static_cast<std::uint32_t>(events.size()));
            events.push_back(event);
        }
    }
    Labels by(Labels (*resolve)(std::span<const SimEvent>, std::span<const std::uint32_t>)) const {
        return resolve(events, order);
    }
    std::vector<SimEvent> events;
    std::vector<std::uint32_t> order;
};

// The same partition, whatever the numbers.
bool same(const Labels& a, const Labels& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < a.size(); ++j)
            if ((a[i] == a[j]) != (b[i] == b[j])) return false;
    return a.size() == b.size();
}

TEST_CASE("connected components join whatever a chain of identifiers leads to") {
    const Stream stream({{.user = "a", .cookie = "x"},
                         {.cookie = "y"},
                         {.user = "b", .cookie = "x"},
                         {.user = "b", .cookie = "y"}});
    CHECK(same(stream.by(connected_components), {0, 0, 0, 0}));
}

TEST_CASE("Segment-like: the address of another account is demoted") {
    // The worked example of Segment's documents.
    const Stream stream({{.user = "abc123", .email = "jane@shop.example"},
                         {.user = "abc456", .email = "jane@shop.example"},
                         {.email = "jane@shop.example"}});
    CHECK(same(stream.by(segment_like), {0, 1, 0}));
}

TEST_CASE("Segment-like: an anonymous person joins the account it logs in to") {
    const Stream stream({{.cookie = "x"}, {.user = "a"}, {.user = "a", .cookie = "x"}});
    CHECK(same(stream.by(segment_like), {0, 0, 0}));
}

TEST_CASE("Segment-like: a sixth cookie does not fit") {
    const Stream stream({{.user = "a", .cookie = "1"},
                         {.user = "a", .cookie = "2"},
                         {.user = "a", .cookie = "3"},
                         {.user = "a", .cookie = "4"},
                         {.user = "a", .cookie = "5"},
                         {.user = "a", .cookie = "6"},
                         {.cookie = "5"},
                         {.cookie = "6"}});
    CHECK(same(stream.by(segment_like), {0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST_CASE("Segment-like: blocked values join nobody") {
    const Stream stream({{.phone = "0000000000"}, {.phone = "0000000000"}});
    CHECK(same(stream.by(segment_like), {0, 1}));
}

TEST_CASE("Segment-like: the order of delivery decides") {
    Stream stream({{.user = "a", .cookie = "x"}, {.user = "b", .cookie = "x"}, {.cookie = "x"}});
    CHECK(same(stream.by(segment_like), {0, 1, 0}));
    stream.order = {1, 0, 2};
    CHECK(same(stream.by(segment_like), {0, 1, 1}));
}

TEST_CASE("Snowplow-like: a device of two accounts is nobody's from then on") {
    const Stream stream({{.cookie = "x"},
                         {.user = "a", .cookie = "x"},
                         {.cookie = "x"},
                         {.user = "b", .cookie = "x"},
                         {.cookie = "x"},
                         {.cookie = "x"},
                         {.user = "a"}});
    CHECK(same(stream.by(snowplow_like), {0, 0, 0, 1, 2, 2, 0}));
}

TEST_CASE("Snowplow-like: a sure identifier beside an ambiguous one decides") {
    const Stream stream({{.user = "a", .cookie = "x", .email = "a@shop.example"},
                         {.user = "b", .cookie = "x"},
                         {.cookie = "x", .email = "a@shop.example"}});
    CHECK(same(stream.by(snowplow_like), {0, 1, 0}));
}

TEST_CASE("Snowplow-like: anonymous persons merge where they meet") {
    const Stream stream({{.cookie = "x"},
                         {.email = "a@shop.example"},
                         {.cookie = "x", .email = "a@shop.example"},
                         {.user = "a", .email = "a@shop.example"}});
    CHECK(same(stream.by(snowplow_like), {0, 0, 0, 0}));
}

TEST_CASE("Adobe-like: a cookie and its whole history go to the last who logged in") {
    Stream stream({{.cookie = "x"},
                   {.user = "a", .cookie = "x"},
                   {.cookie = "x"},
                   {.user = "b", .cookie = "x"},
                   {.cookie = "x"}});
    const Labels last{0, 1, 0, 0, 0};
    CHECK(same(stream.by(adobe_like), last));
    stream.order = {4, 2, 3, 0, 1};
    CHECK(same(stream.by(adobe_like), last));
}

TEST_CASE("the ceiling joins by identifier and never across actors") {
    Stream stream(
        {{.user = "a", .cookie = "x"}, {.cookie = "x"}, {.cookie = "x"}, {.cookie = "y"}});
    stream.events[2].true_actor = 1;
    CHECK(same(stream.by(ceiling), {0, 0, 1, 2}));
}

}  // namespace
}  // namespace simulator
