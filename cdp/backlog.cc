#include "cdp/backlog.h"

#include <algorithm>
#include <utility>

namespace cdp {
namespace {

std::size_t bound_for(Backlog::Intake intake, std::size_t bound) {
    return intake == Backlog::Intake::events ? bound : bound + std::max<std::size_t>(bound / 8, 1);
}

}  // namespace

Backlog::Place& Backlog::Place::operator=(Place&& other) noexcept {
    if (this == &other) return *this;
    leave();
    in_ = std::exchange(other.in_, nullptr);
    bytes_ = other.bytes_;
    return *this;
}

void Backlog::Place::leave() {
    auto* const in = std::exchange(in_, nullptr);
    if (!in) return;
    in->bytes_.fetch_sub(bytes_, std::memory_order_relaxed);
    in->requests_.fetch_sub(1, std::memory_order_relaxed);
}

Result<Backlog::Place> Backlog::enter(Intake intake, std::size_t bytes) {
    // Entered first and judged then, so that two at once cannot both take the last room.
    const auto others = requests_.fetch_add(1, std::memory_order_relaxed);
    const auto held = bytes_.fetch_add(bytes, std::memory_order_relaxed);
    Place place(*this, bytes);
    const auto bound = bound_for(intake, requests_max_);
    const bool crowded = others >= bound || held + bytes > bound * kBytesEach;
    if (others > 0 && crowded) return refuse(intake);
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
