#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

// How records stand in a segment of the journal.
namespace storage {

// CRC-32C (Castagnoli), as of RFC 3720.
std::uint32_t crc32c(std::string_view bytes);

// Appends u32 length, u32 CRC, record.
void add_frame(std::string& out, std::string_view record);

// How many bytes at the end of `bytes` cannot be read and are not a record cut short.
std::uint64_t read_frames(std::string_view bytes,
                          const std::function<void(std::string_view)>& visit);

}  // namespace storage
