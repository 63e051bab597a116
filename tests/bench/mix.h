#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// The ingest mix, fixed so that figures stay comparable: events of about 640 bytes of 100,000
// people, one in twenty brings a new identifier, one in ten is an identify, every event carries a
// consent stamp.
namespace bench {

inline constexpr std::uint64_t kPeople = 100'000;
inline constexpr std::size_t kBatchEvents = 100;

// A batch body of identifies that make every person of [first, first + kBatchEvents) known:
// account, cookie, address and consent. Sent with the key of the mix, so that what the mix brings
// of new identifiers is its one in twenty.
std::string introduction(std::uint64_t first);

// The same, short, with four identifiers each: account, cookie, device and address.
inline constexpr std::uint64_t kIdentifiersOfAPerson = 4;
std::string acquaintance(std::uint64_t first);

// Events of one account, each with a cookie that was never seen: what a bot or a till does.
std::string hub_body(std::uint64_t first);

// Whose events come: `active` of the people below `people`, in equal distances.
struct Crowd {
    std::uint64_t people = kPeople;
    std::uint64_t active = kPeople;
};

// Batch bodies of the mix. `run` keeps messageIds and new identifiers of different runs apart.
std::vector<std::string> mixed_bodies(std::uint64_t run, std::size_t batches, const Crowd& crowd);

}  // namespace bench
