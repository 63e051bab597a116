#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "storage/space.h"

// Every key of the database. docs/STORAGE.md describes the values.
//
// A key is u16 partition, Space, a 16-byte subject (its group), then what the space adds. Numbers
// are big-endian, so that byte order is number order. No key holds plaintext.
namespace storage {

inline constexpr std::uint16_t kPartition = 0;

// Partition, space and subject: the unit in which scans are checked for conflicts.
inline constexpr std::size_t kGroupBytes = 2 + 1 + 16;

// What every key of a space starts with, across subjects.
inline std::string space_prefix(Space space) {
    return {static_cast<char>(kPartition >> 8), static_cast<char>(kPartition & 0xff),
            static_cast<char>(space)};
}

// The subject of a key that has one: the identifier, person or group it is filed under.
inline cdp::Token subject_in(std::string_view key) {
    return cdp::Token::from(key.substr(kGroupBytes - sizeof(cdp::Token), sizeof(cdp::Token)));
}

// Builds a key field by field.
class KeyWriter {
public:
    template <typename Tag>
    KeyWriter(Space space, const cdp::Id<Tag>& subject) {
        key_.reserve(64);
        key_.push_back(static_cast<char>(kPartition >> 8));
        key_.push_back(static_cast<char>(kPartition & 0xff));
        key_.push_back(static_cast<char>(space));
        key_.append(subject.view());
    }

    template <typename Tag>
    KeyWriter& id(const cdp::Id<Tag>& id) {
        key_.append(id.view());
        return *this;
    }
    KeyWriter& byte(char c) {
        key_.push_back(c);
        return *this;
    }
    KeyWriter& number(std::uint64_t n) {
        for (int shift = 56; shift >= 0; shift -= 8) key_.push_back(static_cast<char>(n >> shift));
        return *this;
    }
    KeyWriter& number32(std::uint32_t n) {
        for (int shift = 24; shift >= 0; shift -= 8) key_.push_back(static_cast<char>(n >> shift));
        return *this;
    }
    // Later times sort first. Any Timestamp, also before 1970.
    KeyWriter& newest_first(cdp::Timestamp time) {
        const auto biased = static_cast<std::uint64_t>(cdp::milliseconds_of(time)) ^ (1ULL << 63);
        return number(~biased);
    }

    std::string str() && { return std::move(key_); }
    std::string str() const& { return key_; }

private:
    std::string key_;
};

// Reads the fields of a key back, after its group. Keys come from disk: check `ok`.
class KeyReader {
public:
    explicit KeyReader(std::string_view key)
        : rest_(key.size() >= kGroupBytes ? key.substr(kGroupBytes) : std::string_view{}),
          ok_(key.size() >= kGroupBytes) {}

    template <typename IdType>
    IdType id() {
        IdType out{};
        if (need(16)) {
            out = IdType::from(rest_.substr(0, 16));
            rest_.remove_prefix(16);
        }
        return out;
    }
    std::uint64_t number() {
        std::uint64_t n = 0;
        if (!need(8)) return 0;
        for (int i = 0; i < 8; ++i)
            n = (n << 8) | static_cast<std::uint8_t>(rest_[static_cast<std::size_t>(i)]);
        rest_.remove_prefix(8);
        return n;
    }
    std::uint32_t number32() {
        std::uint32_t n = 0;
        if (!need(4)) return 0;
        for (int i = 0; i < 4; ++i)
            n = (n << 8) | static_cast<std::uint8_t>(rest_[static_cast<std::size_t>(i)]);
        rest_.remove_prefix(4);
        return n;
    }
    char byte() {
        if (!need(1)) return 0;
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }
    cdp::Timestamp newest_first() {
        return cdp::timestamp_of(static_cast<std::int64_t>(~number() ^ (1ULL << 63)));
    }
    std::string_view rest() const { return rest_; }
    bool ok() const { return ok_; }

private:
    bool need(std::size_t n) {
        if (rest_.size() >= n) return true;
        ok_ = false;
        return false;
    }

    std::string_view rest_;
    bool ok_;
};

}  // namespace storage
