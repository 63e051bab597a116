#include "tests/simulator/vendors.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "tests/simulator/identifiers.h"

namespace simulator {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;

void sort_unique(std::vector<std::uint32_t>& values) {
    std::ranges::sort(values);
    values.erase(std::ranges::unique(values).begin(), values.end());
}

// The values that Segment blocks unless told otherwise.
bool is_blocked_by_segment(const std::string& value) {
    return value == "-1" || value == "null" || value == "anonymous" ||
           value.find_first_not_of("0-") == value.npos;
}

class Segment {
public:
    explicit Segment(const Numbered& ids) : ids_(ids), owner_(ids.value.size(), kNone) {}

    // The profile the event goes to; its root is found when all is over.
    std::uint32_t resolve(std::vector<Id> ids) {
        std::erase_if(ids, [&](Id id) { return is_blocked_by_segment(ids_.value[id.number]); });
        if (ids.empty()) return create();
        auto owners = owners_of(ids);
        while (ids.size() > 1 && !fits(owners, ids)) {
            ids.pop_back();
            owners = owners_of(ids);
        }
        const auto profile = owners.empty() ? create() : owners.front();
        for (const auto other : owners)
            if (other != profile) merge(profile, other);
        for (const auto id : ids) {
            owner_[id.number] = profile;
            held_[profile][static_cast<std::size_t>(id.type)].insert(id.number);
        }
        return profile;
    }
    std::uint32_t root(std::uint32_t profile) { return profiles_.root(profile); }

private:
    using Held = std::array<std::set<std::uint32_t>, kTypes>;

    std::uint32_t create() {
        held_.emplace_back();
        return profiles_.add();
    }

    // Oldest first.
    std::vector<std::uint32_t> owners_of(const std::vector<Id>& ids) {
        std::vector<std::uint32_t> owners;
        for (const auto id : ids)
            if (owner_[id.number] != kNone) owners.push_back(root(owner_[id.number]));
        sort_unique(owners);
        return owners;
    }

    bool fits(const std::vector<std::uint32_t>& owners, const std::vector<Id>& ids) const {
        Held all;
        for (const auto id : ids) all[static_cast<std::size_t>(id.type)].insert(id.number);
        for (const auto owner : owners)
            for (std::size_t type = 0; type < kTypes; ++type)
                all[type].insert(held_[owner][type].begin(), held_[owner][type].end());
        for (std::size_t type = 0; type < kTypes; ++type)
            if (all[type].size() > (static_cast<Type>(type) == Type::user_id ? 1U : 5U))
                return false;
        return true;
    }

    void merge(std::uint32_t into, std::uint32_t other) {
        profiles_.join(into, other);
        for (std::size_t type = 0; type < kTypes; ++type)
            held_[into][type].merge(held_[other][type]);
    }

    const Numbered& ids_;
    std::vector<std::uint32_t> owner_;
    std::vector<Held> held_;
    Sets profiles_;
};

class Snowplow {
public:
    explicit Snowplow(std::size_t ids) : owners_(ids), alone_(ids, kNone) {}

    std::uint32_t resolve(const std::vector<Id>& ids) {
        return ids.front().type == Type::user_id ? of_user(ids) : of_nobody(ids);
    }
    std::uint32_t root(std::uint32_t person) { return people_.root(person); }

private:
    std::uint32_t create(std::uint32_t user = kNone) {
        user_.push_back(user);
        return people_.add();
    }

    // Roots, oldest first.
    std::vector<std::uint32_t>& owners_of(Id id) {
        auto& owners = owners_[id.number];
        for (auto& owner : owners) owner = root(owner);
        sort_unique(owners);
        return owners;
    }

    std::uint32_t merge(std::uint32_t a, std::uint32_t b) {
        const auto [older, newer] = std::minmax(a, b);
        if (older == newer) return older;
        people_.join(older, newer);
        if (user_[older] == kNone) user_[older] = user_[newer];
        return older;
    }

    // Whoever has no unique value joins; whoever has another keeps its identifiers and shares them.
    std::uint32_t of_user(const std::vector<Id>& ids) {
        const auto user = ids.front().number;
        auto& own = owners_of(ids.front());
        auto home = own.empty() ? kNone : own.front();
        for (const auto id : ids)
            for (const auto owner : std::vector(owners_of(id)))
                if (user_[root(owner)] == kNone)
                    home = home == kNone ? root(owner) : merge(home, root(owner));
        if (home == kNone) home = create();
        user_[home] = user;
        for (const auto id : ids) owners_[id.number].push_back(home);
        return home;
    }

    // Identifiers with one owner say who it is; if they name two, or there is none of them, the
    // best identifier stands for itself.
    std::uint32_t of_nobody(const std::vector<Id>& ids) {
        std::vector<std::uint32_t> sure;
        std::vector<std::uint32_t> known;
        for (const auto id : ids) {
            const auto& owners = owners_of(id);
            if (owners.size() == 1) sure.push_back(owners.front());
            known.insert(known.end(), owners.begin(), owners.end());
        }
        if (known.empty()) return attach(ids, create());
        sort_unique(sure);
        std::vector<std::uint32_t> identified;
        for (const auto person : sure)
            if (user_[person] != kNone) identified.push_back(person);
        if (sure.empty() || identified.size() > 1) return alone(ids);
        auto home = sure.front();
        for (const auto person : sure) home = merge(home, person);
        return attach(ids, home);
    }

    std::uint32_t attach(const std::vector<Id>& ids, std::uint32_t home) {
        for (const auto id : ids)
            if (owners_[id.number].empty()) owners_[id.number].push_back(home);
        return home;
    }

    std::uint32_t alone(const std::vector<Id>& ids) {
        const auto at =
            std::ranges::find_if(ids, [&](Id id) { return owners_[id.number].size() > 1; });
        auto& stand_in = alone_[(at == ids.end() ? ids.front() : *at).number];
        if (stand_in == kNone) stand_in = create();
        return stand_in;
    }

    std::vector<std::vector<std::uint32_t>> owners_;
    std::vector<std::uint32_t> alone_;
    std::vector<std::uint32_t> user_;  // of a root: the number of its user id
    Sets people_;
};

// Replayed later, so that only the newest occurrence of a pair counts.
struct Links {
    using Pair = std::pair<std::uint32_t, std::uint32_t>;
    struct Seen {
        std::int64_t time = 0;
        int priority = 0;
    };
    std::map<Pair, Seen> seen;
    std::vector<std::uint32_t> user;  // by number of identifier: itself if it is a user id

    void add(const std::vector<Id>& ids, std::int64_t time) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (ids[i].type == Type::user_id) user[ids[i].number] = ids[i].number;
            for (std::size_t j = i + 1; j < ids.size(); ++j) {
                auto& link = seen[std::minmax(ids[i].number, ids[j].number)];
                link.time = std::max(link.time, time);
                link.priority = priority(ids[i].type) + priority(ids[j].type);
            }
        }
    }

    static int priority(Type type) {
        switch (type) {
            case Type::user_id: return 7;
            case Type::loyalty_id: return 6;
            case Type::email: return 5;
            case Type::email_sha256: return 4;
            case Type::phone: return 3;
            case Type::device_id: return 2;
            case Type::anonymous_id: return 1;
        }
        return 0;
    }

    // Newest first.
    std::vector<Pair> replay() const {
        std::vector<std::tuple<std::int64_t, int, Pair>> order;
        for (const auto& [pair, link] : seen) order.emplace_back(-link.time, -link.priority, pair);
        std::ranges::sort(order);
        std::vector<Pair> pairs;
        for (const auto& [time, priority, pair] : order) pairs.push_back(pair);
        return pairs;
    }
};

}  // namespace

Labels connected_components(std::span<const SimEvent> events,
                            std::span<const std::uint32_t> order) {
    const Numbered ids(events);
    Sets sets(ids.value.size());
    for (const auto event : order)
        for (const auto id : ids.of[event])
            sets.join(sets.root(ids.of[event].front().number), sets.root(id.number));
    Labels labels;
    for (const auto& of_event : ids.of) labels.push_back(sets.root(of_event.front().number));
    return labels;
}

Labels segment_like(std::span<const SimEvent> events, std::span<const std::uint32_t> order) {
    const Numbered ids(events);
    Segment segment(ids);
    Labels labels(events.size(), kNone);
    for (const auto event : order) labels[event] = segment.resolve(ids.of[event]);
    for (auto& label : labels) label = segment.root(label);
    return labels;
}

Labels snowplow_like(std::span<const SimEvent> events, std::span<const std::uint32_t> order) {
    const Numbered ids(events);
    Snowplow snowplow(ids.value.size());
    Labels labels(events.size(), kNone);
    for (const auto event : order) labels[event] = snowplow.resolve(ids.of[event]);
    for (auto& label : labels) label = snowplow.root(label);
    return labels;
}

Labels adobe_like(std::span<const SimEvent> events, std::span<const std::uint32_t> order) {
    const Numbered ids(events);
    Links links;
    links.user.assign(ids.value.size(), kNone);
    for (const auto event : order) links.add(ids.of[event], events[event].time);
    Sets sets(ids.value.size());
    for (const auto& [a, b] : links.replay()) {
        const auto left = sets.root(a);
        const auto right = sets.root(b);
        if (left == right) continue;
        if (links.user[left] != kNone && links.user[right] != kNone) continue;
        sets.join(left, right);
        if (links.user[left] == kNone) links.user[left] = links.user[right];
    }
    Labels labels;
    for (const auto& of_event : ids.of) {
        const auto best =
            std::ranges::max(of_event, {}, [](Id id) { return Links::priority(id.type); });
        labels.push_back(sets.root(best.number));
    }
    return labels;
}

}  // namespace simulator
