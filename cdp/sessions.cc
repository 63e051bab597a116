#include "cdp/sessions.h"

#include <algorithm>

namespace cdp {

void Sessions::add(const Touch& touch, std::vector<Touch>& decided) {
    const auto gap = last_ ? *last_ - touch.place.time : std::chrono::milliseconds{0};
    last_ = touch.place.time;
    if (gap > session_) {
        while (!run_.empty()) decide_first(decided);
        later_.reset();
    }
    while (!run_.empty() && run_.front().touch.place.time - touch.place.time > kSessionReach)
        decide_first(decided);
    if (!touch.owner) {
        run_.push_back({touch, gap});
        return;
    }
    divide(*touch.owner, gap, decided);
    decided.push_back(touch);
    later_ = touch;
}

void Sessions::finish(std::vector<Touch>& decided) {
    while (!run_.empty()) decide_first(decided);
    later_.reset();
    last_.reset();
}

bool Sessions::reaches_later(const Touch& touch) const {
    return later_ && later_->place.time - touch.place.time <= kSessionReach;
}

// No earlier owned event reaches it.
void Sessions::decide_first(std::vector<Touch>& decided) {
    Touch touch = run_.front().touch;
    run_.pop_front();
    if (reaches_later(touch)) touch.owner = later_->owner;
    decided.push_back(touch);
}

// The run ends at an owned event that reaches all of it. Cutting at k gives its first k to the
// later one.
void Sessions::divide(const Owner& earlier, std::chrono::milliseconds gap,
                      std::vector<Touch>& decided) {
    std::size_t both = 0;  // how many the later one reaches too
    while (both < run_.size() && reaches_later(run_[both].touch)) ++both;
    const auto gap_at = [&](std::size_t k) { return k < run_.size() ? run_[k].gap : gap; };
    std::size_t cut = 0;
    for (std::size_t k = 1; k <= both; ++k)
        if (gap_at(k) > gap_at(cut)) cut = k;
    for (std::size_t i = 0; i < run_.size(); ++i) {
        Touch touch = run_[i].touch;
        touch.owner = i < cut ? later_->owner : std::optional(earlier);
        decided.push_back(touch);
    }
    run_.clear();
}

std::vector<Touch> attribute(std::vector<Touch> touches, std::chrono::milliseconds session) {
    std::ranges::sort(touches,
                      [](const Touch& a, const Touch& b) { return a.place.before(b.place); });
    const auto repeated = std::ranges::unique(touches, {}, &Touch::place);
    touches.erase(repeated.begin(), repeated.end());
    std::vector<Touch> decided;
    decided.reserve(touches.size());
    Sessions sessions(session);
    for (const Touch& touch : touches) sessions.add(touch, decided);
    sessions.finish(decided);
    return decided;
}

}  // namespace cdp
