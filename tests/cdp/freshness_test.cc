#include <array>
#include <atomic>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

#include "cdp/base/random.h"
#include "cdp/decisions.h"
#include "tests/cdp/stewardship_world.h"
#include "tests/support/seeds.h"

using tests::PlatformWorld;

// A withdrawal that was answered is obeyed by whatever is asked from then on, while others write
// and persons merge and split.
namespace {

using namespace std::chrono_literals;

constexpr const char* kPurpose = "email_marketing";
constexpr int kFamilies = 4;
constexpr int kWriters = 2;
constexpr int kReaders = 4;
constexpr std::size_t kResponsesMin = 100;  // of each reader

// One moment of all threads.
std::atomic<std::uint64_t> moment{0};

// Two persons who may become one: each has a name that nothing else contains.
enum Side : std::size_t { kAccount = 0, kBrowser = 1 };

struct Family {
    int number = 0;

    std::pair<std::string, std::string> identifier(std::size_t side) const {
        return side == kAccount
                   ? std::pair{std::string("user_id"), "u" + std::to_string(number)}
                   : std::pair{std::string("anonymous_id"), "c" + std::to_string(number)};
    }
    std::string name(std::size_t side) const {
        return (side == kAccount ? "account-" : "browser-") + std::to_string(number) + ".";
    }
};

enum class Did { granted, withdrew, merged, split };

// Sent at `start`, answered at `end`.
struct Op {
    Did did = Did::granted;
    std::size_t side = kAccount;
    std::uint64_t start = 0;
    std::uint64_t end = 0;
};

struct Response {
    int family = 0;
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::array<bool, 2> shows{};  // by side
    std::string what = {};
};

// What was certain of a family during the whole of a response: whatever was being changed meanwhile
// may be either.
class Known {
public:
    Known(const std::vector<Op>& ops, const Response& response) {
        std::array<bool, 2> unsure{};
        bool merge_unsure = false;
        for (const auto& op : ops) {
            const bool merge = op.did == Did::merged || op.did == Did::split;
            if (op.start > response.end) break;
            // Only what could make it right again makes it unsure.
            if (op.end > response.start) {
                if (op.did == Did::granted) unsure[op.side] = true;
                if (op.did == Did::split) merge_unsure = true;
            } else if (merge) {
                merged_ = op.did == Did::merged;
            } else {
                refused_[op.side] = op.did == Did::withdrew;
            }
        }
        for (std::size_t side = 0; side < 2; ++side) refused_[side] &= !unsure[side];
        merged_ &= !merge_unsure;
    }
    bool refuses(std::size_t side) const {
        return refused_[side] || (merged_ && refused_[1 - side]);
    }

private:
    std::array<bool, 2> refused_{};
    bool merged_ = false;
};

class Race {
public:
    // `stale`: one reader keeps what it was answered, and gives it again.
    Race(std::uint64_t seed, bool stale) : seed_(seed), stale_(stale) {
        for (int n = 0; n < kFamilies; ++n) introduce({n});
        // Answers that were given at the same millisecond are told apart by their time of event.
        said_at_ = world_.clock().now() - 1h;
        for (int n = 0; n < kFamilies; ++n)
            for (const auto side : {kAccount, kBrowser}) say({n}, side, Did::granted);
    }

    void run() {
        std::vector<std::thread> threads;
        for (int n = 0; n < kWriters; ++n) threads.emplace_back([this, n] { write(n); });
        for (int n = 0; n < kReaders; ++n) threads.emplace_back([this, n] { read(n); });
        for (int n = 0; n < kWriters; ++n) threads[static_cast<std::size_t>(n)].join();
        done_ = true;
        for (std::size_t n = kWriters; n < threads.size(); ++n) threads[n].join();
    }

    std::vector<std::string> violations() const {
        std::vector<std::string> out;
        for (const auto& response : responses_) {
            const Known known(ops_[static_cast<std::size_t>(response.family)], response);
            for (std::size_t side = 0; side < 2; ++side)
                if (response.shows[side] && known.refuses(side))
                    out.push_back(response.what + " at " + std::to_string(response.start));
        }
        return out;
    }
    // Responses that showed something.
    std::size_t shown() const {
        return static_cast<std::size_t>(std::ranges::count_if(
            responses_, [](const auto& one) { return one.shows[0] || one.shows[1]; }));
    }
    std::size_t asked() const { return responses_.size(); }
    bool failed() const { return failed_; }

private:
    void introduce(const Family& family) {
        for (const auto side : {kAccount, kBrowser}) {
            const auto [type, value] = family.identifier(side);
            const auto who = side == kAccount ? R"("userId":")" : R"("anonymousId":")";
            const auto trait = side == kAccount ? "firstName" : "lastName";
            world_.send(R"({"batch":[{"type":"identify",)" + (who + value) + R"(","traits":{")" +
                            trait + R"(":")" + family.name(side) + R"("},"messageId":"i-)" + value +
                            R"("},{"type":"track","event":"Order Completed",)" + (who + value) +
                            R"(","properties":{"coupon":")" + family.name(side) +
                            R"("},"messageId":"t-)" + value + R"("}]})",
                        PlatformWorld::source("crm", cdp::Trust::server));
        }
    }

    void noted(const Family& family, Did did, std::size_t side, std::uint64_t start) {
        ops_[static_cast<std::size_t>(family.number)].push_back({did, side, start, ++moment});
    }

    void say(const Family& family, std::size_t side, Did did) {
        const auto [type, value] = family.identifier(side);
        cdp::ConsentRequest request;
        request.identifiers = {{type, value}};
        request.purpose = kPurpose;
        request.state = did == Did::granted ? "granted" : "withdrawn";
        request.scope = "person";
        request.time = said_at_ + std::chrono::milliseconds(++said_);
        std::promise<bool> answered;
        const auto start = ++moment;
        world_.platform().record_consents(
            PlatformWorld::source("crm", cdp::Trust::server), {request},
            [&](auto result) { answered.set_value(static_cast<bool>(result)); });
        if (!answered.get_future().get()) failed_ = true;
        noted(family, did, side, start);
    }

    // By turns: an assertion that joins them is made and taken back; or an event joins them, and an
    // assertion that keeps them apart is made and taken back.
    void join_or_part(const Family& family, std::string& standing, bool& merged) {
        const auto start = ++moment;
        const bool by_event = family.number % 2 == 1;
        const auto [account, user] = family.identifier(kAccount);
        const auto [browser, cookie] = family.identifier(kBrowser);
        if (by_event && !merged && standing.empty()) {
            auto parsed = cdp::parse_body(
                R"({"type":"track","event":"x","userId":")" + user + R"(","anonymousId":")" +
                    cookie + R"(","messageId":"tie-)" + user + R"("})",
                std::nullopt, world_.platform().parse_context(PlatformWorld::source("web"), false));
            std::promise<bool> answered;
            world_.platform().ingest(
                PlatformWorld::source("web"), std::move(*parsed),
                [&](auto result) { answered.set_value(static_cast<bool>(result)); });
            if (!answered.get_future().get()) failed_ = true;
        } else if (standing.empty()) {
            auto asked = tests::request(by_event ? "cannot_link" : "must_link",
                                        {{account, user}, {browser, cookie}});
            const auto answer = world_.platform().stewardship().say(asked);
            if (!answer) {
                failed_ = true;
                return;
            }
            standing = nlohmann::json::parse(answer->json).at("id");
        } else {
            if (!world_.platform().stewardship().revoke(standing, "steward:kim", "a mistake"))
                failed_ = true;
            standing.clear();
        }
        merged = !merged;
        noted(family, merged ? Did::merged : Did::split, kAccount, start);
    }

    // Each has families of its own, so that what was said last of them is known.
    void write(int writer) {
        started_.arrive_and_wait();
        cdp::Random random(seed_ * 100 + static_cast<std::uint64_t>(writer));
        std::map<int, std::string> standing;
        std::map<int, bool> merged;
        for (int n = 0; n < 60; ++n) {
            const Family family{writer +
                                kWriters * static_cast<int>(random.below(kFamilies / kWriters))};
            if (random.one_in(4))
                join_or_part(family, standing[family.number], merged[family.number]);
            else
                say(family, random.below(2), random.one_in(3) ? Did::withdrew : Did::granted);
        }
    }

    std::string ask(const Family& family, std::size_t side, std::uint64_t how, std::string& what) {
        const auto [type, value] = family.identifier(side);
        const auto channel = PlatformWorld::channel("email_tool");
        what = type + ":" + value;
        if (how == 0) {
            what = "profile of " + what;
            const auto answer = world_.platform().profile(channel, type, value, kPurpose);
            return answer ? *answer->body() : "";
        }
        if (how == 1) {
            what = "timeline of " + what;
            const auto answer =
                world_.platform().timeline(channel, type, value, {.purpose = kPurpose});
            return answer ? *answer->body() : "";
        }
        what = "decision about " + what;
        cdp::DecisionQuestion question;
        question.identifiers = {{type, value}};
        question.purpose = kPurpose;
        const auto answer =
            world_.platform().decide({.who = channel, .route = "a test"}, {question});
        // That it is allowed counts like the data.
        return answer && (*answer)->find(R"("outcome":"allow")") != std::string::npos
                   ? family.name(side)
                   : "";
    }

    void read(int reader) {
        cdp::Random random(seed_ * 100 + 50 + static_cast<std::uint64_t>(reader));
        std::map<std::string, std::string> kept;
        std::vector<Response> responses;
        started_.arrive_and_wait();
        // Some also when the writers were done before this thread had its turn.
        while (!done_ || responses.size() < kResponsesMin) {
            const Family family{static_cast<int>(random.below(kFamilies))};
            Response response{.family = family.number, .start = ++moment};
            const auto side = random.below(2);
            auto body = ask(family, side, random.below(3), response.what);
            if (stale_ && reader == 0) body = kept.try_emplace(response.what, body).first->second;
            response.end = ++moment;
            for (std::size_t one = 0; one < 2; ++one)
                response.shows[one] = body.find(family.name(one)) != body.npos;
            responses.push_back(std::move(response));
        }
        const std::lock_guard lock(mutex_);
        std::ranges::move(responses, std::back_inserter(responses_));
    }

    const std::uint64_t seed_;
    const bool stale_;
    PlatformWorld world_;
    cdp::Timestamp said_at_{};
    std::atomic<int> said_{0};
    std::array<std::vector<Op>, kFamilies> ops_;  // of one writer each, while it runs
    std::latch started_{kWriters + kReaders};
    std::atomic<bool> done_{false};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;  // guards what follows
    std::vector<Response> responses_;
};

}  // namespace

TEST_CASE("no answer that begins after a withdrawal was taken down tells what it refuses") {
    const auto seed = GENERATE(tests::seeds(6));
    CAPTURE(seed);
    Race race(seed, /*stale=*/false);
    race.run();
    CHECK_FALSE(race.failed());
    CHECK(race.violations() == std::vector<std::string>{});
    // The race was one; how much of one, the machine says.
    CAPTURE(race.asked());
    CHECK(race.shown() > 0);
    CHECK(race.shown() < race.asked());
}

TEST_CASE("the race notices a reader that answers from what it knew before") {
    std::size_t noticed = 0;
    for (std::uint64_t seed = 1; seed <= 20 && noticed == 0; ++seed) {
        Race race(seed, /*stale=*/true);
        race.run();
        noticed += !race.violations().empty();
    }
    CHECK(noticed > 0);
}
