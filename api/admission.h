#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "api/edge_config.h"
#include "cdp/access.h"

namespace api {

// The address for which a trusted proxy asks: the right-most in the fields of this head that is no
// trusted proxy itself. `peer` when it is none, or when nothing can be read. `head` is a whole one
// that read_head let through.
Address client_behind(std::string_view head, const EdgeConfig& config, const Address& peer);

// How many connections and how many requests everybody may have. Shared by all threads; memory is
// bounded by the number of connections and by the tables.
class Admission {
public:
    using Time = RateTable::Time;

    explicit Admission(const EdgeConfig& config);

    // False: there are as many connections from there as may be. One that is let in leaves.
    bool enter(const Address& peer);
    void leave(const Address& peer);

    // Whether so many places are taken that those who wait without having asked give way. Told by
    // who accepts.
    void set_crowded(bool crowded) { crowded_.store(crowded, std::memory_order_relaxed); }
    bool crowded() const { return crowded_.load(std::memory_order_relaxed); }

    // Whether what it says of its clients is believed.
    bool is_proxy(const Address& peer) const { return config_.trusted_proxies.contains(peer); }
    const EdgeConfig& config() const { return config_; }

    // One request of this address, or of this key from there; one wrong key; one gzip from who has
    // shown no key. 0: it may; else the seconds after which the next may.
    std::uint32_t wait_for_request(const Address& client, Time now);
    std::uint32_t wait_for_key(const cdp::Principal& caller, const Address& client, Time now);
    std::uint32_t wait_after_wrong_key(const Address& client, Time now);
    std::uint32_t wait_for_keyless_gzip(const Address& client, Time now);

private:
    struct Hash {
        std::uint64_t secret[2];
        std::uint64_t operator()(std::string_view bytes) const;
        std::uint64_t operator()(const Address& address) const;
    };

    bool is_bounded(const Address& address) const {
        return config_.bounds_loopback || !address.is_loopback();
    }
    bool is_counted(const Address& peer) const {
        return config_.connections_per_address > 0 && is_bounded(peer) && !is_proxy(peer);
    }

    const EdgeConfig config_;
    const Hash hash_;
    RateTable addresses_;
    RateTable keys_;
    RateTable wrong_keys_;
    RateTable keyless_gzip_;
    std::atomic<bool> crowded_ = false;
    std::mutex mutex_;                                            // guards connections_
    std::unordered_map<Address, std::size_t, Hash> connections_;  // by subscriber
};

}  // namespace api
