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
    // Whose word a request brings. What people said of consent is let in by an eighth more than
    // both bounds, so that no flood of events keeps a withdrawal out.
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
    };

    explicit Backlog(std::size_t requests_max) : requests_max_(requests_max) {}
    Backlog(const Backlog&) = delete;
    Backlog& operator=(const Backlog&) = delete;

    // `overloaded` when there is no room. Whoever comes while nobody is there is let in, whatever
    // it brings: it could never be taken otherwise.
    Result<Place> enter(Intake intake, std::size_t bytes);
    // The same refusal for another reason.
    Error refuse(Intake intake);

    std::size_t requests() const { return requests_.load(std::memory_order_relaxed); }
    std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
    std::uint64_t refused(Intake intake) const;

private:
    const std::size_t requests_max_;
    std::atomic<std::size_t> requests_{0};
    std::atomic<std::size_t> bytes_{0};
    std::array<std::atomic<std::uint64_t>, kIntakes> refused_{};
};

}  // namespace cdp
