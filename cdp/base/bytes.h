#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cdp {

// Appends fixed-width big-endian numbers and length-prefixed bytes to a buffer.
class ByteWriter {
public:
    ByteWriter& u8(std::uint8_t n) { return number(n, 1); }
    ByteWriter& u16(std::uint16_t n) { return number(n, 2); }
    ByteWriter& u32(std::uint32_t n) { return number(n, 4); }
    ByteWriter& u64(std::uint64_t n) { return number(n, 8); }
    ByteWriter& i64(std::int64_t n) { return number(static_cast<std::uint64_t>(n), 8); }
    ByteWriter& raw(std::string_view bytes) {
        out_.append(bytes);
        return *this;
    }
    // A u32 length, then the bytes.
    ByteWriter& bytes(std::string_view bytes) {
        u32(static_cast<std::uint32_t>(bytes.size()));
        return raw(bytes);
    }
    std::string take() { return std::move(out_); }
    const std::string& str() const { return out_; }

private:
    ByteWriter& number(std::uint64_t n, int width) {
        for (int shift = (width - 1) * 8; shift >= 0; shift -= 8)
            out_.push_back(static_cast<char>(n >> shift));
        return *this;
    }

    std::string out_;
};

// Reads what ByteWriter wrote. A read past the end yields zero or empty and makes ok() false for
// good, so a decoder checks once, at its end.
class ByteReader {
public:
    explicit ByteReader(std::string_view in) : in_(in) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    std::int64_t i64() { return static_cast<std::int64_t>(number(8)); }
    std::string_view raw(std::size_t n) {
        if (n > in_.size()) {
            fail();
            return {};
        }
        const auto out = in_.substr(0, n);
        in_.remove_prefix(n);
        return out;
    }
    std::string_view bytes() { return raw(u32()); }
    // The bytes of an Id, written raw.
    template <typename IdType>
    IdType id() {
        const auto bytes = raw(sizeof(IdType::bytes));
        return ok_ ? IdType::from(bytes) : IdType{};
    }

    bool ok() const { return ok_; }
    // Everything was read and nothing was missing.
    bool done() const { return ok_ && in_.empty(); }
    std::string_view rest() const { return in_; }

private:
    std::uint64_t number(std::size_t width) {
        if (width > in_.size()) {
            fail();
            return 0;
        }
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < width; ++i) n = (n << 8) | static_cast<std::uint8_t>(in_[i]);
        in_.remove_prefix(width);
        return n;
    }
    void fail() {
        ok_ = false;
        in_ = {};
    }

    std::string_view in_;
    bool ok_ = true;
};

}  // namespace cdp
