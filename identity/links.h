#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "identity/evidence.h"
#include "identity/identifier.h"
#include "storage/transaction.h"

// Links as stored: which source saw two identifiers together, how surely, on which days. One row is
// 64 days of one source and class; nothing is ever summed up or cut off, so that what one source
// said in any range of days can be taken back exactly, long after its events are gone.
namespace identity {

// One row: on which days of its block the pair was seen.
struct LinkDays {
    LinkClass link_class = LinkClass::probabilistic;
    std::uint32_t source = 0;
    std::int32_t first_day = 0;  // of the block: a multiple of 64
    std::uint64_t days = 0;      // bit i: first_day + i

    friend bool operator==(const LinkDays&, const LinkDays&) = default;
};

inline constexpr std::int32_t kBlockDays = 64;

// What one event says about a pair: one day of one block.
LinkDays link_day(LinkClass link_class, std::int32_t day, std::uint32_t source);
// The link between an identifier and its hash: as sure as an account, on no day.
LinkDays hash_equality();

// The row's key under `from`; stored under both ends. Rows of better classes come first.
std::string link_key(const cdp::Token& from, const cdp::Token& to, const LinkDays& row);
std::string link_prefix(const cdp::Token& from);
std::string encode_days(std::uint64_t days);

struct StoredLink {
    cdp::Token from;
    cdp::Token to;
    LinkDays row;
};
// nullopt when it is not what was written.
std::optional<StoredLink> decode_link(std::string_view key, std::string_view value);

// The evidence of one row.
Evidence evidence_of(const LinkDays& row);

// The links of one identifier of class `weakest` or better.
using VisitLink = std::function<bool(const cdp::Token& to, const LinkDays& row)>;
cdp::Result<void> scan_links(storage::Transaction& transaction, const cdp::Token& from,
                             LinkClass weakest, const VisitLink& visit);

}  // namespace identity
