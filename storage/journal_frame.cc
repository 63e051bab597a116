#include "storage/journal_frame.h"

#include <array>

#include "cdp/base/bytes.h"
#include "storage/journal.h"

namespace storage {
namespace {

constexpr std::size_t kHeadBytes = 8;

constexpr std::array<std::uint32_t, 256> kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t n = 0; n < 256; ++n) {
        std::uint32_t crc = n;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78U : 0U);
        table[n] = crc;
    }
    return table;
}();

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t crc = ~0U;
    for (const char c : bytes)
        crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xff];
    return ~crc;
}

void add_frame(std::string& out, std::string_view record) {
    cdp::ByteWriter head;
    head.u32(static_cast<std::uint32_t>(record.size())).u32(crc32c(record));
    out.append(head.str()).append(record);
}

std::uint64_t read_frames(std::string_view bytes,
                          const std::function<void(std::string_view)>& visit) {
    while (bytes.size() >= kHeadBytes) {
        cdp::ByteReader in(bytes);
        const auto length = in.u32();
        const auto crc = in.u32();
        // A file that a crash of the machine left with zeros has lengths of nothing.
        if (length == 0 || length > kJournalRecordMax) return bytes.size();
        if (length > in.rest().size()) return 0;
        const auto record = in.raw(length);
        if (crc32c(record) != crc) return bytes.size();
        visit(record);
        bytes = in.rest();
    }
    return 0;
}

}  // namespace storage
