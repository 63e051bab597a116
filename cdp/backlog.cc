#include "cdp/backlog.h"

#include <algorithm>
#include <utility>

namespace cdp {

Backlog::Place& Backlog::Place::operator=(Place&& other) noexcept {
    if (this == &other) return *this;
    leave();
    in_ = std::exchange(other.in_, nullptr);
    bytes_ = other.bytes_;
    reserved_ = other.reserved_;
    return *this;
}

void Backlog::Place::leave() {
    auto* const in = std::exchange(in_, nullptr);
    if (!in) return;
    in->all_.remove(bytes_);
    if (reserved_) in->reserved_.remove(bytes_);
}

// Added first and judged then, so that two at once cannot both take the last room.
bool Backlog::Held::add(std::size_t more, std::size_t requests_max) {
    const auto others = requests.fetch_add(1, std::memory_order_relaxed);
    const auto held = bytes.fetch_add(more, std::memory_order_relaxed);
    return others == 0 || (others < requests_max && held + more <= requests_max * kBytesEach);
}

void Backlog::Held::remove(std::size_t less) {
    bytes.fetch_sub(less, std::memory_order_relaxed);
    requests.fetch_sub(1, std::memory_order_relaxed);
}

Result<Backlog::Place> Backlog::enter(Intake intake, std::size_t bytes) {
    bool room = all_.add(bytes, requests_max_);
    Place place(*this, bytes);
    if (!room && intake == Intake::consents) {
        room = reserved_.add(bytes, std::max<std::size_t>(requests_max_ / 8, 1));
        place.reserved_ = true;
    }
    if (!room) return refuse(intake);
    return place;
}

Error Backlog::refuse(Intake intake) {
    refused_[static_cast<std::size_t>(intake)].fetch_add(1, std::memory_order_relaxed);
    return {.code = ErrorCode::overloaded,
            .reason = "overloaded",
            .message = "Too much waits to be stored; send again in a moment."};
}

std::uint64_t Backlog::refused(Intake intake) const {
    return refused_[static_cast<std::size_t>(intake)].load(std::memory_order_relaxed);
}

}  // namespace cdp
