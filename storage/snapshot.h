#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"

namespace storage {

// Counts commits of this process; comparable only within it.
using Version = std::uint64_t;
using Partition = std::uint16_t;

inline constexpr std::size_t kKeyBytesMax = 1024;
inline constexpr std::size_t kValueBytesMax = 64 * 1024;

// Return false to stop the scan. The views die when the visit returns.
using Visit = std::function<bool(std::string_view key, std::string_view value)>;

// The store at one moment. Safe to use from many threads; must not outlive its store. Calls may
// wait for the disk. "Not there" is nullopt; an Error means the bytes could not be read or are
// damaged, and a scan never ends early without one.
class Snapshot {
public:
    virtual ~Snapshot() = default;

    // All commits up to here are in the snapshot; later ones may be.
    virtual Version version() const = 0;

    virtual cdp::Result<std::optional<std::string>> get(std::string_view key) const = 0;

    // Values in the order of `keys`.
    virtual cdp::Result<std::vector<std::optional<std::string>>> multi_get(
        std::span<const std::string> keys) const = 0;

    // Visits the pairs under `prefix` whose key is >= `from`, in byte order of the keys. An empty
    // `from` starts at the prefix.
    virtual cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                                   const Visit& visit) const = 0;
};

// What was read, so that it can be asked later whether it still holds. A scanned prefix counts as
// one key: any write below it makes the set stale.
class ReadSet {
public:
    explicit ReadSet(Version version = 0) : version_(version) {}

    void add_key(std::string_view key);
    // `prefix` must hold at least kGroupBytes (storage/key.h); what is tracked is its group.
    void add_prefix(std::string_view prefix);
    void add(const ReadSet& other) {
        marks_.insert(marks_.end(), other.marks_.begin(), other.marks_.end());
    }
    void set_version(Version version) { version_ = version; }

    Version version() const { return version_; }
    std::span<const std::uint64_t> marks() const { return marks_; }

private:
    Version version_;
    std::vector<std::uint64_t> marks_;
};

}  // namespace storage
