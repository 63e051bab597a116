#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace api {

// Bytes that came in and were not consumed yet, in one piece. Pointers into it hold until
// `reserve`.
class Buffer {
public:
    std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
    std::size_t size() const { return end_ - begin_; }
    std::size_t capacity() const { return capacity_; }

    char* space() { return bytes_.get() + end_; }
    std::size_t room() const { return capacity_ - end_; }
    void commit(std::size_t n) { end_ += n; }
    void consume(std::size_t n) {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }

    // Moves what is there to the front, into `capacity` bytes or as many as it already has.
    void reserve(std::size_t capacity) {
        if (capacity <= capacity_) {
            std::memmove(bytes_.get(), bytes_.get() + begin_, size());
        } else {
            auto bigger = std::make_unique_for_overwrite<char[]>(capacity);
            if (size() > 0) std::memcpy(bigger.get(), bytes_.get() + begin_, size());
            bytes_ = std::move(bigger);
            capacity_ = capacity;
        }
        end_ -= begin_;
        begin_ = 0;
    }
    // Gives the memory back. What was there is lost.
    void reset() { *this = Buffer(); }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace api
