#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "cdp/base/result.h"

namespace cdp {

// What was taken in and is not finished, bounded in requests and bytes wherever it waits: for the
// disk, or for its next turn after a lost race. Safe to use from many threads.
class Backlog {
public:
    // Whose word a request brings. For what people said of consent there is an eighth more of both
    // bounds, which is its own: no flood of events keeps a withdrawal out.
    enum class Intake : std::uint8_t { events, consents };
    static constexpr std::size_t kIntakes = 2;
    // Of memory, for each request that may be there: 234 MiB for 20,000.
    static constexpr std::size_t kBytesEach = std::size_t{12} << 10;

    // A request's share. It ends with leave(), or with the place; the backlog must be there still.
    class Place {
    public:
        Place() = default;
        Place(Place&& other) noexcept { *this = std::move(other); }
        Place& operator=(Place&& other) noexcept;
        ~Place() { leave(); }

        void leave();

    private:
        friend class Backlog;
        Place(Backlog& in, std::size_t bytes) : in_(&in), bytes_(bytes) {}

        Backlog* in_ = nullptr;
        std::size_t bytes_ = 0;
        bool reserved_ = false;  // counted among those too
    };

    explicit Backlog(std::size_t requests_max) : requests_max_(requests_max) {}
    Backlog(const Backlog&) = delete;
    Backlog& operator=(const Backlog&) = delete;

    // `overloaded` when there is no room. Who comes while nobody is there is let in, and an answer
    // of consent while its eighth is empty, whatever it brings: it could never be taken otherwise.
    Result<Place> enter(Intake intake, std::size_t bytes);
    // The same refusal for another reason.
    Error refuse(Intake intake);

    std::size_t requests() const { return all_.requests.load(std::memory_order_relaxed); }
    std::size_t bytes() const { return all_.bytes.load(std::memory_order_relaxed); }
    std::uint64_t refused(Intake intake) const;

private:
    struct Held {
        // Whether there was room, of so many requests, for what is counted in either way.
        bool add(std::size_t bytes, std::size_t requests_max);
        void remove(std::size_t bytes);

        std::atomic<std::size_t> requests{0};
        std::atomic<std::size_t> bytes{0};
    };

    const std::size_t requests_max_;
    Held all_;
    Held reserved_;  // of all, those of consent that found no other room
    std::array<std::atomic<std::uint64_t>, kIntakes> refused_{};
};

}  // namespace cdp
