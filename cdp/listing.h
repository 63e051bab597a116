#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/disclosure_fold.h"
#include "cdp/unlisted.h"

namespace cdp {

// What one answer tells, on its way into the journal, for a thread that must not wait for the disk:
// it gathers while it composes, hands over by Disclosures::list(), and lets the answer leave when
// it is called back and there is no refusal(). docs/decisions/0040.
class Listing {
public:
    // While it stands, what Disclosures gives out on this thread comes at once, and must not leave
    // before what take() returns is written. One at a time on a thread.
    class Scope {
    public:
        Scope();
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

        // nullptr: nothing was given out.
        std::shared_ptr<Listing> take() { return std::move(listing_); }

    private:
        friend class Disclosures;
        // Of the scope that stands on this thread; nullptr: none does.
        static Listing* gathering();

        std::shared_ptr<Listing> listing_;
    };

    // Whether it now counts as not told, so that the answer can be refused. False: most likely
    // whoever handed it over is about to be called back; else to be tried again. From any thread.
    bool withdraw();
    bool is_withdrawn() const { return state_ == State::withdrawn; }

    // For who was called back: why the answer must not leave.
    const std::optional<Error>& refusal() const { return refusal_; }

private:
    friend class Disclosures;
    friend class DisclosureRecords;

    enum class State : std::uint8_t { waiting, withdrawn, settled };
    struct Told {
        std::shared_ptr<const Unlisted> answer;  // or, of what is no channel's answer,
        std::string disclosure;                  // this, encoded
        ToldTo to;
        Timestamp at{};
    };
    // False: it was withdrawn.
    bool settle();
    static void refuse(const std::vector<std::shared_ptr<Listing>>& listings, const Error& error);
    // Before anybody is called back.
    void unsettle() { state_ = State::waiting; }

    std::vector<Told> told_;
    std::atomic<State> state_ = State::waiting;
    std::optional<Error> refusal_;
};

// Listings that are handed over, written in order on a thread of its own: those that wait together
// by one write. Safe to use from many threads.
class Scribe {
public:
    using Listings = std::vector<std::shared_ptr<Listing>>;
    // Settles those that are not withdrawn.
    using Write = std::function<void(Listings)>;
    explicit Scribe(Write write);
    // Writes what was handed over.
    ~Scribe();
    Scribe(const Scribe&) = delete;
    Scribe& operator=(const Scribe&) = delete;

    // `done` is called once, when all of them are settled or withdrawn: on the scribe's thread, or
    // on one that hands something over.
    void hand_over(Listings listings, std::function<void()> done);

private:
    struct Group {
        Listings listings;
        std::function<void()> done;
    };
    void run();

    const Write write_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::deque<Group> waiting_;
    bool closing_ = false;
    std::thread thread_;
};

}  // namespace cdp
